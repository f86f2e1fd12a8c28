//! The signatures of tokens, worked out by `ring`. Nothing is signed here, and no secret is ever a key: what an issuer and its
//! users would have to share (HMAC) is refused whatever the settings say.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{Error as Unsound, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_: &Algorithm, _: &EncodingKey| Err(unsupported()),
    verifier_factory: |algorithm, key| Ok(Box::new(Signature::of(*algorithm, key)?)),
    // For the thumbprints of keys, which nobody asks for.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes it what signatures are worked out with, in this process.
pub fn install() {
    // Whoever came first has installed the same.
    let _ = PROVIDER.install_default();
}

fn unsupported() -> Error {
    ErrorKind::UnsupportedAlgorithm.into()
}

struct Signature {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    Rsa { how: &'static RsaParameters, n: Vec<u8>, e: Vec<u8> },
    Point { how: &'static dyn VerificationAlgorithm, bytes: Vec<u8> },
}

impl Signature {
    fn of(algorithm: Algorithm, key: &DecodingKey) -> Result<Self, Error> {
        let rsa = |how| match key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => Ok(Key::Rsa { how, n: n.clone(), e: e.clone() }),
            DecodingKeyKind::SecretOrDer(_) => Err(unsupported()),
        };
        let point = |how| Ok(Key::Point { how, bytes: key.try_get_as_bytes()?.to_vec() });
        if key.family() != algorithm.family() {
            return Err(unsupported());
        }
        let key = match algorithm {
            Algorithm::RS256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Algorithm::PS256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => rsa(&signature::RSA_PSS_2048_8192_SHA512),
            Algorithm::ES256 => point(&signature::ECDSA_P256_SHA256_FIXED as &dyn VerificationAlgorithm),
            Algorithm::ES384 => point(&signature::ECDSA_P384_SHA384_FIXED),
            Algorithm::EdDSA => point(&signature::ED25519),
            _ => Err(unsupported()),
        }?;
        Ok(Self { algorithm, key })
    }
}

impl Verifier<Vec<u8>> for Signature {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Unsound> {
        let sound = match &self.key {
            Key::Rsa { how, n, e } => RsaPublicKeyComponents { n, e }.verify(how, message, signature),
            Key::Point { how, bytes } => UnparsedPublicKey::new(*how, bytes).verify(message, signature),
        };
        sound.map_err(|_| Unsound::new())
    }
}

impl JwtVerifier for Signature {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
