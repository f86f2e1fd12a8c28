//! Several clients at once, each with its own dice: sign-ups, cancellations, answers to offers, corrections,
//! classes, promotions, seats more and less, transfers, time that passes, and reads; some requests are sent twice at
//! the same time, some again much later, some with another body. In the middle of the run the service is stopped and
//! started again on the same data.

use super::at_the_door::{self, OPEN_GROUP};
use super::history::{Ask, Call, Heard, History, Log};
use crate::support::client::{Answer, Client, SignedUp};
use crate::support::service::{Database, Service, event_id};
use crate::support::words::*;
use eile::api::proto as pb;
use eile::model::time::{Span, Timestamp};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// Where a run takes place.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    pub database: Database,
    pub instances: usize,
}

const CLIENTS: usize = 8;
const ROUNDS: usize = 34;
/// Contacts that all clients draw from, so that they meet.
const CONTACTS: u64 = 70;

/// splitmix64: small, and good enough to roll dice.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(self.below(all.len() as u64) as usize) }
    }
}

/// What all clients share.
struct Shared {
    events: Vec<String>,
    ticks: AtomicU64,
    /// Parties that were taken in, with the index of their event.
    parties: Mutex<Vec<(usize, SignedUp)>>,
    calls: Mutex<Vec<Call>>,
    times: Mutex<Vec<Timestamp>>,
    clock: Arc<eile::clock::ManualClock>,
}

/// Plays a run and gathers everything that there is to know of it.
pub async fn play(stage: Stage, seed: u64) -> History {
    println!("EILE_SEED={seed} on {stage:?}");
    let mut service = Service::start(stage.database, "2025-01-13T09:00").await;
    let desk = service.client().await;
    let mut events = Vec::new();
    for event in events_of_all_kinds() {
        events.push(desk.publish(event).await.name);
    }
    let mut bases = Vec::new();
    for event in &events {
        bases.push(desk.event(event).await.journal_number as u64);
    }
    let shared = Arc::new(Shared {
        events,
        ticks: AtomicU64::new(0),
        parties: Mutex::default(),
        calls: Mutex::default(),
        times: Mutex::new(vec![service.now()]),
        clock: Arc::clone(&service.clock),
    });
    let rounds = std::env::var("EILE_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    for half in 0..2 {
        while service.instances() < stage.instances {
            service.add_instance().await;
        }
        let mut clients = tokio::task::JoinSet::new();
        for n in 0..CLIENTS {
            let dice = Dice::new(seed ^ ((half * CLIENTS + n) as u64).wrapping_mul(0x1234_5678_9abc_def1));
            let mut ways = Vec::new();
            for instance in 0..service.instances() {
                ways.push(service.client_of(instance).await);
            }
            clients.spawn(One { shared: Arc::clone(&shared), ways, dice, own: Vec::new() }.play(rounds));
        }
        clients.join_all().await;
        service.restart().await;
    }
    an_offer_taken_and_one_missed(&service, &shared).await;
    all_that_happens_at_a_door(&service, &shared).await;
    gather(service, shared, bases, seed).await
}

/// What dice alone might leave out: seats are added until somebody is offered one and takes it, and then until somebody
/// is offered one and lets the time pass.
async fn an_offer_taken_and_one_missed(service: &Service, shared: &Shared) {
    const EVENT: usize = 2;
    let client = service.client().await;
    let send = async |about: Option<String>, ask: Ask| {
        let request = Request { id: Uuid::new_v4().to_string(), token: String::new() };
        shared.send(&client, &Sending { event: EVENT, about, ask, request, reused: false }).await;
    };
    for is_taken in [true, false] {
        let event = client.event(&shared.events[EVENT]).await;
        let counts = event.counts.as_ref().unwrap();
        let held = (counts.confirmed_persons + counts.offered_persons).max(1);
        // Full; somebody waits; and then there is room for any party.
        for (seats, who) in [(held, Some("Vėlyva")), (held + 4, None)] {
            let mut event = pb::Event { etag: String::new(), ..event.clone() };
            event.seat_pools[0].capacity = Some(seats);
            send(None, Ask::Seats { event: Box::new(event), pool: "main".into(), seats }).await;
            if let Some(who) = who {
                let party = Box::new(party(&format!("{who} {is_taken}"), 1));
                send(None, Ask::Register { party, vouched: true }).await;
            }
        }
        let offered = client.list(&shared.events[EVENT], "state = OFFERED", "line").await;
        if is_taken {
            send(Some(offered.first().unwrap().name.clone()), Ask::Accept).await;
        } else {
            shared.clock.advance(Span::hours(30));
            shared.times.lock().unwrap().push(service.now());
            service.sweep().await;
        }
    }
}

