//! Every short history, against a model of one event that fits on a page: capacity, used, a queue. It knows
//! strict order only, and shares nothing with the core.

use eile::admission::{Answer, Command, NewParty, Request, Roster, Verb};
use eile::model::consent::Choices;
use eile::model::contact::ContactKeys;
use eile::model::event::{Pool, Terms};
use eile::model::id::EventId;
use eile::model::policy::{MissedOffer, Policy, Promotion};
use eile::model::registration::{ActorKind, CancelReason, StateKind};
use eile::model::time::{Span, Timestamp, Zone};
use std::sync::Arc;
use uuid::Uuid;

const FAMILIES: usize = 3;
const WINDOW_HOURS: i64 = 48;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Register(usize, u32),
    Cancel(usize),
    Accept(usize),
    Decline(usize),
    Capacity(u32),
    /// Long enough for every live offer to run out.
    Wait,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Confirmed,
    Waiting,
    Offered,
    Over(StateKind),
}

#[derive(Clone, Debug)]
struct Entrant {
    family: usize,
    size: u32,
    status: Status,
    offered_at: i64,
}

/// The sequential specification: one list in the order of arrival is all there is.
#[derive(Clone, Debug)]
struct Model {
    capacity: u32,
    offers: bool,
    hour: i64,
    all: Vec<Entrant>,
}

impl Model {
    fn used(&self) -> u32 {
        let holds = |e: &&Entrant| matches!(e.status, Status::Confirmed | Status::Offered);
        self.all.iter().filter(holds).map(|e| e.size).sum()
    }

    fn live(&self, family: usize) -> Option<usize> {
        self.all.iter().position(|e| e.family == family && !matches!(e.status, Status::Over(_)))
    }

    fn fits(&self, size: u32) -> bool {
        self.used() + size <= self.capacity
    }

    /// The first who waits and is not larger than the whole room.
    fn head(&self) -> Option<usize> {
        self.all.iter().position(|e| e.status == Status::Waiting && e.size <= self.capacity)
    }

    fn promote(&mut self) {
        while let Some(head) = self.head().filter(|h| self.fits(self.all[*h].size)) {
            self.all[head].status = if self.offers { Status::Offered } else { Status::Confirmed };
            self.all[head].offered_at = self.hour;
        }
    }

    /// Whether the step is answered with yes.
    fn step(&mut self, step: Step) -> bool {
        let of = |status: Status, model: &Self, family| model.live(family).filter(|i| model.all[*i].status == status);
        match step {
            Step::Register(family, size) => {
                if size > self.capacity || self.live(family).is_some() {
                    return false;
                }
                let seat = self.head().is_none() && self.fits(size);
                let status = if seat { Status::Confirmed } else { Status::Waiting };
                self.all.push(Entrant { family, size, status, offered_at: 0 });
            }
            Step::Cancel(family) => {
                let Some(i) = self.live(family) else { return false };
                self.all[i].status = Status::Over(StateKind::Cancelled);
            }
            Step::Accept(family) => {
                let Some(i) = of(Status::Offered, self, family) else { return false };
                self.all[i].status = Status::Confirmed;
            }
            Step::Decline(family) => {
                let Some(i) = of(Status::Offered, self, family) else { return false };
                self.all[i].status = Status::Over(StateKind::Declined);
            }
            Step::Capacity(capacity) => self.capacity = capacity,
            Step::Wait => {
                self.hour += WINDOW_HOURS;
                // One by one in the order of the deadlines; each freed seat goes on before the next runs out.
                loop {
                    let over = |e: &Entrant| e.status == Status::Offered && e.offered_at + WINDOW_HOURS <= self.hour;
                    let mut due: Vec<usize> = (0..self.all.len()).filter(|i| over(&self.all[*i])).collect();
                    due.sort_by_key(|i| (self.all[*i].offered_at, *i));
                    let Some(first) = due.first() else { return true };
                    self.all[*first].status = Status::Over(StateKind::Expired);
                    self.promote();
                }
            }
        }
        self.promote();
        true
    }
}

fn terms(capacity: u32, offers: bool) -> Arc<Terms> {
    let promotion = if offers { Promotion::Offer } else { Promotion::Automatic };
    let policy = Policy { promotion, missed_offer: MissedOffer::Leave, quiet_hours: None, ..Policy::usual() };
    Arc::new(Terms {
        zone: Zone::named("Europe/Vilnius").unwrap(),
        opens_at: None,
        closes_at: None,
        starts_at: None,
        ends_at: None,
        pools: vec![Pool {
            no: 1,
            id: "main".to_owned(),
            capacity: Some(capacity),
            classes: Vec::new(),
            release_at: None,
            session_id: String::new(),
        }],
        policy,
        party_min: 1,
        party_max: 9,
        approval_required: false,
        join_midway: false,
        last_retired: 0,
        retired: Vec::new(),
        sessions: Vec::new(),
        last_retired_session: 0,
    })
}

/// The core beside the model.
#[derive(Clone)]
struct Pair {
    model: Model,
    roster: Roster,
    offers: bool,
    requests: u128,
}

