//! Parties change: they become smaller or larger, correct their contact, cancel, leave the line. Who it is
//! is drawn among those that the service lists at that moment.

use super::super::agenda::Act;
use super::super::run::{EventRun, Stage};
use super::{Follow, try_later};
use crate::api::proto::{self, RegistrationState};
use crate::model::time::Timestamp;

/// One of the event's registrations that suits, by chance; the ones that it signed up itself only.
async fn somebody(
    stage: &Stage,
    run: &mut EventRun,
    filter: &str,
    suits: impl Fn(&EventRun, &proto::Registration, usize) -> bool,
) -> Option<(usize, proto::Registration)> {
    let listed = run.list(stage, filter, "time").await;
    let mut found: Vec<(usize, proto::Registration)> = listed
        .into_iter()
        .filter_map(|r| Some((run.guest_of(&r.name)?, r)))
        .filter(|(guest, r)| suits(run, r, *guest))
        .collect();
    let at = run.rng.below(found.len());
    (!found.is_empty()).then(|| found.swap_remove(at))
}

fn settled(r: &proto::Registration) -> bool {
    matches!(r.state(), RegistrationState::Confirmed | RegistrationState::Waitlisted)
}

fn no_group(run: &EventRun, guest: usize) -> bool {
    run.guests[guest].words.head_count.is_none()
}

pub async fn smaller(stage: &Stage, run: &mut EventRun, at: Timestamp, tries: u8) -> Follow {
    let found = somebody(stage, run, "", |run, r, g| settled(r) && r.party_size > 1 && no_group(run, g)).await;
    let Some((guest, _)) = found else {
        return put_off(run, at, tries, Act::Smaller(tries + 1), "smaller party: everybody comes alone");
    };
    let mut words = run.guests[guest].words.clone();
    words.members.pop();
    resize(stage, run, guest, words).await;
    Vec::new()
}

pub async fn larger(stage: &Stage, run: &mut EventRun, at: Timestamp, tries: u8) -> Follow {
    let found = somebody(stage, run, "", |run, r, g| settled(r) && no_group(run, g)).await;
    let Some((guest, _)) = found else {
        return put_off(run, at, tries, Act::Larger(tries + 1), "larger party: nobody is registered");
    };
    let mut words = run.guests[guest].words.clone();
    words.members.push(proto::Member { role: "adult".to_owned(), ..Default::default() });
    resize(stage, run, guest, words).await;
    Vec::new()
}

pub async fn contact(stage: &Stage, run: &mut EventRun, at: Timestamp, tries: u8) -> Follow {
    let found = somebody(stage, run, "", |run, r, g| settled(r) && no_group(run, g)).await;
    let Some((guest, _)) = found else {
        return put_off(run, at, tries, Act::ContactChanged(tries + 1), "new contact: nobody is registered");
    };
    let mut words = run.guests[guest].words.clone();
    let number = 50_000 + run.index * 100 + guest;
    if let Some(contact) = words.contact.as_mut() {
        contact.phone = format!("+370000{number:05}");
    }
    update(stage, run, guest, words, "contact").await;
    Vec::new()
}

async fn resize(stage: &Stage, run: &mut EventRun, guest: usize, words: proto::Registration) {
    update(stage, run, guest, words, "members").await;
}

/// Sends new words; keeps them where the service took them. True: taken.
pub async fn update(
    stage: &Stage,
    run: &mut EventRun,
    guest: usize,
    mut words: proto::Registration,
    field: &str,
) -> bool {
    words.name = run.guests[guest].name.clone();
    let ask = proto::UpdateRegistrationRequest {
        management_token: run.token_of(&words.name),
        registration: Some(words.clone()),
        update_mask: Some(prost_types::FieldMask { paths: vec![field.to_owned()] }),
        request_id: run.request_id(),
        validate_only: false,
    };
    match stage.calls.update_registration(ask).await {
        Ok(answer) => {
            run.notes.changes += 1;
            let size = answer.registration.map_or(run.guests[guest].size, |r| r.party_size);
            let by = size - run.guests[guest].size;
            run.notes.grown += by.max(0);
            run.notes.shrunk += (-by).max(0);
            run.guests[guest].size = size;
            run.guests[guest].words = words;
            if !answer.management_token.is_empty() {
                run.guests[guest].token = answer.management_token;
            }
            true
        }
        Err(no) => {
            let known = ["SEATS_NOT_FREE", "WAITING_PARTY_FIRST", "PARTY_TOO_LARGE", "PARTY_LARGER_THAN_POOL"];
            run.notes.changes_refused += 1;
            if !known.contains(&no.reason.as_str()) {
                run.odd(stage, "change", &no);
            }
            false
        }
    }
}

