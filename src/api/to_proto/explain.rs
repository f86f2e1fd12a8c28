//! Why a registration stands where it stands: needs, steps and those before it, by number only.

use super::{int32, int64, registration, sentences, time, words};
use crate::admission::{Ahead, Because, Change, Entering, Entry, Explanation, Held, Needed, Roster, Standing};
use crate::api::proto;
use crate::model::event::{Pool, Terms};
use crate::model::id::Number;
use crate::model::policy::Promotion;
use crate::model::registration::{ActorKind, End};
use crate::model::time::Timestamp;
use proto::{NeededReason as Reason, StepKind};

/// Everything but the steps, which come from the journal. `None` where there is no such registration.
pub fn explanation(
    roster: &Roster,
    number: Number,
    now: Timestamp,
    for_staff: bool,
) -> Option<proto::ExplainRegistrationResponse> {
    let s = roster.standing(number)?;
    let e = roster.explain(number)?;
    let needed = needed(roster, s, &e, now, for_staff);
    let state = words::registration_state(s.state.kind());
    let before = |a: &Ahead| proto::PartyAhead { accepted_number: i64::from(a.number), party_size: int32(a.size) };
    Some(proto::ExplainRegistrationResponse {
        policy_version: int32(e.policy_version),
        state: state.into(),
        class_rank: if for_staff { i32::from(e.class_rank) } else { 0 },
        accepted_number: i64::from(number),
        position: i64::from(e.position),
        parties_before: i64::from(e.position.saturating_sub(1)),
        ahead: e.ahead.iter().map(before).collect(),
        steps: Vec::new(),
        text: sentences::texts(state, e.position, needed.as_ref()),
        needed,
        journal_number: int64(roster.journal_number),
    })
}

/// What must happen for a seat: the first thing that stands in the way.
fn needed(roster: &Roster, s: &Standing, e: &Explanation, now: Timestamp, for_staff: bool) -> Option<proto::Needed> {
    let simple = |reason: Reason| Some(proto::Needed { reason: reason.into(), seats: 0, persons_before: 0 });
    match e.needed {
        Needed::Ended => None,
        Needed::EventOver => simple(Reason::EventOver),
        Needed::Nothing => simple(Reason::Nothing),
        Needed::AcceptOffer => simple(Reason::OfferAnswer),
        Needed::Review => simple(Reason::Approval),
        // Only staff may learn that somebody with this contact is registered.
        Needed::TwinEnds { .. } if for_staff => simple(Reason::Duplicate),
        Needed::TwinEnds { .. } => Some(looked_past(waiting(roster, s, e.persons_ahead, why_waiting(roster, s, now)))),
        Needed::StaffChoice | Needed::Seats { .. } => {
            Some(waiting(roster, s, e.persons_ahead, why_waiting(roster, s, now)))
        }
    }
}

/// The party of a possible duplicate reads what anybody in its place reads. Where seats were free for it and it was not
/// given them, nobody else would still wait: it reads what others read who wait for staff, and not that seats are
/// missing.
fn looked_past(needed: proto::Needed) -> proto::Needed {
    match (needed.reason(), needed.seats) {
        (Reason::Seats, 0) => proto::Needed { reason: Reason::StaffChoice.into(), ..needed },
        _ => needed,
    }
}

fn why_waiting(roster: &Roster, s: &Standing, now: Timestamp) -> Reason {
    let fits = |p: &Pool| p.capacity.is_none_or(|c| c >= s.size);
    if !wished(roster, s).any(|(p, _)| fits(p)) {
        return Reason::LargerPool;
    }
    let mut mine = wished(roster, s).filter(|(p, h)| is_open(p, h, s)).peekable();
    if mine.peek().is_some() && mine.all(|(p, h)| left(p, h) < 0) {
        return Reason::OverCapacity;
    }
    match roster.terms.policy.promotion {
        Promotion::Manual => return Reason::StaffChoice,
        Promotion::Offer if roster.offer_deadline(now).is_none() => return Reason::StaffCall,
        Promotion::Offer | Promotion::Automatic => {}
    }
    if roster.position(s.number) > 1 {
        return Reason::PartiesBefore;
    }
    let kept = wished(roster, s).any(|(p, h)| !is_open(p, h, s) && Roster::free(p, h) >= s.size);
    if kept { Reason::PoolRelease } else { Reason::Seats }
}

