//! Keyed hashes and tokens. What the database holds of request ids, contacts and tokens is made here, from
//! the installation's secret, so that nobody who sees a table can guess its way back.

use crate::model::attendance::MemberNo;
use crate::model::contact::ContactKeys;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::model::party::{Contact, Member};
use crate::model::person::PersonId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

mod access;
mod check_in;

pub use access::{NewSecret, read_secret};
pub use check_in::Misread;

/// The installation's secret. No `Debug`.
#[derive(Clone)]
pub struct Keys {
    mac: Hmac<Sha256>,
}

/// What makes the management token of a sign-up: the secret and the request id, mixed.
#[derive(Clone, Copy)]
pub struct TokenKey([u8; 32]);

impl Keys {
    pub fn new(secret: [u8; 32]) -> Self {
        // HMAC takes keys of any length; this key type is exactly one block or less.
        let mac = Hmac::<Sha256>::new(&block(&secret).into());
        Self { mac }
    }

    /// The keyed hash of some parts; each is preceded by its length, so that no two lists are the same text.
    fn hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(purpose.as_bytes());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// A request id in its scope (an event, or a caller and method) as it is stored.
    pub fn request_key(&self, scope: &str, request_id: Uuid) -> u128 {
        first_16(&self.hash("request", &[scope.as_bytes(), request_id.as_bytes()]))
    }

    /// What was asked under a request id, so that another body is seen. The request id is in it, so that
    /// equal bodies do not look equal.
    pub fn fingerprint(&self, method: &str, request_id: Uuid, body: &[u8]) -> u64 {
        first_8(&self.hash("body", &[method.as_bytes(), request_id.as_bytes(), body]))
    }

    /// The keys under which a contact is compared.
    pub fn contact(&self, contact: &Contact) -> ContactKeys {
        let key =
            |purpose: &str, normal: Option<String>| normal.map(|text| first_8(&self.hash(purpose, &[text.as_bytes()])));
        ContactKeys { email: key("email", contact.normal_email()), phone: key("phone", contact.normal_phone()) }
    }

    /// The unguessable part of a registration's id.
    pub fn id_secret(&self, scope: &str, request_id: Uuid) -> [u8; 12] {
        let hash = self.hash("registration", &[scope.as_bytes(), request_id.as_bytes()]);
        let mut out = [0; 12];
        out.copy_from_slice(&hash[..12]);
        out
    }

    /// The check-in code of a registration: nothing of it is stored.
    pub fn check_in_code(&self, event: EventId, number: Number) -> String {
        check_in::code(number, self.check_in_seal(event, number))
    }

    /// The accepted number in a check-in code of this event.
    pub fn read_check_in_code(&self, event: EventId, text: &str) -> Result<Number, Misread> {
        check_in::read(text, |number| self.check_in_seal(event, number))
    }

    fn check_in_seal(&self, event: EventId, number: Number) -> u64 {
        first_8(&self.hash("check-in", &[event.0.as_bytes(), &number.to_be_bytes()]))
    }

    /// What makes the token of the registration that this request brings about.
    pub fn token_key(&self, request_id: Uuid) -> TokenKey {
        TokenKey(self.hash("token", &[request_id.as_bytes()]))
    }
}

/// Persons.
impl Keys {
    /// The person of a member: the same for the same reference of its portal everywhere; without one, its own for
    /// this registration and place.
    pub fn person(&self, registration: RegistrationId, member: MemberNo, of: &Member) -> PersonId {
        if let Some(person) = of.person {
            return person;
        }
        let hash = match of.person_ref.trim() {
            "" => self.hash("person", &[registration.0.as_bytes(), &member.to_be_bytes()]),
            reference => self.hash("person-ref", &[reference.as_bytes()]),
        };
        PersonId(uuid::Builder::from_custom_bytes(first_16(&hash).to_be_bytes()).into_uuid())
    }
}

impl TokenKey {
    /// The management token: 43 characters of base64url. The same for the same request, so that a repeated
    /// sign-up gets it again although only its hash is kept.
    pub fn token(&self, registration: RegistrationId) -> String {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(registration.0.as_bytes());
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

/// What is stored of a token.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The key, filled up to a block as HMAC itself would.
fn block(secret: &[u8; 32]) -> [u8; 64] {
    let mut block = [0; 64];
    block[..32].copy_from_slice(secret);
    block
}

fn first_8(hash: &[u8; 32]) -> u64 {
    let mut out = [0; 8];
    out.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(out)
}

fn first_16(hash: &[u8; 32]) -> u128 {
    let mut out = [0; 16];
    out.copy_from_slice(&hash[..16]);
    u128::from_be_bytes(out)
}
