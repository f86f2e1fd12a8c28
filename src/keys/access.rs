//! The secrets of access keys: `eile_`, the id of the key, `_`, 43 characters of base64url. The beginning is there so that
//! programs that look for leaked secrets know one when they see it.

use super::{Keys, token_hash};
use crate::model::access::SecretHash;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

const PREFIX: &str = "eile_";
const ID_LENGTH: usize = 16;
const SECRET_LENGTH: usize = 43;

/// A secret that was just made. No `Debug`: it is shown once, to whoever asked for it.
pub struct NewSecret {
    pub text: String,
    pub hash: SecretHash,
}

impl Keys {
    /// The id of the key that this request makes.
    pub fn access_key_id(&self, request_id: Uuid) -> String {
        self.hash("access-key-id", &[request_id.as_bytes()])
            .iter()
            .take(ID_LENGTH / 2)
            .map(|b| format!("{b:02x}"))
            .collect()
    }

    /// The secret that a request gives a key: the same when the request is repeated, though only its hash is kept.
    pub fn access_secret(&self, id: &str, request_id: Uuid) -> NewSecret {
        self.secret_for("access-key", id, request_id)
    }

    /// The secret that a rotation gives a key: another one, even under the request id that made the key.
    pub fn rotated_secret(&self, id: &str, request_id: Uuid) -> NewSecret {
        self.secret_for("access-key-rotation", id, request_id)
    }

    /// The id of whoever signs in as this subject of an issuer: of the length of an access key's, and never one of those.
    /// Who it is tells only whoever knows the subject.
    pub fn user_id(&self, issuer: &str, subject: &str) -> String {
        let hash = self.hash("user", &[issuer.as_bytes(), subject.as_bytes()]);
        let digits: String = hash.iter().take(ID_LENGTH / 2).map(|b| format!("{b:02x}")).collect();
        format!("u{}", &digits[1..])
    }

    fn secret_for(&self, purpose: &str, id: &str, request_id: Uuid) -> NewSecret {
        let secret = URL_SAFE_NO_PAD.encode(self.hash(purpose, &[id.as_bytes(), request_id.as_bytes()]));
        let text = format!("{PREFIX}{id}_{secret}");
        NewSecret { hash: token_hash(&text), text }
    }
}

/// The id in a secret and the hash of the whole; nothing where it is none.
pub fn read_secret(text: &str) -> Option<(&str, SecretHash)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_at_checked(ID_LENGTH)?;
    let secret = secret.strip_prefix('_')?;
    let is_hex = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (is_hex && secret.len() == SECRET_LENGTH).then(|| (id, token_hash(text)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_nothing_else_is() {
        let keys = Keys::new([7; 32]);
        let request = Uuid::from_u128(5);
        let id = keys.access_key_id(request);
        let made = keys.access_secret(&id, request);
        assert_eq!(made.text.len(), 5 + 16 + 1 + 43);
        assert_eq!(read_secret(&made.text), Some((id.as_str(), made.hash)));
        assert_eq!(keys.access_secret(&id, request).text, made.text);
        assert_ne!(keys.access_secret(&id, Uuid::from_u128(6)).text, made.text);
        assert_ne!(keys.rotated_secret(&id, request).text, made.text);
        let mut wrong = vec![String::new(), "eile_".into(), made.text[1..].to_owned(), format!("{}x", made.text)];
        wrong.push(made.text.to_uppercase());
        wrong.push(made.text.replace("eile_", "Bearer "));
        wrong.push("eile_ąąąąąąąąąąąąąąąą_".into());
        for text in wrong {
            assert!(read_secret(&text).is_none(), "{text}");
        }
    }
}
