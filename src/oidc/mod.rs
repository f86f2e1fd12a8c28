//! People who sign in elsewhere: tokens of an OpenID Connect issuer. What comes of one is what an access key of the same role
//! and reach would give, for as long as the token lasts and its signer is among the issuer's keys (docs/decisions/0020).

mod fetch;
mod issuer;
mod keyset;
mod mapping;
mod signature;
mod token;

pub use fetch::{Address, Source};
pub use issuer::Pace;
pub use jsonwebtoken::Algorithm;
pub use mapping::Mapping;
pub use token::TOKEN_BYTES_MAX;

use crate::keys::{Keys, token_hash};
use crate::model::access::{AccessKey, SecretHash};
use crate::model::time::{Span, Timestamp};
use issuer::Issuer;
use keyset::KeySet;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use token::{Claims, Rules};

/// Tokens that are remembered, so that a signature is worked out once.
const REMEMBERED_MAX: usize = 20_000;

/// Whose tokens are taken, and what comes of them.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who signs them, as the tokens say it.
    pub issuer: String,
    /// Whom they must be for.
    pub audience: String,
    /// Where the issuer's keys are.
    pub source: Source,
    /// Signatures of no other kind are looked at.
    pub algorithms: Vec<Algorithm>,
    /// How far the issuer's clock may be from this one.
    pub skew: Span,
    pub pace: Pace,
    pub mapping: Mapping,
}

/// Why nobody comes of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// It is no good; what is wrong with it is nobody's business.
    Refused,
    /// Whether it is good cannot be told: the issuer has not said for too long which keys are its own.
    Unavailable,
}

/// The issuer's keys cannot be had, or are none.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

/// The users who sign in with the issuer.
pub struct Users {
    rules: Rules,
    mapping: Mapping,
    issuer: Arc<Issuer>,
    keys: Keys,
    remembered: RwLock<HashMap<SecretHash, Remembered>>,
}

/// What came of a token.
#[derive(Clone)]
struct Remembered {
    user: Arc<AccessKey>,
    /// The key that its signature was worked out with.
    signer: [u8; 32],
}

impl Remembered {
    /// Whether it still lets in: the token lasts, and its signer is still one.
    fn counts(&self, keys: &KeySet, now: Timestamp) -> bool {
        self.user.is_live(now) && keys.has(&self.signer)
    }
}

/// Whether a secret has the form of a token.
pub fn is_token(secret: &str) -> bool {
    secret.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// Whether the id is a user's and not that of an access key.
pub fn is_user(id: &str) -> bool {
    let digits = id.strip_prefix('u').unwrap_or_default();
    digits.len() == 15 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

impl Users {
    /// Keys in a file must be there from the beginning; an issuer that is elsewhere may be down.
    pub async fn open(options: Options, keys: Keys) -> Result<Self, Fault> {
        signature::install();
        let is_file = matches!(options.source, Source::File(_));
        let issuer = Arc::new(Issuer::new(options.source, options.algorithms.clone(), options.pace)?);
        if is_file {
            issuer.read_now().await?;
        } else {
            // So that the first caller does not wait, and the log tells at once where something is wrong.
            tokio::spawn({
                let issuer = Arc::clone(&issuer);
                async move { issuer.keys(None).await.map(|_| ()) }
            });
        }
        let rules = Rules {
            issuer: options.issuer,
            audience: options.audience,
            algorithms: options.algorithms,
            skew: options.skew,
        };
        Ok(Self { rules, mapping: options.mapping, issuer, keys, remembered: RwLock::default() })
    }

    /// Who signs the tokens.
    pub fn issuer(&self) -> &str {
        &self.rules.issuer
    }

    /// The user whose token this is.
    pub async fn shown(&self, token: &str, now: Timestamp) -> Result<(Arc<AccessKey>, SecretHash), No> {
        let head = self.rules.head(token).map_err(refused)?;
        let hash = token_hash(token);
        let keys = self.issuer.keys(head.kid.as_deref()).await?;
        if let Some(known) = self.remembered(&hash) {
            return self.answer(&known, hash, &keys, now);
        }
        let found = keys.signers(head.kid.as_deref(), head.alg).map_err(refused)?;
        let mut why = "no key of the issuer has this kid";
        for signer in found {
            match self.rules.claims(token, head.alg, &signer.decoding, now) {
                Ok(claims) => {
                    let user = Arc::new(self.user(&claims, hash, now).map_err(refused)?);
                    let known = Remembered { user, signer: signer.fingerprint };
                    self.remember(hash, known.clone(), now);
                    return self.answer(&known, hash, &keys, now);
                }
                Err(no) => why = no,
            }
        }
        Err(refused(why))
    }

    /// The same, where all that it takes is at hand.
    pub fn shown_at_once(&self, token: &str, now: Timestamp) -> Option<Result<(Arc<AccessKey>, SecretHash), No>> {
        let keys = self.issuer.at_hand()?;
        let hash = token_hash(token);
        let known = self.remembered(&hash)?;
        Some(self.answer(&known, hash, &keys, now))
    }

    /// Whether the user who came in by this token would still be let in.
    pub async fn still(&self, hash: &SecretHash, now: Timestamp) -> Result<bool, No> {
        let keys = self.issuer.keys(None).await?;
        Ok(self.remembered(hash).is_some_and(|known| known.counts(&keys, now)))
    }

    /// The user who came in by this token.
    pub fn user_of(&self, hash: &SecretHash) -> Option<Arc<AccessKey>> {
        self.remembered(hash).map(|known| known.user)
    }

    fn answer(
        &self,
        known: &Remembered,
        hash: SecretHash,
        keys: &KeySet,
        now: Timestamp,
    ) -> Result<(Arc<AccessKey>, SecretHash), No> {
        if known.counts(keys, now) {
            Ok((Arc::clone(&known.user), hash))
        } else {
            Err(refused("it has expired, or its signer is no key of the issuer any more"))
        }
    }

    /// What the claims give, as an access key that ends with the token. Nobody's name is in it.
    fn user(&self, claims: &Claims, hash: SecretHash, now: Timestamp) -> Result<AccessKey, &'static str> {
        let reach = self.mapping.reach(&claims.all)?;
        Ok(AccessKey {
            id: self.keys.user_id(&self.rules.issuer, &claims.subject),
            display_name: String::new(),
            role: reach.role,
            centres: reach.centres,
            all_centres: reach.all_centres,
            events: reach.events,
            vouching: false,
            secret: hash,
            old_secret: None,
            certificate: None,
            created_at: now,
            expires_at: Some(claims.ends),
            revoked_at: None,
            version: 1,
        })
    }

    fn remembered(&self, hash: &SecretHash) -> Option<Remembered> {
        self.remembered.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    fn remember(&self, hash: SecretHash, known: Remembered, now: Timestamp) {
        let mut all = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_MAX {
            all.retain(|_, known| known.user.is_live(now));
        }
        if all.len() >= REMEMBERED_MAX {
            // Their bearers are let in again with their next calls.
            all.clear();
        }
        all.insert(hash, known);
    }
}

/// Tells whoever sets the service up what is wrong with a token, and its bearer nothing.
fn refused(why: &'static str) -> No {
    tracing::debug!(why, "a token is refused");
    No::Refused
}

#[cfg(test)]
mod tests;
