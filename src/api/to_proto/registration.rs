//! A registration: BASIC from memory, FULL with the party's words.

use super::{int32, int64, names, time, words};
use crate::admission::{Outcome, Roster, Standing};
use crate::api::proto;
use crate::desk::Done;
use crate::keys::Keys;
use crate::model::attendance::MemberNo;
use crate::model::consent::Consent;
use crate::model::event::Terms;
use crate::model::id::{EventId, PoolNo};
use crate::model::party::{Answer, Member, Party, Who};
use crate::model::registration::{End, State};

/// The registration as it stands, without personal data. `for_staff` shows the class and what would tell a
/// stranger that somebody is registered.
pub fn basic(roster: &Roster, s: &Standing, for_staff: bool) -> proto::Registration {
    let outcome = roster.outcome(s.number);
    render(roster.event, &roster.terms, s, &outcome, for_staff)
}

/// The registration as whoever is not to see its people sees it: seats that are taken.
pub fn taken(registration: proto::Registration) -> proto::Registration {
    proto::Registration { people_hidden: true, consents: Vec::new(), transferred_to: String::new(), ..registration }
}

/// The registration as a change left it: state, position and journal number are those first answered, also
/// where the request is repeated later.
pub fn answered(event: EventId, done: &Done, for_staff: bool) -> proto::Registration {
    match &done.standing {
        Some(s) => render(event, &done.terms, s, &done.outcome, for_staff),
        None => proto::Registration::default(),
    }
}

fn render(event: EventId, terms: &Terms, s: &Standing, outcome: &Outcome, for_staff: bool) -> proto::Registration {
    let state = outcome.state.unwrap_or(s.state.kind());
    // How it ended is told only where the answer is about that end.
    let end = match &s.state {
        State::Ended(end) if s.state.kind() == state => Some(end),
        _ => None,
    };
    proto::Registration {
        name: names::registration(event, s.id),
        event: names::event(event),
        state: words::registration_state(state).into(),
        accepted_number: i64::from(s.number),
        position: i64::from(outcome.position),
        journal_number: int64(outcome.journal_number),
        party_size: int32(s.size),
        pool_id: pool_id(terms, outcome.pool),
        class: s.class.as_deref().filter(|_| for_staff).unwrap_or_default().to_owned(),
        possible_duplicate: for_staff && s.twin_of.is_some(),
        offer_expire_time: outcome.expires_at.map(time::instant),
        end_reason: end.map(|end| end_reason(end, for_staff)).unwrap_or_default().to_owned(),
        transferred_to: match end {
            Some(End::Transferred { to }) => names::registration(to.event, to.registration),
            _ => String::new(),
        },
        erase_time: s.erased.map(|erased| time::instant(erased.at)),
        restrict_time: s.restricted_at().map(time::instant),
        consents: s.said().consents.iter().map(consent).collect(),
        ..proto::Registration::default()
    }
}

/// The word by which callers name a pool, or named it when it was there; empty for none.
pub fn pool_id(terms: &Terms, pool: Option<PoolNo>) -> String {
    pool.and_then(|no| terms.pool_word(no)).unwrap_or_default().to_owned()
}

fn end_reason(end: &End, for_staff: bool) -> &'static str {
    match end {
        End::Cancelled { reason, .. } | End::Declined { reason } => words::cancel_reason(*reason),
        End::Rejected { reason } => words::reject_reason(*reason),
        End::Expired => "OFFER_MISSED",
        End::DuplicateDropped if for_staff => "DUPLICATE_DROPPED",
        End::DuplicateDropped | End::EventCancelled | End::Transferred { .. } => "",
    }
}

/// Adds what is FULL only.
pub fn with_party(
    basic: proto::Registration,
    terms: &Terms,
    s: &Standing,
    party: Party,
    keys: &Keys,
) -> proto::Registration {
    let Party {
        contact,
        language,
        channel,
        on_behalf_of,
        who,
        willing_elsewhere,
        municipality_code,
        eldership_code,
        services,
        answers,
    } = party;
    let (members, head_count) = match who {
        Who::Members(members) => {
            let told = |(m, place): (Member, MemberNo)| {
                let person = keys.person(s.id, place, &m);
                member(m, names::person(person))
            };
            (members.into_iter().zip(1..).map(told).collect(), None)
        }
        Who::Heads { adults, children } => {
            (Vec::new(), Some(proto::HeadCount { adults: int32(adults), children: int32(children) }))
        }
    };
    let wished = services.childcare_children > 0 || services.rides > 0;
    proto::Registration {
        contact: Some(proto::Contact { display_name: contact.name, email: contact.email, phone: contact.phone }),
        language,
        channel: words::channel(channel).into(),
        on_behalf_of: words::on_behalf_of(on_behalf_of).into(),
        members,
        head_count,
        acceptable_pools: s.wishes.iter().map(|no| pool_id(terms, Some(*no))).collect(),
        willing_elsewhere,
        municipality_code,
        eldership_code,
        services: wished.then(|| proto::ServiceWishes {
            childcare_children: int32(services.childcare_children),
            rides: int32(services.rides),
        }),
        answers: answers.into_iter().map(answer).collect(),
        create_time: Some(time::instant(s.accepted_at)),
        update_time: Some(time::instant(s.changed_at)),
        ..basic
    }
}

fn consent(consent: &Consent) -> proto::Consent {
    proto::Consent {
        purpose: words::consent_purpose(consent.purpose).into(),
        text_version: consent.text.clone(),
        channel: words::channel(consent.channel).into(),
        give_time: Some(time::instant(consent.given_at)),
        withdraw_time: consent.withdrawn_at.map(time::instant),
    }
}

fn member(member: Member, person: String) -> proto::Member {
    let Member { name, birth_year, sex, role, municipality_code, eldership_code, person_ref, person: _ } = member;
    proto::Member {
        display_name: name,
        birth_year: birth_year.map(i32::from),
        sex: words::sex(sex).into(),
        role,
        municipality_code,
        eldership_code,
        person_ref,
        person,
    }
}

fn answer(Answer { question_id, text }: Answer) -> proto::Answer {
    proto::Answer { question_id, text }
}