impl Pair {
    fn new(capacity: u32, offers: bool) -> Self {
        let mut pair = Pair {
            model: Model { capacity, offers, hour: 0, all: Vec::new() },
            roster: Roster::new(EventId(Uuid::nil()), terms(capacity, offers), Timestamp(0)),
            offers,
            requests: 0,
        };
        assert!(pair.ask(Verb::Publish));
        pair
    }

    fn ask(&mut self, verb: Verb) -> bool {
        self.requests += 1;
        let contact = match &verb {
            Verb::Register(party) => party.contact,
            _ => ContactKeys::default(),
        };
        let is_sign_up = matches!(verb, Verb::Register(_));
        let request = Some(Request { key: self.requests, fingerprint: 0 });
        let command = Command { actor: ActorKind::Staff, request, verb };
        let now = Timestamp(0).plus(Span::hours(self.model.hour));
        match self.roster.handle(&command, now, &mut Vec::new()) {
            Answer::Done(outcome) if is_sign_up => {
                let id = self.roster.standing(outcome.number).unwrap().id;
                self.roster.attach(outcome.number, id, contact);
                true
            }
            answer => matches!(answer, Answer::Done(_)),
        }
    }

    fn step(&mut self, step: Step) {
        // The family's live registration, or its last, or none at all.
        let last = |f: usize| self.model.all.iter().rposition(|e| e.family == f).map_or(99, |i| i as u32 + 1);
        let reason = CancelReason::CannotCome;
        let verb = match step {
            Step::Register(family, size) => Verb::Register(NewParty {
                size,
                wishes: Vec::new(),
                contact: ContactKeys { email: Some(family as u64), phone: None },
                vouched: true,
                choices: Choices::default(),
            }),
            Step::Cancel(f) => Verb::Cancel { number: last(f), reason },
            Step::Accept(f) => Verb::Accept { number: last(f) },
            Step::Decline(f) => Verb::Decline { number: last(f), reason },
            Step::Capacity(c) => Verb::UpdateEvent { terms: Some(terms(c, self.offers)), if_version: None },
            Step::Wait => Verb::Sweep,
        };
        let expected = self.model.step(step);
        assert_eq!(self.ask(verb), expected, "{step:?} in {:?}", self.model);
        self.compare(step);
    }

    fn compare(&self, step: Step) {
        let mut position = 0;
        assert_eq!(self.roster.len(), self.model.all.len());
        for (entrant, s) in self.model.all.iter().zip(self.roster.standings()) {
            let expected = match entrant.status {
                Status::Confirmed => StateKind::Confirmed,
                Status::Waiting => StateKind::Waitlisted,
                Status::Offered => StateKind::Offered,
                Status::Over(kind) => kind,
            };
            assert_eq!((s.state.kind(), s.size), (expected, entrant.size), "after {step:?}: {:?}", self.model);
            if entrant.status == Status::Waiting {
                position += 1;
                assert_eq!(self.roster.position(s.number), position);
            }
        }
    }
}

fn all_steps(offers: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    for family in 0..FAMILIES {
        steps.extend([Step::Register(family, 1), Step::Register(family, 2), Step::Cancel(family)]);
        if offers {
            steps.extend([Step::Accept(family), Step::Decline(family)]);
        }
    }
    steps.extend((0..4).map(Step::Capacity));
    if offers {
        steps.push(Step::Wait);
    }
    steps
}

/// Families are alike: one that was not seen yet is only tried in order.
fn is_new_view(step: Step, seen: usize) -> bool {
    match step {
        Step::Register(f, _) => f <= seen,
        Step::Cancel(f) | Step::Accept(f) | Step::Decline(f) => f < seen,
        Step::Capacity(_) | Step::Wait => true,
    }
}

fn walk(pair: &Pair, steps: &[Step], seen: usize, depth: u32, walked: &mut u64) {
    for step in steps.iter().filter(|s| is_new_view(**s, seen)) {
        let mut next = pair.clone();
        next.step(*step);
        *walked += 1;
        if depth > 1 {
            let seen = if matches!(step, Step::Register(f, _) if *f == seen) { seen + 1 } else { seen };
            walk(&next, steps, seen, depth - 1, walked);
        }
    }
}

fn walk_all(offers: bool, depth: u32) -> u64 {
    let mut walked = 0;
    for capacity in 0..4 {
        walk(&Pair::new(capacity, offers), &all_steps(offers), 0, depth, &mut walked);
    }
    walked
}

#[test]
fn every_history_of_five_steps_goes_as_the_specification_says_when_seats_are_given() {
    assert!(walk_all(false, 5) > 100_000);
}

#[test]
fn every_history_of_five_steps_goes_as_the_specification_says_when_seats_are_offered() {
    assert!(walk_all(true, 5) > 100_000);
}

#[test]
fn every_history_of_six_steps_goes_as_the_specification_says() {
    assert!(walk_all(false, 6) + walk_all(true, 6) > 1_000_000);
}
