//! The filter language of the lists: `field operator value` joined by ` AND `. A total parser: every text is
//! either terms or the place where it stops being a filter.

/// Longest filter in characters.
const LENGTH_MAX: usize = 1000;
/// Most terms.
const TERMS_MAX: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
}

const EQUAL: &[Op] = &[Op::Equal, Op::NotEqual];
const ORDER: &[Op] = &[Op::Less, Op::LessOrEqual, Op::Greater, Op::GreaterOrEqual];

/// Fields of a list and what may be asked of each.
pub type Table = &'static [(&'static str, &'static [Op])];

pub const EVENTS: Table = &[
    ("centre", EQUAL),
    ("programme", EQUAL),
    ("municipality", EQUAL),
    ("kind", EQUAL),
    ("state", EQUAL),
    ("start_time", ORDER),
    ("has_free_seats", &[Op::Equal]),
];

pub const REGISTRATIONS: Table = &[
    ("state", EQUAL),
    ("class", EQUAL),
    ("channel", EQUAL),
    ("language", EQUAL),
    ("municipality", EQUAL),
    ("pool", EQUAL),
    ("search", &[Op::Has]),
];

/// One condition. `at` is where its value stands, in characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Term {
    pub field: &'static str,
    pub op: Op,
    pub value: String,
    pub at: usize,
}

/// Without the value, which may be the name that is searched for.
impl std::fmt::Debug for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} .. at {}", self.field, self.op, self.at)
    }
}

/// The text stops being a filter at `offset` characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    pub offset: usize,
    pub expected: &'static str,
}

impl From<Invalid> for tonic::Status {
    fn from(invalid: Invalid) -> Self {
        super::status::filter(invalid.offset, invalid.expected)
    }
}

/// Reads a filter over the fields of `table`.
pub fn parse(text: &str, table: Table) -> Result<Vec<Term>, Invalid> {
    let chars: Vec<char> = text.chars().take(LENGTH_MAX + 1).collect();
    if chars.len() > LENGTH_MAX {
        return Err(Invalid { offset: LENGTH_MAX, expected: "end" });
    }
    let mut reader = Reader { chars: &chars, at: 0 };
    let mut terms = Vec::new();
    reader.spaces();
    while !reader.is_done() {
        if !terms.is_empty() {
            reader.and()?;
        }
        if terms.len() == TERMS_MAX {
            return Err(reader.expected("end"));
        }
        terms.push(reader.term(table)?);
        reader.spaces();
    }
    Ok(terms)
}

