//! A party: contact, members or heads, wishes and answers. The hot path of the room: one pass, and nothing
//! is copied that can be moved.

use super::text::Alphabet;
use super::{Fields, Path};
use crate::api::proto;
use crate::model::contact::{normal_email, normal_phone};
use crate::model::event::Question;
use crate::model::party::{Answer, Channel, Contact, Member, OnBehalfOf, Party, Services, Sex, Who};
use crate::model::text::holds_personal_code;

/// Fields of a registration that can be replaced.
pub const REGISTRATION_FIELDS: &[&str] =
    &["contact", "language", "members", "head_count", "services", "answers", "willing_elsewhere"];

const AT: Path<'static> = Path::Top("registration");
/// Where the answers of a registration stand.
pub const ANSWERS: Path<'static> = Path::Top("registration.answers");

impl Fields {
    /// A new party, with the pools that it names in order of wish.
    pub fn party(&mut self, given: proto::Registration, this_year: i16) -> (Party, Vec<String>) {
        self.party_reached(given, this_year, true)
    }

    /// A new party; `reached`: there must be a way to reach it.
    pub(super) fn party_reached(
        &mut self,
        given: proto::Registration,
        this_year: i16,
        reached: bool,
    ) -> (Party, Vec<String>) {
        let language = self.language(AT.field("language"), given.language);
        let party = Party {
            contact: self.contact(AT.field("contact"), given.contact, reached),
            language: if language.is_empty() { "lt".to_owned() } else { language },
            channel: self.channel(AT.field("channel"), given.channel),
            on_behalf_of: self.on_behalf_of(AT.field("on_behalf_of"), given.on_behalf_of),
            who: new_persons(self.who(given.members, given.head_count, this_year)),
            willing_elsewhere: given.willing_elsewhere,
            municipality_code: self.code(AT.field("municipality_code"), given.municipality_code, Alphabet::Mixed, 10),
            eldership_code: self.code(AT.field("eldership_code"), given.eldership_code, Alphabet::Mixed, 16),
            services: self.services(given.services),
            answers: self.answers(ANSWERS, given.answers),
        };
        (party, self.acceptable_pools(AT.field("acceptable_pools"), given.acceptable_pools))
    }

    /// Lays the named fields of `given` over a party that is stored.
    pub fn amend(&mut self, party: &mut Party, given: proto::Registration, mask: &[&str], this_year: i16) {
        let named = |field: &str| mask.contains(&field);
        if named("contact") {
            party.contact = self.contact(AT.field("contact"), given.contact, true);
        }
        if named("language") {
            let language = self.language(AT.field("language"), given.language);
            party.language = if language.is_empty() { "lt".to_owned() } else { language };
        }
        if named("members") || named("head_count") {
            party.who = self.who(given.members, given.head_count, this_year);
        }
        if named("services") {
            party.services = self.services(given.services);
        }
        if named("answers") {
            party.answers = self.answers(ANSWERS, given.answers);
        }
        if named("willing_elsewhere") {
            party.willing_elsewhere = given.willing_elsewhere;
        }
    }

    /// pool_ids in order of wish, each once.
    pub fn acceptable_pools(&mut self, at: Path<'_>, given: Vec<String>) -> Vec<String> {
        if given.is_empty() { given } else { self.codes(at, given, 50, Alphabet::Slug, 32) }
    }

    fn contact(&mut self, at: Path<'_>, given: Option<proto::Contact>, reached: bool) -> Contact {
        let Some(proto::Contact { display_name, email, phone }) = given else {
            self.refuse(at, "is required");
            return Contact { name: String::new(), email: String::new(), phone: String::new() };
        };
        if reached && email.is_empty() && phone.is_empty() {
            self.refuse(at, "needs an e-mail address or a telephone number");
        }
        Contact {
            name: self.required_line(at.field("display_name"), display_name, 200),
            email: self.email(at.field("email"), email),
            phone: self.phone(at.field("phone"), phone),
        }
    }

    fn email(&mut self, at: Path<'_>, given: String) -> String {
        let before = self.list.len();
        let given = self.address(at, given, 254);
        if !given.is_empty() && self.list.len() == before && normal_email(&given).is_none() {
            self.refuse(at, "is not an e-mail address");
        }
        given
    }

    /// A telephone number is no free text: eleven digits that are a number are not looked at as a code.
    fn phone(&mut self, at: Path<'_>, given: String) -> String {
        if given.is_empty() || (given.len() <= 32 && normal_phone(&given).is_some()) {
            return given;
        }
        if holds_personal_code(&given) {
            self.refuse_personal_code(at);
        } else {
            self.refuse(at, "is not a telephone number");
        }
        given
    }

    fn who(&mut self, members: Vec<proto::Member>, heads: Option<proto::HeadCount>, this_year: i16) -> Who {
        let at = AT.field("members");
        if !members.is_empty() && heads.is_some() {
            self.refuse(AT.field("head_count"), "and members exclude each other");
        }
        // Both are read where both are given: every violation is told at once.
        let counted = heads.map(|heads| self.heads(AT.field("head_count"), heads));
        if members.is_empty() {
            return counted.unwrap_or_else(|| {
                self.refuse(at, "is required where there is no head_count");
                Who::Members(Vec::new())
            });
        }
        let members = self.list(at, members, 1, 50);
        Who::Members(members.into_iter().enumerate().map(|(i, m)| self.member(at.item(i), m, this_year)).collect())
    }

