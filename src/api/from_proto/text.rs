//! Texts and codes: lengths in characters, no control characters, no personal codes.

use super::{Fields, Path};
use crate::api::proto;
use crate::model::text::{LocalizedText, holds_personal_code};

/// Which characters a code may have.
#[derive(Clone, Copy)]
pub enum Alphabet {
    /// `[a-z0-9-]`
    Slug,
    /// `[a-z0-9_-]`
    Word,
    /// `[A-Za-z0-9-]`
    Mixed,
    /// `[A-Za-z0-9._-]`
    Project,
    /// `[a-z]`
    Letters,
}

impl Alphabet {
    fn has(self, b: u8) -> bool {
        let small = b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        match self {
            Alphabet::Slug => small,
            Alphabet::Word => small || b == b'_',
            Alphabet::Mixed => small || b.is_ascii_uppercase(),
            Alphabet::Project => small || b.is_ascii_uppercase() || matches!(b, b'.' | b'_'),
            Alphabet::Letters => b.is_ascii_lowercase(),
        }
    }
    fn shown(self) -> &'static str {
        match self {
            Alphabet::Slug => "[a-z0-9-]",
            Alphabet::Word => "[a-z0-9_-]",
            Alphabet::Mixed => "[A-Za-z0-9-]",
            Alphabet::Project => "[A-Za-z0-9._-]",
            Alphabet::Letters => "[a-z]",
        }
    }
}

impl Fields {
    /// One line of text; may be empty, not blank.
    pub fn line(&mut self, at: Path<'_>, given: String, max: usize) -> String {
        self.checked(at, given, max, |c| c.is_control() || is_line_break(c))
    }

    /// An address: one line, in which digits stand for themselves. Only eleven of them in one piece are looked at as a
    /// personal code; in several, as in `rasa.1987.03181@...`, they may well be a year and a number.
    pub fn address(&mut self, at: Path<'_>, given: String, max: usize) -> String {
        let is_code = given.split(|c: char| !c.is_ascii_digit()).any(holds_personal_code);
        self.looked_at(at, given, max, |c| c.is_control() || is_line_break(c), |_| is_code)
    }

    /// One line of text that must be there.
    pub fn required_line(&mut self, at: Path<'_>, given: String, max: usize) -> String {
        self.required(at, &given);
        self.line(at, given, max)
    }

    /// Text that may have several lines; may be empty, not blank.
    pub fn paragraph(&mut self, at: Path<'_>, given: String, max: usize) -> String {
        self.checked(at, given, max, |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    }

    /// Text of several lines that must be there.
    pub fn required_paragraph(&mut self, at: Path<'_>, given: String, max: usize) -> String {
        self.required(at, &given);
        self.paragraph(at, given, max)
    }

    fn required(&mut self, at: Path<'_>, given: &str) {
        if given.is_empty() {
            self.refuse(at, "is required");
        }
    }

    fn checked(&mut self, at: Path<'_>, given: String, max: usize, forbidden: impl Fn(char) -> bool) -> String {
        self.looked_at(at, given, max, forbidden, |text| text.len() >= 11 && holds_personal_code(text))
    }

    fn looked_at(
        &mut self,
        at: Path<'_>,
        given: String,
        max: usize,
        forbidden: impl Fn(char) -> bool,
        is_code: impl Fn(&str) -> bool,
    ) -> String {
        if given.is_empty() {
            return given;
        }
        // Bytes first: most texts are short in bytes too, and need no counting.
        if given.len() > max && given.chars().count() > max {
            self.refuse(at, format!("is longer than {max} characters"));
        } else if given.trim().is_empty() {
            self.refuse(at, "is blank");
        } else if given.chars().any(forbidden) {
            self.refuse(at, "holds control characters");
        } else if is_code(&given) {
            self.refuse_personal_code(at);
        }
        given
    }

    /// A code of 1 to `max` characters of an alphabet, or empty.
    pub fn code(&mut self, at: Path<'_>, given: String, alphabet: Alphabet, max: usize) -> String {
        let sound = given.len() <= max && given.bytes().all(|b| alphabet.has(b));
        if !sound {
            self.refuse(at, format!("must be 1 to {max} characters of {}", alphabet.shown()));
        } else if given.len() >= 11 && holds_personal_code(&given) {
            self.refuse_personal_code(at);
        }
        given
    }

    /// A code that must be there.
    pub fn required_code(&mut self, at: Path<'_>, given: String, alphabet: Alphabet, max: usize) -> String {
        self.required(at, &given);
        self.code(at, given, alphabet, max)
    }

    /// A language: two or three small letters, or empty.
    pub fn language(&mut self, at: Path<'_>, given: String) -> String {
        if !given.is_empty() && !is_language(&given) {
            self.refuse(at, "must be an ISO 639 code of two or three small letters");
        }
        given
    }

    /// At most ten languages, each once.
    pub fn languages(&mut self, at: Path<'_>, given: Vec<String>) -> Vec<String> {
        let given = self.list(at, given, 0, 10);
        for (i, language) in given.iter().enumerate() {
            if !is_language(language) {
                self.refuse(at.item(i), "must be an ISO 639 code of two or three small letters");
            }
        }
        self.unique(at, "", given.iter().map(String::as_str));
        given
    }

    /// Codes of an alphabet, each once.
    pub fn codes(
        &mut self,
        at: Path<'_>,
        given: Vec<String>,
        max: usize,
        alphabet: Alphabet,
        length: usize,
    ) -> Vec<String> {
        let given = self.list(at, given, 0, max);
        let given: Vec<String> = given
            .into_iter()
            .enumerate()
            .map(|(i, code)| self.required_code(at.item(i), code, alphabet, length))
            .collect();
        self.unique(at, "", given.iter().map(String::as_str));
        given
    }

    /// A text per language: at most ten, one each; if any, Lithuanian among them. `min` is 1 where required.
    pub fn texts(
        &mut self,
        at: Path<'_>,
        given: Vec<proto::LocalizedText>,
        min: usize,
        max_length: usize,
    ) -> Vec<LocalizedText> {
        let given = self.list(at, given, min, 10);
        let texts: Vec<_> = given.into_iter().enumerate().map(|(i, t)| self.text(at.item(i), t, max_length)).collect();
        self.unique(at, "language", texts.iter().map(|t| t.language.as_str()));
        if !texts.is_empty() && !texts.iter().any(|t| t.language == "lt") {
            self.refuse(at, "must have a Lithuanian text");
        }
        texts
    }

    fn text(&mut self, at: Path<'_>, given: proto::LocalizedText, max_length: usize) -> LocalizedText {
        let proto::LocalizedText { language, text } = given;
        self.required(at.field("language"), &language);
        LocalizedText {
            language: self.language(at.field("language"), language),
            text: self.required_paragraph(at.field("text"), text, max_length),
        }
    }
}

fn is_language(text: &str) -> bool {
    (2..=3).contains(&text.len()) && text.bytes().all(|b| Alphabet::Letters.has(b))
}

/// Characters that break a line, or turn its direction so that it reads as something else.
fn is_line_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
