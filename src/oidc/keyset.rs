//! The keys of an issuer (RFC 7517), as far as they sign tokens.

use super::Fault;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Most keys of a set: an issuer has two or three.
const KEYS_MAX: usize = 100;

pub struct KeySet {
    keys: Vec<Signer>,
}

pub struct Signer {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    pub decoding: DecodingKey,
    /// What tells it from every other key.
    pub fingerprint: [u8; 32],
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a set. Keys that sign nothing that is taken are left out, and so are those of kinds that nobody knows.
    pub fn read(text: &[u8], algorithms: &[Algorithm]) -> Result<Self, Fault> {
        let document: Document = serde_json::from_slice(text).map_err(|_| Fault("it is no set of keys".into()))?;
        if document.keys.len() > KEYS_MAX {
            return Err(Fault(format!("more than {KEYS_MAX} keys")));
        }
        let known = document.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(Self { keys: known.filter_map(|key| Signer::of(&key, algorithms)).collect() })
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn knows(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// The keys that may have signed a token with this kid, which may be left out where there is but one.
    pub fn signers(&self, kid: Option<&str>, alg: Algorithm) -> Result<Vec<&Signer>, &'static str> {
        if kid.is_none() && self.keys.len() > 1 {
            return Err("it does not say which key has signed it");
        }
        let named = |key: &&Signer| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        Ok(self.keys.iter().filter(named).filter(|key| key.algorithms.contains(&alg)).collect())
    }

    pub fn has(&self, fingerprint: &[u8; 32]) -> bool {
        self.keys.iter().any(|key| key.fingerprint == *fingerprint)
    }
}

impl Signer {
    fn of(key: &Jwk, taken: &[Algorithm]) -> Option<Self> {
        let signs = key.common.public_key_use.as_ref().is_none_or(|what| *what == PublicKeyUse::Signature);
        let verifies = |may: &Vec<KeyOperations>| may.contains(&KeyOperations::Verify);
        if !signs || !key.common.key_operations.as_ref().is_none_or(verifies) {
            return None;
        }
        let mut algorithms = possible(&key.algorithm);
        algorithms.retain(|alg| taken.contains(alg));
        if let Some(only) = key.common.key_algorithm {
            let only = Algorithm::try_from(only).ok()?;
            algorithms.retain(|alg| *alg == only);
        }
        if algorithms.is_empty() {
            return None;
        }
        let decoding = DecodingKey::from_jwk(key).ok()?;
        let fingerprint = fingerprint(&decoding);
        Some(Self { kid: key.common.key_id.clone(), algorithms, decoding, fingerprint })
    }
}

/// What a key of this kind can sign. A secret signs nothing: whoever could check it could make it.
fn possible(key: &AlgorithmParameters) -> Vec<Algorithm> {
    match key {
        AlgorithmParameters::RSA(_) => AlgorithmFamily::Rsa.algorithms().to_vec(),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => vec![Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => vec![Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => vec![Algorithm::EdDSA],
        _ => Vec::new(),
    }
}

fn fingerprint(key: &DecodingKey) -> [u8; 32] {
    let mut hash = Sha256::new();
    match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => hash.update(bytes),
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            hash.update((n.len() as u64).to_be_bytes());
            hash.update(n);
            hash.update(e);
        }
    }
    hash.finalize().into()
}