    fn heads(&mut self, at: Path<'_>, given: proto::HeadCount) -> Who {
        let before = self.list.len();
        let adults = self.number(at.field("adults"), given.adults, 0, 1000);
        let children = self.number(at.field("children"), given.children, 0, 1000);
        if self.list.len() == before && !(1..=1000).contains(&(adults + children)) {
            self.refuse(at, "must be 1 to 1000 persons together");
        }
        Who::Heads { adults, children }
    }

    fn member(&mut self, at: Path<'_>, given: proto::Member, this_year: i16) -> Member {
        let birth_year = given.birth_year.map(|year| {
            let this_year = u32::try_from(this_year).unwrap_or(u32::MAX);
            self.number(at.field("birth_year"), year, 1900, this_year)
        });
        Member {
            name: self.line(at.field("display_name"), given.display_name, 200),
            birth_year: birth_year.and_then(|year| u16::try_from(year).ok()),
            sex: self.sex(at.field("sex"), given.sex),
            role: self.code(at.field("role"), given.role, Alphabet::Word, 32),
            municipality_code: self.code(at.field("municipality_code"), given.municipality_code, Alphabet::Mixed, 10),
            eldership_code: self.code(at.field("eldership_code"), given.eldership_code, Alphabet::Mixed, 16),
            person_ref: self.line(at.field("person_ref"), given.person_ref, 64),
            person: self.person_name(at.field("person"), &given.person),
        }
    }

    fn services(&mut self, given: Option<proto::ServiceWishes>) -> Services {
        let at = AT.field("services");
        let given = given.unwrap_or_default();
        Services {
            childcare_children: self.number(at.field("childcare_children"), given.childcare_children, 0, 50),
            rides: self.number(at.field("rides"), given.rides, 0, 1000),
        }
    }

    /// Answers, each question once.
    pub fn answers(&mut self, at: Path<'_>, given: Vec<proto::Answer>) -> Vec<Answer> {
        if given.is_empty() {
            return Vec::new();
        }
        let given = self.list(at, given, 0, 20);
        let mut answers = Vec::with_capacity(given.len());
        for (i, proto::Answer { question_id, text }) in given.into_iter().enumerate() {
            let at = at.item(i);
            answers.push(Answer {
                question_id: self.required_code(at.field("question_id"), question_id, Alphabet::Slug, 32),
                text: self.required_paragraph(at.field("text"), text, 1000),
            });
        }
        self.unique(at, "question_id", answers.iter().map(|a| a.question_id.as_str()));
        answers
    }

    /// The answers against the event's questions: only asked ones, not too long, and every required one there.
    pub fn answers_fit(&mut self, at: Path<'_>, answers: &[Answer], questions: &[Question]) {
        for (i, answer) in answers.iter().enumerate() {
            let at = at.item(i);
            match questions.iter().find(|q| q.id == answer.question_id) {
                None if answer.question_id.is_empty() => {}
                None => self.refuse(at.field("question_id"), "is not a question of this event"),
                Some(q) if answer.text.chars().count() > q.max_length as usize => {
                    self.refuse(at.field("text"), format!("is longer than {} characters", q.max_length));
                }
                Some(_) => {}
            }
        }
        for q in questions.iter().filter(|q| q.required) {
            if !answers.iter().any(|a| a.question_id == q.id) {
                self.refuse(at, format!("must answer the question {}", q.id));
            }
        }
    }

    pub(in crate::api) fn channel(&mut self, at: Path<'_>, given: i32) -> Channel {
        match self.word(at, given) {
            None | Some(proto::Channel::Unspecified | proto::Channel::Web) => Channel::Web,
            Some(proto::Channel::Phone) => Channel::Phone,
            Some(proto::Channel::Message) => Channel::Message,
            Some(proto::Channel::InPerson) => Channel::InPerson,
            Some(proto::Channel::Referral) => Channel::Referral,
        }
    }

    fn on_behalf_of(&mut self, at: Path<'_>, given: i32) -> OnBehalfOf {
        match self.word(at, given) {
            None | Some(proto::OnBehalfOf::Unspecified | proto::OnBehalfOf::Self_) => OnBehalfOf::Oneself,
            Some(proto::OnBehalfOf::Partner) => OnBehalfOf::Partner,
            Some(proto::OnBehalfOf::Child) => OnBehalfOf::Child,
            Some(proto::OnBehalfOf::Ward) => OnBehalfOf::Ward,
            Some(proto::OnBehalfOf::Client) => OnBehalfOf::Client,
            Some(proto::OnBehalfOf::Group) => OnBehalfOf::Group,
        }
    }

    fn sex(&mut self, at: Path<'_>, given: i32) -> Sex {
        match self.word(at, given) {
            None | Some(proto::Sex::Unspecified) => Sex::NotGiven,
            Some(proto::Sex::Female) => Sex::Female,
            Some(proto::Sex::Male) => Sex::Male,
            Some(proto::Sex::Other) => Sex::Other,
        }
    }
}

/// Of a new party nobody can say who was there before.
fn new_persons(mut who: Who) -> Who {
    if let Who::Members(members) = &mut who {
        members.iter_mut().for_each(|member| member.person = None);
    }
    who
}