struct Reader<'t> {
    chars: &'t [char],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }
    fn is_done(&self) -> bool {
        self.at >= self.chars.len()
    }
    fn expected(&self, expected: &'static str) -> Invalid {
        Invalid { offset: self.at, expected }
    }
    fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }
    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let from = self.at;
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
        self.chars[from..self.at].iter().collect()
    }

    fn and(&mut self) -> Result<(), Invalid> {
        let from = self.at;
        let is_and = self.word(|c| !c.is_whitespace()) == "AND";
        if !is_and || self.is_done() {
            self.at = if is_and { self.at } else { from };
            return Err(self.expected(if is_and { "field" } else { "AND" }));
        }
        self.spaces();
        Ok(())
    }

    fn term(&mut self, table: Table) -> Result<Term, Invalid> {
        let start = self.at;
        let name = self.word(|c| c.is_ascii_alphanumeric() || c == '_');
        let Some((field, ops)) = table.iter().find(|(field, _)| *field == name) else {
            return Err(Invalid { offset: start, expected: "field" });
        };
        self.spaces();
        let before = self.at;
        let op = self.op().filter(|op| ops.contains(op));
        let op = op.ok_or(Invalid { offset: before, expected: "operator" })?;
        self.spaces();
        let at = self.at;
        Ok(Term { field, op, value: self.value()?, at })
    }

    fn op(&mut self) -> Option<Op> {
        let sign = self.word(|c| matches!(c, '=' | '!' | '<' | '>' | ':'));
        Some(match sign.as_str() {
            "=" => Op::Equal,
            "!=" => Op::NotEqual,
            "<" => Op::Less,
            "<=" => Op::LessOrEqual,
            ">" => Op::Greater,
            ">=" => Op::GreaterOrEqual,
            ":" => Op::Has,
            _ => return None,
        })
    }

    fn value(&mut self) -> Result<String, Invalid> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let word = self.word(|c| !c.is_whitespace() && c != '"');
        if word.is_empty() || self.peek() == Some('"') {
            return Err(self.expected("value"));
        }
        Ok(word)
    }

    fn quoted(&mut self) -> Result<String, Invalid> {
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => {
                    let ends = self.peek().is_none_or(char::is_whitespace);
                    return if ends { Ok(text) } else { Err(self.expected("AND")) };
                }
                '\\' => match self.peek() {
                    Some(escaped @ ('"' | '\\')) => {
                        text.push(escaped);
                        self.at += 1;
                    }
                    _ => return Err(self.expected("\\\" or \\\\")),
                },
                other => text.push(other),
            }
        }
        Err(self.expected("closing quote"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&'static str, Op, String)> {
        parse(text, EVENTS).unwrap().into_iter().map(|t| (t.field, t.op, t.value)).collect()
    }

    #[test]
    fn a_filter_is_terms_joined_by_and() {
        assert_eq!(read(""), vec![]);
        assert_eq!(read("  "), vec![]);
        assert_eq!(read("kind = COURSE"), vec![("kind", Op::Equal, "COURSE".to_owned())]);
        assert_eq!(
            read(r#"centre="centres/elk" AND start_time >= "2025-02-01T00:00:00Z" AND municipality != 42"#),
            vec![
                ("centre", Op::Equal, "centres/elk".to_owned()),
                ("start_time", Op::GreaterOrEqual, "2025-02-01T00:00:00Z".to_owned()),
                ("municipality", Op::NotEqual, "42".to_owned()),
            ]
        );
        let search = parse(r#"search : "žymekl \"x\" \\ 370""#, REGISTRATIONS).unwrap();
        assert_eq!(search[0].value, r#"žymekl "x" \ 370"#);
        assert_eq!(parse(r#"class = """#, REGISTRATIONS).unwrap()[0].value, "");
    }

    #[test]
    fn every_other_text_tells_where_it_stops_being_a_filter() {
        let table = [
            ("colour = red", 0, "field"),
            ("kind COURSE", 5, "operator"),
            ("kind > COURSE", 5, "operator"),
            ("kind : COURSE", 5, "operator"),
            ("start_time = x", 11, "operator"),
            ("kind == COURSE", 5, "operator"),
            ("kind =", 6, "value"),
            ("kind = COURSE OR kind = CONTEST", 14, "AND"),
            ("kind = COURSE AND", 17, "field"),
            ("kind = COURSE AND ", 18, "field"),
            ("kind = COURSE and kind = CONTEST", 14, "AND"),
            (r#"kind = "COURSE"#, 14, "closing quote"),
            (r#"kind = "COURSE"x"#, 15, "AND"),
            (r#"kind = CO"URSE"#, 9, "value"),
            (r#"kind = "a\n""#, 10, "\\\" or \\\\"),
            ("ąžuolas = 1", 0, "field"),
            ("(kind = COURSE)", 0, "field"),
            ("'; drop table events; --", 0, "field"),
        ];
        for (text, offset, expected) in table {
            assert_eq!(parse(text, EVENTS), Err(Invalid { offset, expected }), "{text}");
        }
    }

    #[test]
    fn a_filter_is_bounded_in_characters_and_terms() {
        let twenty = vec!["state != DRAFT"; 20].join(" AND ");
        assert_eq!(parse(&twenty, EVENTS).unwrap().len(), 20);
        let more = format!("{twenty} AND state = DRAFT");
        assert_eq!(parse(&more, EVENTS).unwrap_err().expected, "end");
        let long = format!("search : \"{}\"", "ė".repeat(1000));
        assert_eq!(parse(&long, REGISTRATIONS), Err(Invalid { offset: 1000, expected: "end" }));
    }

    #[test]
    fn no_text_whatever_makes_the_parser_fall() {
        let pieces = ["kind", " ", "=", "\"", "\\", "AND", "ė", "!", "<", ":", "\u{0}", "search", "'", "🙂"];
        // Every sequence of four pieces.
        let n = pieces.len();
        for i in 0..n.pow(4) {
            let text: String = (0..4).map(|k| pieces[i / n.pow(k) % n]).collect();
            let _ = parse(&text, EVENTS);
            let _ = parse(&text, REGISTRATIONS);
        }
    }
}
