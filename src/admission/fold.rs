//! A batch is a fold: each command is decided against the roster that the earlier ones left. A refused
//! command leaves no change, so batching can never alter an outcome.

use super::change::{Change, Entry};
use super::command::{Command, Verb};
use super::refusal::Refusal;
use super::roster::{Outcome, Recorded, Roster};
use super::settle::Resting;
use crate::model::event::{EventState, Pool};
use crate::model::id::{Number, PoolNo};
use crate::model::policy::{MissedOffer, Promotion};
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
        // A sweep that found nothing due moves nobody: who has just missed an offer is not asked again by it.
        if !changes.is_empty() {
            self.carry_out(command, changes, now, journal);
        }
        let outcome = self.outcome(number);
        if let Some(request) = command.request {
            self.record(request.key, Recorded { fingerprint: request.fingerprint, outcome });
        }
        Answer::Done(outcome)
    }

    /// Writes what was decided, and what it leads to.
    fn carry_out(&mut self, command: &Command, changes: Vec<Change>, now: Timestamp, journal: &mut Vec<Entry>) {
        let free_before = self.free_seats(&changes);
        for change in changes {
            self.write(change, command.actor, now, journal);
        }
        if command.verb.moves_nobody() {
            return;
        }
        self.contact_given(&command.verb, now, journal);
        self.settle_all(now, &Resting::default(), free_before, journal);
        // New terms may make something due at once, such as a release that lies in the past.
        self.do_due(now, journal);
    }

    /// What the command would be answered now, without doing it, the roster that it would leave, and the entries.
    pub fn try_out(&self, command: &Command, now: Timestamp) -> (Answer, Roster, Vec<Entry>) {
        let mut copy = self.clone();
        let mut journal = Vec::new();
        let answer = copy.handle(command, now, &mut journal);
        (answer, copy, journal)
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
        let mut missed = Resting::default();
        while self.next_due().is_some_and(|at| at <= now) {
            let Some(change) = self.due(now) else { return };
            let free_before = self.free_seats(std::slice::from_ref(&change));
            let is_miss = matches!(change, Change::OfferMissed { .. });
            self.write(change.clone(), ActorKind::System, now, journal);
            self.rest_after(&change, &mut missed);
            // Where seats are given without asking, nobody can miss one.
            let asks = self.terms.policy.promotion == Promotion::Offer;
            let resting = if is_miss && asks { &missed } else { &Resting::default() };
            self.settle_all(now, resting, free_before, journal);
        }
    }

    /// The earliest thing that is due: a pool to release, an offer to expire, a duplicate to drop.
    fn due(&self, now: Timestamp) -> Option<Change> {
        let release = self
            .pools()
            .filter(|(p, h)| !h.released && !p.classes.is_empty())
            .filter_map(|(p, _)| p.release_at.map(|at| (at, p.no)))
            .min();
        let deadline = self.deadlines.first().copied();
        match (release, deadline) {
            (Some((at, pool)), d) if at <= now && d.is_none_or(|(d, _)| at <= d) => Some(Change::PoolReleased { pool }),
            (_, Some((at, number))) if at <= now => self.passed_deadline(at, number),
            _ => None,
        }
    }

    /// A possible duplicate that was offered a seat before has two deadlines: of the offer, and its own.
    fn passed_deadline(&self, at: Timestamp, number: Number) -> Option<Change> {
        let s = self.standing(number)?;
        if s.drop_at == Some(at) || !matches!(s.state, State::Offered { .. }) {
            return Some(Change::Ended { number, end: End::DuplicateDropped });
        }
        Some(match self.terms.policy.missed_offer {
            MissedOffer::KeepPlace => Change::OfferMissed { number, to_place: None },
            MissedOffer::ToEnd => Change::OfferMissed { number, to_place: Some(self.next_number) },
            MissedOffer::Leave => Change::Ended { number, end: End::Expired },
        })
    }

    /// Writes one change: under the next number, with the seats that it moved; and clears whoever was held
    /// back as a possible duplicate and has no live twin any more.
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
        let held_back = match &entry.change {
            _ if self.state != EventState::Published => Vec::new(),
            Change::Ended { number, .. } => match self.standing(*number) {
                Some(s) if s.twin_of.is_none() => self.held_back(s.contact),
                _ => Vec::new(),
            },
            Change::TermsChanged { .. } => self.all_held_back(),
            _ => Vec::new(),
        };
        journal.push(entry);
        self.clear_twins(held_back, now, journal);
    }

    /// Enters the contact that came with a command, and clears those who shared the one before.
    fn contact_given(&mut self, verb: &Verb, now: Timestamp, journal: &mut Vec<Entry>) {
        let Verb::Amend { number, contact: Some(contact), .. } = verb else { return };
        let Some(s) = self.standing(*number) else { return };
        let (id, before, is_twin) = (s.id, s.contact, s.twin_of.is_some());
        if before == *contact {
            return;
        }
        self.attach(*number, id, *contact);
        let mut held_back = self.held_back(before);
        held_back.extend(is_twin.then_some(*number));
        self.clear_twins(held_back, now, journal);
    }

    /// Clears those of them, by accepted number, whose contact is no longer taken. The first that is cleared
    /// takes it again.
    fn clear_twins(&mut self, mut held_back: Vec<Number>, now: Timestamp, journal: &mut Vec<Entry>) {
        if self.state != EventState::Published {
            return;
        }
        held_back.sort_unstable();
        held_back.dedup();
        for number in held_back {
            let contact = self.standing(number).map(|s| s.contact).unwrap_or_default();
            if self.contact_taken(contact, number).is_none() {
                self.write(Change::TwinCleared { number }, ActorKind::System, now, journal);
            }
        }
    }

    /// Settles until nothing moves; then writes down why seats that were freed stay free.
    fn settle_all(
        &mut self,
        now: Timestamp,
        resting: &Resting,
        free_before: Option<Vec<(PoolNo, u32)>>,
        journal: &mut Vec<Entry>,
    ) {
        while let Some(change) = self.settle(now, resting) {
            self.write(change, ActorKind::System, now, journal);
        }
        if self.state != EventState::Published {
            return;
        }
        let Some(before) = free_before else { return };
        let before = |no| before.iter().find(|(p, _)| *p == no).map_or(0, |(_, free)| *free);
        let freed = self.pools().filter(|(p, _)| p.capacity.is_some());
        let freed = freed.map(|(p, h)| (p.no, Self::free(p, h).saturating_sub(before(p.no))));
        for (pool, seats) in freed.filter(|(_, seats)| *seats > 0).collect::<Vec<_>>() {
            if let Some(because) = self.idle_reason(pool, now, resting) {
                self.write(Change::SeatsFree { pool, seats, because }, ActorKind::System, now, journal);
            }
        }
    }

    /// The free seats per pool before changes that may free some; `None` for those that never do. A pool that
    /// is opened to others by them counts as having had none, for all that it kept back becomes free.
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
        let opened = |pool: &Pool| {
            changes.iter().any(|c| match c {
                Change::PoolReleased { pool: no } => *no == pool.no,
                Change::TermsChanged { terms } => terms.pool(pool.no).is_some_and(|p| p.classes != pool.classes),
                _ => false,
            })
        };
        may_free.then(|| self.pools().map(|(p, h)| (p.no, if opened(p) { 0 } else { Self::free(p, h) })).collect())
    }
}

/// The registration that a command is about; 0 where it is about the event.
fn about(verb: &Verb, changes: &[Change]) -> Number {
    match verb {
        Verb::Register(_) | Verb::WalkIn(_) => changes.iter().find_map(|c| match c {
            Change::Registered { number, .. } => Some(*number),
            _ => None,
        }),
        Verb::Amend { number, .. }
        | Verb::Erase { number, .. }
        | Verb::Restrict { number, .. }
        | Verb::Consent { number, .. }
        | Verb::Cancel { number, .. }
        | Verb::Accept { number }
        | Verb::Decline { number, .. }
        | Verb::Approve { number }
        | Verb::Reject { number, .. }
        | Verb::SetClass { number, .. }
        | Verb::Promote { number, .. }
        | Verb::TransferAway { number, .. } => Some(*number),
        Verb::CheckIn(at) => Some(at.who.number),
        _ => None,
    }
    .unwrap_or(0)
}
