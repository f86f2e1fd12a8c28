//! Plays the year: moves the clock from instant to instant, lets what is due happen, and then does what the
//! agenda says, several events at once, each in its own order.

use super::acts::{self, between, office};
use super::agenda::{Act, Agenda};
use super::calls::{Calls, Tally};
use super::data::{Year, instant};
use super::people::Source;
use super::report::attendance::Attended;
use super::report::reports::Reports;
use super::run::{EventRun, Stage};
use super::{plan, terms};
use crate::api::proto;
use crate::clock::ManualClock;
use crate::desk::Desk;
use crate::model::time::{Span, Timestamp};
use anyhow::{Context, anyhow};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::sync::Arc;

/// Where the year is played.
pub struct Place {
    pub desk: Desk,
    pub clock: Arc<ManualClock>,
}

/// What the year left behind.
pub struct Played {
    pub stage: Stage,
    pub runs: Vec<EventRun>,
    /// The events at the end, as the service lists them, in the order of `runs`.
    pub events: Vec<proto::Event>,
    /// Who came to them, in the same order.
    pub attended: Vec<Attended>,
    /// The reports that were pulled, with what changed since; and two pulled at the end.
    pub reports: Reports,
    pub tally: Tally,
    /// Things that happened, and instants at which they did.
    pub acts: usize,
    pub instants: usize,
}

/// Told of each instant, with the share of the year that has passed.
pub type Watch<'a> = &'a (dyn Fn(&Stage, Timestamp, f64) + Sync);

/// Before the first event opens.
pub fn new_year(year: &Year) -> anyhow::Result<Timestamp> {
    instant(&year.zone()?, "2025-01-02T08:00")
}

pub async fn play(year: Arc<Year>, calls: Calls, place: &Place, seed: u64, watch: Watch<'_>) -> anyhow::Result<Played> {
    let first = new_year(&year)?;
    let stage = Stage { zone: year.zone()?, year, calls };
    let mut runs = Vec::with_capacity(stage.year.events.len());
    let mut agenda = Agenda::default();
    for index in 0..stage.year.events.len() {
        let liked = asked_before(&stage, &runs, index);
        let mut run = EventRun::new(&stage, index, seed, &liked)?;
        plan::put(&stage, &mut run, &mut agenda, first.plus(Span::hours(1)))?;
        runs.push(run);
    }
    office::put(&stage, &mut agenda)?;
    open_house(&stage, &mut runs).await?;
    let end = agenda.last().unwrap_or(first);
    let (mut acts, mut instants) = (0, 0);
    while let Some(moment) = agenda.next() {
        place.clock.move_to(moment.at);
        if moment.acts.iter().any(|(_, act)| *act == Act::Due) {
            place.desk.sweep_now().await;
        }
        acts += moment.acts.len();
        instants += 1;
        instant_of(&stage, &mut runs, &mut agenda, moment.at, moment.acts).await;
        let passed = moment.at.since(first).0 as f64 / end.since(first).0.max(1) as f64;
        watch(&stage, moment.at, passed.min(1.0));
    }
    for run in &mut runs {
        see_doubles(&stage, run).await;
    }
    let events = listed(&stage, &runs).await?;
    let mut attended = Vec::with_capacity(runs.len());
    for run in &mut runs {
        attended.push(who_came(&stage, run).await);
    }
    let reports = office::reports(&stage, &mut runs).await;
    let tally = stage.calls.tally();
    Ok(Played { stage, runs, events, attended, reports, tally, acts, instants })
}

/// Does everything of one instant: each event's acts in their order, the events beside each other; then
/// what concerns two events, alone.
async fn instant_of(stage: &Stage, runs: &mut [EventRun], agenda: &mut Agenda, at: Timestamp, acts: Vec<(usize, Act)>) {
    let (two, one): (Vec<_>, Vec<_>) =
        acts.into_iter().partition(|(event, act)| acts::concerns_two(stage, *event, act));
    let mut of_event: Vec<Vec<Act>> = Vec::new();
    of_event.resize_with(runs.len(), Vec::new);
    for (event, act) in one {
        of_event[event].push(act);
    }
    let busy = runs.iter_mut().zip(of_event).filter(|(_, acts)| !acts.is_empty());
    let done = busy.map(|(run, acts)| async move {
        let index = run.index;
        (index, acts::perform(stage, run, at, acts).await)
    });
    for (event, follow) in join_all(done).await {
        for (when, act) in follow {
            agenda.put(when.max(at), event, act);
        }
    }
    for (event, act) in two {
        match act {
            Act::Scripted(n) => between::play(stage, runs, event, at, n).await,
            Act::Report(n) => office::report(stage, runs, at, n).await,
            Act::Office(n) => office::request(stage, runs, at, n).await,
            _ => {}
        }
    }
}

