//! The actions that the file scripts to the minute, within one event.

use super::super::agenda::Act;
use super::super::data::Scripted;
use super::super::plan::AFTER;
use super::super::run::{Arrival, EventRun, Stage};
use super::super::terms::{MAIN, session_id, unstamp, wall};
use super::{Follow, changes};
use crate::api::proto;
use crate::model::time::{Timestamp, format_local, parse_local};

pub async fn play(stage: &Stage, run: &mut EventRun, at: Timestamp, i: usize) -> Follow {
    let Some(action) = run.event(stage).scripted_actions.get(i).cloned() else { return Vec::new() };
    match action.action.as_str() {
        "participant_cancels" => return evening_before(stage, run, at, &action).await,
        "session_moved" => return session_moved(stage, run, at, &action).await,
        "capacity_changed" => capacity_changed(stage, run, at, &action).await,
        "venue_changed" => venue_changed(stage, run, at, &action).await,
        "cancel_event" => cancel_event(stage, run, at, &action).await,
        "group_party_resized" => group_resized(stage, run, at, &action).await,
        "decide_start" => decide_start(stage, run, at, &action).await,
        "offer_transfer" => {
            let to = action.to_event.unwrap_or_default();
            let outcome =
                format!("not possible: {to} is not open, and a transfer moves live registrations; they ask anew there");
            run.say(stage, at, "the parties are to be offered a transfer", outcome);
        }
        _ => {}
    }
    Vec::new()
}

/// Somebody cancels when offers stand for three hours at most and the night stops their clock.
async fn evening_before(stage: &Stage, run: &mut EventRun, at: Timestamp, action: &Scripted) -> Follow {
    let persons = action.persons.unwrap_or(1);
    let what = format!("the evening before, a party of {persons} cancels");
    let before: Vec<String> = run.offered.keys().cloned().collect();
    if !changes::cancel_exactly(stage, run, persons).await {
        run.say(stage, at, what, format!("not possible: no confirmed party of {persons}"));
        return Vec::new();
    }
    let follow = super::offers::look(stage, run, at).await;
    let new: Vec<_> = run.offered.iter().filter(|(name, _)| !before.contains(name)).collect();
    let outcome = match new.iter().map(|(_, until)| **until).max() {
        Some(until) => {
            format!("{} offered, to answer by {}", new.len(), wall(&stage.zone, until))
        }
        None => format!("no offer: {}", first_in_line(stage, run).await),
    };
    run.say(stage, at, what, outcome);
    follow
}

/// What the service says of whoever is first in line.
async fn first_in_line(stage: &Stage, run: &EventRun) -> String {
    let line = run.list(stage, "state = WAITLISTED", "line").await;
    let Some(first) = line.into_iter().next() else { return "nobody waits".to_owned() };
    let ask = proto::ExplainRegistrationRequest { name: first.name, ..Default::default() };
    let Ok(answer) = stage.calls.explain_registration(ask).await else { return String::new() };
    let text = answer.text.into_iter().find(|t| t.language == "en").map(|t| t.text).unwrap_or_default();
    format!("the first in line is a party of {}. {text}", first.party_size)
}

/// The event as it is, to be changed and sent back with its etag.
async fn current(stage: &Stage, run: &EventRun) -> Option<proto::Event> {
    stage.calls.get_event(proto::GetEventRequest { name: run.name.clone() }).await.ok()?.event
}

async fn send(stage: &Stage, run: &mut EventRun, event: proto::Event, field: &str) -> Option<proto::Event> {
    let ask = proto::UpdateEventRequest {
        event: Some(event),
        update_mask: Some(prost_types::FieldMask { paths: vec![field.to_owned()] }),
        request_id: run.request_id(),
        validate_only: false,
    };
    match stage.calls.update_event(ask).await {
        Ok(answer) => answer.event,
        Err(no) => {
            run.odd(stage, field, &no);
            None
        }
    }
}

async fn session_moved(stage: &Stage, run: &mut EventRun, at: Timestamp, action: &Scripted) -> Follow {
    let Some(event) = current(stage, run).await else { return Vec::new() };
    let Some(to) = action.to_local.as_deref().and_then(parse_local) else { return Vec::new() };
    let n = action.session.unwrap_or(0);
    let of = |event: &proto::Event| event.sessions.iter().find(|s| s.session_id == session_id(n)).cloned();
    let Some(session) = of(&event) else { return Vec::new() };
    let (start, end) = (parse_local(&session.start_local), parse_local(&session.end_local));
    let (Some(start), Some(end)) = (start, end) else { return Vec::new() };
    let ask = proto::MoveSessionRequest {
        name: run.name.clone(),
        session_id: session_id(n),
        start_local: format_local(to),
        end_local: to.checked_add(end - start).map(format_local).unwrap_or_default(),
        request_id: run.request_id(),
        ..Default::default()
    };
    let moved = match stage.calls.move_session(ask).await {
        Ok(answer) => answer.event.as_ref().and_then(of),
        Err(no) => {
            run.odd(stage, "session moved", &no);
            None
        }
    };
    let ends = moved.as_ref().and_then(|s| s.end_time.as_ref()).map(unstamp);
    let (Some(moved), Some(ends)) = (moved, ends) else { return Vec::new() };
    let why = action.reason_lt.clone().unwrap_or_default();
    let what = format!("session s{n} moves from {} ({why})", session.start_local);
    run.say(stage, at, what, format!("now {}, the others stay", moved.start_local));
    run.moved.insert(n, ends);
    vec![(ends.plus(AFTER), Act::Attend(n))]
}

