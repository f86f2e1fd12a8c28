//! What is kept of a registration as a text for the person whom it is about, in five languages.

mod words;

use crate::api::proto::{ExportRegistrationResponse, Member, Registration};
use crate::model::time::{Timestamp, Zone};
use std::fmt::Write;
use words::*;

/// A language that there are words in: this one, or Lithuanian.
pub(super) fn known(language: &str) -> &'static str {
    LANGUAGES.into_iter().find(|known| *known == language).unwrap_or("lt")
}

/// The lines of a text.
struct Lines {
    text: String,
    language: usize,
    zone: Zone,
}

impl Lines {
    fn word(&self, words: &Words) -> &'static str {
        words[self.language]
    }

    /// A label and what stands behind it; nothing where that is nothing.
    fn line(&mut self, label: &Words, value: &str) {
        if !value.is_empty() {
            let label = self.word(label);
            // Writing to a text cannot fail.
            let _ = writeln!(self.text, "{label}: {value}");
        }
    }

    /// The same of a number that is not 0.
    fn count(&mut self, label: &Words, n: i32) {
        self.line(label, &if n == 0 { String::new() } else { n.to_string() });
    }

    /// The words of one of these; nothing where it is not told.
    fn of<T: Copy + PartialEq>(&self, known: &[(T, Words)], one: T) -> &'static str {
        known.iter().find(|(word, _)| *word == one).map_or("", |(_, words)| self.word(words))
    }

    /// One who takes part: the name, and whatever else is told, with its label.
    fn member(&self, m: &Member) -> String {
        let born = m.birth_year.map(|year| format!("{} {year}", self.word(&BORN)));
        let lower = |words: &Words| self.word(words).to_lowercase();
        let more = [
            (self.word(&SEX).to_owned(), self.of(&SEXES, m.sex())),
            (self.word(&ROLE).to_owned(), m.role.as_str()),
            (lower(&PLACE), m.municipality_code.as_str()),
            (lower(&ELDERSHIP), m.eldership_code.as_str()),
            (self.word(&REFERENCE).to_owned(), m.person_ref.as_str()),
            (self.word(&PERSON).to_owned(), m.person.as_str()),
        ];
        let more = more.into_iter().filter(|(_, value)| !value.is_empty());
        let name = Some(m.display_name.clone()).filter(|name| !name.is_empty());
        let parts = name.into_iter().chain(born).chain(more.map(|(label, value)| format!("{label}: {value}")));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn item(&mut self, text: &str) {
        let _ = writeln!(self.text, "  {text}");
    }

    fn at(&self, at: Option<&prost_types::Timestamp>) -> String {
        let Some(at) = at else { return String::new() };
        let at = Timestamp(at.seconds * 1_000_000 + i64::from(at.nanos) / 1_000);
        let local = self.zone.local(at);
        format!("{} {:02}:{:02}", local.date(), local.hour(), local.minute())
    }
}

/// The whole text.
pub(super) fn of(export: &ExportRegistrationResponse, language: &str, title: &str, zone: &Zone) -> String {
    let language = LANGUAGES.iter().position(|known| *known == language).unwrap_or(0);
    let mut lines = Lines { text: String::new(), language, zone: zone.clone() };
    lines.text.push_str(HEAD[language]);
    lines.text.push('\n');
    lines.line(&EVENT, title);
    who(&mut lines, export);
    history(&mut lines, export);
    let erased = export.erasure.as_ref().map(|e| lines.at(e.erase_time.as_ref())).unwrap_or_default();
    lines.line(&ERASED, &erased);
    said(&mut lines, export);
    let contact = lines.at(export.contact_kept_until.as_ref());
    lines.line(&KEPT_CONTACT, &contact);
    let names = lines.at(export.names_kept_until.as_ref());
    lines.line(&KEPT_NAMES, &names);
    lines.text
}

