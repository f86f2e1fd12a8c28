//! The run decided again. Everything that was accepted is taken in the order that the store gave it and handed to a
//! fresh roster at the same times: the very same journal must come out, entry by entry, and every answer must be the
//! one that was heard. Refusals and reads are held against the rosters on the way.

use super::at_the_door;
use super::history::{Ask, Call, Heard, History, number, registration_id};
use eile::admission::{Answer, Change, Command, Entry, NewParty, Outcome, Refusal, Request, Roster, Verb};
use eile::api::proto as pb;
use eile::model::consent::Choices;
use eile::model::contact::ContactKeys;
use eile::model::id::PoolNo;
use eile::model::registration::{ActorKind, CancelReason, State, StateKind, TransferTarget};
use eile::model::time::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// One event of the run, decided again.
pub struct Again {
    pub roster: Roster,
    /// The roster after each command, by journal number.
    pub after: BTreeMap<u64, Roster>,
    /// The journal in chunks: each is what one command, or one sweep, led to.
    pub chunks: Vec<Vec<Entry>>,
    journal: Vec<Entry>,
    /// Where the stored journal first differs.
    differs: Option<String>,
    /// Accepted changes that are still to come, by journal number.
    to_come: BTreeMap<u64, usize>,
}

/// What came out.
pub struct Rerun {
    pub events: Vec<Again>,
    /// Where the run is not what the rules say.
    pub wrong: Vec<String>,
    /// Changes that were accepted, in the order of `History::accepted`, with their numbers per event.
    pub placed: Vec<Vec<(usize, u64)>>,
}

/// A change and its part in one event.
struct Step<'a> {
    call: &'a Call,
    event: usize,
    number: u64,
}

pub fn rerun(history: &History) -> Rerun {
    let accepted: Vec<&Call> = history.accepted().into_iter().map(|(call, _)| call).collect();
    let mut run = Rerun { events: Vec::new(), wrong: Vec::new(), placed: vec![Vec::new(); accepted.len()] };
    for (event, log) in history.logs.iter().enumerate() {
        let mut again = Again::new(log.id, &log.entries[..log.base as usize]);
        again.journal = log.entries.clone();
        let stored: HashMap<u128, u64> =
            log.whole.requests.iter().map(|(key, r)| (*key, r.outcome.journal_number)).collect();
        for (n, call) in accepted.iter().enumerate() {
            if !touches(call, event) {
                continue;
            }
            match stored.get(&history.request_key(event, call.request_id)) {
                Some(number) => {
                    run.placed[n].push((event, *number));
                    if let Some(other) = again.to_come.insert(*number, n) {
                        run.wrong.push(format!("number {number} of {} names two requests: {n} and {other}", log.name));
                    }
                }
                None => run.wrong.push(format!("an answer was given and nothing stored: {call:?}")),
            }
        }
        run.events.push(again);
    }
    run.decide_all(history, &accepted);
    run
}

/// Whether the change leaves a mark in that event's journal.
fn touches(call: &Call, event: usize) -> bool {
    call.event == event || matches!(&call.ask, Ask::Transfer { to } if *to == event)
}

impl Again {
    fn new(event: eile::model::id::EventId, base: &[Entry]) -> Self {
        let roster = Roster::replay(event, base).expect("an event begins with its creation");
        let after = BTreeMap::from([(roster.journal_number, roster.clone())]);
        Self { roster, after, chunks: Vec::new(), journal: Vec::new(), differs: None, to_come: BTreeMap::new() }
    }

    fn next(&self) -> Option<(u64, usize)> {
        self.to_come.first_key_value().map(|(number, n)| (*number, *n))
    }

    /// Takes over what was decided, and holds it against what is stored.
    fn keep(&mut self, entries: Vec<Entry>) {
        let other = entries.iter().find(|e| self.journal.get(e.number as usize - 1) != Some(e));
        if let (Some(made), None) = (other, &self.differs) {
            let stored = self.journal.get(made.number as usize - 1);
            self.differs = Some(format!("the rules say\n  {made:?}\nand the journal\n  {stored:?}"));
        }
        if !entries.is_empty() {
            self.chunks.push(entries);
            self.after.insert(self.roster.journal_number, self.roster.clone());
        }
    }