pub async fn cancel(stage: &Stage, run: &mut EventRun, at: Timestamp, persons: i32, tries: u8) -> Follow {
    let suits = move |run: &EventRun, r: &proto::Registration, g: usize| r.party_size <= persons && !run.guests[g].keen;
    let found = somebody(stage, run, "state = CONFIRMED", suits).await;
    let Some((_, registration)) = found else {
        let again = Act::Cancel { persons, tries: tries + 1 };
        if try_later(run, at, tries).is_none() && some_stay_away(stage, run, persons).await {
            return Vec::new();
        }
        return put_off(run, at, tries, again, "cancellation: no confirmed party is that small");
    };
    end(stage, run, &registration).await;
    let left = persons - registration.party_size;
    let rest = Act::Cancel { persons: left, tries: 0 };
    if left > 0 { vec![(at, rest)] } else { Vec::new() }
}

/// No party is small enough to leave as a whole: some of a larger one stay at home. True: so it was.
async fn some_stay_away(stage: &Stage, run: &mut EventRun, persons: i32) -> bool {
    let suits = move |run: &EventRun, r: &proto::Registration, g: usize| r.party_size > persons && no_group(run, g);
    let Some((guest, _)) = somebody(stage, run, "state = CONFIRMED", suits).await else { return false };
    let mut words = run.guests[guest].words.clone();
    let stay = words.members.len().saturating_sub(persons as usize);
    words.members.truncate(stay);
    update(stage, run, guest, words, "members").await
}

pub async fn leave(stage: &Stage, run: &mut EventRun, at: Timestamp, persons: i32, tries: u8) -> Follow {
    let suits = move |run: &EventRun, r: &proto::Registration, g: usize| {
        r.party_size <= persons && !run.guests[g].keen && !r.possible_duplicate
    };
    let found = somebody(stage, run, "state = WAITLISTED", suits).await;
    let Some((_, registration)) = found else {
        let again = Act::LeaveLine { persons, tries: tries + 1 };
        return put_off(run, at, tries, again, "leaving the line: nobody waits, or no party that small");
    };
    end(stage, run, &registration).await;
    let left = persons - registration.party_size;
    let rest = Act::LeaveLine { persons: left, tries: 0 };
    if left > 0 { vec![(at, rest)] } else { Vec::new() }
}

/// Somebody's party of just this size cancels. False: there is none.
pub async fn cancel_exactly(stage: &Stage, run: &mut EventRun, persons: i32) -> bool {
    let suits = move |_: &EventRun, r: &proto::Registration, _: usize| r.party_size == persons;
    let Some((_, registration)) = somebody(stage, run, "state = CONFIRMED", suits).await else {
        return false;
    };
    end(stage, run, &registration).await;
    true
}

pub async fn end(stage: &Stage, run: &mut EventRun, registration: &proto::Registration) {
    let ask = proto::CancelRegistrationRequest {
        name: registration.name.clone(),
        reason: proto::CancelReason::CannotCome.into(),
        request_id: run.request_id(),
        management_token: run.token_of(&registration.name),
    };
    if let Err(no) = stage.calls.cancel_registration(ask).await {
        run.odd(stage, "cancellation", &no);
    }
}

/// Nobody suits now: later perhaps, or never.
fn put_off(run: &mut EventRun, at: Timestamp, tries: u8, act: Act, why: &'static str) -> Follow {
    if let Some(later) = try_later(run, at, tries) {
        return vec![(later, act)];
    }
    let persons = match &act {
        Act::Cancel { persons, .. } | Act::LeaveLine { persons, .. } => *persons,
        _ => 1,
    };
    run.skip(why, persons);
    Vec::new()
}
