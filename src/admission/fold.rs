//! A batch is a fold: each command is decided against the roster that the earlier ones left. A refused
//! command leaves no change, so batching can never alter an outcome.

use super::change::{Change, Entry};
use super::command::Command;
use super::refusal::Refusal;
use super::roster::{Outcome, Recorded, Roster};
use crate::model::event::EventState;
use crate::model::id::{Number, PoolNo};
use crate::model::policy::MissedOffer;
use crate::model::registration::{ActorKind, End, State};
use crate::model::time::Timestamp;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Decided now; its entries are in the journal.
    Done(Outcome),
    /// The same was asked and answered before.
    Replayed(Outcome),
    Refused(Refusal),
}

impl Roster {
    /// Handles one command: first what is due, then the command, then what free seats lead to. The entries
    /// are appended to `journal`.
    pub fn handle(&mut self, command: &Command, now: Timestamp, journal: &mut Vec<Entry>) -> Answer {
        let now = now.max(self.last_at);
        self.do_due(now, journal);
        if let Some(answer) = self.answered_before(command) {
            return answer;
        }
        let changes = match self.decide(&command.verb, command.actor, now) {
            Ok(changes) => changes,
            Err(refusal) => return Answer::Refused(refusal),
        };
        let number = about(&command.verb, &changes);
        let free_before = self.free_seats(&changes);
        for change in changes {
            self.write(change, command.actor, now, journal);
        }
        let except: Vec<Number> = match command.verb {
            super::command::Verb::Decline { number, .. } => vec![number],
            _ => Vec::new(),
        };
        self.settle_all(now, &except, free_before, journal);
        // New terms may make something due at once, such as a release that lies in the past.
        self.do_due(now, journal);
        let outcome = self.outcome(number);
        if let Some(request) = command.request {
            self.record(request.key, Recorded { fingerprint: request.fingerprint, outcome });
        }
        Answer::Done(outcome)
    }

    /// What the command would be answered now, without doing it, and the roster that it would leave.
    pub fn try_out(&self, command: &Command, now: Timestamp) -> (Answer, Roster) {
        let mut copy = self.clone();
        let answer = copy.handle(command, now, &mut Vec::new());
        (answer, copy)
    }

    fn answered_before(&self, command: &Command) -> Option<Answer> {
        let request = command.request?;
        let recorded = self.recorded(request.key)?;
        Some(if recorded.fingerprint == request.fingerprint {
            Answer::Replayed(recorded.outcome)
        } else {
            Answer::Refused(Refusal::RequestIdReused)
        })
    }

    /// The outcome as it stands now.
    pub fn outcome(&self, number: Number) -> Outcome {
        let s = self.standing(number);
        Outcome {
            number,
            state: s.map(|s| s.state.kind()),
            position: self.position(number),
            pool: s.and_then(|s| s.state.holds()),
            expires_at: s.and_then(|s| match s.state {
                State::Offered { expires_at, .. } => Some(expires_at),
                _ => None,
            }),
            journal_number: self.journal_number,
        }
    }

    /// Does everything whose time has come, in the order of its time.
    pub fn do_due(&mut self, now: Timestamp, journal: &mut Vec<Entry>) {
        while self.next_due().is_some_and(|at| at <= now) {
            let Some((change, except)) = self.due(now) else { return };
            let free_before = self.free_seats(std::slice::from_ref(&change));
            self.write(change, ActorKind::System, now, journal);
            self.settle_all(now, &except, free_before, journal);
        }
    }

    /// The earliest thing that is due: a pool to release, an offer to expire, a duplicate to drop.
    fn due(&self, now: Timestamp) -> Option<(Change, Vec<Number>)> {
        let release = self
            .pools()
            .filter(|(p, h)| !h.released && !p.classes.is_empty())
            .filter_map(|(p, _)| p.release_at.map(|at| (at, p.no)))
            .min();
        let deadline = self.deadlines.first().copied();
        match (release, deadline) {
            (Some((at, pool)), d) if at <= now && d.is_none_or(|(d, _)| at <= d) => {
                Some((Change::PoolReleased { pool }, Vec::new()))
            }
            (_, Some((at, number))) if at <= now => Some((self.passed_deadline(number)?, vec![number])),
            _ => None,
        }
    }