async fn all_that_happens_at_a_door(service: &Service, shared: &Shared) {
    let client = service.client().await;
    let send = async |about: Option<String>, ask: Ask| {
        let request = Request { id: Uuid::new_v4().to_string(), token: String::new() };
        shared.send(&client, &Sending { event: OPEN_GROUP, about, ask, request, reused: false }).await;
    };
    let party = Box::new(party("Netikėta", 2));
    send(None, Ask::WalkIn { session: "s1".into(), party }).await;
    let walked_in = shared.parties.lock().unwrap().last().unwrap().1.name.clone();
    for (about, ask) in at_the_door::at_the_end(&walked_in) {
        send(about, ask).await;
    }
}

async fn gather(service: Service, shared: Arc<Shared>, bases: Vec<u64>, seed: u64) -> History {
    let desk = service.client().await;
    let mut logs = Vec::new();
    for (name, base) in shared.events.iter().zip(bases) {
        logs.push(Log {
            name: name.clone(),
            id: event_id(name),
            base,
            shown: desk.event(name).await,
            listed: desk.list(name, "", "line").await,
            attendance: desk.attendance(name).await,
            entries: service.journal(name).await,
            whole: Arc::new(service.whole(name).await),
        });
    }
    let keys = service.keys.clone();
    let audit = service.stop_and_audit().await;
    let calls = std::mem::take(&mut *shared.calls.lock().unwrap());
    let times = std::mem::take(&mut *shared.times.lock().unwrap());
    History { seed, calls, logs, times, audit, keys }
}

/// One event for each way of giving seats.
fn events_of_all_kinds() -> Vec<pb::Event> {
    let quick = vec![pb::OfferRule { min_time_to_start: None, answer_window: Some(hours(6)) }];
    let ranked = vec!["guardian".to_owned(), "any".to_owned()];
    let event = |title: &str, pools: Vec<pb::SeatPool>, policy: pb::WaitlistPolicy| pb::Event {
        seat_pools: pools,
        waitlist_policy: Some(policy),
        party_limits: Some(pb::PartyLimits { min_size: 1, max_size: 4 }),
        ..course(title, &["2025-02-20T17:30", "2025-02-27T17:30"])
    };
    vec![
        event("Tiesiogiai, laukiant", vec![pool("main", 12)], pb::WaitlistPolicy::default()),
        event(
            "Pasiūlymai, praleidžiant",
            vec![pool("open", 7), kept_pool("kept", 3, &["guardian"], Some("2025-01-15T10:00"))],
            pb::WaitlistPolicy {
                max_passed_over: Some(2),
                offer_rules: quick.clone(),
                missed_offer: pb::MissedOffer::KeepPlace as i32,
                class_order: ranked.clone(),
                ..offers(pb::PartyFit::Skip)
            },
        ),
        event(
            "Pasiūlymai, laukiant, į galą",
            vec![pool("main", 8)],
            pb::WaitlistPolicy {
                offer_rules: quick,
                missed_offer: pb::MissedOffer::ToEnd as i32,
                class_order: ranked,
                waitlist_limit: Some(14),
                ..offers(pb::PartyFit::Hold)
            },
        ),
        event(
            "Laikai, po du",
            vec![pool("a", 3), pool("b", 2), pool("c", 4)],
            pb::WaitlistPolicy {
                party_fit: pb::PartyFit::Skip as i32,
                registrations_per_contact: Some(2),
                ..Default::default()
            },
        ),
        event(
            "Ranka",
            vec![pool("main", 6)],
            pb::WaitlistPolicy { promotion: pb::Promotion::Manual as i32, ..Default::default() },
        ),
        at_the_door::open_group(),
    ]
}

/// A request as it can be sent again.
#[derive(Clone)]
struct Sending {
    event: usize,
    about: Option<String>,
    ask: Ask,
    request: Request,
    reused: bool,
}

/// One client.
struct One {
    shared: Arc<Shared>,
    /// A connection to each instance.
    ways: Vec<Client>,
    dice: Dice,
    own: Vec<Sending>,
}

impl One {
    async fn play(mut self, rounds: usize) {
        for _ in 0..rounds {
            if self.dice.one_in(20) {
                self.let_time_pass();
            }
            let Some(sending) = self.next_sending().await else { continue };
            if self.dice.one_in(6) && !matches!(sending.ask, Ask::Look | Ask::Counts) {
                // Pressed twice: at the same time, perhaps on two instances.
                let (one, two) = (self.way(), self.way());
                tokio::join!(self.shared.send(&one, &sending), self.shared.send(&two, &sending));
            } else {
                let way = self.way();
                self.shared.send(&way, &sending).await;
            }
            self.own.push(sending);
        }
    }

