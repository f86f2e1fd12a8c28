//! What a token must be: signed by the issuer, for us, of now, and of a kind that may be shown by whoever bears it.

use crate::model::time::{Span, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::Value;

/// The longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// The longest `sub`; OpenID Connect says so.
const SUBJECT_BYTES_MAX: usize = 255;
/// The kinds of token that a header may name: others are for something else, such as saying good-bye.
const KINDS: [&str; 4] = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"];

pub struct Rules {
    pub issuer: String,
    pub audience: String,
    pub algorithms: Vec<Algorithm>,
    pub skew: Span,
}

/// What a sound token says.
pub struct Claims {
    pub subject: String,
    /// From then on it counts for nothing. The skew is in it.
    pub ends: Timestamp,
    pub all: Value,
}

/// Why a token is refused: for the log alone.
type Why = &'static str;

impl Rules {
    /// The header, where a look at the rest may be worth it. Nothing of it is proven yet.
    pub fn head(&self, token: &str) -> Result<Header, Why> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err("it is too long");
        }
        let head = decode_header(token).map_err(|_| "its header cannot be read, or its algorithm is unknown")?;
        if !self.algorithms.contains(&head.alg) {
            return Err("its algorithm is not one of those that are taken");
        }
        if head.typ.as_ref().is_some_and(|kind| !KINDS.contains(&kind.to_ascii_lowercase().as_str())) {
            return Err("its typ is not that of a token for us");
        }
        if head.crit.is_some() {
            return Err("it asks for an extension");
        }
        Ok(head)
    }

    /// The claims, if this key has signed them and they are as they must be.
    pub fn claims(&self, token: &str, alg: Algorithm, key: &DecodingKey, now: Timestamp) -> Result<Claims, Why> {
        let mut rules = Validation::new(alg);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.audience]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // By the clock that is handed in, below.
        rules.validate_exp = false;
        let all = decode::<Value>(token, key, &rules).map_err(|_| "its signature, issuer or audience is wrong")?.claims;
        let ends = self.times(&all, now)?;
        if all.get("typ").is_some_and(|kind| !kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"))) {
            return Err("it says itself that it is not for bearing");
        }
        if all.get("cnf").is_some() {
            return Err("it is bound to a key that nobody has shown");
        }
        let subject = all.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
        if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
            return Err("its sub is empty or too long");
        }
        Ok(Claims { subject, ends, all })
    }

    /// When it ends, if it counts now.
    fn times(&self, claims: &Value, now: Timestamp) -> Result<Timestamp, Why> {
        let ends = instant(claims, "exp")?.ok_or("it has no exp")?.plus(self.skew);
        if now >= ends {
            return Err("it has expired");
        }
        for (name, why) in [("nbf", "it does not count yet"), ("iat", "it was made in the future")] {
            if instant(claims, name)?.is_some_and(|from| from > now.plus(self.skew)) {
                return Err(why);
            }
        }
        Ok(ends)
    }
}

/// Seconds of the year 5138: none that is later is meant.
const SECONDS_MAX: f64 = 1e11;

/// An instant in seconds, perhaps with a fraction.
fn instant(claims: &Value, name: &str) -> Result<Option<Timestamp>, Why> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| (0.0..SECONDS_MAX).contains(seconds));
    let seconds = seconds.ok_or("a time in it is none")?;
    Ok(Some(Timestamp((seconds * 1e6) as i64)))
}