fn who(lines: &mut Lines, export: &ExportRegistrationResponse) {
    let Some(r) = &export.registration else { return };
    lines.line(&NUMBER, &r.accepted_number.to_string());
    if let Some(contact) = &r.contact {
        lines.line(&CONTACT, &contact.display_name);
        lines.line(&EMAIL, &contact.email);
        lines.line(&PHONE, &contact.phone);
    }
    lines.line(&LANGUAGE, &r.language);
    lines.line(&CHANNEL, lines.of(&CHANNELS, r.channel()));
    lines.line(&FOR_WHOM, lines.of(&FOR, r.on_behalf_of()));
    lines.line(&PERSONS, &r.party_size.to_string());
    let heads = r.head_count.unwrap_or_default();
    lines.count(&ADULTS, heads.adults);
    lines.count(&CHILDREN, heads.children);
    for member in &r.members {
        let member = lines.member(member);
        lines.line(&MEMBER, &member);
    }
    lines.line(&PLACE, &r.municipality_code);
    lines.line(&ELDERSHIP, &r.eldership_code);
    wishes(lines, r);
    for answer in &r.answers {
        lines.line(&ANSWER, &format!("{}: {}", answer.question_id, answer.text));
    }
}

/// What the party would like.
fn wishes(lines: &mut Lines, r: &Registration) {
    lines.line(&POOLS, &r.acceptable_pools.join(", "));
    lines.line(&ELSEWHERE, if r.willing_elsewhere { lines.word(&YES) } else { "" });
    let services = r.services.unwrap_or_default();
    lines.count(&CHILDCARE, services.childcare_children);
    lines.count(&RIDES, services.rides);
}

/// What the party said about its data.
fn said(lines: &mut Lines, export: &ExportRegistrationResponse) {
    let Some(r) = &export.registration else { return };
    let restricted = lines.at(r.restrict_time.as_ref());
    lines.line(&RESTRICTED, &restricted);
    for consent in &r.consents {
        let to = lines.of(&CONSENTS, consent.purpose());
        let mut line = format!("{to} ({}), {}", consent.text_version, lines.at(consent.give_time.as_ref()));
        if consent.withdraw_time.is_some() {
            line = format!("{line}; {} {}", lines.word(&WITHDRAWN), lines.at(consent.withdraw_time.as_ref()));
        }
        lines.line(&CONSENT, &line);
    }
}

fn history(lines: &mut Lines, export: &ExportRegistrationResponse) {
    lines.text.push_str(lines.word(&HISTORY));
    lines.text.push_str(":\n");
    for step in &export.steps {
        let kind = STEPS.iter().find(|(kind, _)| *kind == step.kind());
        let what = kind.map_or(step.because.as_str(), |(_, words)| lines.word(words));
        let line = format!("{} {what}", lines.at(step.time.as_ref()));
        lines.item(&line);
    }
    if export.attendances.is_empty() {
        return;
    }
    lines.text.push_str(lines.word(&PRESENCE));
    lines.text.push_str(":\n");
    for a in &export.attendances {
        let mark = lines.of(&MARKS, a.mark());
        let line = format!("{} {} {}: {mark}", lines.at(a.happen_time.as_ref()), lines.word(&MEMBER), a.member);
        lines.item(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::proto::{AttendanceMark, Channel, ConsentPurpose, OnBehalfOf, Sex, StepKind};

    #[test]
    fn whatever_the_service_can_tell_has_words() {
        for sex in (1..).map_while(|n| Sex::try_from(n).ok()) {
            assert!(SEXES.iter().any(|(known, _)| *known == sex), "{sex:?}");
        }
        for channel in (1..).map_while(|n| Channel::try_from(n).ok()) {
            assert!(CHANNELS.iter().any(|(known, _)| *known == channel), "{channel:?}");
        }
        for whom in (1..).map_while(|n| OnBehalfOf::try_from(n).ok()) {
            assert!(FOR.iter().any(|(known, _)| *known == whom), "{whom:?}");
        }
        for kind in (1..).map_while(|n| StepKind::try_from(n).ok()) {
            assert!(STEPS.iter().any(|(known, _)| *known == kind), "{kind:?}");
        }
        for purpose in (1..).map_while(|n| ConsentPurpose::try_from(n).ok()) {
            assert!(CONSENTS.iter().any(|(known, _)| *known == purpose), "{purpose:?}");
        }
        for mark in (1..).map_while(|n| AttendanceMark::try_from(n).ok()) {
            assert!(MARKS.iter().any(|(known, _)| *known == mark), "{mark:?}");
        }
    }

    #[test]
    fn a_language_without_words_is_answered_in_lithuanian() {
        assert_eq!((known("pl"), known("de"), known("")), ("pl", "lt", "lt"));
    }
}
