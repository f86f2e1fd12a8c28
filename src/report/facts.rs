//! What reports know of one registration: ids, codes, numbers and moments; no name and no contact.

use super::trace::{Trace, trace};
use crate::admission::{MarkKey, Standing};
use crate::keys::Keys;
use crate::model::attendance::{Mark, MemberNo, SessionNo};
use crate::model::event::Terms;
use crate::model::id::Number;
use crate::model::party::{Channel, OnBehalfOf, Party, Sex, Who};
use crate::model::person::PersonId;
use crate::model::registration::{CancelReason, End, State};
use crate::model::time::Timestamp;
use crate::storage::Everything;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// One registration, as it is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub number: Number,
    pub size: u32,
    /// It counts as somebody who asked: no duplicate, not rejected, not entered by mistake, not moved elsewhere.
    pub valid: bool,
    /// It held a confirmed seat at the start, or came in later.
    pub admitted: bool,
    /// It never had a seat, neither confirmed nor offered.
    pub refused: bool,
    /// It stands in line, or in review.
    pub waiting: bool,
    /// A group, and no family.
    pub group: bool,
    pub willing_elsewhere: bool,
    pub has_class: bool,
    pub channel: Channel,
    pub language: String,
    pub municipality: String,
    pub eldership: String,
    pub childcare: u32,
    pub rides: u32,
    pub accepted_at: Timestamp,
    /// The first seat or offer, where it had to wait for it.
    pub first_chance_at: Option<Timestamp>,
    pub offers: Vec<Offer>,
    /// Members by name; none where it is a head-count.
    pub members: Vec<MemberFact>,
    /// Present member x session, and their minutes, of a party without names.
    pub unnamed: Vec<(SessionNo, u16)>,
}

/// One offer and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub at: Timestamp,
    pub end: OfferEnd,
    pub ended_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfferEnd {
    Open,
    Accepted,
    /// Or its party cancelled.
    Declined,
    Expired,
    /// The event was cancelled, staff took it away.
    Withdrawn,
}

/// One person of a party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFact {
    pub person: PersonId,
    pub member: MemberNo,
    pub sex: Sex,
    pub birth_year: Option<u16>,
    /// Where it lives, if elsewhere than its party.
    pub eldership: Option<String>,
    /// What is written down of it, by session: what, and minutes where it was present.
    pub marks: Vec<(SessionNo, Mark, u16)>,
}

/// A party whose stored form cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the party of number {0} cannot be read")]
pub(super) struct Unreadable(pub Number);

/// Everything of an event as facts, by accepted number, with what its journal shows of the whole event.
pub(super) fn facts(everything: &Everything, keys: &Keys) -> Result<(Vec<Fact>, Trace), Unreadable> {
    let terms = &everything.whole.event.terms;
    let mut traced = trace(terms, &everything.entries);
    let marks = marks_by_party(everything);
    let parties: HashMap<Number, &str> =
        everything.parties.iter().map(|row| (row.number, row.document.as_str())).collect();
    let mut all = Vec::with_capacity(everything.whole.standings.len());
    for standing in &everything.whole.standings {
        let document = parties.get(&standing.number).ok_or(Unreadable(standing.number))?;
        let party: Party = serde_json::from_str(document).map_err(|_| Unreadable(standing.number))?;
        let own = marks.get(&standing.number).map_or(&[][..], Vec::as_slice);
        all.push(fact(terms, standing, &party, own, &mut traced, keys));
    }
    Ok((all, traced))
}

type Marks = Vec<(MarkKey, Mark, u16)>;

fn marks_by_party(everything: &Everything) -> HashMap<Number, Marks> {
    let mut by_party: HashMap<Number, Marks> = HashMap::new();
    for (key, marked) in &everything.whole.marks {
        by_party.entry(key.number).or_default().push((*key, marked.mark, marked.minutes));
    }
    for marks in by_party.values_mut() {
        marks.sort_unstable_by_key(|(key, _, _)| (key.session, key.member));
    }
    by_party
}

fn fact(
    terms: &Terms,
    standing: &Standing,
    party: &Party,
    marks: &[(MarkKey, Mark, u16)],
    traced: &mut Trace,
    keys: &Keys,
) -> Fact {
    let way = traced.ways.remove(&standing.number).unwrap_or_default();
    if way.sat_at(terms.starts_at) || matches!(standing.state, State::Offered { .. }) {
        traced.held += standing.size;
    }
    let valid = is_valid(standing);
    let had_a_chance = way.first_seat_at.is_some() || !way.offers.is_empty();
    let admitted = valid && way.was_admitted(terms.starts_at);
    let (members, unnamed) = match &party.who {
        Who::Members(members) => (members_of(standing, members, marks, keys), Vec::new()),
        Who::Heads { .. } => (Vec::new(), unnamed(marks)),
    };
    Fact {
        number: standing.number,
        size: standing.size,
        valid,
        admitted,
        refused: valid && !had_a_chance,
        waiting: valid && matches!(standing.state, State::Waitlisted | State::InReview),
        group: party.on_behalf_of == OnBehalfOf::Group,
        willing_elsewhere: party.willing_elsewhere,
        has_class: standing.class.is_some(),
        channel: party.channel,
        language: party.language.clone(),
        municipality: party.municipality_code.clone(),
        eldership: party.eldership_code.clone(),
        childcare: party.services.childcare_children,
        rides: party.services.rides,
        accepted_at: standing.accepted_at,
        first_chance_at: way.first_chance_at(),
        offers: way.offers,
        members,
        unnamed,
    }
}

/// Whether it counts as somebody who asked.
fn is_valid(standing: &Standing) -> bool {
    let not_meant = match &standing.state {
        State::Ended(End::DuplicateDropped | End::Rejected { .. } | End::Transferred { .. }) => true,
        State::Ended(End::Cancelled { reason, .. } | End::Declined { reason }) => {
            matches!(reason, CancelReason::Duplicate | CancelReason::EnteredByMistake)
        }
        _ => false,
    };
    !not_meant && standing.twin_of.is_none()
}

fn members_of(
    standing: &Standing,
    members: &[crate::model::party::Member],
    marks: &[(MarkKey, Mark, u16)],
    keys: &Keys,
) -> Vec<MemberFact> {
    let one = |(member, number): (&crate::model::party::Member, MemberNo)| MemberFact {
        person: keys.person(standing.id, number, member),
        member: number,
        sex: member.sex,
        birth_year: member.birth_year,
        eldership: Some(member.eldership_code.clone()).filter(|code| !code.is_empty()),
        marks: marks.iter().filter(|(k, _, _)| k.member == number).map(|(k, m, min)| (k.session, *m, *min)).collect(),
    };
    members.iter().zip(1..).map(one).collect()
}

fn unnamed(marks: &[(MarkKey, Mark, u16)]) -> Vec<(SessionNo, u16)> {
    marks.iter().filter(|(_, mark, _)| *mark == Mark::Present).map(|(key, _, min)| (key.session, *min)).collect()
}

impl Fact {
    /// Where a member lives: its own eldership, or its party's.
    pub fn eldership_of<'a>(&'a self, member: &'a MemberFact) -> &'a str {
        member.eldership.as_deref().unwrap_or(&self.eldership)
    }
}

impl MemberFact {
    /// The sessions at which it was present, with its minutes.
    pub fn present(&self) -> impl Iterator<Item = (SessionNo, u16)> {
        self.marks.iter().filter(|(_, mark, _)| *mark == Mark::Present).map(|(session, _, min)| (*session, *min))
    }
}
