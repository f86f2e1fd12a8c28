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

/// Longest gap inside a personal code, in characters.
const GAP_MAX: usize = 4;

/// Whether the text holds a Lithuanian personal code: eleven digits with a day of birth in their place that pass the
/// code's checksum, in one piece or in several as people part them. Such a text is refused: this service never needs
/// one. A telephone number (+370 6...) has no month there.
pub fn holds_personal_code(text: &str) -> bool {
    if text.chars().filter_map(digit).take(11).count() < 11 {
        return false;
    }
    // The digits of one run, and where its pieces begin.
    let (mut digits, mut pieces): (Vec<u8>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut gap = GAP_MAX + 1;
    for c in text.chars() {
        match digit(c) {
            Some(d) => {
                if gap > 0 {
                    pieces.push(digits.len());
                }
                digits.push(d);
                gap = 0;
            }
            None if parts_digits(c) && gap < GAP_MAX => gap += 1,
            None => {
                if some_pieces_are_a_code(&digits, &pieces) {
                    return true;
                }
                digits.clear();
                pieces.clear();
                gap = GAP_MAX + 1;
            }
        }
    }
    some_pieces_are_a_code(&digits, &pieces)
}

/// Whether neighbouring whole pieces of a run of digits are a personal code together.
fn some_pieces_are_a_code(digits: &[u8], pieces: &[usize]) -> bool {
    let is_end = |at: usize| at == digits.len() || pieces.contains(&at);
    let whole = pieces.iter().filter(|from| is_end(**from + 11));
    whole.filter_map(|from| digits.get(*from..*from + 11)).any(|d| has_day_of_birth(d) && passes_checksum(d))
}

/// A digit, of full width or otherwise dressed up too.
fn digit(c: char) -> Option<u8> {
    let plain = if c.is_ascii() { Some(c) } else { std::iter::once(c).nfkc().next() };
    plain.and_then(|c| c.to_digit(10)).and_then(|d| u8::try_from(d).ok())
}

/// What people put between the parts of a number.
fn parts_digits(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '.' | '/' | '\\' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        || is_unseen(c)
}

/// Characters that nobody sees: two texts that look the same may differ in them.
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
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

    #[test]
    fn a_personal_code_is_seen_however_it_is_parted() {
        for parted in [
            "387.0318.1745",
            "387/0318/1745",
            "387\u{2013}0318\u{2013}1745",
            "387\t0318\t1745",
            "387\n0318\r\n1745",
            "387_0318_1745",
            "387  0318  1745",
            "387 - 0318 - 1745",
            "3 8 7 0 3 1 8 1 7 4 5",
            "387\u{200b}0318\u{200b}1745",
            "38703\u{ad}181745",
            "\u{ff13}\u{ff18}\u{ff17}\u{ff10}\u{ff13}\u{ff11}\u{ff18}\u{ff11}\u{ff17}\u{ff14}\u{ff15}",
            "tel. 861234567 38703181745",
            "38703181745 861234567",
        ] {
            assert!(holds_personal_code(parted), "{parted:?}");
        }
        for other in
            ["387,0318,1745", "387     0318 1745", "138703181745 1", "2025-01-13 10:00, 12 vaikų", "387.0318.1746"]
        {
            assert!(!holds_personal_code(other), "{other:?}");
        }
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
                let n = number + subscriber;
                for text in [
                    format!("skambinti +370 {n}, po 17 val."),
                    format!("+370 {} {:05} / 8 {} {:05}", n / 100_000, n % 100_000, n / 100_000, n % 100_000),
                ] {
                    assert!(!holds_personal_code(&text), "{text}");
                }
            }
        }
    }
}
