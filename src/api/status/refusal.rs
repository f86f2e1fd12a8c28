//! What the core refuses, in the words of the caller.

use super::{Problem, attendance, etag_mismatch, outcome_unknown, pool_not_found, same_event, storage_unavailable};
use super::{draining, internal, overloaded, registration_not_found, request_id_reused};
use crate::admission::Refusal;
use crate::api::proto::ErrorReason;
use crate::api::to_proto::{names, time, words};
use crate::desk::DeskError;
use crate::model::event::{EventState, Terms};
use crate::model::id::{EventId, RegistrationId};
use crate::model::policy::CLASS_ANY;
use crate::model::time::Timestamp;
use tonic::Status;
use uuid::Uuid;

/// What a refused call was about.
pub struct About<'a> {
    /// The rpc, as ILLEGAL_STATE names it.
    pub method: &'static str,
    pub event: EventId,
    pub registration: Option<RegistrationId>,
    pub request_id: Uuid,
    /// The pool_ids that the caller named.
    pub pools: &'a [String],
    /// How large the party would be.
    pub party_size: u32,
    /// The session_id that the caller named.
    pub session_id: &'a str,
}

/// Facts that a refusal does not carry and its metadata shows; looked up where they are needed.
#[derive(Debug, Default)]
pub struct Facts {
    /// The registration that the refusal names by number.
    pub other: Option<RegistrationId>,
    pub seats_needed: u32,
    pub waiting_parties: u32,
    pub position: u32,
    pub offer_expired_at: Option<Timestamp>,
    /// Of a pool that is in use.
    pub pool_id: String,
    pub parties: u32,
}

impl About<'_> {
    /// A call about an event.
    pub fn event(method: &'static str, event: EventId) -> About<'static> {
        About { method, event, registration: None, request_id: Uuid::nil(), pools: &[], party_size: 0, session_id: "" }
    }
    pub(super) fn event_name(&self) -> String {
        names::event(self.event)
    }
    fn registration_name(&self) -> String {
        self.registration.map(|id| names::registration(self.event, id)).unwrap_or_default()
    }
    /// The registration, or the event where it is about no registration.
    pub(super) fn subject(&self) -> String {
        self.registration.map_or_else(|| self.event_name(), |id| names::registration(self.event, id))
    }
    /// The first of the caller's pools that the event does not have.
    fn unknown_pool(&self, terms: Option<&Terms>) -> &str {
        let has = |word: &str| terms.is_some_and(|t| t.pools.iter().any(|p| p.id == word));
        self.pools.iter().find(|word| !has(word)).map_or("", String::as_str)
    }
}

/// What the desk answered instead of a decision. A refusal that needs facts goes through [`refused`].
pub fn desk(error: DeskError, about: &About<'_>) -> Status {
    match error {
        DeskError::EventNotFound => super::event_not_found(&about.event_name()),
        DeskError::Refused(refusal, terms) => refused(&refusal, about, terms.as_deref(), &Facts::default()),
        DeskError::Overloaded | DeskError::Stale => overloaded(),
        DeskError::Draining => draining(),
        DeskError::Unavailable => storage_unavailable(),
        DeskError::OutcomeUnknown => outcome_unknown(),
        DeskError::Internal => internal("the desk met a fault"),
    }
}

/// A refusal with its facts.
pub fn refused(refusal: &Refusal, about: &About<'_>, terms: Option<&Terms>, facts: &Facts) -> Status {
    use ErrorReason as R;
    match refusal {
        Refusal::RequestIdReused => request_id_reused(about.request_id),
        Refusal::SameEvent => same_event(&about.event_name()),
        Refusal::RegistrationNotFound => registration_not_found(&about.registration_name()),
        Refusal::EtagMismatch { current } => etag_mismatch(&about.event_name(), *current),
        Refusal::PoolNotFound { .. } => pool_not_found(about.unknown_pool(terms)),
        Refusal::EventNotPublished => event_state(about, EventState::Draft),
        Refusal::EventCancelled => event_state(about, EventState::Cancelled),
        Refusal::EventCompleted => event_state(about, EventState::Completed),
        Refusal::IllegalEventState { state } => event_state(about, *state),
        Refusal::AlreadyRegistered { .. } => already_registered(about, facts),
        Refusal::WaitlistFull { limit } => {
            let message = match limit {
                0 => "there is no free seat, and the event has no waiting line".to_owned(),
                1 => "one party waits already, as many as the event allows".to_owned(),
                limit => format!("{limit} parties wait already, as many as the event allows"),
            };
            Problem::new(R::WaitlistFull, message).with("waitlist_limit", limit).quota(&about.event_name()).status()
        }
        Refusal::PoolInUse { .. } => {
            let who = match facts.parties {
                1 => "1 party sits in or wishes for".to_owned(),
                n => format!("{n} parties sit in or wish for"),
            };
            Problem::new(R::PoolInUse, format!("{who} pool {}", facts.pool_id))
                .with("pool_id", &facts.pool_id)
                .with("parties", facts.parties)
                .precondition(&about.event_name())
                .status()
        }
        other => match attendance::refused(other, about, terms) {
            Some(status) => status,
            None => precondition(other, about, terms, facts),
        },
    }
}

/// Refusals that are one broken precondition and its facts.
fn precondition(refusal: &Refusal, about: &About<'_>, terms: Option<&Terms>, facts: &Facts) -> Status {
    let problem = of_event(refusal).or_else(|| of_registration(refusal, about, facts));
    let problem = problem.or_else(|| match refusal {
        Refusal::ClassUnknown { class } => {
            let known = terms.map(known_classes).unwrap_or_default().join(",");
            let message = match known.as_str() {
                "" => format!("class {class}: neither the policy nor a pool of the event names any"),
                known => format!("class {class} is none of {known}"),
            };
            Some(Problem::new(ErrorReason::ClassUnknown, message).with("class", class).with("known", known))
        }
        _ => None,
    });
    match problem {
        Some(problem) => problem.precondition(&about.subject()).status(),
        // Everything else has an arm of its own in `refused`; a test walks all of them.
        None => internal(format!("no status for {refusal:?}")),
    }
}

