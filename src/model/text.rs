//! Text: languages, search that ignores case and diacritics, and the refusal of personal codes.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// A text in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalizedText {
    /// `lt`, `en`, `pl`, `ru`, `uk`, or another two-letter language code.
    pub language: String,
    pub text: String,
}

/// Folds a text for search: no diacritics, no case, and letters that do not decompose (ł, ø, ß) as their
/// plain neighbours. `Ėjimaitis` and `ejimaitis` fold to the same.
pub fn fold(text: &str) -> String {
    text.nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .flat_map(|c| match c {
            'ł' => Plain::One('l'),
            'ø' => Plain::One('o'),
            'đ' => Plain::One('d'),
            'ß' => Plain::Two('s', 's'),
            _ => Plain::One(c),
        })
        .collect()
}

enum Plain {
    One(char),
    Two(char, char),
    Done,
}

impl Iterator for Plain {
    type Item = char;
    fn next(&mut self) -> Option<char> {
        let (out, rest) = match *self {
            Plain::One(a) => (Some(a), Plain::Done),
            Plain::Two(a, b) => (Some(a), Plain::One(b)),
            Plain::Done => (None, Plain::Done),
        };
        *self = rest;
        out
    }
}

/// Whether the text holds a Lithuanian personal code: eleven digits in a row, perhaps parted by single
/// spaces or hyphens, with a day of birth in their place, that pass the code's checksum. Such a text is refused:
/// this service never needs one. A telephone number (+370 6...) has no month there.
pub fn holds_personal_code(text: &str) -> bool {
    let mut digits: Vec<u8> = Vec::with_capacity(16);
    let mut gap = false;
    for c in text.chars().chain(std::iter::once('.')) {
        match c.to_digit(10) {
            Some(d) => {
                digits.push(d as u8);
                gap = false;
            }
            None if matches!(c, ' ' | '-' | '\u{a0}') && !gap && !digits.is_empty() => gap = true,
            None => {
                if digits.len() == 11 && has_day_of_birth(&digits) && passes_checksum(&digits) {
                    return true;
                }
                digits.clear();
                gap = false;
            }
        }
    }
    false
}

/// Century and sex, then year, month and day in two digits each; 00 where a month or day is not known. The year
/// 2000 was written under either century, so every year that 4 divides has its 29 February.
fn has_day_of_birth(d: &[u8]) -> bool {
    let two = |at: usize| d[at] * 10 + d[at + 1];
    let last = match two(3) {
        0 => 0,
        2 if two(1) % 4 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=6).contains(&d[0]) && two(5) <= last
}

/// The checksum of the Lithuanian personal code: weights 1..9,1 and, where that leaves 10, 3..9,1..3.
fn passes_checksum(d: &[u8]) -> bool {
    let sum = |weights: [u32; 10]| -> u32 { d.iter().zip(weights).map(|(d, w)| u32::from(*d) * w).sum::<u32>() % 11 };
    let first = sum([1, 2, 3, 4, 5, 6, 7, 8, 9, 1]);
    let check = match first {
        10 => sum([3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 10,
        n => n,
    };
    u32::from(d[10]) == check
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn search_ignores_case_and_diacritics_in_every_script() {
        assert_eq!(fold("Ėjimaitis"), fold("EJIMAITIS"));
        assert_eq!(fold("Łańcuszkowska"), "lancuszkowska");
        assert_eq!(fold("Їванна"), fold("їванна"));
    }

    #[test]
    fn a_personal_code_is_seen_whole_or_parted_and_other_numbers_are_not() {
        assert!(holds_personal_code("kodas 38703181745, ačiū"));
        assert!(holds_personal_code("387 0318 1745"));
        assert!(!holds_personal_code("38703181746"));
        assert!(!holds_personal_code("+370 612 34567"));
        assert!(!holds_personal_code("138703181745"));
    }

    /// The eleven digits that begin with these ten and pass the checksum.
    fn with_checksum(ten: &str) -> String {
        let candidates = (0..10).map(|last| format!("{ten}{last}"));
        let digits = |code: &str| code.bytes().map(|b| b - b'0').collect::<Vec<_>>();
        candidates.into_iter().find(|code| passes_checksum(&digits(code))).unwrap()
    }

    #[test]
    fn eleven_digits_without_a_day_of_birth_are_no_personal_code_whatever_their_checksum() {
        for (ten, is_code) in [
            ("3870318174", true),
            ("6120229001", true),
            // 29 February 2000, written under the old century.
            ("4000229001", true),
            // Month and day not known.
            ("4310000001", true),
            ("4310500001", true),
            ("4871318174", false),
            ("4870230174", false),
            ("4870229174", false),
            ("4870431174", false),
            ("4870432174", false),
            ("4870001174", false),
            ("7870318174", false),
            ("0870318174", false),
        ] {
            assert_eq!(holds_personal_code(&with_checksum(ten)), is_code, "{ten}");
        }
    }

    #[test]
    fn no_lithuanian_telephone_number_is_taken_for_a_personal_code() {
        for subscriber in 0..20_000 {
            // Mobile numbers begin with 6, landlines of Vilnius, Kaunas and Klaipėda with 5, 37 and 46.
            for number in [60_000_000, 69_999_999 - 40_000, 52_000_000, 37_200_000, 46_300_000] {
                let text = format!("skambinti +370 {}, po 17 val.", number + subscriber);
                assert!(!holds_personal_code(&text), "{text}");
            }
        }
    }
}
