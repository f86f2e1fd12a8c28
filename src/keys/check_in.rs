//! Check-in codes: what a party shows at the door. Ten characters of Crockford's base 32, which have no I, L, O
//! and U: three for the accepted number, six that only the installation's secret can make (thirty bits), one that
//! tells a misread code from a foreign one. Numbers beyond 32,767 take seven characters, in a code of fourteen.

use crate::model::id::Number;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SEAL_CHARS: usize = 6;
/// Characters for the number, in an ordinary code and in a long one.
const NUMBER_CHARS: [usize; 2] = [3, 7];

/// Why a code names no registration of this event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misread {
    /// It is no code at all, or a character of it is wrong.
    Mistyped,
    /// It is a sound code, and not one of this event.
    Foreign,
}

/// The code of a number under its seal.
pub fn code(number: Number, seal: u64) -> String {
    let number = u64::from(number);
    let chars = if number < 1 << 15 { NUMBER_CHARS[0] } else { NUMBER_CHARS[1] };
    let mut digits = Vec::with_capacity(chars + SEAL_CHARS + 1);
    push(&mut digits, number, chars);
    push(&mut digits, seal, SEAL_CHARS);
    digits.push(check(&digits));
    digits.into_iter().map(|d| char::from(ALPHABET[usize::from(d)])).collect()
}

/// The number in a code as people type and scanners read it.
pub fn read(text: &str, seal: impl Fn(Number) -> u64) -> Result<Number, Misread> {
    let text = text.trim();
    let text = match text.get(..5) {
        Some(scheme) if scheme.eq_ignore_ascii_case("EILE:") => &text[5..],
        _ => text,
    };
    let typed = text.chars().filter(|c| !matches!(c, '-' | ' '));
    let digits: Vec<u8> = typed.map(digit).collect::<Option<_>>().ok_or(Misread::Mistyped)?;
    let chars = NUMBER_CHARS.into_iter().find(|n| n + SEAL_CHARS + 1 == digits.len()).ok_or(Misread::Mistyped)?;
    let (last, body) = digits.split_last().ok_or(Misread::Mistyped)?;
    if *last != check(body) {
        return Err(Misread::Mistyped);
    }
    let number = body[..chars].iter().fold(0u64, |n, d| n << 5 | u64::from(*d));
    let number = Number::try_from(number).map_err(|_| Misread::Foreign)?;
    if self::code(number, seal(number)).bytes().eq(digits.iter().map(|d| ALPHABET[usize::from(*d)])) {
        Ok(number)
    } else {
        Err(Misread::Foreign)
    }
}

/// The lowest `chars` times five bits, the highest first.
fn push(digits: &mut Vec<u8>, value: u64, chars: usize) {
    digits.extend((0..chars).rev().map(|i| (value >> (5 * i) & 31) as u8));
}

/// A character as people read it: small letters too, and the three that look like digits.
fn digit(c: char) -> Option<u8> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    };
    ALPHABET.iter().position(|a| char::from(*a) == c).and_then(|i| u8::try_from(i).ok())
}

/// Sum of the digits, each times another power of a generator of the field of 32: any one wrong character shows,
/// and any two that changed places.
fn check(digits: &[u8]) -> u8 {
    digits.iter().fold(0, |sum, digit| {
        let doubled = (sum ^ digit) << 1;
        if doubled & 32 == 0 { doubled } else { doubled ^ 0b10_0101 }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn seal(number: Number) -> u64 {
        0x1234_5678_9abc_def1u64.wrapping_mul(u64::from(number) + 7)
    }

    #[test]
    fn a_code_is_short_and_gives_its_number_back() {
        for (number, length) in [(1, 10), (32_767, 10), (32_768, 14), (1_000_000, 14), (Number::MAX, 14)] {
            let code = code(number, seal(number));
            assert_eq!(code.len(), length, "{code}");
            assert_eq!(read(&code, seal), Ok(number));
        }
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = code(33, seal(33));
        let typed = format!(" eile:{}-{} {}", &code[..3], &code[3..6], code[6..].to_lowercase());
        assert_eq!(read(&typed, seal), Ok(33));
        assert_eq!(read(&code.replace('1', "l").replace('0', "o"), seal), Ok(33));
    }

    #[test]
    fn one_wrong_character_or_two_that_changed_places_are_mistyped() {
        let code = code(4711, seal(4711));
        for i in 0..code.len() {
            for other in ALPHABET.iter().filter(|a| **a != code.as_bytes()[i]) {
                let mut wrong = code.clone().into_bytes();
                wrong[i] = *other;
                assert_eq!(read(std::str::from_utf8(&wrong).unwrap(), seal), Err(Misread::Mistyped));
            }
            for j in i + 1..code.len() {
                let mut wrong = code.clone().into_bytes();
                wrong.swap(i, j);
                if wrong != code.as_bytes() {
                    assert_eq!(read(std::str::from_utf8(&wrong).unwrap(), seal), Err(Misread::Mistyped));
                }
            }
        }
        for text in ["", "EILE:", "ąčęėįš", "0000000000000000000", "U000000000"] {
            assert_eq!(read(text, seal), Err(Misread::Mistyped), "{text}");
        }
    }

    #[test]
    fn a_sound_code_under_another_seal_is_foreign() {
        let code = code(12, seal(12));
        assert_eq!(read(&code, |n| seal(n) ^ 1), Err(Misread::Foreign));
    }
}