/// What the event does not allow: its window, and how large a party may be.
fn of_event(refusal: &Refusal) -> Option<Problem> {
    use ErrorReason as R;
    Some(match refusal {
        Refusal::RegistrationNotOpen { opens_at } => {
            let at = time::text(*opens_at);
            Problem::new(R::RegistrationNotOpen, format!("sign-ups open at {at}")).with("open_time", at)
        }
        Refusal::RegistrationClosed { closed_at } => {
            let at = time::text(*closed_at);
            Problem::new(R::RegistrationClosed, format!("sign-ups closed at {at}")).with("close_time", at)
        }
        Refusal::EventNotOver { ends_at } => {
            let at = time::text(*ends_at);
            Problem::new(R::EventNotOver, format!("the last session ends at {at}")).with("end_time", at)
        }
        Refusal::PartyTooSmall { size, min } => {
            Problem::new(R::PartyTooSmall, format!("a party of {size} is smaller than the least, {min}"))
                .with("party_size", size)
                .with("min_size", min)
        }
        Refusal::PartyTooLarge { size, max } => {
            Problem::new(R::PartyTooLarge, format!("a party of {size} is larger than the most, {max}"))
                .with("party_size", size)
                .with("max_size", max)
        }
        Refusal::PartyLargerThanPool { size, largest } => {
            let message = format!("a party of {size} fits no acceptable pool; the largest has {}", seats(*largest));
            Problem::new(R::PartyLargerThanPool, message).with("party_size", size).with("largest_pool", largest)
        }
        _ => return None,
    })
}

/// What the registration's state, or that of the line, does not allow.
fn of_registration(refusal: &Refusal, about: &About<'_>, facts: &Facts) -> Option<Problem> {
    use ErrorReason as R;
    Some(match refusal {
        Refusal::IllegalState { state } => illegal_state(about, words::state_kind(*state)),
        Refusal::PossibleDuplicate { .. } => illegal_state(about, "WAITLISTED"),
        Refusal::OfferExpired => {
            let at = facts.offer_expired_at.map(time::text).unwrap_or_default();
            Problem::new(R::OfferExpired, format!("the offer ran out at {at}")).with("expire_time", at)
        }
        Refusal::NoLiveOffer { state } => {
            let state = words::state_kind(*state);
            Problem::new(R::NoLiveOffer, format!("there is no offer to answer; it is {state}")).with("state", state)
        }
        Refusal::SeatsNotFree { asked, free } => {
            let are = |n: u32| if n == 1 { "is" } else { "are" };
            let (needed, (asked_are, free_are)) = (seats(*asked), (are(*asked), are(*free)));
            Problem::new(R::SeatsNotFree, format!("{needed} {asked_are} needed and {free} {free_are} free"))
                .with("seats_needed", asked)
                .with("seats_free", free)
        }
        Refusal::WaitingPartyFirst { .. } => {
            let message = match facts.waiting_parties {
                1 => "a waiting party has a right to the seats".to_owned(),
                n => format!("of {n} waiting parties one has a right to the seats"),
            };
            Problem::new(R::WaitingPartyFirst, message)
                .with("seats_needed", facts.seats_needed)
                .with("waiting_parties", facts.waiting_parties)
        }
        Refusal::ReasonRequired => {
            let message = format!("it stands at position {}; a promotion out of order needs a reason", facts.position);
            Problem::new(R::ReasonRequired, message).with("position", facts.position)
        }
        _ => return None,
    })
}

fn seats(n: u32) -> String {
    if n == 1 { "1 seat".to_owned() } else { format!("{n} seats") }
}

fn illegal_state(about: &About<'_>, state: &str) -> Problem {
    Problem::new(ErrorReason::IllegalState, format!("{} is not possible: it is {state}", about.method))
        .with("state", state)
        .with("verb", about.method)
}

fn event_state(about: &About<'_>, state: EventState) -> Status {
    let name = about.event_name();
    let problem = match state {
        EventState::Draft => Problem::new(ErrorReason::EventNotPublished, format!("{name} is still a draft")),
        EventState::Cancelled => Problem::new(ErrorReason::EventCancelled, format!("{name} was cancelled")),
        EventState::Completed => Problem::new(ErrorReason::EventCompleted, format!("{name} is completed")),
        EventState::Published => return illegal_state(about, "PUBLISHED").precondition(&name).status(),
    };
    problem.with("event", &name).precondition(&name).status()
}

fn already_registered(about: &About<'_>, facts: &Facts) -> Status {
    let Some(other) = facts.other else {
        let message = "the contact is registered already";
        return Problem::new(ErrorReason::AlreadyRegistered, message).resource("registration", "").status();
    };
    let name = names::registration(about.event, other);
    Problem::new(ErrorReason::AlreadyRegistered, format!("the contact is registered already: {name}"))
        .with("registration", &name)
        .resource("registration", &name)
        .status()
}

/// The classes that policy and pools name, each once, in order.
fn known_classes(terms: &Terms) -> Vec<&str> {
    let mut known: Vec<&str> = Vec::new();
    let pools = terms.pools.iter().flat_map(|p| &p.classes);
    for class in terms.policy.class_order.iter().chain(pools) {
        if class != CLASS_ANY && !known.contains(&class.as_str()) {
            known.push(class);
        }
    }
    known
}
