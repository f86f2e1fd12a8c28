//! A party: a contact and whom they bring. Everything in this file is personal data: it is stored in its
//! own table, never logged, and has no `Debug` that prints it.

use super::contact::{normal_email, normal_phone};
use super::person::PersonId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One party's sign-up as it was given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub contact: Contact,
    /// The language that the party wants to be written to in.
    pub language: String,
    pub channel: Channel,
    pub on_behalf_of: OnBehalfOf,
    pub who: Who,
    /// May this party be asked to come to another municipality's event?
    pub willing_elsewhere: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub municipality_code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub eldership_code: String,
    #[serde(default)]
    pub services: Services,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}

impl Party {
    /// How many seats the party needs.
    pub fn size(&self) -> u32 {
        match &self.who {
            Who::Members(members) => members.len() as u32,
            Who::Heads { adults, children } => adults.saturating_add(*children),
        }
    }

    /// As many persons, and nothing of who they are.
    pub fn hidden(self) -> Party {
        Party {
            contact: Contact { name: String::new(), email: String::new(), phone: String::new() },
            language: String::new(),
            channel: self.channel,
            on_behalf_of: OnBehalfOf::Oneself,
            who: match self.who {
                Who::Members(members) => Who::Members(members.into_iter().map(|_| Member::named("")).collect()),
                heads @ Who::Heads { .. } => heads,
            },
            willing_elsewhere: false,
            municipality_code: String::new(),
            eldership_code: String::new(),
            services: Services::default(),
            answers: Vec::new(),
        }
    }

    /// The names in it, folded for search.
    pub fn search_text(&self) -> String {
        let mut text = super::text::fold(&self.contact.name);
        if let Who::Members(members) = &self.who {
            for member in members {
                text.push('\n');
                text.push_str(&super::text::fold(&member.name));
            }
        }
        text
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Party({} persons)", self.size())
    }
}

/// Who answers for the party. E-mail, telephone or both: many people have no e-mail.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
}

impl Contact {
    /// The normal form of the e-mail, if one was given.
    pub fn normal_email(&self) -> Option<String> {
        normal_email(&self.email)
    }
    /// The normal form of the telephone, if one was given.
    pub fn normal_phone(&self) -> Option<String> {
        normal_phone(&self.phone)
    }
}

/// Named members, or a bare head-count for a group or a bus.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    Members(Vec<Member>),
    Heads { adults: u32, children: u32 },
}

/// One person of a party.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_year: Option<u16>,
    #[serde(default)]
    pub sex: Sex,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub municipality_code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub eldership_code: String,
    /// The caller's own opaque id of this person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub person_ref: String,
    /// Who it is, where that does not follow from the reference or from the place in the list: the list changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
}

impl Member {
    /// Somebody of whom the name is known, or nothing at all.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            birth_year: None,
            sex: Sex::NotGiven,
            role: String::new(),
            municipality_code: String::new(),
            eldership_code: String::new(),
            person_ref: String::new(),
            person: None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    #[default]
    NotGiven,
    Female,
    Male,
    Other,
}

/// The way a sign-up came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Web,
    Phone,
    Message,
    InPerson,
    Referral,
}

/// For whom the contact signs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBehalfOf {
    Oneself,
    Partner,
    Child,
    Ward,
    Client,
    Group,
}

/// Wishes beside the seat: childcare places and seats in the transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Services {
    pub childcare_children: u32,
    pub rides: u32,
}

/// An answer to one of the event's questions.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub question_id: String,
    pub text: String,
}