async fn capacity_changed(stage: &Stage, run: &mut EventRun, at: Timestamp, action: &Scripted) {
    let Some(mut event) = current(stage, run).await else { return };
    let (from, to) = (action.from.unwrap_or(0), action.to.unwrap_or(0));
    let Some(pool) = event.seat_pools.iter_mut().find(|p| p.pool_id == MAIN) else { return };
    pool.capacity = pool.capacity.map(|seats| seats + to - from);
    let before = event.counts.unwrap_or_default();
    let Some(counts) = send(stage, run, event, "seat_pools").await.and_then(|e| e.counts) else { return };
    let what = format!("capacity from {from} to {to} ({})", action.reason_lt.clone().unwrap_or_default());
    let outcome = format!(
        "{} confirmed stay, {} newly offered, {} newly confirmed, over by {}",
        before.confirmed_persons,
        counts.offered_persons - before.offered_persons,
        counts.confirmed_persons - before.confirmed_persons,
        counts.over_capacity
    );
    run.say(stage, at, what, outcome);
}

async fn venue_changed(stage: &Stage, run: &mut EventRun, at: Timestamp, action: &Scripted) {
    let Some(mut event) = current(stage, run).await else { return };
    let venue = event.venue.get_or_insert_default();
    venue.display_name = format!("{} (salėje)", venue.display_name);
    let what = format!("the venue changes ({})", action.reason_lt.clone().unwrap_or_default());
    if let Some(event) = send(stage, run, event, "venue").await {
        let counts = event.counts.unwrap_or_default();
        run.say(stage, at, what, format!("{} parties keep their seats", counts.confirmed_parties));
    }
}

async fn cancel_event(stage: &Stage, run: &mut EventRun, at: Timestamp, action: &Scripted) {
    let reason = action.reason_lt.clone().unwrap_or_default();
    let ask = proto::CancelEventRequest {
        name: run.name.clone(),
        reason: reason.clone(),
        request_id: run.request_id(),
        ..Default::default()
    };
    match stage.calls.cancel_event(ask).await {
        Ok(answer) => {
            run.cancelled = true;
            let counts = answer.event.and_then(|e| e.counts).unwrap_or_default();
            let outcome = format!("{} parties end as EVENT_CANCELLED", counts.event_cancelled_parties);
            run.say(stage, at, format!("the event is cancelled ({reason})"), outcome);
        }
        Err(no) => run.odd(stage, "cancel", &no),
    }
}

/// The bus of 30 becomes 34: all of it, or four more as a party of their own that waits.
async fn group_resized(stage: &Stage, run: &mut EventRun, at: Timestamp, action: &Scripted) {
    let group = super::super::people::Source::Group(action.group.unwrap_or(0));
    let Some(guest) = run.guests.iter().position(|g| g.plan.source == group) else { return };
    let (from, to) = (action.from.unwrap_or(0), action.to.unwrap_or(0));
    let more = to - from;
    let mut words = run.guests[guest].words.clone();
    let Some(heads) = words.head_count.as_mut() else { return };
    heads.adults += more / 2;
    heads.children += more - more / 2;
    let what = format!("the bus of {from} becomes {to}");
    if changes::update(stage, run, guest, words.clone(), "head_count").await {
        run.say(stage, at, what, "the seats were free and nobody waited: all have them");
        return;
    }
    words.head_count = Some(proto::HeadCount { adults: more / 2, children: more - more / 2 });
    words.name = String::new();
    if let Some(contact) = words.contact.as_mut() {
        *contact = proto::Contact {
            display_name: format!("{} (dar {more})", contact.display_name),
            email: "autobusas2.sal@example.org".to_owned(),
            phone: String::new(),
        };
    }
    let ask = proto::CreateRegistrationRequest {
        parent: run.name.clone(),
        registration: Some(words),
        request_id: run.request_id(),
        validate_only: false,
        consents: Vec::new(),
    };
    let outcome = match stage.calls.create_registration(ask, true).await {
        Ok(answer) => {
            let r = answer.registration.unwrap_or_default();
            run.notes.arrivals.push(Arrival { at, size: r.party_size, state: r.state(), position: r.position });
            let state = r.state().as_str_name().trim_start_matches("REGISTRATION_STATE_").to_lowercase();
            format!(
                "refused, the 30 keep their seats; the {more} sign up beside them: {state}, position {}",
                r.position
            )
        }
        Err(no) => format!("refused, and so are the {more} beside them: {}", no.reason),
    };
    run.say(stage, at, what, outcome);
}

async fn decide_start(stage: &Stage, run: &mut EventRun, at: Timestamp, action: &Scripted) {
    let Some(event) = current(stage, run).await else { return };
    let counts = event.counts.unwrap_or_default();
    let outcome = format!("{} confirmed, minimum {}", counts.confirmed_persons, event.minimum_to_start);
    run.say(stage, at, format!("staff decide to start ({})", action.reason_lt.clone().unwrap_or_default()), outcome);
}

/// What is scripted between two events, and played by `between`.
pub fn concerns_two(stage: &Stage, index: usize, act: &Act) -> bool {
    let i = match act {
        Act::Report(_) | Act::Office(_) => return true,
        Act::Scripted(i) => i,
        _ => return false,
    };
    stage.year.events[index].scripted_actions.get(*i).is_some_and(|a| a.source_event.is_some())
}
