//! What happens between two events: families who wait in one line come over to another. The invitation
//! itself (a message, an answer by a deadline, the place at home kept meanwhile) is a later matter; played
//! is what a coordinator can do by hand.

use super::super::run::{EventRun, Guest, Stage};
use super::super::terms::wall;
use crate::api::proto::{self, RegistrationState};
use crate::model::time::Timestamp;

/// Plays the n-th scripted action of `runs[to]`, which names another event as its source.
pub async fn play(stage: &Stage, runs: &mut [EventRun], to: usize, at: Timestamp, n: usize) {
    let Some(action) = stage.year.events[to].scripted_actions.get(n).cloned() else { return };
    let source = action.source_event.as_deref().unwrap_or_default();
    let Some(from) = stage.year.events.iter().position(|e| e.id == source) else { return };
    if stage.year.events[to].registration.invite_only {
        invited_sign_up(stage, runs, from, to, at).await;
        return;
    }
    let invited = action.invited_persons.or(action.persons).unwrap_or(0);
    come_over(stage, runs, (from, to), at, (invited, action.accepted_persons)).await;
}

/// An event by invitation only: its parties are, in order, those who wait in the other line. They keep
/// their place there.
async fn invited_sign_up(stage: &Stage, runs: &mut [EventRun], from: usize, to: usize, at: Timestamp) {
    let mut waiting: Vec<usize> = runs[from]
        .list(stage, "state = WAITLISTED", "line")
        .await
        .iter()
        .filter_map(|r| runs[from].guest_of(&r.name))
        .collect();
    let mut asked = 0;
    for i in 0..runs[to].guests.len() {
        let size = runs[to].guests[i].plan.size;
        let fits = |guest: &usize| runs[from].guests[*guest].plan.size == size;
        if waiting.is_empty() {
            break;
        }
        let chosen = waiting.remove(waiting.iter().position(fits).unwrap_or(0));
        let (source, home) =
            (runs[from].guests[chosen].plan.source, runs[from].guests[chosen].plan.municipality.clone());
        let event = runs[to].event(stage);
        let guest = &mut runs[to].guests[i];
        guest.plan.source = source;
        guest.plan.municipality = home;
        guest.words = super::super::people::registration(&stage.year, event, &guest.plan);
        asked += size;
    }
    let line = stage.year.events[from].id.clone();
    let what = format!("{asked} persons are invited from the line of {line}");
    runs[to].say(stage, at, what, "they sign up here and keep their place there");
}

/// Goes down the other line, to those who said that another municipality is fine, and moves those who
/// accept, in one transaction over both events, as long as a seat is free here.
async fn come_over(
    stage: &Stage,
    runs: &mut [EventRun],
    (from, to): (usize, usize),
    at: Timestamp,
    (invited, accepted): (i32, Option<i32>),
) {
    let line = runs[from].list(stage, "state = WAITLISTED", "line").await;
    let pct = stage.year.events[to].demand.offer_answers_pct;
    let (mut asked, mut moved) = (0, 0);
    for registration in line {
        let size = registration.party_size;
        let Some(guest) = runs[from].guest_of(&registration.name) else { continue };
        if !runs[from].guests[guest].plan.willing || asked + size > invited {
            continue;
        }
        asked += size;
        let yes = match accepted {
            Some(all) => moved + size <= all,
            None => runs[to].rng.below(100) < pct.accept,
        };
        if yes && transfer(stage, runs, (from, to), &registration, guest).await {
            moved += size;
        }
    }
    let source = stage.year.events[from].id.clone();
    let what = format!("{asked} persons from the line of {source} are asked to come over");
    runs[to].say(stage, at, what, format!("{moved} come and are confirmed"));
}

/// Tries it out first: nobody leaves a line for another line.
async fn transfer(
    stage: &Stage,
    runs: &mut [EventRun],
    (from, to): (usize, usize),
    registration: &proto::Registration,
    guest: usize,
) -> bool {
    let ask = |runs: &mut [EventRun], validate_only| proto::TransferRegistrationRequest {
        name: registration.name.clone(),
        target_event: runs[to].name.clone(),
        request_id: runs[from].request_id(),
        validate_only,
        ..Default::default()
    };
    let tried = stage.calls.transfer_registration(ask(runs, true)).await;
    let seat = tried.is_ok_and(|t| t.registration.is_some_and(|r| r.state() == RegistrationState::Confirmed));
    if !seat {
        return false;
    }
    match stage.calls.transfer_registration(ask(runs, false)).await {
        Ok(answer) => {
            let Some(new) = answer.registration else { return false };
            let old = &runs[from].guests[guest];
            let guest = Guest {
                plan: old.plan.clone(),
                arrives: old.arrives,
                request_id: old.request_id,
                words: old.words.clone(),
                name: new.name.clone(),
                token: answer.management_token,
                size: new.party_size,
                keen: true,
            };
            let target = &mut runs[to];
            target.notes.moved_in += new.party_size;
            target.by_name.insert(new.name, target.guests.len());
            target.guests.push(guest);
            true
        }
        Err(no) => {
            runs[to].odd(stage, "transfer", &no);
            false
        }
    }
}

/// "My neighbour signed up after me and got the place": staff look at why the last in line waits.
pub async fn complaint(stage: &Stage, run: &mut EventRun, at: Timestamp) {
    let line = run.list(stage, "state = WAITLISTED", "line").await;
    let Some(who) = line.get(line.len() / 2) else { return };
    let ask = proto::ExplainRegistrationRequest { name: who.name.clone(), ..Default::default() };
    match stage.calls.explain_registration(ask).await {
        Ok(answer) => {
            let text = answer.text.iter().find(|t| t.language == "en").map(|t| t.text.clone());
            let steps = answer.steps.len();
            let first = answer.steps.first().and_then(|s| s.time.as_ref()).map(super::super::terms::unstamp);
            let since = first.map(|t| wall(&stage.zone, t)).unwrap_or_default();
            let outcome =
                format!("{} ({steps} steps on record since {since}; nobody else is named)", text.unwrap_or_default());
            run.say(stage, at, "a complaint: \"my neighbour came after me and got in\"", outcome);
        }
        Err(no) => run.odd(stage, "explanation", &no),
    }
}