    /// Does what was due until the change with this number, at the times at which it was done.
    fn sweep_until(&mut self, number: u64) {
        let own = self.journal.get(number as usize - 1).map_or(Timestamp(i64::MAX), |e| e.at);
        while let Some(next) = self.journal.get(self.roster.journal_number as usize) {
            let at = next.at.min(own);
            let mut entries = Vec::new();
            self.roster.do_due(at, &mut entries);
            let is_done = entries.is_empty();
            self.keep(entries);
            if is_done {
                return;
            }
        }
    }
}

impl Rerun {
    fn decide_all(&mut self, history: &History, accepted: &[&Call]) {
        loop {
            let ready = (0..self.events.len()).find_map(|event| {
                let (number, n) = self.events[event].next()?;
                // A move is decided in both events at once: it must be next in both.
                let in_both = self.placed[n].iter().all(|(e, at)| self.events[*e].next() == Some((*at, n)));
                in_both.then_some((event, number, n))
            });
            let Some((event, number, n)) = ready else { break };
            let call = accepted[n];
            match &call.ask {
                Ask::Transfer { to } => self.transfer(history, call, *to, &self.placed[n].clone()),
                _ => self.one(history, &Step { call, event, number }),
            }
            for (event, at) in self.placed[n].clone() {
                self.events[event].to_come.remove(&at);
            }
            if self.wrong.len() > 5 {
                return;
            }
        }
        for event in 0..self.events.len() {
            if let Some((number, _)) = self.events[event].next() {
                self.wrong.push(format!(
                    "{}: the order of two events contradicts itself at {number}",
                    history.logs[event].name
                ));
            }
            let last = history.logs[event].entries.len() as u64;
            self.events[event].sweep_until(last + 1);
            self.compare(history, event, last);
        }
    }

    fn compare(&mut self, history: &History, event: usize, number: u64) {
        let again = &self.events[event];
        let name = &history.logs[event].name;
        if let Some(text) = &again.differs {
            self.wrong.push(format!("{name}: {text}"));
        } else if again.roster.journal_number != number {
            self.wrong
                .push(format!("{name}: the journal is at {number}, the rules at {}", again.roster.journal_number));
        }
    }

    fn one(&mut self, history: &History, step: &Step<'_>) {
        let journal = history.logs[step.event].entries.as_slice();
        let again = &mut self.events[step.event];
        again.sweep_until(step.number);
        let Some(verb) = verb(history, step.call, &again.roster, journal, step.number) else {
            return self.wrong.push(format!("no change of terms before {}: {:?}", step.number, step.call.ask));
        };
        let outcome = self.handle(history, step, verb);
        let call = step.call;
        match (&call.heard, outcome) {
            (_, Err(text)) => self.wrong.push(text),
            (Heard::SignedUp(new), Ok(outcome)) => {
                let id = registration_id(&new.name);
                let contact = asked_contact(history, &call.ask);
                self.events[step.event].roster.attach(outcome.number, id, contact);
                self.events[step.event].refresh();
                self.heard(history, step.event, &outcome, &new.first);
            }
            (Heard::Registration(heard), Ok(outcome)) => self.heard(history, step.event, &outcome, heard),
            _ => {
                let entry = &history.logs[step.event].entries[step.number as usize - 1];
                self.wrong.extend(at_the_door::heard_otherwise(call, entry));
            }
        }
        self.compare(history, step.event, step.number);
    }