fn waiting(roster: &Roster, s: &Standing, persons_before: u32, reason: Reason) -> proto::Needed {
    let left: Vec<i64> = wished(roster, s).filter(|(p, h)| is_open(p, h, s)).map(|(p, h)| left(p, h)).collect();
    // Free seats here and there do not help: a party sits wholly in one pool. Where none has any, that with the least
    // over its capacity must get so many back first.
    let together = left.iter().copied().max().unwrap_or(0);
    let all = if together > 0 { left.iter().filter(|n| **n > 0).sum() } else { together };
    let size = i64::from(s.size);
    proto::Needed {
        reason: reason.into(),
        seats: (i64::from(persons_before) + size - all).max(size - together).max(0),
        persons_before: i64::from(persons_before),
    }
}

/// The pools that the party accepts.
fn wished<'a>(roster: &'a Roster, s: &'a Standing) -> impl Iterator<Item = (&'a Pool, &'a Held)> {
    roster.pools().filter(|(p, _)| s.wishes.is_empty() || s.wishes.contains(&p.no))
}

/// Whether it may sit there now.
fn is_open(pool: &Pool, held: &Held, s: &Standing) -> bool {
    let is_for = |class: &str| pool.classes.iter().any(|c| c == class);
    pool.classes.is_empty() || held.released || s.class.as_deref().is_some_and(is_for)
}

/// Free seats; below 0: as many are held beyond the capacity.
fn left(pool: &Pool, held: &Held) -> i64 {
    pool.capacity.map_or(i64::from(u32::MAX), |c| i64::from(c) - i64::from(held.total()))
}

/// The steps of one registration, from the entries of the journal that touched it.
pub fn steps(entries: &[Entry], number: Number, terms: &Terms, for_staff: bool) -> Vec<proto::Step> {
    let marks = |entry| for_staff.then(|| mark_gone(entry, number)).flatten();
    entries.iter().flat_map(|entry| step(entry, number, terms, for_staff).into_iter().chain(marks(entry))).collect()
}

/// The mark of a possible duplicate that went with somebody's change.
fn mark_gone(entry: &Entry, number: Number) -> Option<proto::Step> {
    entry.cleared.contains(&number).then(|| proto::Step {
        journal_number: int64(entry.number),
        time: Some(time::instant(entry.at)),
        kind: StepKind::DuplicateChanged.into(),
        because: "twin_ended".to_owned(),
        actor_kind: words::actor(ActorKind::System).into(),
        policy_version: int32(entry.policy),
        seats: 0,
        pool_id: String::new(),
    })
}

/// A newcomer that reaches a seat at once is one entry and two steps.
fn step(entry: &Entry, number: Number, terms: &Terms, for_staff: bool) -> Vec<proto::Step> {
    let told = match told(&entry.change, number, for_staff) {
        Some(told) => told,
        None => return Vec::new(),
    };
    let (kind, because, pool) = told;
    let pool_id = registration::pool_id(terms, pool);
    let whole = proto::Step {
        journal_number: int64(entry.number),
        time: Some(time::instant(entry.at)),
        kind: kind.into(),
        because: because.to_owned(),
        actor_kind: words::actor(entry.actor).into(),
        policy_version: int32(entry.policy),
        seats: i32::try_from(entry.seats).unwrap_or_default(),
        pool_id,
    };
    if kind == StepKind::PassedOver {
        return vec![proto::Step { seats: 0, pool_id: String::new(), ..whole }];
    }
    let Change::Registered { to, .. } = &entry.change else { return vec![whole] };
    let next = match to {
        Entering::InReview => return vec![whole],
        Entering::Line => StepKind::Waitlisted,
        Entering::Seat { .. } => StepKind::Confirmed,
    };
    let received = proto::Step { because: "signed_up".to_owned(), seats: 0, pool_id: String::new(), ..whole.clone() };
    vec![received, proto::Step { kind: next.into(), ..whole }]
}

