//! How a party is reached. Contacts are kept as they were given and compared in a normal form.

use super::text::is_unseen;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Keys under which a contact is compared: keyed hashes of the normal forms, so that nobody who sees them
/// learns an address. `None` where the party gave none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContactKeys {
    pub email: Option<u64>,
    pub phone: Option<u64>,
}

impl ContactKeys {
    /// The keys that are there.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.email.into_iter().chain(self.phone)
    }
}

/// The normal form of an e-mail address: no surrounding space, lower case, composed letters. `None` where it is not one:
/// a local part of 1 to 64 bytes, one `@`, a domain with a dot, no spaces, control characters or any that nobody sees.
pub fn normal_email(given: &str) -> Option<String> {
    let text = given.trim().to_lowercase();
    let text = if text.is_ascii() { text } else { text.nfc().collect() };
    let (local, domain) = text.rsplit_once('@')?;
    let sound = (1..=64).contains(&local.len())
        && text.len() <= 254
        && !local.contains('@')
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || is_unseen(c) || matches!(c, '<' | '>' | ',' | ';' | '"'))
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    sound.then_some(text)
}

/// The E.164 form of a telephone number, Lithuanian where it names no country: `8 612 34567`,
/// `+370 (612) 34-567`, `00370 61234567` and `0 612 34567` are all `+37061234567`.
pub fn normal_phone(given: &str) -> Option<String> {
    let given = given.trim();
    let plus = given.starts_with('+');
    let mut digits = String::with_capacity(15);
    for c in given.chars().skip(usize::from(plus)) {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}' | '\u{2011}' => {}
            _ => return None,
        }
    }
    let e164 = if plus {
        digits
    } else if let Some(rest) = digits.strip_prefix("00") {
        rest.to_owned()
    } else if digits.len() == 11 && digits.starts_with("370") {
        digits
    } else if digits.len() == 9 && digits.starts_with(['8', '0']) {
        format!("370{}", &digits[1..])
    } else if digits.len() == 8 {
        format!("370{digits}")
    } else {
        return None;
    };
    let lithuanian = e164.strip_prefix("370").is_none_or(|rest| rest.len() == 8);
    (lithuanian && (8..=15).contains(&e164.len()) && !e164.starts_with('0')).then(|| format!("+{e164}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_telephone_written_five_ways_is_one_telephone() {
        for given in ["8 612 34567", "+370 (612) 34-567", "00370 61234567", "0 612 34567", "61234567"] {
            assert_eq!(normal_phone(given).as_deref(), Some("+37061234567"), "{given}");
        }
        assert_eq!(normal_phone("+48 601 234 567").as_deref(), Some("+48601234567"));
        for bad in ["", "12", "+370 123", "8-VISI-GERAI", "+", "0000000000"] {
            assert_eq!(normal_phone(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_address_is_compared_without_case_and_spaces() {
        assert_eq!(normal_email(" Ona.Eile@Example.ORG ").as_deref(), Some("ona.eile@example.org"));
        let decomposed = "e\u{307}ja@example.org";
        assert_eq!(normal_email(decomposed), normal_email("\u{117}ja@example.org"), "the same letter, typed otherwise");
        for unseen in ["ona@example.lt\u{200b}", "o\u{ad}na@example.lt", "\u{feff}ona@example.lt"] {
            assert_eq!(normal_email(unseen), None, "{unseen:?}");
        }
        for bad in ["", "ona", "@example.org", "ona@", "ona@example", "o na@example.org", "a@b@c.lt", "a@.lt"] {
            assert_eq!(normal_email(bad), None, "{bad}");
        }
    }
}