    /// Hands a command to the roster at the time at which the service did.
    fn handle(&mut self, history: &History, step: &Step<'_>, verb: Verb) -> Result<Outcome, String> {
        let journal = &history.logs[step.event].entries;
        let again = &mut self.events[step.event];
        let Some(at) = journal.get(again.roster.journal_number as usize).map(|e| e.at) else {
            return Err(format!("nothing in the journal for {:?}", step.call));
        };
        let key = history.request_key(step.event, step.call.request_id);
        let request = Some(Request { key, fingerprint: 1 });
        let mut entries = Vec::new();
        let actor = actor(step.call);
        let answer = again.roster.handle(&Command { actor, request, verb }, at, &mut entries);
        again.keep(entries);
        match answer {
            Answer::Done(outcome) => Ok(outcome),
            other => Err(format!("accepted, and by the rules it is {other:?}: {:?}", step.call)),
        }
    }

    fn transfer(&mut self, history: &History, call: &Call, to: usize, placed: &[(usize, u64)]) {
        let at = |event| placed.iter().find(|(e, _)| *e == event).map(|(_, at)| *at);
        let (Some(left), Some(entered)) = (at(call.event), at(to)) else {
            return self.wrong.push(format!("a move left a mark in one event only: {call:?}"));
        };
        let Heard::Transferred(moved) = &call.heard else { return };
        let (new, old) = moved.as_ref();
        self.events[call.event].sweep_until(left);
        self.events[to].sweep_until(entered);
        let Some(party) = self.events[call.event].roster.standing(number(call.about.as_deref().unwrap())).cloned()
        else {
            return self.wrong.push(format!("nobody to move: {call:?}"));
        };
        // Whoever bears the token is the party, and cannot vouch.
        let vouched = !call.by_party;
        let newcomer = NewParty {
            size: party.size,
            wishes: Vec::new(),
            contact: party.contact,
            vouched,
            choices: Choices::default(),
        };
        let target = TransferTarget { event: history.logs[to].id, registration: registration_id(&new.name) };
        let steps = [
            (to, entered, Verb::Register(newcomer), &new.first),
            (call.event, left, Verb::TransferAway { number: party.number, to: target }, old),
        ];
        for (event, number, verb, heard) in steps {
            let is_newcomer = matches!(verb, Verb::Register(_));
            match self.handle(history, &Step { call, event, number }, verb) {
                Err(text) => self.wrong.push(text),
                Ok(outcome) => {
                    if is_newcomer {
                        self.events[to].roster.attach(outcome.number, target.registration, party.contact);
                        self.events[to].refresh();
                    }
                    self.heard(history, event, &outcome, heard);
                }
            }
            self.compare(history, event, number);
        }
    }

    /// Whether what was heard is what was decided.
    fn heard(&mut self, history: &History, event: usize, outcome: &Outcome, heard: &pb::Registration) {
        let told = (heard.accepted_number, heard.state, heard.position, heard.journal_number, heard.offer_expire_time);
        let state = outcome.state.map_or(0, wire_state);
        let expires = outcome.expires_at.map(crate::support::words::to_wire);
        let decided =
            (i64::from(outcome.number), state, i64::from(outcome.position), outcome.journal_number as i64, expires);
        let pool = pool_id(&self.events[event].roster, outcome.pool);
        if told != decided || heard.pool_id != pool {
            self.wrong.push(format!("{}: heard {heard:?}, decided {outcome:?}", history.logs[event].name));
        }
    }
}

impl Again {
    /// The last roster on the way has the contact too.
    fn refresh(&mut self) {
        self.after.insert(self.roster.journal_number, self.roster.clone());
    }
}

/// The command behind a call, as it was decided at `number`. New terms are taken from the journal: what the service
/// made of the wire is not this test's business.
fn verb(history: &History, call: &Call, roster: &Roster, journal: &[Entry], number: u64) -> Option<Verb> {
    if call.is_of_terms() {
        let between = &journal[roster.journal_number as usize..number as usize];
        let terms = between.iter().find_map(|e| match &e.change {
            Change::TermsChanged { terms } => Some(terms.clone()),
            _ => None,
        });
        let Some(terms) = terms else {
            // It was asked for as it was.
            return Some(Verb::UpdateEvent { terms: None, if_version: None });
        };
        return at_the_door::is_set(&call.ask, &terms)
            .then_some(Verb::UpdateEvent { terms: Some(terms), if_version: None });
    }
    Some(at_the_door::verb(history, call).unwrap_or_else(|| plain_verb(history, call, roster)))
}

