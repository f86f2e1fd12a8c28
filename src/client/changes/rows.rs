//! A change as a row, in the time of its event's place.

use crate::api::proto;
use crate::client::failure::Failure;
use crate::client::sheet::{Column, Tone, Value};
use crate::client::wire::Wire;
use crate::client::words;
use crate::model::time::Zone;
use proto::ChangeKind as Kind;
use std::collections::HashMap;

/// Events whose zones are remembered.
const ZONES_MAX: usize = 10_000;

pub const COLUMNS: &[Column] = &[
    Column::new("time", "Time"),
    Column::new("kind", "Change"),
    Column::new("event", "Event"),
    Column::files("journal_number", "Number in the event"),
    Column::files("registration", "Registration"),
    Column::new("accepted_number", "Party"),
    Column::new("registration_state", "State"),
    Column::files("event_state", "Event's state"),
    Column::new("seats", "Seats"),
    Column::wide("pool", "Pool"),
    Column::new("persons", "Persons"),
    Column::wide("actor", "By"),
    Column::new("because", "Because"),
    Column::files("policy_version", "Policy"),
    Column::files("offer_until", "Offer until"),
    Column::files("passed_over_number", "Passed over"),
    Column::files("transferred_to", "Moved to"),
];

pub struct Rows<'a> {
    wire: &'a Wire,
    zones: HashMap<String, Zone>,
}

impl<'a> Rows<'a> {
    pub fn new(wire: &'a Wire) -> Self {
        Self { wire, zones: HashMap::new() }
    }

    pub fn row(&self, change: &proto::Change) -> Vec<Value> {
        let zone = self.zones.get(&change.event).cloned().unwrap_or_else(Zone::utc);
        let seats = if change.seats == 0 { Value::Empty } else { Value::number(change.seats) };
        let counted = |n: i64| if n == 0 { Value::Empty } else { Value::Number(n) };
        let state = change.registration_state();
        let event_state = change.event_state();
        vec![
            words::time(change.time.as_ref(), &zone),
            Value::Word(words::word(change.kind().as_str_name(), "CHANGE_KIND_"), tone(change.kind())),
            words::name(&change.event),
            Value::Number(change.journal_number),
            words::name(&change.registration),
            counted(change.accepted_number),
            match state {
                proto::RegistrationState::Unspecified => Value::Empty,
                state => words::registration_state(state),
            },
            match event_state {
                proto::EventState::Unspecified => Value::Empty,
                state => words::event_state(state),
            },
            seats,
            words::some(&change.pool_id),
            counted(change.persons.into()),
            words::some(&words::word(change.actor_kind().as_str_name(), "ACTOR_KIND_")),
            words::some(&change.because),
            Value::number(change.policy_version),
            words::time(change.offer_expire_time.as_ref(), &zone),
            counted(change.passed_over_number),
            words::name(&change.transferred_to),
        ]
    }

    /// Asks for the zones of the events that these changes are about: before any of them is written, so that a service
    /// that goes away meanwhile leaves no half of them behind.
    pub async fn learn(&mut self, changes: &[proto::Change]) -> Result<(), Failure> {
        if self.zones.len() > ZONES_MAX {
            self.zones.clear();
        }
        for change in changes {
            if !self.zones.contains_key(&change.event) {
                let event = self.wire.event(&change.event).await?;
                self.zones.insert(change.event.clone(), words::zone_of(&event));
            }
        }
        Ok(())
    }
}

fn tone(kind: Kind) -> Tone {
    match kind {
        Kind::Confirmed | Kind::OfferAccepted | Kind::CheckedIn => Tone::Good,
        Kind::Offered | Kind::SeatsFree | Kind::PoolReleased => Tone::Heed,
        Kind::Ended | Kind::OfferMissed | Kind::EventCancelled | Kind::SessionCancelled => Tone::Bad,
        _ => Tone::Plain,
    }
}
