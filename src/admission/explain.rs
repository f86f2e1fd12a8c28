//! Why a registration stands where it stands, from data: who is before it by number, and what must happen
//! for a seat. Never a name, never the reason behind a class.

use super::roster::Roster;
use crate::model::event::EventState;
use crate::model::id::Number;
use crate::model::policy::Promotion;
use crate::model::registration::State;

/// How many of those ahead an explanation names.
const AHEAD_MAX: u32 = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub policy_version: u32,
    pub class_rank: u8,
    pub position: u32,
    /// Those next before it in the order of the line, the nearest last; at most 100.
    pub ahead: Vec<Ahead>,
    /// Persons of everybody before it.
    pub persons_ahead: u32,
    pub needed: Needed,
}

/// Somebody before it, by number only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    pub number: Number,
    pub size: u32,
}

/// What must happen for a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// It holds a seat.
    Nothing,
    /// It must accept its offer in time.
    AcceptOffer,
    /// Staff must finish the review.
    Review,
    /// This many seats must become free, and those before it must be served or not fit.
    Seats { seats: u32 },
    /// Staff choose who is next.
    StaffChoice,
    /// Its twin must end first.
    TwinEnds { twin_of: Number },
    /// Its event is over: it waited to the end.
    EventOver,
    /// It has ended.
    Ended,
}

impl Roster {
    /// Explains one registration; `None` where there is none of that number.
    pub fn explain(&self, number: Number) -> Option<Explanation> {
        let s = self.standing(number)?;
        let position = self.position(number);
        let ahead: Vec<Ahead> = (position.saturating_sub(AHEAD_MAX).max(1)..position)
            .filter_map(|p| self.at_position(p))
            .filter_map(|n| self.standing(n))
            .map(|s| Ahead { number: s.number, size: s.size })
            .collect();
        let needed = match s.state {
            State::Ended(_) => Needed::Ended,
            State::Confirmed { .. } => Needed::Nothing,
            _ if self.state != EventState::Published => Needed::EventOver,
            State::Offered { .. } => Needed::AcceptOffer,
            State::InReview => Needed::Review,
            State::Waitlisted => match (s.twin_of, self.terms.policy.promotion) {
                (Some(first), _) => {
                    // Another may have taken the contact since it was marked.
                    let twin_of = self.contact_taken(s.contact, number).unwrap_or(first);
                    Needed::TwinEnds { twin_of }
                }
                (None, Promotion::Manual) => Needed::StaffChoice,
                (None, _) => Needed::Seats { seats: s.size },
            },
        };
        Some(Explanation {
            policy_version: self.terms.policy.version,
            class_rank: self.rank(s),
            position,
            persons_ahead: if position == 0 { 0 } else { self.line.persons_before(self.rank(s), s.place) },
            ahead,
            needed,
        })
    }
}
