//! The conditions of a list of registrations: some are answered by the roster, some by the party's words.

use crate::admission::Standing;
use crate::api::filter::{Op, Term};
use crate::api::proto;
use crate::api::status;
use crate::api::to_proto::{registration, words};
use crate::model::event::Terms;
use crate::model::party::{Party, Who};
use crate::model::registration::StateKind;
use crate::model::text::fold;
use tonic::Status;

pub(super) struct Wanted {
    what: What,
    not: bool,
}

enum What {
    State(StateKind),
    Class(String),
    Pool(String),
    Channel(proto::Channel),
    Language(String),
    Municipality(String),
    /// Folded words, all of which must be there.
    Search(Vec<String>),
}

impl Wanted {
    pub fn by(term: &Term) -> Result<Self, Status> {
        let value = term.value.as_str();
        let what = match term.field {
            "state" => state(value).map(What::State).ok_or("a RegistrationState"),
            "class" => Ok(What::Class(value.to_owned())),
            "pool" => Ok(What::Pool(value.to_owned())),
            "channel" => channel(value).map(What::Channel).ok_or("a Channel"),
            "language" => Ok(What::Language(value.to_owned())),
            "municipality" => Ok(What::Municipality(value.to_owned())),
            "search" => Ok(What::Search(value.split_whitespace().map(fold).collect())),
            _ => Err("field"),
        };
        let what = what.map_err(|expected| status::filter(term.at, expected))?;
        Ok(Self { what, not: term.op == Op::NotEqual })
    }

    /// Whether only the party's words tell.
    pub fn is_of_party(&self) -> bool {
        match self.what {
            What::State(_) | What::Class(_) | What::Pool(_) => false,
            What::Channel(_) | What::Language(_) | What::Municipality(_) | What::Search(_) => true,
        }
    }

    /// Whether it tells more of somebody than a state and a seat.
    pub fn tells_who(&self) -> bool {
        self.is_of_party() || matches!(self.what, What::Class(_))
    }

    /// Whether it holds as far as the roster knows.
    pub fn holds_for(&self, s: &Standing, terms: &Terms) -> bool {
        let holds = match &self.what {
            What::State(kind) => s.state.kind() == *kind,
            What::Class(class) => s.class.as_deref().unwrap_or_default() == class,
            What::Pool(pool) => registration::pool_id(terms, s.state.holds()) == *pool,
            _ => return true,
        };
        holds != self.not
    }

    /// Whether it holds as far as the party's words tell.
    pub fn holds_in(&self, party: Option<&Party>) -> bool {
        let holds = match (&self.what, party) {
            (What::State(_) | What::Class(_) | What::Pool(_), _) => return true,
            (_, None) => return false,
            (What::Channel(channel), Some(party)) => words::channel(party.channel) == *channel,
            (What::Language(language), Some(party)) => party.language == *language,
            (What::Municipality(code), Some(party)) => party.municipality_code == *code,
            (What::Search(words), Some(party)) => {
                let text = searched(party);
                words.iter().all(|word| text.contains(word.as_str()))
            }
        };
        holds != self.not
    }
}

/// What a search looks through: names, e-mail address, and the telephone number as given and in normal form.
fn searched(party: &Party) -> String {
    let contact = &party.contact;
    let phone: String = contact.phone.chars().filter(char::is_ascii_digit).collect();
    let mut text =
        [contact.name.as_str(), &contact.email, &phone, &contact.normal_phone().unwrap_or_default()].join("\n");
    if let Who::Members(members) = &party.who {
        for member in members {
            text.push('\n');
            text.push_str(&member.name);
        }
    }
    fold(&text)
}

fn state(word: &str) -> Option<StateKind> {
    (1..=10).filter_map(StateKind::from_code).find(|kind| words::state_kind(*kind) == word)
}

fn channel(word: &str) -> Option<proto::Channel> {
    let channel = proto::Channel::from_str_name(&format!("CHANNEL_{word}"))?;
    (channel != proto::Channel::Unspecified).then_some(channel)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use crate::model::party::{Channel, Contact, Member, OnBehalfOf, Services};

    fn party() -> Party {
        Party {
            contact: Contact {
                name: "Živilė Žymeklytė".to_owned(),
                email: "Zivile@Example.org".to_owned(),
                phone: "8 600 00 123".to_owned(),
            },
            language: "lt".to_owned(),
            channel: Channel::Phone,
            on_behalf_of: OnBehalfOf::Oneself,
            who: Who::Members(vec![Member::named("Łukasz Łańcuch"), Member::named("Їванна")]),
            willing_elsewhere: false,
            municipality_code: "42".to_owned(),
            eldership_code: String::new(),
            services: Services::default(),
            answers: Vec::new(),
        }
    }

    fn holds(filter: &str) -> bool {
        let terms = crate::api::filter::parse(filter, crate::api::filter::REGISTRATIONS).unwrap();
        terms.iter().all(|t| Wanted::by(t).unwrap().holds_in(Some(&party())))
    }

    #[test]
    fn a_search_ignores_case_and_diacritics_and_wants_every_word() {
        for found in
            ["zymekl", "ZIVILE zymekl", "lancuch", "їванна", "zivile@example", "370600", "60000123", "\"žyme 370\""]
        {
            assert!(
                holds(&format!(
                    "search : {}",
                    if found.contains(' ') && !found.starts_with('"') {
                        format!("\"{found}\"")
                    } else {
                        found.to_owned()
                    }
                )),
                "{found}"
            );
        }
        assert!(!holds("search : \"zymekl petras\""));
    }

    #[test]
    fn words_of_the_party_are_compared_and_denied() {
        assert!(holds("channel = PHONE AND language = lt AND municipality = 42"));
        assert!(!holds("channel != PHONE"));
        assert!(holds("municipality != 1 AND channel != WEB"));
    }
}