    fn passed_deadline(&self, number: Number) -> Option<Change> {
        let s = self.standing(number)?;
        if !matches!(s.state, State::Offered { .. }) {
            return Some(Change::Ended { number, end: End::DuplicateDropped });
        }
        Some(match self.terms.policy.missed_offer {
            MissedOffer::KeepPlace => Change::OfferMissed { number, to_place: None },
            MissedOffer::ToEnd => Change::OfferMissed { number, to_place: Some(self.next_number) },
            MissedOffer::Leave => Change::Ended { number, end: End::Expired },
        })
    }

    /// Writes one change: under the next number, with the seats that it moved; and clears whoever was held
    /// back as a possible duplicate of a registration that just ended.
    fn write(&mut self, change: Change, actor: ActorKind, now: Timestamp, journal: &mut Vec<Entry>) {
        let held = i64::from(self.counts.held());
        let mut entry = Entry {
            number: self.journal_number + 1,
            at: now,
            actor,
            policy: self.terms.policy.version,
            seats: 0,
            change,
        };
        self.apply(&entry);
        entry.seats = i64::from(self.counts.held()) - held;
        let ended = match &entry.change {
            Change::Ended { number, .. } => Some(*number),
            _ => None,
        };
        journal.push(entry);
        if let Some(twin) = ended.and_then(|number| self.held_back_by(number)) {
            self.write(Change::TwinCleared { number: twin }, ActorKind::System, now, journal);
        }
    }

    /// The first live possible duplicate of a registration that has ended, in a running event.
    fn held_back_by(&self, ended: Number) -> Option<Number> {
        if self.state != EventState::Published {
            return None;
        }
        let s = self.standing(ended).filter(|s| s.twin_of.is_none())?;
        let shares = s.contact.iter().filter_map(|key| self.contacts.get(&key));
        shares
            .flat_map(|h| h.as_slice().iter().copied())
            .filter(|n| self.standing(*n).is_some_and(|t| t.twin_of == Some(ended)))
            .min()
    }

    /// Settles until nothing moves; then writes down why seats that were freed stay free.
    fn settle_all(
        &mut self,
        now: Timestamp,
        except: &[Number],
        free_before: Option<Vec<(PoolNo, u32)>>,
        journal: &mut Vec<Entry>,
    ) {
        while let Some(change) = self.settle(now, except) {
            self.write(change, ActorKind::System, now, journal);
        }
        if self.state != EventState::Published {
            return;
        }
        for (pool, before) in free_before.into_iter().flatten() {
            let free = self.pool(pool).map_or(0, |(p, h)| Self::free(p, h));
            if free <= before || free == u32::MAX {
                continue;
            }
            if let Some(because) = self.idle_reason(pool, now, except) {
                let seats = free - before;
                self.write(Change::SeatsFree { pool, seats, because }, ActorKind::System, now, journal);
            }
        }
    }

    /// The free seats per pool before changes that may free some; `None` for those that never do.
    fn free_seats(&self, changes: &[Change]) -> Option<Vec<(PoolNo, u32)>> {
        let may_free = changes.iter().any(|c| {
            matches!(
                c,
                Change::Ended { .. }
                    | Change::Resized { .. }
                    | Change::OfferMissed { .. }
                    | Change::TermsChanged { .. }
                    | Change::PoolReleased { .. }
            )
        });
        let released = changes.iter().find_map(|c| match c {
            Change::PoolReleased { pool } => Some(*pool),
            _ => None,
        });
        may_free.then(|| {
            self.pools()
                // A release frees all that the pool kept back.
                .map(|(p, h)| (p.no, if released == Some(p.no) { 0 } else { Self::free(p, h) }))
                .collect()
        })
    }
}

/// The registration that a command is about; 0 where it is about the event.
fn about(verb: &super::command::Verb, changes: &[Change]) -> Number {
    use super::command::Verb;
    match verb {
        Verb::Register(_) => changes.iter().find_map(|c| match c {
            Change::Registered { number, .. } => Some(*number),
            _ => None,
        }),
        Verb::Amend { number, .. }
        | Verb::Cancel { number, .. }
        | Verb::Accept { number }
        | Verb::Decline { number, .. }
        | Verb::Approve { number }
        | Verb::Reject { number, .. }
        | Verb::SetClass { number, .. }
        | Verb::Promote { number, .. }
        | Verb::TransferAway { number, .. } => Some(*number),
        _ => None,
    }
    .unwrap_or(0)
}
