//! The two things that are asked of a certificate beside its signature: when it expires, and its fingerprint. rustls
//! verifies certificates and tells neither.

use crate::model::time::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// SHA-256 of the certificate as it goes over the wire; what `openssl x509 -fingerprint -sha256` shows.
pub fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// The fingerprint of the first certificate in a PEM file; nothing where there is none.
pub fn fingerprint_of_pem(pem: &[u8]) -> Option<[u8; 32]> {
    CertificateDer::from_pem_slice(pem).ok().map(|certificate| fingerprint(&certificate))
}

/// From when on it does not count any more; nothing where this is no certificate.
pub fn expires(certificate: &[u8]) -> Option<Timestamp> {
    let whole = Der(certificate).next()?.1;
    let signed = Der(whole).next()?.1;
    let mut fields = Der(signed);
    // The version may be left out; then the serial number comes first.
    if fields.next()?.0 == VERSION {
        fields.next()?;
    }
    let (_signature, _issuer) = (fields.next()?, fields.next()?);
    let mut validity = Der(fields.next()?.1);
    let _begins = validity.next()?;
    let (kind, text) = validity.next()?;
    instant(kind, std::str::from_utf8(text).ok()?)
}

const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The last second in which it counts; beyond the years that are known, the last of those.
fn instant(kind: u8, text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let (year, rest) = match kind {
        UTC_TIME => {
            let short: i16 = text.get(..2)?.parse().ok()?;
            (if short < 50 { 2000 + short } else { 1900 + short }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let two = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    let local = DateTime::new(year, two(0)?, two(2)?, two(4)?, two(6)?, two(8)?, 0).ok()?;
    let at = TimeZone::UTC.to_timestamp(local);
    (rest.len() == 10).then(|| Timestamp(at.unwrap_or(jiff::Timestamp::MAX).as_microsecond()))
}

/// What follows each other in DER: kind, length, value.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let [kind, first, rest @ ..] = self.0 else { return None };
        let (length, rest) = match usize::from(*first) {
            short @ 0..0x80 => (short, rest),
            0x80 | 0x85.. => return None,
            long => {
                let (bytes, rest) = rest.split_at_checked(long - 0x80)?;
                (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
            }
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*kind, value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    fn made(year: i32) -> Vec<u8> {
        let mut wanted = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        wanted.not_after = rcgen::date_time_ymd(year, 5, 17);
        let key = rcgen::KeyPair::generate().unwrap();
        wanted.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_of_its_forms() {
        // The form changes with 2050.
        for (year, expected) in [(2031, "2031-05-17T00:00:00Z"), (2061, "2061-05-17T00:00:00Z")] {
            let found = expires(&made(year)).unwrap();
            assert_eq!(found.to_jiff().to_string(), expected);
        }
        assert_eq!(instant(UTC_TIME, "491231235958Z").unwrap().to_jiff().to_string(), "2049-12-31T23:59:58Z");
        assert_eq!(
            instant(GENERALIZED_TIME, "99991231235959Z"),
            Some(Timestamp(jiff::Timestamp::MAX.as_microsecond()))
        );
    }

    #[test]
    fn what_is_no_certificate_has_no_end_and_breaks_nothing() {
        let whole = made(2031);
        for length in 0..200 {
            assert_eq!(expires(&whole[..length]), None, "{length}");
        }
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 0xff;
            let _ = expires(&bent);
        }
        for wrong in ["310517000000", "3105170000Z", "31ąą17000000Z", "-10517000000Z", "310517000000Z0"] {
            assert_eq!(instant(UTC_TIME, wrong), None, "{wrong}");
        }
        assert_eq!(expires(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }

    #[test]
    fn a_fingerprint_is_that_of_the_first_certificate_in_a_file() {
        let key = rcgen::KeyPair::generate().unwrap();
        let one = rcgen::CertificateParams::new(vec!["one".to_owned()]).unwrap().self_signed(&key).unwrap();
        let two = rcgen::CertificateParams::new(vec!["two".to_owned()]).unwrap().self_signed(&key).unwrap();
        let file = format!("{}{}{}", key.serialize_pem(), one.pem(), two.pem());
        assert_eq!(fingerprint_of_pem(file.as_bytes()), Some(fingerprint(one.der())));
        assert_eq!(fingerprint_of_pem(key.serialize_pem().as_bytes()), None);
        assert_eq!(fingerprint_of_pem(b""), None);
    }
}
