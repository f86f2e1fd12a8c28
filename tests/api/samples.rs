//! Messages that are sound, for tests to change, and short ways to send them.

use crate::house::House;
use eile::api::proto::*;
use prost_types::{Duration, FieldMask, Timestamp};
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

pub fn id() -> String {
    Uuid::new_v4().to_string()
}

pub fn lt(text: &str) -> Vec<LocalizedText> {
    vec![LocalizedText { language: "lt".into(), text: text.into() }]
}

pub fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask { paths: paths.iter().map(|p| (*p).to_owned()).collect() })
}

pub fn hours(n: i64) -> Option<Duration> {
    Some(Duration { seconds: n * 3600, nanos: 0 })
}

pub fn at(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().unwrap();
    Some(Timestamp { seconds: at.as_second(), nanos: 0 })
}

pub fn centre() -> Centre {
    Centre { display_names: lt("Šeimų centras „Eilė“"), municipality_code: "42".into(), ..Default::default() }
}

pub fn programme() -> Programme {
    Programme { titles: lt("Pozityvi tėvystė"), kind: EventKind::Course.into(), ..Default::default() }
}

pub fn pool(id: &str, capacity: i32) -> SeatPool {
    SeatPool { pool_id: id.into(), capacity: Some(capacity), ..Default::default() }
}

pub fn session(start: &str, end: &str) -> Session {
    Session { start_local: start.into(), end_local: end.into(), ..Default::default() }
}

pub fn event(centre: &str, seats: i32) -> Event {
    Event {
        centre: centre.into(),
        titles: lt("Mokymai tėvams"),
        kind: EventKind::Course.into(),
        sessions: vec![session("2031-02-20T17:30", "2031-02-20T19:00")],
        seat_pools: vec![pool("main", seats)],
        ..Default::default()
    }
}

/// Offers for an hour, at any time of day.
pub fn offers() -> WaitlistPolicy {
    WaitlistPolicy {
        promotion: Promotion::Offer.into(),
        offer_rules: vec![OfferRule { min_time_to_start: None, answer_window: hours(1) }],
        quiet_hours: Some(QuietHours { start_local: "00:00".into(), end_local: "00:00".into() }),
        ..Default::default()
    }
}

static PARTIES: AtomicU32 = AtomicU32::new(1);

pub fn contact() -> Contact {
    let n = PARTIES.fetch_add(1, Ordering::Relaxed);
    Contact {
        display_name: format!("Vardenė Pavardenė {n}"), email: format!("p{n}@example.org"), ..Default::default()
    }
}

pub fn party(size: usize) -> Registration {
    Registration { contact: Some(contact()), members: vec![Member::default(); size], ..Default::default() }
}

/// Short ways to say what tests say all the time.
impl House {
    pub async fn centre(&mut self) -> String {
        let request = CreateCentreRequest { centre: Some(centre()), request_id: id(), ..Default::default() };
        self.admin.create_centre(request).await.unwrap().into_inner().centre.unwrap().name
    }

    pub async fn draft(&mut self, event: Event) -> Event {
        let request = CreateEventRequest { event: Some(event), request_id: id(), ..Default::default() };
        self.events.create_event(request).await.unwrap().into_inner().event.unwrap()
    }

    /// A published event; its name.
    pub async fn open(&mut self, event: Event) -> String {
        let name = self.draft(event).await.name;
        let request = PublishEventRequest { name: name.clone(), request_id: id(), ..Default::default() };
        self.events.publish_event(request).await.unwrap();
        name
    }

    /// A published event with so many seats and perhaps more about it; its name.
    pub async fn open_with(&mut self, seats: i32, change: impl FnOnce(&mut Event)) -> String {
        let centre = self.centre().await;
        let mut event = event(&centre, seats);
        change(&mut event);
        self.open(event).await
    }

    pub async fn get(&mut self, event: &str) -> Event {
        let request = GetEventRequest { name: event.into() };
        self.events.get_event(request).await.unwrap().into_inner().event.unwrap()
    }

    pub async fn sign_up(&mut self, event: &str, registration: Registration) -> CreateRegistrationResponse {
        self.registrations.create_registration(sign_up(event, registration)).await.unwrap().into_inner()
    }

    /// Signs a party of this size up; its registration.
    pub async fn joins(&mut self, event: &str, size: usize) -> Registration {
        self.sign_up(event, party(size)).await.registration.unwrap()
    }

    pub async fn look(&mut self, name: &str, view: RegistrationView) -> Registration {
        let request = GetRegistrationRequest { name: name.into(), view: view.into(), ..Default::default() };
        self.registrations.get_registration(request).await.unwrap().into_inner().registration.unwrap()
    }

    pub async fn state(&mut self, registration: &Registration) -> RegistrationState {
        self.look(&registration.name, RegistrationView::Basic).await.state()
    }

    pub async fn cancel(&mut self, registration: &Registration) -> Registration {
        let request =
            CancelRegistrationRequest { name: registration.name.clone(), request_id: id(), ..Default::default() };
        self.registrations.cancel_registration(request).await.unwrap().into_inner().registration.unwrap()
    }

    pub async fn update(&mut self, event: Event, paths: &[&str]) -> Event {
        let request =
            UpdateEventRequest { event: Some(event), update_mask: mask(paths), request_id: id(), ..Default::default() };
        self.events.update_event(request).await.unwrap().into_inner().event.unwrap()
    }
}

pub fn sign_up(event: &str, registration: Registration) -> CreateRegistrationRequest {
    CreateRegistrationRequest {
        parent: event.into(),
        registration: Some(registration),
        request_id: id(),
        ..Default::default()
    }
}
