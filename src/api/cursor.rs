//! Cursors of the change feed: opaque to callers, and sealed with the installation's secret, so that one of
//! another installation, or one that was changed, is refused. They are bound to nothing else: the same cursor is
//! good for both rpcs, for every filter and on every instance.

use super::status;
use crate::feed::Place;
use crate::keys::Keys;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tonic::Status;
use uuid::Uuid;

/// The layout of what is inside: version, position, entries of the batch behind it.
const VERSION: u8 = 1;
const BYTES: usize = 1 + 8 + 4;
/// Longest cursor that is looked at.
const LENGTH_MAX: usize = 100;

/// The cursor of a place.
pub fn write(keys: &Keys, place: Place) -> String {
    let mut bytes = Vec::with_capacity(BYTES + 8);
    bytes.push(VERSION);
    bytes.extend_from_slice(&place.position.to_be_bytes());
    bytes.extend_from_slice(&place.inside.to_be_bytes());
    let seal = seal(keys, &bytes);
    bytes.extend_from_slice(&seal);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place of a cursor.
pub fn read(keys: &Keys, cursor: &str) -> Result<Place, Status> {
    let bytes = if cursor.len() <= LENGTH_MAX { URL_SAFE_NO_PAD.decode(cursor).ok() } else { None };
    let bytes = bytes.ok_or_else(status::cursor_invalid)?;
    place(keys, &bytes).ok_or_else(status::cursor_invalid)
}

fn place(keys: &Keys, bytes: &[u8]) -> Option<Place> {
    let (body, sealed) = bytes.split_at_checked(BYTES)?;
    let (version, rest) = body.split_first()?;
    let (position, inside) = rest.split_at_checked(8)?;
    let is_sound = *version == VERSION && sealed == seal(keys, body);
    let place = Place {
        position: u64::from_be_bytes(position.try_into().ok()?),
        inside: u32::from_be_bytes(inside.try_into().ok()?),
    };
    is_sound.then_some(place)
}

fn seal(keys: &Keys, body: &[u8]) -> [u8; 8] {
    keys.fingerprint("cursor of changes", Uuid::nil(), body).to_be_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_its_place_back() {
        let keys = Keys::new([9; 32]);
        for place in [Place::default(), Place::at(7), Place { position: u64::MAX, inside: 1023 }] {
            let cursor = write(&keys, place);
            assert_eq!(read(&keys, &cursor).unwrap(), place);
            assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        }
    }

    #[test]
    fn a_cursor_that_was_changed_or_is_of_elsewhere_is_refused() {
        let keys = Keys::new([9; 32]);
        let sound = write(&keys, Place { position: 7, inside: 3 });
        assert!(read(&Keys::new([8; 32]), &sound).is_err());
        let bytes = URL_SAFE_NO_PAD.decode(&sound).unwrap();
        for i in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[i / 8] ^= 1 << (i % 8);
            assert!(read(&keys, &URL_SAFE_NO_PAD.encode(forged)).is_err(), "bit {i}");
        }
        let longer = format!("{sound}AAAA");
        let endless = "A".repeat(100_000);
        for bad in ["", "?", "AAAA", "ąčę", longer.as_str(), endless.as_str(), &sound[..sound.len() - 2]] {
            assert!(read(&keys, bad).is_err(), "{bad}");
        }
    }
}