    fn way(&mut self) -> Client {
        self.dice.pick(&self.ways).unwrap().clone()
    }

    /// The clock goes on by some hours; what is due is done by whoever comes next, a sweeper or a call.
    fn let_time_pass(&mut self) {
        let mut times = self.shared.times.lock().unwrap();
        self.shared.clock.advance(Span::seconds(60 * self.dice.below(8 * 60) as i64));
        times.push(eile::clock::Clock::now(&*self.shared.clock));
    }

    async fn next_sending(&mut self) -> Option<Sending> {
        if self.dice.one_in(12) && !self.own.is_empty() {
            let again = self.dice.pick(&self.own).unwrap().clone();
            if self.dice.one_in(3) && !again.reused {
                return self.with_another_body(again);
            }
            return Some(again);
        }
        let event = self.dice.below(self.shared.events.len() as u64) as usize;
        let mut sending = Sending {
            event,
            about: None,
            ask: Ask::Counts,
            request: Request { id: Uuid::new_v4().to_string(), token: String::new() },
            reused: false,
        };
        match self.dice.below(125) {
            100.. => return self.around_a_session(sending).await,
            0..=37 => {
                let vouched = !self.dice.one_in(6);
                sending.ask = Ask::Register { party: Box::new(self.party(event)), vouched };
            }
            38..=42 => {}
            43..=47 => return self.seats(sending).await,
            n => {
                let (event, party) = self.somebody(n).await?;
                sending.event = event;
                sending.about = Some(party.name.clone());
                if self.dice.one_in(2) {
                    sending.request.token = party.token;
                }
                sending.ask = self.about_a_party(n, event);
                if matches!(sending.ask, Ask::SetClass { .. } | Ask::Promote { .. }) {
                    sending.request.token.clear();
                }
            }
        }
        Some(sending)
    }

    /// Anybody; or, where an offer is to be answered or a seat given, mostly somebody for whom it can be.
    async fn somebody(&mut self, n: u64) -> Option<(usize, SignedUp)> {
        let (event, state) = match n {
            60..=67 => (1, "OFFERED"),
            68..=74 => (2, "OFFERED"),
            87..=89 => (4, "WAITLISTED"),
            _ => (0, ""),
        };
        let parties = self.shared.parties.lock().unwrap().clone();
        if !state.is_empty() && !self.dice.one_in(4) {
            let listed = self.way().list(&self.shared.events[event], &format!("state = {state}"), "line").await;
            let chosen = self.dice.pick(&listed)?;
            return parties.into_iter().find(|(_, party)| party.name == chosen.name);
        }
        self.dice.pick(&parties).cloned()
    }

    fn about_a_party(&mut self, n: u64, event: usize) -> Ask {
        match n {
            48..=59 => Ask::Cancel,
            60..=70 => Ask::Accept,
            71..=74 => Ask::Decline,
            75..=82 => {
                let party = Box::new(self.party(event));
                let fields = if self.dice.one_in(3) { vec!["contact"] } else { vec!["members"] };
                Ask::Amend { party, fields }
            }
            83..=86 => Ask::SetClass { class: if self.dice.one_in(4) { String::new() } else { "guardian".into() } },
            87..=91 => Ask::Promote { reason: if self.dice.one_in(2) { String::new() } else { "Skubu".into() } },
            92..=95 => Ask::Transfer { to: self.dice.below(self.shared.events.len() as u64) as usize },
            _ => Ask::Look,
        }
    }

    /// A party under one of the contacts that all share.
    fn party(&mut self, event: usize) -> pb::Registration {
        let size = 1 + self.dice.below(3) as usize;
        let who = self.dice.below(CONTACTS);
        let mut party = party(&format!("Šeima {who}"), size);
        if self.dice.one_in(3) {
            party = party.by_phone(&format!("8 612 {who:05}"));
        } else if self.dice.one_in(3) {
            party.contact.as_mut().unwrap().phone = format!("+370612{who:05}");
        }
        let wishes: &[&str] = match (event, self.dice.below(4)) {
            (3, 0) => &["b"],
            (3, 1) => &["c", "a"],
            (1, 0) => &["kept", "open"],
            _ => &[],
        };
        party.wishing(wishes)
    }

    async fn around_a_session(&mut self, mut sending: Sending) -> Option<Sending> {
        sending.event = OPEN_GROUP;
        let listed = self.way().list(&self.shared.events[OPEN_GROUP], "", "line").await;
        let (party, now) = (self.party(OPEN_GROUP), eile::clock::Clock::now(&*self.shared.clock));
        let roll = self.dice.below(25);
        (sending.about, sending.ask) = at_the_door::ask(&mut self.dice, roll, &listed, party, now)?;
        Some(sending)
    }