type Told = (StepKind, &'static str, Option<crate::model::id::PoolNo>);

/// What a change means to one registration; `None` where it is about somebody else.
fn told(change: &Change, of: Number, for_staff: bool) -> Option<Told> {
    let (number, told): (Number, Told) = match change {
        Change::Confirmed { passed_over, .. }
        | Change::Offered { passed_over, .. }
        | Change::Resized { passed_over, .. }
            if *passed_over == Some(of) =>
        {
            (of, (StepKind::PassedOver, "first_that_fits", None))
        }
        Change::Registered { to: Entering::Seat { passed_over, .. }, .. } if *passed_over == Some(of) => {
            (of, (StepKind::PassedOver, "first_that_fits", None))
        }
        Change::Registered { number, to, .. } => (*number, (StepKind::Received, entering(to), pool_of(to))),
        Change::Approved { number } => (*number, (StepKind::Approved, "approved_by_staff", None)),
        Change::Confirmed { number, pool, because, .. } => {
            (*number, (StepKind::Confirmed, because_word(*because), Some(*pool)))
        }
        Change::Offered { number, pool, because, .. } => {
            (*number, (StepKind::Offered, because_word(*because), Some(*pool)))
        }
        Change::OfferAccepted { number } => (*number, (StepKind::Confirmed, "offer_accepted", None)),
        Change::OfferMissed { number, to_place } => {
            let because = if to_place.is_some() { "moved_to_end" } else { "place_kept" };
            (*number, (StepKind::OfferExpired, because, None))
        }
        Change::OfferWithdrawn { number } => (*number, (StepKind::Waitlisted, "offer_withdrawn", None)),
        Change::Ended { number, end } => (*number, ended(end, for_staff)),
        Change::ClassSet { number, .. } if for_staff => (*number, (StepKind::ClassChanged, "class_set", None)),
        Change::Resized { number, .. } => (*number, (StepKind::PartyChanged, "party_resized", None)),
        Change::Amended { number, twin_of: Some(_), .. } if for_staff => {
            (*number, (StepKind::DuplicateChanged, "contact_taken", None))
        }
        Change::Amended { number, .. } => (*number, (StepKind::DetailsChanged, "details_corrected", None)),
        Change::Erased { number, kept } => (*number, (StepKind::Erased, erased_word(*kept), None)),
        Change::Restricted { number, restricted } => {
            let kind = if *restricted { StepKind::Restricted } else { StepKind::Unrestricted };
            (*number, (kind, restricted_word(*restricted), None))
        }
        Change::ConsentsSet { number, .. } => (*number, (StepKind::ConsentsChanged, "consents_changed", None)),
        Change::ClassSet { .. }
        | Change::EventCreated { .. }
        | Change::TermsChanged { .. }
        | Change::DetailsChanged
        | Change::Published
        | Change::EventCancelled
        | Change::EventCompleted
        | Change::PoolReleased { .. }
        | Change::SeatsFree { .. }
        | Change::AttendanceRecorded { .. }
        | Change::CheckedIn { .. }
        | Change::HeadsCounted { .. }
        | Change::SessionMoved { .. }
        | Change::SessionCancelled { .. } => return None,
    };
    (number == of).then_some(told)
}

fn ended(end: &End, for_staff: bool) -> Told {
    match end {
        End::Cancelled { .. } => (StepKind::Cancelled, "cancelled", None),
        End::Declined { .. } => (StepKind::Declined, "offer_declined", None),
        End::Expired => (StepKind::OfferExpired, "left_the_line", None),
        End::DuplicateDropped if for_staff => (StepKind::DuplicateDropped, "duplicate_hold_over", None),
        End::DuplicateDropped => (StepKind::OfferExpired, "time_ran_out", None),
        End::Rejected { .. } => (StepKind::Rejected, "rejected_by_staff", None),
        End::EventCancelled => (StepKind::EventCancelled, "event_cancelled", None),
        End::Transferred { .. } => (StepKind::Transferred, "transferred", None),
    }
}

pub(super) fn entering(to: &Entering) -> &'static str {
    match to {
        Entering::InReview => "approval_required",
        Entering::Line => "no_seat_at_once",
        Entering::Seat { passed_over: None, .. } => "seat_free",
        Entering::Seat { passed_over: Some(_), .. } => "first_that_fits",
    }
}

fn pool_of(to: &Entering) -> Option<crate::model::id::PoolNo> {
    match to {
        Entering::Seat { pool, .. } => Some(*pool),
        Entering::InReview | Entering::Line => None,
    }
}

pub(super) fn erased_word(kept: bool) -> &'static str {
    if kept { "erased_in_part" } else { "erased" }
}

pub(super) fn restricted_word(restricted: bool) -> &'static str {
    if restricted { "restricted" } else { "restriction_lifted" }
}

pub(super) fn because_word(because: Because) -> &'static str {
    match because {
        Because::FirstInLine => "first_in_line",
        Because::FirstThatFits => "first_that_fits",
        Because::StaffInOrder => "staff_in_order",
        Because::StaffOutOfOrder => "staff_out_of_order",
        Because::StartMoved => "start_moved",
    }
}

/// When the last offer to a registration ran out, from the entries that touched it.
pub fn last_offer_deadline(entries: &[Entry], of: Number) -> Option<Timestamp> {
    entries.iter().rev().find_map(|entry| match &entry.change {
        Change::Offered { number, expires_at, .. } if *number == of => Some(*expires_at),
        _ => None,
    })
}
