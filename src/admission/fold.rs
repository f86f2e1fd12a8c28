//! A batch is a fold: each command is decided against the roster that the earlier ones left. A refused
//! command leaves no change, so batching can never alter an outcome.

use super::change::{Change, Entry};
use super::command::{Command, Verb};
use super::refusal::Refusal;
use super::roster::{Outcome, Recorded, Roster};
use super::settle::Resting;
use crate::model::contact::ContactKeys;
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
        // A contact is corrected in the first of the changes.
        let mut doubted = self.contact_given(&command.verb);
        for change in changes {
            self.write_clearing(change, std::mem::take(&mut doubted), (command.actor, now), journal);
        }
        if command.verb.moves_nobody() {
            return;
        }
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

    fn write(&mut self, change: Change, actor: ActorKind, now: Timestamp, journal: &mut Vec<Entry>) {
        self.write_clearing(change, Vec::new(), (actor, now), journal);
    }

    /// Writes one change: under the next number, with the seats that it moved; and with those in it who were marked as
    /// possible duplicates and have no live twin any more, `doubted` and whoever shares the contact of one that ended.
    fn write_clearing(
        &mut self,
        change: Change,
        mut doubted: Vec<Number>,
        (actor, at): (ActorKind, Timestamp),
        journal: &mut Vec<Entry>,
    ) {
        let held = i64::from(self.counts.held());
        let (number, policy) = (self.journal_number + 1, self.terms.policy.version);
        let mut entry = Entry { number, at, actor, policy, seats: 0, change, cleared: Vec::new() };
        // Who goes elsewhere takes its contact along.
        let given_up = match &entry.change {
            Change::Ended { number, .. } => {
                self.standing(*number).filter(|s| s.twin_of.is_none()).map_or_else(ContactKeys::default, |s| s.contact)
            }
            _ => ContactKeys::default(),
        };
        self.apply(&entry);
        entry.seats = i64::from(self.counts.held()) - held;
        match &entry.change {
            Change::Ended { .. } => doubted.extend(self.held_back(given_up)),
            Change::TermsChanged { .. } => doubted.extend(self.all_held_back()),
            _ => {}
        }
        entry.cleared = self.clear_marks(doubted, number);
        journal.push(entry);
    }

    /// Enters the contact that came with a command; who may be in doubt no longer by that: itself, and those who shared
    /// the one before.
    fn contact_given(&mut self, verb: &Verb) -> Vec<Number> {
        let Verb::Amend { number, contact: Some(contact), .. } = verb else { return Vec::new() };
        let Some(s) = self.standing(*number) else { return Vec::new() };
        let (id, before, is_twin) = (s.id, s.contact, s.twin_of.is_some());
        if before == *contact {
            return Vec::new();
        }
        self.attach(*number, id, *contact);
        let mut doubted = self.held_back(before);
        doubted.extend(is_twin.then_some(*number));
        doubted
    }

    /// Takes the mark from those of them, by accepted number, whose contact is no longer taken. The first that it is
    /// taken from takes the contact again. Answers who they are.
    fn clear_marks(&mut self, mut doubted: Vec<Number>, step: u64) -> Vec<Number> {
        if self.state != EventState::Published {
            return Vec::new();
        }
        doubted.sort_unstable();
        doubted.dedup();
        doubted.retain(|number| {
            let contact = self.standing(*number).map(|s| s.contact).unwrap_or_default();
            let is_clear = self.contact_taken(contact, *number).is_none();
            if is_clear {
                self.clear_mark(*number, step);
            }
            is_clear
        });
        doubted
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