fn plain_verb(history: &History, call: &Call, roster: &Roster) -> Verb {
    let number = call.about.as_deref().map(number).unwrap_or_default();
    let reason = CancelReason::CannotCome;
    match &call.ask {
        Ask::Register { party, vouched } => Verb::Register(NewParty {
            size: party.members.len() as u32,
            wishes: party.acceptable_pools.iter().map(|id| pool_no(roster, id)).collect(),
            contact: history.contact(party.contact.as_ref().unwrap()),
            vouched: *vouched,
            choices: Choices::default(),
        }),
        Ask::Cancel => Verb::Cancel { number, reason },
        Ask::Accept => Verb::Accept { number },
        Ask::Decline => Verb::Decline { number, reason },
        Ask::Amend { party, fields } => Verb::Amend {
            number,
            size: fields.contains(&"members").then_some(party.members.len() as u32),
            contact: fields.contains(&"contact").then(|| asked_contact(history, &call.ask)),
        },
        Ask::SetClass { class } => Verb::SetClass { number, class: (!class.is_empty()).then(|| class.clone()) },
        Ask::Promote { reason } => Verb::Promote { number, pool: None, has_reason: !reason.is_empty() },
        _ => Verb::Sweep,
    }
}

fn asked_contact(history: &History, ask: &Ask) -> ContactKeys {
    match ask {
        Ask::Register { party, .. } | Ask::Amend { party, .. } | Ask::WalkIn { party, .. } => {
            history.contact(party.contact.as_ref().unwrap())
        }
        _ => ContactKeys::default(),
    }
}

fn actor(call: &Call) -> ActorKind {
    match (&call.ask, call.by_party) {
        (Ask::Register { vouched: false, .. }, _) => ActorKind::Portal,
        (Ask::Register { .. }, _) => ActorKind::Staff,
        (_, true) => ActorKind::Party,
        (_, false) => ActorKind::Staff,
    }
}

fn pool_no(roster: &Roster, id: &str) -> PoolNo {
    roster.terms.pools.iter().find(|p| p.id == id).map_or(0, |p| p.no)
}

fn pool_id(roster: &Roster, pool: Option<PoolNo>) -> String {
    pool.and_then(|no| roster.terms.pool(no)).map(|p| p.id.clone()).unwrap_or_default()
}

pub fn wire_state(state: StateKind) -> i32 {
    // The wire has the same words in the same order.
    i32::from(state as u8)
}

/// Whether a refusal is what the rules say at some moment at which it can have been decided.
pub fn refusal_is_right(history: &History, run: &Rerun, call: &Call) -> bool {
    let Some(refused) = call.refused() else { return true };
    let (from, until) = window(history, run, call.event, call);
    let times = || history.times.iter().filter(|t| (call.clock.0..=call.clock.1).contains(t)).chain([&call.clock.0]);
    let rosters = || run.events[call.event].after.range(from..=until).map(|(_, roster)| roster);
    let says = |verb: &Verb, roster: &Roster| {
        times().any(|now| match roster.decide(verb, actor(call), (*now).max(roster.last_at)) {
            Err(refusal) => reason(&refusal) == refused.reason,
            Ok(_) => false,
        })
    };
    let Ask::Transfer { to } = &call.ask else {
        return match &call.ask {
            Ask::Seats { .. } => refused.reason == "POOL_IN_USE",
            ask if call.is_of_terms() => rosters().any(|r| at_the_door::refusal_suits(ask, &refused.reason, r)),
            _ => rosters().any(|roster| {
                let verb = at_the_door::verb(history, call).unwrap_or_else(|| plain_verb(history, call, roster));
                says(&verb, roster)
            }),
        };
    };
    if *to == call.event {
        return refused.reason == "SAME_EVENT";
    }
    let moved = number(call.about.as_deref().unwrap());
    let (from, until) = window(history, run, *to, call);
    rosters().filter_map(|roster| roster.standing(moved)).any(|s| match s.state {
        State::Ended(_) => refused.reason == "ILLEGAL_STATE",
        _ => run.events[*to].after.range(from..=until).any(|(_, roster)| {
            let vouched = !call.by_party;
            let party =
                NewParty { size: s.size, wishes: Vec::new(), contact: s.contact, vouched, choices: Choices::default() };
            says(&Verb::Register(party), roster)
        }),
    })
}

