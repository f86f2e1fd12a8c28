//! Pages: how much goes on one, and the tokens that continue it. Tokens are opaque to callers, and bound to the query
//! that they continue: one of another query, of another installation, or one that was changed, is refused.

use super::status;
use crate::keys::Keys;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tonic::Status;
use uuid::Uuid;

/// Longest token that is looked at.
const TOKEN_MAX: usize = 400;

/// Bytes after which a page ends, whatever its size. Clients take 4 MiB unless told otherwise, and the largest event has
/// less than half of that.
const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// The room that is left on a page.
pub struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(PAGE_BYTES_MAX)
    }
}

impl Room {
    /// Whether this goes on the page too. The first always does.
    pub fn takes(&mut self, message: &impl prost::Message) -> bool {
        let is_first = self.0 == PAGE_BYTES_MAX;
        // A message in a list has a tag and its length before it.
        match self.0.checked_sub(message.encoded_len() + 8) {
            Some(left) => self.0 = left,
            None if is_first => self.0 = 0,
            None => return false,
        }
        true
    }
}

/// The pages of one query.
pub struct Pages<'k> {
    keys: &'k Keys,
    method: &'static str,
    /// Everything of the request that decides what is listed, without page size and token.
    query: Vec<u8>,
}

impl<'k> Pages<'k> {
    /// `query` names the parts that decide what is listed.
    pub fn of(keys: &'k Keys, method: &'static str, query: &[&str]) -> Self {
        let mut bytes = Vec::new();
        for part in query {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Self { keys, method, query: bytes }
    }

    /// The token that continues after `cursor`.
    pub fn token(&self, cursor: &[u8]) -> String {
        let mut bytes = self.seal(cursor).to_vec();
        bytes.extend_from_slice(cursor);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor inside a token; `None` for the first page.
    pub fn cursor(&self, token: &str) -> Result<Option<Vec<u8>>, Status> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = if token.len() <= TOKEN_MAX { URL_SAFE_NO_PAD.decode(token).ok() } else { None };
        let bytes = bytes.ok_or_else(status::page_token)?;
        match bytes.split_at_checked(8) {
            Some((seal, cursor)) if seal == self.seal(cursor) => Ok(Some(cursor.to_vec())),
            _ => Err(status::page_token()),
        }
    }

    fn seal(&self, cursor: &[u8]) -> [u8; 8] {
        let body = [self.query.as_slice(), cursor].concat();
        // The length of the query parts it from the cursor: no two pairs are the same bytes.
        let method = format!("page {} {}", self.method, self.query.len());
        self.keys.fingerprint(&method, Uuid::nil(), &body).to_be_bytes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new([9; 32])
    }

    #[test]
    fn a_page_ends_by_bytes_and_is_never_empty() {
        let of = |bytes: usize| crate::api::proto::Centre { name: "x".repeat(bytes), ..Default::default() };
        let mut room = Room::default();
        assert!(room.takes(&of(3 * PAGE_BYTES_MAX)), "the first");
        assert!(!room.takes(&of(1)));
        let mut room = Room::default();
        assert!((0..9).all(|_| room.takes(&of(100_000))));
        assert!(room.takes(&of(100_000)) && !room.takes(&of(100_000)));
    }

    #[test]
    fn a_token_gives_its_cursor_back_to_the_same_query_only() {
        let keys = keys();
        let pages = Pages::of(&keys, "ListEvents", &["state = PUBLISHED"]);
        let token = pages.token(b"elk");
        assert_eq!(pages.cursor(&token).unwrap().as_deref(), Some(&b"elk"[..]));
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        for other in [
            Pages::of(&keys, "ListEvents", &["state = DRAFT"]),
            Pages::of(&keys, "ListCentres", &["state = PUBLISHED"]),
            Pages::of(&keys, "ListEvents", &["state = PUBLISHED", ""]),
            Pages::of(&Keys::new([8; 32]), "ListEvents", &["state = PUBLISHED"]),
        ] {
            assert!(other.cursor(&token).is_err());
        }
    }

    #[test]
    fn a_token_that_was_changed_is_refused() {
        let keys = keys();
        let pages = Pages::of(&keys, "ListCentres", &[]);
        assert_eq!(pages.cursor("").unwrap(), None);
        let token = pages.token(b"elk");
        let longer = format!("{token}AAAA");
        let endless = "A".repeat(1000);
        for bad in ["?", "AAAA", "ąčę", longer.as_str(), endless.as_str(), &token[..token.len() - 2]] {
            assert!(pages.cursor(bad).is_err(), "{bad}");
        }
    }
}
