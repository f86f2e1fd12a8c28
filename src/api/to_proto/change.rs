//! A change as the feed tells it: ids, numbers, states and counts of seats. No class and no reason of a cancellation or a
//! rejection goes out here: a reporting job follows the feed, and has no right to them.

use super::explain::{because_word, entering, erased_word, restricted_word};
use super::{int32, int64, names, time, words};
use crate::admission::{Change, Entering, Entry, Idle, SeatCounts};
use crate::api::proto;
use crate::feed::Batch;
use crate::model::event::EventState;
use crate::model::registration::{End, State, StateKind};
use proto::ChangeKind as Kind;

/// One change of one event.
pub fn change(batch: &Batch, entry: &Entry) -> proto::Change {
    let event = batch.row.event;
    let told = told(&entry.change);
    proto::Change {
        event: names::event(event),
        journal_number: int64(entry.number),
        time: Some(time::instant(entry.at)),
        kind: kind(&entry.change).into(),
        registration: batch.registration(entry).map(|id| names::registration(event, id)).unwrap_or_default(),
        accepted_number: entry.change.about().map_or(0, i64::from),
        registration_state: told.state.map(|s| words::registration_state(s).into()).unwrap_or_default(),
        event_state: told.event.map(|s| words::event_state(s).into()).unwrap_or_default(),
        pool_id: entry.change.pool().and_then(|no| batch.pool_id(no)).unwrap_or_default().to_owned(),
        seats: i32::try_from(entry.seats).unwrap_or_default(),
        persons: int32(told.persons),
        actor_kind: words::actor(entry.actor).into(),
        because: told.because.to_owned(),
        policy_version: int32(entry.policy),
        offer_expire_time: offer_deadline(&entry.change).map(time::instant),
        passed_over_number: entry.change.passed_over().map_or(0, i64::from),
        transferred_to: transferred_to(&entry.change),
        session_id: entry.change.session().and_then(|no| batch.session_id(no)).unwrap_or_default().to_owned(),
        counts: Some(counts(batch.row.counts)),
    }
}

fn counts(counts: SeatCounts) -> proto::SeatCounts {
    proto::SeatCounts {
        confirmed_persons: int32(counts.confirmed.persons),
        confirmed_parties: int32(counts.confirmed.parties),
        offered_persons: int32(counts.offered.persons),
        offered_parties: int32(counts.offered.parties),
        waiting_persons: int32(counts.waiting.persons),
        waiting_parties: int32(counts.waiting.parties),
        free: counts.free.map(int32),
    }
}

/// The word of a change.
pub fn kind(change: &Change) -> Kind {
    match change {
        Change::EventCreated { .. } => Kind::EventCreated,
        Change::TermsChanged { .. } => Kind::TermsChanged,
        Change::DetailsChanged => Kind::DetailsChanged,
        Change::Published => Kind::EventPublished,
        Change::EventCancelled => Kind::EventCancelled,
        Change::EventCompleted => Kind::EventCompleted,
        Change::PoolReleased { .. } => Kind::PoolReleased,
        Change::SeatsFree { .. } => Kind::SeatsFree,
        Change::Registered { .. } => Kind::Registered,
        Change::Approved { .. } => Kind::Approved,
        Change::Confirmed { .. } => Kind::Confirmed,
        Change::Offered { .. } => Kind::Offered,
        Change::OfferAccepted { .. } => Kind::OfferAccepted,
        Change::OfferMissed { .. } => Kind::OfferMissed,
        Change::OfferWithdrawn { .. } => Kind::OfferWithdrawn,
        Change::Ended { .. } => Kind::Ended,
        Change::ClassSet { .. } => Kind::ClassChanged,
        Change::Resized { .. } => Kind::PartyResized,
        Change::Amended { .. } => Kind::RegistrationCorrected,
        Change::Erased { .. } => Kind::RegistrationErased,
        Change::Restricted { restricted: true, .. } => Kind::RegistrationRestricted,
        Change::Restricted { restricted: false, .. } => Kind::RegistrationUnrestricted,
        Change::ConsentsSet { .. } => Kind::ConsentsChanged,
        Change::AttendanceRecorded { .. } => Kind::AttendanceRecorded,
        Change::CheckedIn { .. } => Kind::CheckedIn,
        Change::HeadsCounted { .. } => Kind::HeadsCounted,
        Change::SessionMoved { .. } => Kind::SessionMoved,
        Change::SessionCancelled { .. } => Kind::SessionCancelled,
    }
}