/// The numbers at which a call can have been decided in an event: not before what had returned when it was called,
/// and not after what was called when it had returned.
fn window(history: &History, run: &Rerun, event: usize, call: &Call) -> (u64, u64) {
    let (mut from, mut until) = (0, u64::MAX);
    for (n, (other, _)) in history.accepted().iter().enumerate() {
        for (_, number) in run.placed[n].iter().filter(|(e, _)| *e == event) {
            if other.called > call.returned {
                until = until.min(number - 1);
            }
        }
    }
    for other in history.calls.iter().filter(|c| c.returned < call.called) {
        for (_, number) in other.numbers().iter().filter(|(e, _)| *e == event) {
            from = from.max(*number);
        }
    }
    (from, until)
}

/// The word for a refusal on the wire.
fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::RequestIdReused => "REQUEST_ID_REUSED",
        Refusal::EventNotPublished => "EVENT_NOT_PUBLISHED",
        Refusal::EventCancelled => "EVENT_CANCELLED",
        Refusal::EventCompleted => "EVENT_COMPLETED",
        Refusal::RegistrationNotOpen { .. } => "REGISTRATION_NOT_OPEN",
        Refusal::RegistrationClosed { .. } => "REGISTRATION_CLOSED",
        Refusal::PartyTooSmall { .. } => "PARTY_TOO_SMALL",
        Refusal::PartyTooLarge { .. } => "PARTY_TOO_LARGE",
        Refusal::PartyLargerThanPool { .. } => "PARTY_LARGER_THAN_POOL",
        Refusal::PoolNotFound { .. } => "POOL_NOT_FOUND",
        Refusal::AlreadyRegistered { .. } => "ALREADY_REGISTERED",
        Refusal::WaitlistFull { .. } => "WAITLIST_FULL",
        Refusal::RegistrationNotFound => "REGISTRATION_NOT_FOUND",
        Refusal::IllegalState { .. } | Refusal::IllegalEventState { .. } => "ILLEGAL_STATE",
        Refusal::PossibleDuplicate { .. } => "ILLEGAL_STATE",
        Refusal::OfferExpired => "OFFER_EXPIRED",
        Refusal::NoLiveOffer { .. } => "NO_LIVE_OFFER",
        Refusal::SeatsNotFree { .. } => "SEATS_NOT_FREE",
        Refusal::WaitingPartyFirst { .. } => "WAITING_PARTY_FIRST",
        Refusal::ReasonRequired => "REASON_REQUIRED",
        Refusal::ClassUnknown { .. } => "CLASS_UNKNOWN",
        Refusal::EtagMismatch { .. } => "ETAG_MISMATCH",
        Refusal::PoolInUse { .. } => "POOL_IN_USE",
        Refusal::SameEvent => "SAME_EVENT",
        Refusal::EventNotOver { .. } => "EVENT_NOT_OVER",
        Refusal::SessionNotFound => "SESSION_NOT_FOUND",
        Refusal::SessionCancelled | Refusal::SeatsCalledOff { .. } => "SESSION_CANCELLED",
        Refusal::SessionNotBegun { .. } => "SESSION_NOT_BEGUN",
        Refusal::DoorShut { .. } => "DOOR_SHUT",
        Refusal::MarksRefused { .. } => "MARKS_REFUSED",
        Refusal::MemberNotFound { .. } => "MEMBER_NOT_FOUND",
        Refusal::MemberAttended { .. } => "MEMBER_ATTENDED",
        Refusal::WalkInsNotTaken => "WALK_INS_NOT_TAKEN",
        Refusal::SessionInUse { .. } => "SESSION_IN_USE",
    }
}
