//! Offers are found, answered or left to run out; on the last day staff telephone down the line.

use super::super::agenda::Act;
use super::super::run::{EventRun, Stage};
use super::super::terms::unstamp;
use super::Follow;
use crate::api::proto;
use crate::model::time::{Span, Timestamp};

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
/// reached is passed, with that as the reason.
pub async fn call_list(stage: &Stage, run: &mut EventRun, at: Timestamp) {
    if run.cancelled {
        return;
    }
    let event = stage.calls.get_event(proto::GetEventRequest { name: run.name.clone() }).await;
    let counts = event.ok().and_then(|e| e.event).and_then(|e| e.counts).unwrap_or_default();
    let mut free = counts.free.unwrap_or(0);
    if free == 0 || counts.waiting_parties == 0 {
        return;
    }
    let pct = run.event(stage).demand.offer_answers_pct;
    let (mut calls, mut seated) = (0, 0);
    for registration in run.list(stage, "state = WAITLISTED", "line").await {
        if free == 0 || calls == 12 {
            break;
        }
        if registration.party_size > free || registration.possible_duplicate {
            continue;
        }
        calls += 1;
        let drawn = run.rng.below(100);
        if drawn < pct.accept {
            if promote(stage, run, &registration).await {
                free -= registration.party_size;
                seated += registration.party_size;
            }
        } else if drawn < pct.accept + pct.decline {
            super::changes::end(stage, run, &registration).await;
        }
    }
    run.notes.called += calls;
    let outcome = format!("{calls} called, {seated} persons seated, {free} seats stay free");
    run.say(stage, at, "the start is near: staff telephone down the line", outcome);
}

async fn promote(stage: &Stage, run: &mut EventRun, registration: &proto::Registration) -> bool {
    let ask = proto::PromoteRegistrationRequest {
        name: registration.name.clone(),
        reason: "Skambinta iš eilės: ankstesni neatsiliepė, atsisakė arba netilpo".to_owned(),
        request_id: run.request_id(),
        ..Default::default()
    };
    match stage.calls.promote_registration(ask).await {
        Ok(_) => true,
        // Free seats may be spread over pools, or slots at hours that do not suit.
        Err(no) if no.reason == "SEATS_NOT_FREE" => false,
        Err(no) => {
            run.odd(stage, "promotion", &no);
            false
        }
    }
}
