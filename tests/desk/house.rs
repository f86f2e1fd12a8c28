//! A desk over a fresh database, and short words for what the tests ask of it.

use super::faulty::Faulty;
use eile::admission::{Change, Command, Entry, NewParty, Request, Roster, Verb};
use eile::clock::{Clock, ManualClock};
use eile::desk::{Desk, DeskError, DeskOptions, Done, Job, LeftBehind, Papers, PartyPapers, SignUp, TransferJob};
use eile::keys::Keys;
use eile::model::attendance::Slot;
use eile::model::consent::Choices;
use eile::model::contact::ContactKeys;
use eile::model::event::{Details, Event, EventKind, Pool, Terms, Venue};
use eile::model::id::{CentreId, EventId, Number};
use eile::model::policy::Policy;
use eile::model::registration::{ActorKind, CancelReason};
use eile::model::text::LocalizedText;
use eile::model::time::{Timestamp, Zone};
use eile::storage::{OpenRequest, Store, Stored};
use std::sync::Arc;
use uuid::Uuid;

pub const START: Timestamp = Timestamp(1_736_751_600_000_000);

/// When the first session of every event begins.
pub const FIRST_EVENING: Timestamp = Timestamp(START.0 + 30 * 86_400_000_000);

pub struct House {
    pub desk: Desk,
    pub store: Arc<Faulty>,
    pub clock: Arc<ManualClock>,
    pub keys: Keys,
}

impl House {
    /// Opens a desk as one of perhaps several over this database.
    pub async fn over(store: Arc<dyn Store>, shared: bool) -> Self {
        let keys = Keys::new(store.secret().await.unwrap());
        let store = Faulty::over(store);
        let clock = Arc::new(ManualClock::at(START));
        let options = DeskOptions {
            lines: if shared { 2 } else { 1 },
            shared,
            sweep_every: std::time::Duration::from_secs(3600),
            ..DeskOptions::default()
        };
        let desk = Desk::open(store.clone(), clock.clone() as Arc<dyn Clock>, keys.clone(), options);
        Self { desk, store, clock, keys }
    }

    /// A published event with one pool.
    pub async fn event(&self, capacity: u32, policy: Policy) -> EventId {
        let event = draft(capacity, policy);
        let entry = Entry {
            number: 1,
            at: START,
            actor: ActorKind::Staff,
            policy: 1,
            seats: 0,
            change: Change::EventCreated { terms: Arc::clone(&event.terms) },
            cleared: Vec::new(),
        };
        let key = Uuid::new_v4().as_u128();
        let stored = self
            .store
            .create_event(&event, &entry, &OpenRequest { key, fingerprint: 1, answer: Vec::new() })
            .await
            .unwrap();
        assert_eq!(stored, Stored::Created);
        self.ask(event.id, Verb::Publish).await.unwrap();
        event.id
    }

    /// Any verb under a fresh request id.
    pub async fn ask(&self, event: EventId, verb: Verb) -> Result<Done, DeskError> {
        self.ask_as(event, verb, Uuid::new_v4()).await
    }

    pub async fn ask_as(&self, event: EventId, verb: Verb, id: Uuid) -> Result<Done, DeskError> {
        let request = self.request(event, id);
        let command = Command { actor: ActorKind::Staff, request: Some(request), verb };
        self.desk.submit(Job { event, command, papers: Papers::None, borne: None }).await
    }

    pub fn request(&self, event: EventId, id: Uuid) -> Request {
        Request { key: self.keys.request_key(&event.0.to_string(), id), fingerprint: 7 }
    }

    /// A party of `size` signs up; `id` is its request id and makes its contact.
    pub async fn sign_up(&self, event: EventId, size: u32, id: Uuid) -> Result<Done, DeskError> {
        self.desk.submit(self.sign_up_job(event, size, id)).await
    }

    pub fn sign_up_job(&self, event: EventId, size: u32, id: Uuid) -> Job {
        let contact = ContactKeys { email: Some(id.as_u128() as u64), phone: None };
        let verb =
            Verb::Register(NewParty { size, wishes: Vec::new(), contact, vouched: true, choices: Choices::default() });
        Job {
            event,
            command: Command { actor: ActorKind::Staff, request: Some(self.request(event, id)), verb },
            papers: Papers::SignUp(Box::new(SignUp {
                party: papers("{}"),
                id_secret: self.keys.id_secret(&event.0.to_string(), id),
                token_key: self.keys.token_key(id),
            })),
            borne: None,
        }
    }

