//! A bench to try things on: terms with few words, and an event that is asked one thing after another.

use eile::admission::{Answer, Command, Entry, NewParty, Outcome, Refusal, Request, Roster, Verb};
use eile::model::consent::Choices;
use eile::model::contact::ContactKeys;
use eile::model::event::{Pool, Terms};
use eile::model::id::{EventId, Number, PoolNo, RegistrationId};
use eile::model::policy::Policy;
use eile::model::registration::{ActorKind, CancelReason, State};
use eile::model::time::{Timestamp, Zone, parse_local};
use std::sync::Arc;
use uuid::Uuid;

pub const REASON: CancelReason = CancelReason::CannotCome;

pub fn pool(no: PoolNo, capacity: Option<u32>) -> Pool {
    Pool { no, id: format!("p{no}"), capacity, classes: Vec::new(), release_at: None, session_id: String::new() }
}

/// Published, in Vilnius, one pool, parties of 1 to 5, no times.
pub fn terms(capacity: u32) -> Terms {
    Terms {
        zone: Zone::named("Europe/Vilnius").unwrap(),
        opens_at: None,
        closes_at: None,
        starts_at: None,
        ends_at: None,
        pools: vec![pool(1, Some(capacity))],
        policy: Policy::usual(),
        party_min: 1,
        party_max: 5,
        approval_required: false,
        join_midway: false,
        last_retired: 0,
        retired: Vec::new(),
        sessions: Vec::new(),
        last_retired_session: 0,
    }
}

/// A wall-clock time in Vilnius.
pub fn vilnius(local: &str) -> Timestamp {
    Zone::named("Europe/Vilnius").unwrap().instant(parse_local(local).unwrap()).unwrap()
}

pub fn party(size: u32, contact: u64) -> NewParty {
    NewParty {
        size,
        wishes: Vec::new(),
        contact: ContactKeys { email: Some(contact), phone: None },
        vouched: true,
        choices: Choices::default(),
    }
}

pub struct Bench {
    pub roster: Roster,
    pub journal: Vec<Entry>,
    pub now: Timestamp,
    pub requests: u128,
}

impl Bench {
    /// A draft.
    pub fn draft(terms: Terms, now: Timestamp) -> Self {
        let roster = Roster::new(EventId(Uuid::nil()), Arc::new(terms), now);
        Bench { roster, journal: Vec::new(), now, requests: 0 }
    }

    pub fn open(terms: Terms, now: Timestamp) -> Self {
        let mut bench = Self::draft(terms, now);
        bench.ask(Verb::Publish).unwrap();
        bench
    }

    pub fn ask_as(&mut self, actor: ActorKind, verb: Verb) -> Result<Outcome, Refusal> {
        self.requests += 1;
        let request = Some(Request { key: self.requests, fingerprint: 0 });
        let command = Command { actor, request, verb };
        match self.roster.handle(&command, self.now, &mut self.journal) {
            Answer::Refused(refusal) => Err(refusal),
            Answer::Done(outcome) | Answer::Replayed(outcome) => {
                if let Verb::Register(party) = &command.verb {
                    self.roster.attach(outcome.number, RegistrationId::new(outcome.number, [7; 12]), party.contact);
                }
                Ok(outcome)
            }
        }
    }

    pub fn ask(&mut self, verb: Verb) -> Result<Outcome, Refusal> {
        self.ask_as(ActorKind::Staff, verb)
    }

    /// Signs a party up under a contact of its own.
    pub fn join(&mut self, size: u32) -> Number {
        let contact = 1_000 + u64::from(self.roster.next_number);
        self.ask(Verb::Register(party(size, contact))).unwrap().number
    }

    pub fn cancel(&mut self, number: Number) {
        self.ask(Verb::Cancel { number, reason: REASON }).unwrap();
    }

    pub fn sweep_at(&mut self, now: Timestamp) {
        self.now = now;
        let command = Command { actor: ActorKind::System, request: None, verb: Verb::Sweep };
        self.roster.handle(&command, now, &mut self.journal);
    }

    pub fn edit(&mut self, edit: impl FnOnce(&mut Terms)) {
        let mut terms = (*self.roster.terms).clone();
        edit(&mut terms);
        self.ask(Verb::UpdateEvent { terms: Some(Arc::new(terms)), if_version: None }).unwrap();
    }

    pub fn state(&self, number: Number) -> State {
        self.roster.standing(number).unwrap().state.clone()
    }

    pub fn is_confirmed(&self, number: Number) -> bool {
        matches!(self.state(number), State::Confirmed { .. })
    }

    /// Until when a live offer stands.
    pub fn deadline(&self, number: Number) -> Option<Timestamp> {
        match self.state(number) {
            State::Offered { expires_at, .. } => Some(expires_at),
            _ => None,
        }
    }
}
