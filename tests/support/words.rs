//! The tests' words for events, parties and times, so that a story reads as it is told.

use eile::api::proto as pb;
use eile::model::time::{Timestamp, Zone, parse_local};

pub use pb::RegistrationState as State;

/// A request id, and the party's token where the party itself asks.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub id: String,
    pub token: String,
}

/// Staff ask, under a new request id.
pub fn staff() -> Request {
    Request { id: super::client::new_id(), token: String::new() }
}

/// The party itself asks, under a new request id.
pub fn by(party: &super::client::SignedUp) -> Request {
    Request { id: super::client::new_id(), token: party.token.clone() }
}

/// A wall-clock time in Vilnius.
pub fn vilnius(local: &str) -> Timestamp {
    Zone::named("Europe/Vilnius").unwrap().instant(parse_local(local).unwrap()).unwrap()
}

/// The same on the wire.
pub fn wire_time(local: &str) -> prost_types::Timestamp {
    to_wire(vilnius(local))
}

pub fn to_wire(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.0.div_euclid(1_000_000), nanos: (at.0.rem_euclid(1_000_000) * 1000) as i32 }
}

pub fn hours(n: i64) -> prost_types::Duration {
    prost_types::Duration { seconds: n * 3600, nanos: 0 }
}

pub fn lithuanian(text: &str) -> Vec<pb::LocalizedText> {
    vec![pb::LocalizedText { language: "lt".into(), text: text.into() }]
}

pub fn mask(fields: &[&str]) -> prost_types::FieldMask {
    prost_types::FieldMask { paths: fields.iter().map(|f| (*f).to_owned()).collect() }
}

/// A course of the centre `elk`, its first session at this local time, two hours each, without pools yet.
pub fn course(title: &str, starts: &[&str]) -> pb::Event {
    pb::Event {
        centre: "centres/elk".into(),
        titles: lithuanian(title),
        kind: pb::EventKind::Course as i32,
        time_zone: "Europe/Vilnius".into(),
        sessions: starts.iter().map(|start| session(start, 2)).collect(),
        ..Default::default()
    }
}

/// A session from this local time on.
pub fn session(start: &str, hours: i8) -> pb::Session {
    let start = parse_local(start).unwrap();
    let end = start.checked_add(jiff::Span::new().hours(i64::from(hours))).unwrap();
    pb::Session {
        start_local: eile::model::time::format_local(start),
        end_local: eile::model::time::format_local(end),
        ..Default::default()
    }
}

/// A pool for everybody.
pub fn pool(id: &str, seats: i32) -> pb::SeatPool {
    pb::SeatPool { pool_id: id.into(), capacity: Some(seats), ..Default::default() }
}

/// A pool kept for these classes until that local time.
pub fn kept_pool(id: &str, seats: i32, classes: &[&str], until: Option<&str>) -> pb::SeatPool {
    pb::SeatPool {
        classes: classes.iter().map(|c| (*c).to_owned()).collect(),
        release_time: until.map(wire_time),
        ..pool(id, seats)
    }
}

/// When sign-ups are taken.
pub fn window(open: &str, close: &str) -> Option<pb::RegistrationWindow> {
    Some(pb::RegistrationWindow { open_time: Some(wire_time(open)), close_time: Some(wire_time(close)) })
}

/// Offers by the usual rules.
pub fn offers(fit: pb::PartyFit) -> pb::WaitlistPolicy {
    pb::WaitlistPolicy { promotion: pb::Promotion::Offer as i32, party_fit: fit as i32, ..Default::default() }
}

/// A party of this many, reached by an e-mail address of its own.
pub fn party(who: &str, size: usize) -> pb::Registration {
    let slug: String =
        eile::model::text::fold(who).chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '.' }).collect();
    let member = |n: usize| pb::Member {
        display_name: if n == 0 { who.to_owned() } else { format!("{who} {}", n + 1) },
        ..Default::default()
    };
    pb::Registration {
        contact: Some(pb::Contact {
            display_name: who.into(),
            email: format!("{}@example.org", slug.trim_matches('.')),
            phone: String::new(),
        }),
        members: (0..size).map(member).collect(),
        ..Default::default()
    }
}

/// More about a party.
pub trait Said: Sized {
    /// Reached by telephone only, and typed in by staff.
    fn by_phone(self, number: &str) -> Self;
    /// Counted by heads, without names.
    fn heads(self, adults: i32, children: i32) -> Self;
    /// These pools suit, in order of wish.
    fn wishing(self, pools: &[&str]) -> Self;
}

impl Said for pb::Registration {
    fn by_phone(mut self, number: &str) -> Self {
        let contact = self.contact.as_mut().unwrap();
        contact.email.clear();
        contact.phone = number.into();
        self.channel = pb::Channel::Phone as i32;
        self
    }

    fn heads(mut self, adults: i32, children: i32) -> Self {
        self.members.clear();
        self.head_count = Some(pb::HeadCount { adults, children });
        self
    }

    fn wishing(mut self, pools: &[&str]) -> Self {
        self.acceptable_pools = pools.iter().map(|p| (*p).to_owned()).collect();
        self
    }
}

/// What a test asks of an answer.
pub trait Stands {
    fn stands(&self) -> State;
    fn is_confirmed(&self) -> bool {
        self.stands() == State::Confirmed
    }
    fn is_waiting(&self) -> bool {
        self.stands() == State::Waitlisted
    }
    fn is_offered(&self) -> bool {
        self.stands() == State::Offered
    }
}

impl Stands for pb::Registration {
    fn stands(&self) -> State {
        State::try_from(self.state).unwrap()
    }
}

impl Stands for super::client::SignedUp {
    fn stands(&self) -> State {
        self.first.stands()
    }
}
