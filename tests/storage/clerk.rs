//! Does what the desk does, without its lines and its cache: decides commands inside `transact` and hands
//! back the rows. Two clerks at one event stand for two instances of the service.

use crate::samples;
use eile::admission::{Answer, Command, Entry, MarkKey, Marked, Roster, Verb};
use eile::model::event::Event;
use eile::model::id::{EventId, Number, RegistrationId};
use eile::model::time::Timestamp;
use eile::storage::{
    ChangedRegistration, EventWrite, Fresh, Lock, NewRegistration, PartyWrite, Reason, RequestWrite, Store, StoreError,
    Stored, Whole,
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

pub struct Clerk {
    pub store: Arc<dyn Store>,
    pub event: EventId,
    /// What this clerk believes; `None` before the first transaction.
    pub memory: Arc<Mutex<Option<Memory>>>,
}

#[derive(Clone)]
pub struct Memory {
    pub event: Event,
    pub roster: Roster,
    /// What the last transaction said about the roster.
    pub heard: &'static str,
}

impl Clerk {
    /// Makes an event and stands at it.
    pub async fn at_new(store: &Arc<dyn Store>, event: &Event) -> Self {
        let made = store.create_event(event, &samples::created(event), &samples::open_request()).await;
        assert_eq!(made.unwrap(), Stored::Created);
        Self::at(store, event.id)
    }

    /// An event that is open for everybody.
    pub async fn at_open(store: &Arc<dyn Store>, capacity: Option<u32>) -> Self {
        let clerk = Self::at_new(store, &samples::event(capacity)).await;
        clerk.hand_in(vec![samples::asked(Verb::Publish)]).await.unwrap();
        clerk
    }

    pub fn at(store: &Arc<dyn Store>, event: EventId) -> Self {
        Self { store: Arc::clone(store), event, memory: Arc::default() }
    }

    pub fn known(&self) -> Option<u64> {
        self.memory.lock().unwrap().as_ref().map(|m| m.roster.journal_number)
    }

    /// From then on it is told everything, with the row locked.
    pub fn forget(&self) {
        *self.memory.lock().unwrap() = None;
    }

    pub fn lock(&self) -> Lock {
        Lock { event: self.event, known: self.known(), ask: false }
    }

    pub fn remembered(&self) -> Memory {
        self.memory.lock().unwrap().clone().expect("nothing was loaded")
    }

    pub fn roster(&self) -> Roster {
        self.remembered().roster
    }

    pub async fn hand_in(&self, commands: Vec<Command>) -> Result<Vec<Answer>, StoreError> {
        self.hand_in_at(commands, samples::minutes(1)).await
    }

    /// As the desk does: what was decided on a memory that turns out to be old is decided again from the rows.
    pub async fn hand_in_at(&self, commands: Vec<Command>, now: Timestamp) -> Result<Vec<Answer>, StoreError> {
        match self.hand_in_once(commands.clone(), now).await {
            Err(StoreError::Conflict(_)) if self.known().is_some() => {
                let before = self.memory.lock().unwrap().take();
                let again = self.hand_in_once(commands, now).await;
                if again.is_err() {
                    *self.memory.lock().unwrap() = before;
                }
                again
            }
            settled => settled,
        }
    }

    /// One transaction. Where it fails, the clerk forgets what it decided.
    pub async fn hand_in_once(&self, commands: Vec<Command>, now: Timestamp) -> Result<Vec<Answer>, StoreError> {
        let before = self.memory.lock().unwrap().clone();
        let memory = Arc::clone(&self.memory);
        let answers = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&answers);
        let done = self
            .store
            .transact(
                vec![self.lock()],
                Box::new(move |mut fresh| {
                    let mut memory = memory.lock().unwrap();
                    refresh(&mut memory, fresh.pop().unwrap());
                    let Some(memory) = memory.as_mut() else { return Vec::new() };
                    let (said, write) = decide(memory, &commands, now);
                    *heard.lock().unwrap() = said;
                    write.into_iter().collect()
                }),
            )
            .await;
        if let Err(error) = done {
            *self.memory.lock().unwrap() = before;
            return Err(error);
        }
        let answers = answers.lock().unwrap().clone();
        Ok(answers)
    }

    /// Brings the memory up to date, and checks it against everything that is stored.
    pub async fn check(&self) -> Roster {
        self.hand_in(Vec::new()).await.unwrap();
        let mine = self.roster();
        let stored = self.store.whole(self.event).await.unwrap().expect("the event is gone");
        let header = stored.header.clone();
        let theirs = load(stored);
        assert_same(&mine, &theirs.roster);
        assert_eq!(header, mine.header());
        let entries = self.store.journal(self.event, 1, u32::MAX).await.unwrap();
        let mut replayed = Roster::replay(self.event, &entries).expect("the journal has a gap");
        for s in mine.standings() {
            replayed.attach(s.number, s.id, s.contact);
        }
        assert_same(&replayed, &mine);
        mine
    }
}

pub fn assert_same(a: &Roster, b: &Roster) {
    assert_eq!(a.header(), b.header());
    assert_eq!(a.terms, b.terms);
    assert_eq!(a.standings().collect::<Vec<_>>(), b.standings().collect::<Vec<_>>());
    assert_eq!(a.marks().collect::<Vec<_>>(), b.marks().collect::<Vec<_>>());
    assert_eq!(a.next_due(), b.next_due());
}

