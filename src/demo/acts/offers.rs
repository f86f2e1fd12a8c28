//! Offers are found, answered or left to run out; on the last day staff telephone down the line.

use super::super::agenda::Act;
use super::super::run::{EventRun, Stage};
use super::super::terms::unstamp;
use super::Follow;
use crate::api::proto;
use crate::model::time::{Span, Timestamp};
use std::collections::HashMap;

/// Finds the offers that are new, and draws what comes of each.
pub async fn look(stage: &Stage, run: &mut EventRun, at: Timestamp) -> Follow {
    if at >= run.starts || run.cancelled || at < run.opens {
        return Vec::new();
    }
    let live = run.list(stage, "state = OFFERED", "time").await;
    let mut follow = Vec::new();
    for registration in live {
        let Some(deadline) = registration.offer_expire_time.as_ref().map(unstamp) else { continue };
        if run.offered.insert(registration.name.clone(), deadline) == Some(deadline) {
            continue;
        }
        // Whatever the answer, what falls due at the deadline is done in its time.
        follow.push((deadline, Act::Due));
        let Some(party) = run.guest_of(&registration.name) else { continue };
        let pct = run.event(stage).demand.offer_answers_pct;
        let drawn = run.rng.below(100);
        let yes = drawn < pct.accept || run.guests[party].keen;
        let window = deadline.since(at).0.max(0);
        let wait = (window as f64 * (0.02 + 0.93 * run.rng.unit())) as i64 / 1_000_000;
        if yes || drawn < pct.accept + pct.decline {
            follow.push((at.plus(Span::seconds(wait)), Act::Answer { party, yes }));
        }
    }
    follow
}

pub async fn answer(stage: &Stage, run: &mut EventRun, party: usize, yes: bool) {
    let name = run.guests[party].name.clone();
    // Its event was cancelled meanwhile, or it got its seat in another way.
    if run.cancelled || !run.offered.contains_key(&name) {
        return;
    }
    let management_token = run.token_of(&name);
    let request_id = run.request_id();
    let answered = if yes {
        let ask = proto::AcceptOfferRequest { name: name.clone(), request_id, management_token };
        stage.calls.accept_offer(ask).await.map(drop)
    } else {
        let reason = proto::CancelReason::CannotCome.into();
        let ask = proto::DeclineOfferRequest { name: name.clone(), reason, request_id, management_token };
        stage.calls.decline_offer(ask).await.map(drop)
    };
    run.offered.remove(&name);
    if let Err(no) = answered {
        run.odd(stage, "answer to an offer", &no);
    }
}

/// Staff telephone down the line while seats are free: who says yes is promoted at once. Who was not
/// reached is passed, with that as the reason. While an offer stands, they wait for its end.
pub async fn call_list(stage: &Stage, run: &mut EventRun, at: Timestamp) -> Follow {
    if run.cancelled {
        return Vec::new();
    }
    let event = stage.calls.get_event(proto::GetEventRequest { name: run.name.clone() }).await;
    let Some(event) = event.ok().and_then(|e| e.event) else { return Vec::new() };
    let counts = event.counts.unwrap_or_default();
    let pause = Span::seconds(300);
    let last = run.offered.values().filter(|deadline| **deadline > at).max().map(|d| d.plus(pause));
    if let Some(last) = last.filter(|last| counts.offered_parties > 0 && *last < run.starts) {
        return vec![(last, Act::CallList)];
    }
    if counts.free.unwrap_or(0) == 0 || counts.waiting_parties == 0 {
        return Vec::new();
    }
    let (calls, seated) = telephone(stage, run, &event).await;
    run.notes.called += calls;
    run.notes.called_seated += seated;
    if calls > 0 && !run.event(stage).scripted_actions.is_empty() {
        run.say(
            stage,
            at,
            "hours before the start, staff telephone down the line",
            format!("parties called: {calls}, persons seated: {seated}"),
        );
    }
    Vec::new()
}

/// Calls made, and persons seated by them.
async fn telephone(stage: &Stage, run: &mut EventRun, event: &proto::Event) -> (usize, usize) {
    let mut free: HashMap<String, i32> = HashMap::new();
    for pool in &event.seat_pools {
        free.insert(pool.pool_id.clone(), pool.counts.as_ref().and_then(|c| c.free).unwrap_or(0));
    }
    let pct = run.event(stage).demand.offer_answers_pct;
    let (mut calls, mut seated) = (0, 0);
    for registration in run.list(stage, "state = WAITLISTED", "line").await {
        let Some(guest) = run.guest_of(&registration.name) else { continue };
        let wishes = &run.guests[guest].words.acceptable_pools;
        let suits = |pool: &String| wishes.is_empty() || wishes.contains(pool);
        let room = free.iter().filter(|(pool, seats)| suits(pool) && **seats >= registration.party_size);
        let Some(pool) = room.map(|(pool, _)| pool.clone()).min() else { continue };
        calls += 1;
        let drawn = run.rng.below(100);
        if drawn < pct.accept {
            if promote(stage, run, &registration, &pool).await {
                *free.entry(pool).or_default() -= registration.party_size;
                seated += registration.party_size as usize;
            }
        } else if drawn < pct.accept + pct.decline {
            super::changes::end(stage, run, &registration).await;
        }
        if calls == 12 {
            break;
        }
    }
    (calls, seated)
}

async fn promote(stage: &Stage, run: &mut EventRun, registration: &proto::Registration, pool: &str) -> bool {
    let ask = proto::PromoteRegistrationRequest {
        name: registration.name.clone(),
        pool_id: pool.to_owned(),
        reason: "Skambinta iš eilės: ankstesni neatsiliepė, atsisakė arba netilpo".to_owned(),
        request_id: run.request_id(),
        ..Default::default()
    };
    match stage.calls.promote_registration(ask).await {
        Ok(_) => true,
        Err(no) => {
            run.odd(stage, "promotion", &no);
            false
        }
    }
}
