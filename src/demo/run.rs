//! One event as the demo plays it: what it knows of its parties, and what it wrote down on the way.

use super::calls::Calls;
use super::data::{self, Event, Year};
use super::people::{self, Party};
use super::rng::Rng;
use super::terms;
use crate::api::proto::{self, RegistrationState};
use crate::model::time::{Timestamp, Zone};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// The party's words, with the slots that suit where they are appointments.
pub fn words(year: &Year, event: &Event, plan: &Party, rng: &mut Rng) -> proto::Registration {
    let mut words = people::registration(year, event, plan);
    if event.kind == "appointment_block" {
        let mut slots: Vec<String> = event.sessions.iter().map(|s| terms::slot_id(s.n)).collect();
        rng.shuffle(&mut slots);
        slots.truncate(2 + rng.below(5));
        words.acceptable_pools = slots;
    }
    words
}

/// What every act may use.
pub struct Stage {
    pub year: Arc<Year>,
    pub zone: Zone,
    pub calls: Calls,
}

/// A party, before and after it signed up.
pub struct Guest {
    pub plan: Party,
    pub arrives: Timestamp,
    pub request_id: Uuid,
    /// As it was last sent.
    pub words: proto::Registration,
    /// "events/.../registrations/..."; empty: not signed up.
    pub name: String,
    pub token: String,
    pub size: i32,
    /// Sent its sign-up twice: it wants the seat.
    pub keen: bool,
}

/// One sign-up as it was first answered.
pub struct Arrival {
    pub at: Timestamp,
    pub size: i32,
    pub state: RegistrationState,
    pub position: i64,
}

/// Something out of the ordinary, and what came of it.
pub struct Line {
    pub at: Timestamp,
    pub event: String,
    pub what: String,
    pub outcome: String,
}

/// What was written down of an event.
#[derive(Default)]
pub struct Notes {
    pub arrivals: Vec<Arrival>,
    pub lines: Vec<Line>,
    /// Seats that the service answered when the event was published.
    pub seats_at_opening: Option<i32>,
    /// Persons by which parties became smaller or larger, and persons who came over from another line.
    pub shrunk: i32,
    pub grown: i32,
    pub moved_in: i32,
    /// Persons who were typed in once more.
    pub typed_twice: i32,
    /// Names of stored reports.
    pub reports: Vec<String>,
    pub resent: usize,
    pub resent_same: usize,
    pub doubles_refused: usize,
    /// Names of second sign-ups that were kept back, and how many of them were dropped in the end.
    pub doubles_kept_back: Vec<String>,
    pub doubles_dropped: usize,
    pub incomplete: usize,
    pub changes: usize,
    pub changes_refused: usize,
    pub called: usize,
    pub called_seated: usize,
    /// Children to look after and rides that parties with a seat at the first session wished for.
    pub wishes_seated: (i32, i32),
    /// Persons who came without a registration and were taken in, by session.
    pub walked_in: Vec<(u32, i32)>,
    pub unexpected: Vec<String>,
    /// What the file asks for and could not be done, by cause.
    pub skipped: HashMap<&'static str, i32>,
}

pub struct EventRun {
    pub index: usize,
    pub name: String,
    pub rng: Rng,
    /// Who comes, drawn apart, so that what happens at the door alters nothing before it.
    pub door: Rng,
    pub opens: Timestamp,
    pub closes: Timestamp,
    pub starts: Timestamp,
    pub ends: Timestamp,
    /// Freed seats are offered.
    pub offers: bool,
    pub cancelled: bool,
    pub guests: Vec<Guest>,
    pub by_name: HashMap<String, usize>,
    /// Live offers that are known, with their deadlines.
    pub offered: HashMap<String, Timestamp>,
    /// Who comes without a registration, and to which session.
    pub walk_ins: Vec<WalkIn>,
    /// Sessions that were moved, and when they end now.
    pub moved: HashMap<u32, Timestamp>,
    /// Hundredths of a person that the file's percentages still ask for, from session to session.
    pub owed: i32,
    /// The line of a paper list that was misread, as it should have been.
    pub misread: Option<(String, proto::MarkEntry)>,
    pub notes: Notes,
}