/// What a change leads to.
#[derive(Default)]
struct Told {
    state: Option<StateKind>,
    event: Option<EventState>,
    persons: u32,
    because: &'static str,
}

fn told(change: &Change) -> Told {
    let event = |state, because| Told { event: Some(state), because, ..Told::default() };
    let state = |state, because| Told { state: Some(state), because, ..Told::default() };
    let only = |because| Told { because, ..Told::default() };
    match change {
        Change::EventCreated { .. } => event(EventState::Draft, "created"),
        Change::TermsChanged { .. } => only("changed_by_staff"),
        Change::DetailsChanged => only("changed_by_staff"),
        Change::Published => event(EventState::Published, "published"),
        Change::EventCancelled => event(EventState::Cancelled, "cancelled"),
        Change::EventCompleted => event(EventState::Completed, "completed"),
        Change::PoolReleased { .. } => only("release_time"),
        Change::SeatsFree { seats, because, .. } => Told { persons: *seats, ..only(idle_word(because)) },
        Change::Registered { size, to, .. } => Told { persons: *size, ..state(entered(to), entering(to)) },
        Change::Approved { .. } => state(StateKind::Waitlisted, "approved_by_staff"),
        Change::Confirmed { because, .. } => state(StateKind::Confirmed, because_word(*because)),
        Change::Offered { because, .. } => state(StateKind::Offered, because_word(*because)),
        Change::OfferAccepted { .. } => state(StateKind::Confirmed, "offer_accepted"),
        Change::OfferMissed { to_place: None, .. } => state(StateKind::Waitlisted, "place_kept"),
        Change::OfferMissed { to_place: Some(_), .. } => state(StateKind::Waitlisted, "moved_to_end"),
        Change::OfferWithdrawn { .. } => state(StateKind::Waitlisted, "offer_withdrawn"),
        Change::Ended { end, .. } => state(State::Ended(end.clone()).kind(), end_word(end)),
        Change::ClassSet { .. } => only("class_set"),
        Change::Resized { size, .. } => Told { persons: *size, ..only("party_resized") },
        Change::Amended { .. } => only("details_corrected"),
        Change::Erased { kept, .. } => only(erased_word(*kept)),
        Change::Restricted { restricted, .. } => only(restricted_word(*restricted)),
        Change::ConsentsSet { .. } => only("consents_changed"),
        Change::AttendanceRecorded { marks, .. } => Told { persons: count(marks.len()), ..only("list_entered") },
        Change::CheckedIn { marks, .. } => Told { persons: count(marks.len()), ..only("at_the_door") },
        Change::HeadsCounted { heads, .. } => {
            Told { persons: heads.adults.saturating_add(heads.children), ..only("heads_entered") }
        }
        Change::SessionMoved { .. } => only("moved_by_staff"),
        Change::SessionCancelled { .. } => only("called_off_by_staff"),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn entered(to: &Entering) -> StateKind {
    match to {
        Entering::InReview => StateKind::InReview,
        Entering::Line => StateKind::Waitlisted,
        Entering::Seat { .. } => StateKind::Confirmed,
    }
}

fn end_word(end: &End) -> &'static str {
    match end {
        End::Cancelled { .. } => "cancelled",
        End::Declined { .. } => "offer_declined",
        End::Expired => "left_the_line",
        End::DuplicateDropped => "duplicate_hold_over",
        End::Rejected { .. } => "rejected_by_staff",
        End::EventCancelled => "event_cancelled",
        End::Transferred { .. } => "transferred",
    }
}

fn idle_word(idle: &Idle) -> &'static str {
    match idle {
        Idle::NobodyWaits => "nobody_waits",
        Idle::OnlyDuplicates { .. } => "only_duplicates",
        Idle::FirstHolds { .. } => "first_holds",
        Idle::NobodyFits => "nobody_fits",
        Idle::StaffChoose => "staff_choose",
        Idle::TooCloseToStart => "too_close_to_start",
        Idle::Begun => "begun",
        Idle::CalledOff => "called_off",
        Idle::JustMissed => "just_missed",
    }
}

fn offer_deadline(change: &Change) -> Option<crate::model::time::Timestamp> {
    match change {
        Change::Offered { expires_at, .. } => Some(*expires_at),
        _ => None,
    }
}

fn transferred_to(change: &Change) -> String {
    match change {
        Change::Ended { end: End::Transferred { to }, .. } => names::registration(to.event, to.registration),
        _ => String::new(),
    }
}