pub fn refresh(memory: &mut Option<Memory>, fresh: Fresh) {
    match fresh {
        Fresh::Missing => *memory = None,
        Fresh::Current => memory.as_mut().unwrap().heard = "current",
        Fresh::Whole(w) => *memory = Some(load(*w)),
        Fresh::Behind(behind) => {
            let memory = memory.as_mut().unwrap();
            memory.heard = "behind";
            memory.event = behind.event;
            for entry in &behind.entries {
                assert_eq!(entry.number, memory.roster.journal_number + 1);
                memory.roster.apply(entry);
            }
            for (number, id, contact) in behind.attachments {
                memory.roster.attach(number, id, contact);
            }
            for (key, recorded) in behind.requests {
                memory.roster.record(key, recorded);
            }
        }
    }
}

fn load(whole: Whole) -> Memory {
    let Whole { event, header, standings, marks, requests, .. } = whole;
    let mut roster = Roster::from_rows(event.id, Arc::clone(&event.terms), &header, standings);
    for (key, recorded) in requests {
        roster.record(key, recorded);
    }
    for (key, marked) in marks {
        roster.place_mark(key, marked);
    }
    Memory { event, roster, heard: "whole" }
}

/// Decides the commands on the memory, and writes down what they led to.
pub fn decide(memory: &mut Memory, commands: &[Command], now: Timestamp) -> (Vec<Answer>, Option<EventWrite>) {
    let (from, version) = (memory.roster.journal_number, memory.roster.version);
    let mut entries: Vec<Entry> = Vec::new();
    let mut answers = Vec::new();
    let mut sign_ups = Vec::new();
    let (mut requests, mut reasons, mut parties, mut erased) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut tokens = Vec::new();
    for command in commands {
        let answer = memory.roster.handle(command, now, &mut entries);
        answers.push(answer.clone());
        let (Answer::Done(outcome), Some(request)) = (answer, command.request) else { continue };
        match &command.verb {
            Verb::Register(party) => {
                memory.roster.attach(outcome.number, registration_id(outcome.number), party.contact);
                sign_ups.push((outcome.number, request, outcome));
                continue;
            }
            Verb::Amend { number, contact: Some(contact), .. } => {
                memory.roster.attach(*number, registration_id(*number), *contact);
                parties.push(party(*number, "amended"));
                tokens.push((*number, token_hash(*number + 100)));
            }
            Verb::Erase { number, .. } => {
                parties.push(party(*number, "erased"));
                erased.push(*number);
            }
            Verb::SetClass { number, .. } => reasons.push(Reason {
                journal_number: memory.roster.journal_number,
                number: *number,
                text: "a reason of staff".into(),
            }),
            _ => {}
        }
        let answer = (outcome.number == 0).then(|| samples::ANSWER.to_vec());
        requests.push(RequestWrite { request, outcome, answer });
    }
    if entries.is_empty() {
        return (answers, None);
    }
    let roster = &memory.roster;
    memory.event.terms = Arc::clone(&roster.terms);
    memory.event.version = roster.version;
    let mut changed: BTreeSet<Number> = entries.iter().flat_map(Entry::touches).collect();
    let new = sign_ups
        .into_iter()
        .map(|(number, request, outcome)| {
            changed.remove(&number);
            NewRegistration {
                standing: roster.standing(number).unwrap().clone(),
                guard: roster.guard(number),
                request,
                outcome,
                token_hash: token_hash(number),
                party: party(number, "as signed up"),
            }
        })
        .collect();
    let changed_rows =
        |n: &Number| ChangedRegistration { standing: roster.standing(*n).unwrap().clone(), guard: roster.guard(*n) };
    let free = roster.pools().map(|(p, h)| p.capacity.map(|_| Roster::free(p, h))).sum();
    let marks = marks(roster, &entries);
    let write = EventWrite {
        event: memory.event.id,
        from,
        header: roster.header(),
        next_due: roster.next_due(),
        free_seats: free,
        document: (roster.version != version).then(|| memory.event.clone()),
        entries,
        new,
        changed: changed.iter().map(changed_rows).collect(),
        parties,
        requests,
        reasons,
        erased,
        tokens,
        marks,
    };
    (answers, Some(write))
}

/// The marks that the entries set, as they stand.
fn marks(roster: &Roster, entries: &[Entry]) -> Vec<(MarkKey, Marked)> {
    let steps: BTreeSet<u64> = entries.iter().map(|e| e.number).collect();
    let set = roster.marks().filter(|(_, marked)| steps.contains(&marked.step));
    set.map(|(key, marked)| (key, *marked)).collect()
}

pub fn registration_id(number: Number) -> RegistrationId {
    RegistrationId::new(number, [7; 12])
}

pub fn token_hash(number: Number) -> [u8; 32] {
    let mut hash = [3; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    hash
}

pub fn party(number: Number, words: &str) -> PartyWrite {
    // Names that a linguistic order sorts in another way than their bytes do.
    let name = ["b", "A", "ą", "a b", "ab", "Z"][number as usize % 6];
    PartyWrite { number, document: format!(r#"{{"words":"{words} {number} 'ačiū' \\"}}"#), search: name.to_owned() }
}
