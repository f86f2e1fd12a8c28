//! Values to store: events, parties, centres. Everybody in them is made up.

use eile::admission::{Change, Command, Entry, NewParty, Request, Verb};
use eile::model::attendance::Slot;
use eile::model::centre::{Centre, Eldership, Programme};
use eile::model::consent::Choices;
use eile::model::contact::ContactKeys;
use eile::model::event::{AttendanceRule, Details, Event, EventKind, Pool, Terms, Venue};
use eile::model::id::{CentreId, EventId, ProgrammeId};
use eile::model::policy::{Policy, Promotion};
use eile::model::registration::ActorKind;
use eile::model::text::LocalizedText;
use eile::model::time::{Span, Timestamp, Zone};
use eile::storage::OpenRequest;
use std::sync::Arc;
use uuid::Uuid;

pub const START: Timestamp = Timestamp(1_800_000_000_000_000);

pub fn minutes(n: i64) -> Timestamp {
    START.plus(Span::seconds(60 * n))
}

pub fn text(text: &str) -> Vec<LocalizedText> {
    vec![LocalizedText { language: "lt".into(), text: text.into() }]
}

/// An event of one pool, as a draft.
pub fn event(capacity: Option<u32>) -> Event {
    let terms = Terms {
        zone: Zone::named("Europe/Vilnius").unwrap(),
        opens_at: None,
        closes_at: None,
        starts_at: Some(START.plus(Span::hours(24 * 30))),
        ends_at: Some(START.plus(Span::hours(24 * 90))),
        pools: vec![Pool {
            no: 1,
            id: "seats".into(),
            capacity,
            classes: Vec::new(),
            release_at: None,
            session_id: String::new(),
        }],
        policy: Policy { promotion: Promotion::Automatic, class_order: vec!["referral".into()], ..Policy::usual() },
        party_min: 1,
        party_max: 10,
        approval_required: false,
        join_midway: false,
        last_retired: 0,
        retired: Vec::new(),
        sessions: vec![slot(1), slot(2)],
        last_retired_session: 0,
    };
    Event {
        id: EventId(Uuid::now_v7()),
        centre: CentreId("elektrenai".into()),
        programme: Some(ProgrammeId("positive-parenting".into())),
        details: Details {
            project_code: "LT-2025".into(),
            titles: text("Pozityvi tėvystė"),
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

/// Two hours on a day of its own.
fn slot(no: u16) -> Slot {
    let starts_at = START.plus(Span::hours(24 * 30 * i64::from(no)));
    Slot { no, id: format!("s{no}"), starts_at, ends_at: starts_at.plus(Span::hours(2)), cancelled: false }
}

/// The first entry of an event's journal.
pub fn created(event: &Event) -> Entry {
    Entry {
        number: 1,
        at: event.created_at,
        actor: ActorKind::Staff,
        policy: event.terms.policy.version,
        seats: 0,
        change: Change::EventCreated { terms: Arc::clone(&event.terms) },
        cleared: Vec::new(),
    }
}

/// What these tests answer: any bytes.
pub const ANSWER: &[u8] = &[0, 255, 10, b'\''];

pub fn open_request() -> OpenRequest {
    OpenRequest { key: Uuid::new_v4().as_u128(), fingerprint: u64::MAX - 7, answer: ANSWER.to_vec() }
}

pub fn request() -> Request {
    Request { key: Uuid::new_v4().as_u128(), fingerprint: u64::MAX - 11 }
}

/// A contact that nobody else has.
pub fn contact(n: u64) -> ContactKeys {
    ContactKeys { email: Some(u64::MAX - n), phone: Some(n) }
}

pub fn sign_up(size: u32, contact: ContactKeys) -> Command {
    asked(Verb::Register(NewParty { size, wishes: Vec::new(), contact, vouched: true, choices: Choices::default() }))
}

pub fn asked(verb: Verb) -> Command {
    Command { actor: ActorKind::Staff, request: Some(request()), verb }
}

pub fn centre(id: &str) -> Centre {
    Centre {
        id: CentreId(id.into()),
        display_names: text("Elektrėnų šeimos centras"),
        municipality_code: "42".into(),
        elderships: vec![Eldership { code: "4201".into(), name: "Vievio".into() }],
        time_zone: Zone::named("Europe/Vilnius").unwrap(),
        languages: vec!["lt".into(), "en".into()],
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

pub fn programme(id: &str) -> Programme {
    Programme {
        id: ProgrammeId(id.into()),
        titles: text("Pozityvi tėvystė"),
        kind: EventKind::Course,
        usual_session_count: 8,
        usual_session_duration: Some(Span::hours(2)),
        group_size_min: 6,
        group_size_max: 14,
        attendance_rule: Some(AttendanceRule { min_percent: 70, makeup_sessions: 1 }),
        project_code: "LT-2025".into(),
        created_at: START,
        updated_at: START,
        version: 1,
    }
}
