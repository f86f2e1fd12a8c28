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
/// spaces or hyphens, that pass the code's checksum. Such a text is refused: this service never needs one.
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
                if digits.len() == 11 && passes_checksum(&digits) {
                    return true;
                }
                digits.clear();
                gap = false;
            }
        }
    }
    false
}

/// The checksum of the Lithuanian personal code: weights 1..9,1 and, where that leaves 10, 3..9,1..3.
fn passes_checksum(d: &[u8]) -> bool {
    let sum = |weights: [u32; 10]| -> u32 { d.iter().zip(weights).map(|(d, w)| u32::from(*d) * w).sum::<u32>() % 11 };
    let first = sum([1, 2, 3, 4, 5, 6, 7, 8, 9, 1]);
    let check = match first {
        10 => sum([3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 10,
        n => n,
    };
    (1..=6).contains(&d[0]) && u32::from(d[10]) == check
}

#[cfg(test)]
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
}