    async fn seats(&mut self, mut sending: Sending) -> Option<Sending> {
        if sending.event == OPEN_GROUP {
            // Walk-ins need room.
            sending.event = 0;
        }
        let mut event = self.way().event(&self.shared.events[sending.event]).await;
        event.etag.clear();
        let chosen = self.dice.below(event.seat_pools.len() as u64) as usize;
        let pool = &mut event.seat_pools[chosen];
        let seats = (pool.capacity.unwrap() + self.dice.below(5) as i32 - 2).clamp(1, 16);
        pool.capacity = Some(seats);
        let pool = pool.pool_id.clone();
        sending.ask = Ask::Seats { event: Box::new(event), pool, seats };
        Some(sending)
    }

    /// The request id of something that was accepted, with another body.
    fn with_another_body(&mut self, again: Sending) -> Option<Sending> {
        let accepted = {
            let calls = self.shared.calls.lock().unwrap();
            calls.iter().any(|c| {
                c.request_id.to_string() == again.request.id && !c.reused && c.refused().is_none() && !c.is_read()
            })
        };
        let party = Box::new(party("Visai kita", 4));
        accepted.then_some(Sending { ask: Ask::Register { party, vouched: true }, about: None, reused: true, ..again })
    }
}

impl Shared {
    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// Sends a request and writes down what was asked and heard.
    async fn send(&self, client: &Client, sending: &Sending) {
        let before = eile::clock::Clock::now(&*self.clock);
        let called = self.tick();
        let heard = self.perform(client, sending).await.unwrap_or_else(Heard::Refused);
        let returned = self.tick();
        let after = eile::clock::Clock::now(&*self.clock);
        if let Heard::Refused(refused) = &heard
            && refused.reason == "TOKEN_INVALID"
            && !sending.request.token.is_empty()
        {
            // Another contact has ended this token: whoever holds it is a stranger now, and nothing was decided.
            return;
        }
        if let Heard::Refused(refused) = &heard {
            let known = [
                tonic::Code::FailedPrecondition,
                tonic::Code::AlreadyExists,
                tonic::Code::ResourceExhausted,
                tonic::Code::InvalidArgument,
                tonic::Code::NotFound,
            ];
            assert!(known.contains(&refused.code), "{refused:?} to {:?}", sending.ask);
        }
        let new = match (&heard, &sending.ask) {
            (Heard::SignedUp(new), _) => Some((sending.event, new.clone())),
            (Heard::Transferred(moved), Ask::Transfer { to }) => Some((*to, moved.0.clone())),
            _ => None,
        };
        self.parties.lock().unwrap().extend(new);
        self.calls.lock().unwrap().push(Call {
            event: sending.event,
            about: sending.about.clone(),
            ask: sending.ask.clone(),
            request_id: sending.request.id.parse().unwrap(),
            by_party: !sending.request.token.is_empty(),
            reused: sending.reused,
            called,
            returned,
            clock: (before, after),
            heard,
        });
    }

    async fn perform(&self, client: &Client, sending: &Sending) -> Answer<Heard> {
        let request = &sending.request;
        let about = sending.about.as_deref().unwrap_or_default();
        Ok(match &sending.ask {
            Ask::Register { party, vouched } => {
                let client = if *vouched { client.clone() } else { client.portal() };
                let event = &self.events[sending.event];
                Heard::SignedUp(client.sign_up_as(event, (**party).clone(), &request.id).await?)
            }
            Ask::Cancel => Heard::Registration(client.cancel(about, request).await?),
            Ask::Accept => Heard::Registration(client.accept(about, request).await?),
            Ask::Decline => Heard::Registration(client.decline(about, request).await?),
            Ask::Amend { party, fields } => {
                let party = pb::Registration { name: about.to_owned(), ..(**party).clone() };
                Heard::Registration(client.amend(party, fields, request).await?)
            }
            Ask::SetClass { class } => {
                Heard::Registration(client.set_class(about, class, "Patikrinta", request).await?)
            }
            Ask::Promote { reason } => Heard::Registration(client.promote(about, reason, request).await?),
            Ask::Seats { event, .. } => {
                let event = client.update_event_as((**event).clone(), &["seat_pools"], &request.id).await?;
                Heard::Event(Box::new(event))
            }
            Ask::Transfer { to } => {
                let (new, old) = client.transfer(about, &self.events[*to], request).await?;
                Heard::Transferred(Box::new((new, old)))
            }
            Ask::Look => Heard::Registration(client.get(about).await?),
            Ask::Counts => Heard::Event(Box::new(client.event(&self.events[sending.event]).await)),
            ask => {
                let event = &self.events[sending.event];
                at_the_door::perform(client, event, about, ask, &request.id).await?
            }
        })
    }
}