/// Households that an event is to draw first: those whose own group was cancelled and who were told of it.
fn asked_before(stage: &Stage, runs: &[EventRun], index: usize) -> HashSet<usize> {
    let id = &stage.year.events[index].id;
    let told = |run: &&EventRun| run.event(stage).scripted_actions.iter().any(|a| a.to_event.as_deref() == Some(id));
    let guests = runs.iter().filter(told).flat_map(|run| &run.guests);
    guests
        .filter_map(|g| match g.plan.source {
            Source::Household(i) => Some(i),
            _ => None,
        })
        .collect()
}

/// Centres, programmes, and every event of the year as a draft.
async fn open_house(stage: &Stage, runs: &mut [EventRun]) -> anyhow::Result<()> {
    let mut rng = super::rng::Rng::new(0, 0);
    let year = &stage.year;
    for centre in &year.centres {
        let ask = proto::CreateCentreRequest {
            centre: Some(terms::centre(year, centre)),
            centre_id: terms::short_id(&centre.id),
            request_id: rng.uuid().to_string(),
            validate_only: false,
        };
        stage.calls.create_centre(ask).await.map_err(|no| anyhow!("{}: {}", centre.id, no.message))?;
    }
    for programme in &year.programmes {
        let ask = proto::CreateProgrammeRequest {
            programme: Some(terms::programme(year, programme)),
            programme_id: terms::short_id(&programme.id),
            request_id: rng.uuid().to_string(),
            validate_only: false,
        };
        stage.calls.create_programme(ask).await.map_err(|no| anyhow!("{}: {}", programme.id, no.message))?;
    }
    let drafts = runs.iter_mut().map(|run| async move {
        let event = run.event(stage);
        let ask = proto::CreateEventRequest {
            event: Some(terms::event(&stage.year, &stage.zone, event)?),
            event_id: run.name.trim_start_matches("events/").to_owned(),
            request_id: run.request_id(),
            validate_only: false,
        };
        let created = stage.calls.create_event(ask).await;
        created.map(drop).map_err(|no| anyhow!("{}: {} {}", event.id, no.reason, no.message))
    });
    join_all(drafts).await.into_iter().collect()
}

/// What became of the second sign-ups that were kept back.
async fn see_doubles(stage: &Stage, run: &mut EventRun) {
    for name in &run.notes.doubles_kept_back {
        let ask = proto::GetRegistrationRequest { name: name.clone(), ..Default::default() };
        let seen = stage.calls.get_registration(ask).await.ok().and_then(|r| r.registration);
        let dropped = seen.is_some_and(|r| r.end_reason == "DUPLICATE_DROPPED");
        run.notes.doubles_dropped += usize::from(dropped);
    }
}

/// The counts of an event's sessions, and how many reached what it asks for.
async fn who_came(stage: &Stage, run: &mut EventRun) -> Attended {
    let parent = run.name.clone();
    let ask = proto::ListAttendanceRequest { parent: parent.clone(), page_size: 1, ..Default::default() };
    let sessions = match stage.calls.list_attendance(ask).await {
        Ok(listed) => listed.sessions,
        Err(no) => {
            run.odd(stage, "attendance listed", &no);
            Vec::new()
        }
    };
    if sessions.is_empty() || run.event(stage).attendance_rule.min_pct.is_none() {
        return Attended { sessions, completion: None };
    }
    let ask = proto::GetCompletionRequest { parent, page_size: 1, ..Default::default() };
    let completion = stage.calls.get_completion(ask).await;
    let completion = completion.map_err(|no| run.odd(stage, "completion", &no)).ok();
    Attended { sessions, completion }
}

/// All events as the service lists them at the end.
async fn listed(stage: &Stage, runs: &[EventRun]) -> anyhow::Result<Vec<proto::Event>> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let ask = proto::ListEventsRequest { page_size: 50, page_token, filter: String::new() };
        let page = stage.calls.list_events(ask).await;
        let page = page.map_err(|no| anyhow!("the events could not be listed: {}", no.message))?;
        all.extend(page.events);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let of = |run: &EventRun| all.iter().find(|e| e.name == run.name).cloned();
    runs.iter().map(|run| of(run).context("an event is missing from the list")).collect()
}
