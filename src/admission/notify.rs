//! Which change owes whom a message. A pure function of the journal: the journal is the outbox, and the
//! courier that will deliver keeps a cursor into it.

use super::change::{Change, Entering, Entry};
use crate::model::id::Number;
use crate::model::registration::End;

/// A message owed to a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The registration whose party is told.
    pub number: Number,
    pub kind: NoticeKind,
    /// The entry that owes it: with the number, unique for ever.
    pub journal_number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeKind {
    /// Taken in, under review.
    Received,
    /// Taken in, and has a seat.
    Confirmed,
    /// Taken in, and waits.
    Waiting,
    Offered,
    /// An offer ran out; the party stays on the list or leaves it, as the policy says.
    Expired,
    /// A waiting party got a seat.
    Promoted,
    Cancelled,
    Rejected,
    EventCancelled,
    /// Goes on in another event.
    Moved,
    /// A session at which it has a seat takes place at another time.
    SessionMoved,
    /// A session at which it has a seat does not take place.
    SessionCancelled,
    /// Somebody who is not vouched for gave its contact too: with a sign-up, or in place of another. The owner learns of
    /// it, and nothing of the other party. Delivered to the very address or telephone that both have, never to another
    /// of the same registration: whoever signs up with an own address and a neighbour's telephone would hear of the
    /// neighbour.
    ContactGivenAgain,
}

/// What an entry owes. Most owe one notice or none; a session that is moved owes one to everybody with a seat at it, and a
/// contact that is taken one to whoever has it.
pub fn notices(entry: &Entry) -> Vec<Notice> {
    let to = |(number, kind)| Notice { number, kind, journal_number: entry.number };
    match &entry.change {
        Change::SessionMoved { tell, .. } => tell.iter().map(|n| to((*n, NoticeKind::SessionMoved))).collect(),
        Change::SessionCancelled { tell, .. } => tell.iter().map(|n| to((*n, NoticeKind::SessionCancelled))).collect(),
        _ => owed(entry).into_iter().chain(given_again(&entry.change)).map(to).collect(),
    }
}

/// What a change owes to one party.
fn owed(entry: &Entry) -> Option<(Number, NoticeKind)> {
    use NoticeKind::*;
    Some(match &entry.change {
        Change::Registered { number, to, .. } => match to {
            Entering::InReview => (*number, Received),
            Entering::Line => (*number, Waiting),
            Entering::Seat { .. } => (*number, Confirmed),
        },
        Change::Approved { number } => (*number, Waiting),
        Change::Confirmed { number, .. } => (*number, Promoted),
        Change::OfferAccepted { number } => (*number, Confirmed),
        Change::Offered { number, .. } => (*number, Offered),
        Change::OfferMissed { number, .. } | Change::OfferWithdrawn { number } => (*number, Expired),
        Change::Ended { number, end } => match end {
            // A duplicate that is dropped is not told of its twin; but whoever counts on a seat hears that it is gone.
            End::DuplicateDropped if entry.seats < 0 => (*number, Cancelled),
            End::DuplicateDropped => return None,
            End::Cancelled { .. } | End::Declined { .. } => (*number, Cancelled),
            End::Expired => (*number, Expired),
            End::Rejected { .. } => (*number, Rejected),
            End::EventCancelled => (*number, EventCancelled),
            End::Transferred { .. } => (*number, Moved),
        },
        Change::EventCreated { .. }
        | Change::TermsChanged { .. }
        | Change::DetailsChanged
        | Change::Published
        | Change::EventCancelled
        | Change::EventCompleted
        | Change::PoolReleased { .. }
        | Change::ClassSet { .. }
        | Change::Resized { .. }
        | Change::Amended { .. }
        | Change::Erased { .. }
        | Change::Restricted { .. }
        | Change::ConsentsSet { .. }
        | Change::SeatsFree { .. }
        | Change::AttendanceRecorded { .. }
        | Change::CheckedIn { .. }
        | Change::HeadsCounted { .. }
        | Change::SessionMoved { .. }
        | Change::SessionCancelled { .. } => return None,
    })
}

/// To whom it is said that somebody gave their contact too.
fn given_again(change: &Change) -> Option<(Number, NoticeKind)> {
    match change {
        Change::Registered { twin_of, .. } | Change::Amended { twin_of, .. } => *twin_of,
        _ => None,
    }
    .map(|owner| (owner, NoticeKind::ContactGivenAgain))
}