    pub async fn cancel(&self, event: EventId, number: Number) -> Result<Done, DeskError> {
        self.ask(event, Verb::Cancel { number, reason: CancelReason::CannotCome }).await
    }

    pub async fn transfer_job(&self, from: EventId, number: Number, to: EventId, id: Uuid) -> TransferJob {
        let seen_step = self
            .desk
            .read(from, |v| v.roster.standing(number).and_then(|s| s.steps.last().copied()))
            .await
            .unwrap()
            .unwrap();
        TransferJob {
            from,
            number,
            to,
            wishes: Vec::new(),
            actor: ActorKind::Staff,
            request: self.request(from, id),
            target_request: self.request(to, id),
            vouched: true,
            papers: papers("{}"),
            left: LeftBehind { part: papers("{}"), nothing: papers("{}") },
            seen_step,
            borne: None,
            id_secret: self.keys.id_secret(&to.0.to_string(), id),
            token_key: self.keys.token_key(id),
            validate_only: false,
        }
    }

    /// What is stored must be what the journal says: numbers without gap, the same people in the same
    /// states, the same counts; and no pool over its capacity.
    pub async fn check(&self, event: EventId) -> Roster {
        let journal = self.store.journal(event, 1, 100_000).await.unwrap();
        let replayed = Roster::replay(event, &journal).expect("dense");
        let whole = self.store.whole(event).await.unwrap().unwrap();
        let rows = Roster::from_rows(event, whole.event.terms.clone(), &whole.header, whole.standings);
        assert_eq!(whole.header, replayed.header(), "the row of the event against the journal");
        assert_eq!(rows.counts, replayed.counts, "counted rows against the journal");
        for s in replayed.standings() {
            let row = rows.standing(s.number).expect("a row for each registration");
            assert_eq!(
                (&row.state, row.size, row.place, &row.steps, row.passed_over),
                (&s.state, s.size, s.place, &s.steps, s.passed_over)
            );
            assert_eq!(rows.position(s.number), replayed.position(s.number));
        }
        for (pool, held) in replayed.pools() {
            assert!(pool.capacity.is_none_or(|c| held.total() <= c), "over capacity");
        }
        replayed
    }
}

pub fn papers(document: &str) -> PartyPapers {
    PartyPapers { document: document.into(), search: "eilaite".into() }
}

fn draft(capacity: u32, policy: Policy) -> Event {
    let starts_at = FIRST_EVENING;
    let terms = Terms {
        zone: Zone::named("Europe/Vilnius").unwrap(),
        opens_at: None,
        closes_at: None,
        starts_at: Some(starts_at),
        ends_at: Some(Timestamp(starts_at.0 + 7_200_000_000)),
        pools: vec![Pool {
            no: 1,
            id: "main".into(),
            capacity: Some(capacity),
            classes: Vec::new(),
            release_at: None,
            session_id: String::new(),
        }],
        policy,
        party_min: 1,
        party_max: 10,
        approval_required: false,
        join_midway: false,
        last_retired: 0,
        retired: Vec::new(),
        sessions: vec![Slot {
            no: 1,
            id: "s1".into(),
            starts_at,
            ends_at: Timestamp(starts_at.0 + 7_200_000_000),
            cancelled: false,
        }],
        last_retired_session: 0,
    };
    Event {
        id: EventId(Uuid::now_v7()),
        centre: CentreId("elk".into()),
        programme: None,
        details: Details {
            project_code: "KOPA".into(),
            titles: vec![LocalizedText { language: "lt".into(), text: "Sėkmingos tėvystės mokymai".into() }],
            descriptions: Vec::new(),
            kind: EventKind::Course,
            venue: Venue::default(),
            municipality_code: "42".into(),
            languages: vec!["lt".into()],
            sessions: Vec::new(),
            minimum_to_start: 6,
            childcare_places: 0,
            rides: 0,
            questions: Vec::new(),
            attendance_rule: None,
            sensitivity: None,
        },
        terms: Arc::new(terms),
        version: 1,
        created_at: START,
        updated_at: START,
        cancel_reason: String::new(),
    }
}
