//! Parties sign up: once, twice by mistake, or with something missing; staff set classes and approve.

use super::super::run::{Arrival, EventRun, Stage};
use crate::api::proto::{self, Channel, RegistrationState};
use crate::model::time::Timestamp;

fn request(run: &EventRun, i: usize) -> proto::CreateRegistrationRequest {
    let guest = &run.guests[i];
    proto::CreateRegistrationRequest {
        parent: run.name.clone(),
        registration: Some(guest.words.clone()),
        request_id: guest.request_id.to_string(),
        validate_only: false,
        consents: Vec::new(),
    }
}

/// Whatever does not come through the public page is typed in by staff.
fn by_staff(run: &EventRun, i: usize) -> bool {
    run.guests[i].plan.channel != Channel::Web
}

pub async fn sign_up(stage: &Stage, run: &mut EventRun, at: Timestamp, i: usize) {
    match stage.calls.create_registration(request(run, i), by_staff(run, i)).await {
        Ok(answer) => take_in(run, at, i, answer),
        Err(no) => run.odd(stage, "sign-up", &no),
    }
}

fn take_in(run: &mut EventRun, at: Timestamp, i: usize, answer: proto::CreateRegistrationResponse) {
    let Some(registration) = answer.registration else { return };
    let arrival =
        Arrival { at, size: registration.party_size, state: registration.state(), position: registration.position };
    run.notes.arrivals.push(arrival);
    run.by_name.insert(registration.name.clone(), i);
    let guest = &mut run.guests[i];
    guest.size = registration.party_size;
    guest.name = registration.name;
    guest.token = answer.management_token;
}

/// The same request again: the same answer, and one registration.
pub async fn resend(stage: &Stage, run: &mut EventRun, i: usize) {
    run.notes.resent += 1;
    match stage.calls.create_registration(request(run, i), by_staff(run, i)).await {
        Ok(answer) => {
            let guest = &run.guests[i];
            let same_name = answer.registration.is_some_and(|r| r.name == guest.name);
            run.notes.resent_same += usize::from(same_name && answer.management_token == guest.token);
        }
        Err(no) => run.odd(stage, "same request again", &no),
    }
}

/// The household once more under a new request, its address and number written in another way.
pub async fn again(stage: &Stage, run: &mut EventRun, i: usize) {
    let mut ask = request(run, i);
    ask.request_id = run.request_id();
    if let Some(contact) = ask.registration.as_mut().and_then(|r| r.contact.as_mut()) {
        contact.email = contact.email.to_uppercase();
        contact.phone = contact.phone.replace("+370", "8 ");
    }
    match stage.calls.create_registration(ask, by_staff(run, i)).await {
        Ok(answer) => kept_back(stage, run, answer).await,
        Err(no) if no.reason == "ALREADY_REGISTERED" => run.notes.doubles_refused += 1,
        Err(no) => run.odd(stage, "second sign-up", &no),
    }
}

/// The public page hears nothing of the first registration, or anybody could ask who is registered: it is told what any
/// newcomer is. Staff see that this may be a duplicate.
async fn kept_back(stage: &Stage, run: &mut EventRun, answer: proto::CreateRegistrationResponse) {
    let heard = answer.registration.unwrap_or_default();
    let ask = proto::GetRegistrationRequest { name: heard.name.clone(), ..Default::default() };
    let seen = stage.calls.get_registration(ask).await.ok().and_then(|r| r.registration).unwrap_or_default();
    if seen.possible_duplicate && !heard.possible_duplicate {
        run.notes.doubles_kept_back.push(heard.name);
        return;
    }
    let id = run.event(stage).id.clone();
    run.notes.unexpected.push(format!("{id} a second sign-up was not kept back as a possible duplicate"));
}

/// A form that was sent half empty: every third without any way to reach the party, every third with
/// several things wrong at once, every third without people.
pub async fn incomplete(stage: &Stage, run: &mut EventRun, i: usize) {
    let contact = |email: &str| proto::Contact {
        display_name: "Be Kontakto".to_owned(),
        email: email.to_owned(),
        ..Default::default()
    };
    let member = |year| proto::Member { birth_year: Some(year), ..Default::default() };
    let (email, members) = match i % 3 {
        0 => ("", vec![member(1985)]),
        1 => ("ne adresas", vec![member(85)]),
        _ => ("kas-nors@example.org", Vec::new()),
    };
    let registration =
        proto::Registration { contact: Some(contact(email)), members, language: "lt".to_owned(), ..Default::default() };
    let ask = proto::CreateRegistrationRequest {
        parent: run.name.clone(),
        registration: Some(registration),
        request_id: run.request_id(),
        validate_only: false,
        consents: Vec::new(),
    };
    match stage.calls.create_registration(ask, false).await {
        Err(no) if no.reason == "INVALID_FIELDS" => run.notes.incomplete += 1,
        Err(no) => run.odd(stage, "incomplete sign-up", &no),
        Ok(_) => {
            let id = run.event(stage).id.clone();
            run.notes.unexpected.push(format!("{id} an incomplete sign-up was taken"));
        }
    }
}

/// Somebody presses two seconds before nine.
pub async fn too_early(stage: &Stage, run: &mut EventRun, at: Timestamp, i: usize) {
    let mut ask = request(run, i);
    ask.request_id = run.request_id();
    let outcome = match stage.calls.create_registration(ask, false).await {
        Err(no) => format!("refused: {}", no.reason),
        Ok(_) => "taken".to_owned(),
    };
    run.say(stage, at, "a family presses two seconds too early", outcome);
}

pub async fn classify(stage: &Stage, run: &mut EventRun, i: usize) {
    let guest = &run.guests[i];
    if guest.name.is_empty() {
        return;
    }
    let ask = proto::SetRegistrationClassRequest {
        name: guest.name.clone(),
        class: guest.plan.class.clone(),
        reason: "Patikrinta centro dokumentuose".to_owned(),
        request_id: run.request_id(),
        validate_only: false,
    };
    match stage.calls.set_registration_class(ask).await {
        Ok(_) => {}
        // It left, or moved, before staff came to it.
        Err(no) if no.reason == "ILLEGAL_STATE" => {}
        Err(no) => run.odd(stage, "class", &no),
    }
}

pub async fn approve(stage: &Stage, run: &mut EventRun, i: usize) {
    let guest = &run.guests[i];
    if guest.name.is_empty() {
        return;
    }
    let ask = proto::ApproveRegistrationRequest { name: guest.name.clone(), request_id: run.request_id() };
    match stage.calls.approve_registration(ask).await {
        Ok(answer) => {
            let state = answer.registration.map(|r| r.state()).unwrap_or_default();
            if state == RegistrationState::InReview {
                run.notes.unexpected.push("an approved party is still in review".to_owned());
            }
        }
        Err(no) if no.reason == "ILLEGAL_STATE" => {}
        Err(no) => run.odd(stage, "approval", &no),
    }
}
