//! THE CORE: who gets a seat. Pure: no I/O, no async, no clock, no randomness. Time and ids come in as
//! values, and nothing here can fail for technical reasons.
//!
//! # How it works
//!
//! [`Roster`] holds the facts of one event. [`Roster::handle`] takes a [`Command`] and does three things in
//! this order: whatever is due (deadlines, releases), the command itself ([`Roster::decide`], a ladder of
//! refusals), and what free seats lead to (`settle`, one change at a time until nobody who waits has a
//! right to a free seat). Each [`Change`] is applied and becomes an [`Entry`] of the journal under the next
//! number. The journal replayed gives the roster again.
//!
//! # The laws (tests/laws)
//!
//! 1. Seats held in a pool never exceed its capacity, except after staff cut it; then nobody is let in.
//! 2. A party holds all its seats or none.
//! 3. No more live registrations per contact than the policy says, possible duplicates aside: they come in as any
//!    newcomer does, to a seat if there is one, are given nothing after that, and are dropped in time. A party that
//!    corrects its contact to one that is taken becomes one, and keeps what it has until then.
//! 4. The line is totally ordered by (class rank, place), and a correction never moves anybody.
//! 5. A newcomer never takes a seat that somebody who waits and fits has the right to.
//! 6. A freed seat leads to a promotion, an offer, or a recorded reason.
//! 7. A request id that was answered is answered the same, and changes nothing.
//! 8. What is written down of who came is never overwritten without trace, and moves nobody.
//! 9. Replaying the journal gives the same roster; any batching of the same commands gives the same journal.

mod apply;
mod attendance;
mod change;
mod choices;
mod command;
mod completion;
mod contacts;
mod counts;
mod cut;
mod decide;
mod door;
mod ending;
mod erasure;
mod explain;
mod fold;
mod line;
mod notify;
mod refusal;
mod roster;
mod sessions;
mod settle;
mod shut;

pub use apply::Header;
pub use attendance::{HeadsCounted, MarkKey, Marked, SessionCounts};
pub use change::{Because, Change, Entering, Entry, HeadsWere, Idle, MarkSet, MarkWas};
pub use command::{
    AtDoor, Command, GivenMark, HeadCount, MarkList, NewParty, Request, Verb, WalkIn, WhichRegistration, WhichSession,
};
pub use completion::{Completion, Progress};
pub use counts::{Counts, SeatCounts, Tally};
pub use explain::{Ahead, Explanation, Needed};
pub use fold::Answer;
pub use notify::{Notice, NoticeKind, notices};
pub use refusal::{MarkFault, MarkWhy, Refusal};
pub use roster::{Erased, Held, Outcome, Recorded, Roster, Standing};