/// Somebody on no list.
pub struct WalkIn {
    pub session: u32,
    pub words: proto::Registration,
}

impl EventRun {
    pub fn new(stage: &Stage, index: usize, seed: u64, liked: &HashSet<usize>) -> anyhow::Result<Self> {
        let (zone, event) = (&stage.zone, &stage.year.events[index]);
        let mut rng = Rng::new(seed, index as u64 + 1);
        let name = format!("events/{}", rng.uuid());
        let opens = data::instant(zone, &event.registration.opens.local)?;
        let closes = super::plan::last_call(zone, event)?;
        let parties = people::draw(&stage.year, event, &mut rng, liked);
        let arrivals = super::plan::arrivals(event, opens, closes, parties.len(), &mut rng)?;
        let mut guests: Vec<Guest> = parties
            .into_iter()
            .zip(arrivals)
            .map(|(plan, arrives)| Guest {
                arrives,
                request_id: rng.uuid(),
                words: words(&stage.year, event, &plan, &mut rng),
                name: String::new(),
                token: String::new(),
                size: 0,
                keen: false,
                plan,
            })
            .collect();
        guests.sort_by_key(|g| g.arrives);
        Ok(Self {
            index,
            name,
            rng,
            door: Rng::new(seed, 1_000 + index as u64),
            opens,
            closes,
            starts: terms::starts_at(zone, event)?,
            ends: terms::ends_at(zone, event)?,
            offers: terms::offers(event),
            cancelled: false,
            guests,
            by_name: HashMap::new(),
            offered: HashMap::new(),
            walk_ins: Vec::new(),
            moved: HashMap::new(),
            owed: 0,
            misread: None,
            notes: Notes::default(),
        })
    }

    pub fn event<'a>(&self, stage: &'a Stage) -> &'a Event {
        &stage.year.events[self.index]
    }

    pub fn request_id(&mut self) -> String {
        self.rng.uuid().to_string()
    }

    /// An instant from `from` to just before `to`, to the second; `from` where that is no time at all.
    pub fn between(&mut self, from: Timestamp, to: Timestamp) -> Timestamp {
        let seconds = ((to.0 - from.0) / 1_000_000).max(0) as usize;
        Timestamp(from.0 + self.rng.below(seconds) as i64 * 1_000_000)
    }

    /// Writes down something that people will want to read.
    pub fn say(&mut self, stage: &Stage, at: Timestamp, what: impl Into<String>, outcome: impl Into<String>) {
        let event = self.event(stage).id.clone();
        self.notes.lines.push(Line { at, event, what: what.into(), outcome: outcome.into() });
    }

    pub fn skip(&mut self, why: &'static str, count: i32) {
        *self.notes.skipped.entry(why).or_default() += count;
    }

    /// Something that the plan did not expect; the report shows it.
    pub fn odd(&mut self, stage: &Stage, what: &str, refused: &super::calls::Refused) {
        let id = &self.event(stage).id;
        self.notes.unexpected.push(format!("{id} {what}: {} {}", refused.reason, refused.message));
    }

    /// The guest of a registration's name.
    pub fn guest_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The token, where the party acts by itself; staff act for who came by telephone.
    pub fn token_of(&self, name: &str) -> String {
        let guest = self.guest_of(name).map(|i| &self.guests[i]);
        guest.filter(|g| g.plan.channel == proto::Channel::Web).map(|g| g.token.clone()).unwrap_or_default()
    }

    /// The event's registrations that match, as the service answers them.
    pub async fn list(&self, stage: &Stage, filter: &str, order_by: &str) -> Vec<proto::Registration> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let ask = proto::ListRegistrationsRequest {
                parent: self.name.clone(),
                page_size: 500,
                page_token,
                filter: filter.to_owned(),
                order_by: order_by.to_owned(),
                view: proto::RegistrationView::Basic.into(),
            };
            let Ok(page) = stage.calls.list_registrations(ask).await else { return all };
            all.extend(page.registrations);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }
}
