//! Management tokens: another contact ends them, and so does the end of their registration.

use super::keys::{Town, key, with};
use crate::house::{House, as_portal, end_of, no};
use crate::samples::*;
use eile::api::proto::*;
use eile::model::time::Timestamp;
use std::time::Duration;
use tonic::Code;

fn to(contact: Contact, name: &str, token: &str) -> UpdateRegistrationRequest {
    UpdateRegistrationRequest {
        registration: Some(Registration { name: name.into(), contact: Some(contact), ..Default::default() }),
        update_mask: mask(&["contact"]),
        request_id: id(),
        management_token: token.into(),
        ..Default::default()
    }
}

impl House {
    async fn with_token(&mut self, event: &str) -> (String, String) {
        let made = self.sign_up(event, party(1)).await;
        (made.registration.unwrap().name, made.management_token)
    }

    /// Whether this token lets the party in.
    async fn opens(&mut self, name: &str, token: &str) -> bool {
        let get = GetRegistrationRequest { name: name.into(), management_token: token.into(), ..Default::default() };
        match self.registrations.get_registration(as_portal(get)).await {
            Ok(_) => true,
            refused => {
                assert_eq!(no(refused).reason, "TOKEN_INVALID");
                false
            }
        }
    }

    async fn updates(&mut self, request: UpdateRegistrationRequest) -> UpdateRegistrationResponse {
        self.registrations.update_registration(as_portal(request)).await.unwrap().into_inner()
    }
}

pub async fn another_contact_ends_the_token_and_whoever_set_it_is_told_the_next(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let (name, first) = h.with_token(&event).await;
    let tried = UpdateRegistrationRequest { validate_only: true, ..to(contact(), &name, &first) };
    assert_eq!(h.updates(tried).await.management_token, "", "tried out only");
    assert!(h.opens(&name, &first).await);
    let second = h.updates(to(contact(), &name, &first)).await.management_token;
    assert_eq!(second.len(), 43);
    assert!(!h.opens(&name, &first).await && h.opens(&name, &second).await);
    // By telephone alone, and by staff.
    let by_phone = Contact { display_name: "Ona".into(), phone: "+370 612 34567".into(), ..Default::default() };
    let by_staff = h.registrations.update_registration(to(by_phone, &name, "")).await.unwrap().into_inner();
    let third = by_staff.management_token;
    assert!(!h.opens(&name, &second).await && h.opens(&name, &third).await);
    let cancel = |token: &str| CancelRegistrationRequest {
        name: name.clone(),
        management_token: token.into(),
        request_id: id(),
        ..Default::default()
    };
    for old in [&first, &second] {
        let refused = no(h.registrations.cancel_registration(as_portal(cancel(old))).await);
        assert_eq!((refused.reason.as_str(), refused.code), ("TOKEN_INVALID", Code::PermissionDenied));
        let refused = no(h.registrations.update_registration(as_portal(to(contact(), &name, old))).await);
        assert_eq!(refused.reason, "TOKEN_INVALID");
    }
    assert!(h.registrations.cancel_registration(as_portal(cancel(&third))).await.is_ok());
}

pub async fn a_repeated_correction_is_told_the_same_token_again(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let (name, first) = h.with_token(&event).await;
    let request = to(contact(), &name, &first);
    let answer = h.updates(request.clone()).await;
    // With the token that it ended, while the next one counts and when that has ended too.
    assert_eq!(h.updates(request.clone()).await, answer);
    let later = to(contact(), &name, &answer.management_token);
    let next = h.updates(later.clone()).await;
    assert_eq!(h.updates(request.clone()).await, answer);
    assert_eq!(h.updates(later).await, next);
    assert!(!h.opens(&name, &answer.management_token).await && h.opens(&name, &next.management_token).await);
    // What is not the same to the byte is asked by somebody whose token has ended.
    for other in [
        UpdateRegistrationRequest { request_id: id(), ..request.clone() },
        UpdateRegistrationRequest { registration: to(contact(), &name, "").registration, ..request.clone() },
        UpdateRegistrationRequest { management_token: "x".repeat(43), ..request.clone() },
    ] {
        let refused = no(h.registrations.update_registration(as_portal(other)).await);
        assert_eq!(refused.reason, "TOKEN_INVALID");
    }
    // Nor is it told to whoever asks what staff have asked.
    let by_staff = to(contact(), &name, "");
    h.registrations.update_registration(by_staff.clone()).await.unwrap();
    let refused = no(h.registrations.update_registration(as_portal(by_staff)).await);
    assert_eq!(refused.reason, "TOKEN_INVALID");
}

pub async fn a_correction_that_leaves_the_contact_reachable_as_it_was_leaves_the_token(mut h: House) {
    let event = h.open_with(3, |_| {}).await;
    let made = h.sign_up(&event, party(2)).await;
    let (name, token) = (made.registration.unwrap().name, made.management_token);
    let was = h.look(&name, RegistrationView::Full).await.contact.unwrap();
    let renamed = Contact { display_name: "Ona po vestuvių".into(), email: was.email.to_uppercase(), ..was };
    assert_eq!(h.updates(to(renamed, &name, &token)).await.management_token, "");
    let smaller = UpdateRegistrationRequest {
        registration: Some(Registration { name: name.clone(), language: "pl".into(), ..party(1) }),
        update_mask: mask(&["members", "language"]),
        request_id: id(),
        management_token: token.clone(),
        ..Default::default()
    };
    assert_eq!(h.updates(smaller).await.management_token, "");
    assert!(h.opens(&name, &token).await);
}

pub async fn staff_and_portals_hand_the_new_token_on_and_leaders_never_get_one(h: House) {
    let mut town = Town::of(h).await;
    let (centre, event) = (town.centres[0].clone(), town.events[0].clone());
    let portal = town.key(key(Role::Portal, &[&centre])).await.secret;
    let mut made = town.h.registrations.create_registration(with(&portal, sign_up(&event, party(1)))).await;
    let made = made.as_mut().unwrap().get_mut();
    let (name, mut token) = (made.registration.take().unwrap().name, made.management_token.clone());
    let refused = town.h.registrations.update_registration(with(&portal, to(contact(), &name, ""))).await;
    assert_eq!(no(refused).reason, "TOKEN_INVALID", "a portal changes nothing without the token");
    let one_event = |role| AccessKey { events: vec![event.clone()], ..key(role, &[&centre]) };
    for asking in [key(Role::Coordinator, &[&centre]), key(Role::Head, &[&centre]), one_event(Role::Psychologist)] {
        let secret = town.key(asking).await.secret;
        let answer = town.h.registrations.update_registration(with(&secret, to(contact(), &name, ""))).await;
        let next = answer.unwrap().into_inner().management_token;
        assert!(!town.h.opens(&name, &token).await && town.h.opens(&name, &next).await);
        token = next;
    }
    let by_portal = town.h.registrations.update_registration(with(&portal, to(contact(), &name, &token))).await;
    let next = by_portal.unwrap().into_inner().management_token;
    assert!(!town.h.opens(&name, &token).await && town.h.opens(&name, &next).await);

    let leader = town.key(one_event(Role::Leader)).await.secret;
    let refused = town.h.registrations.update_registration(with(&leader, to(contact(), &name, ""))).await;
    assert_eq!(no(refused).reason, "ROLE_NOT_ALLOWED");
    // Who is let in at the door gets a token where somebody hands it on who may sign people up.
    let door = "2031-02-20T15:40:00Z".parse::<jiff::Timestamp>().unwrap();
    town.h.clock.move_to(Timestamp(door.as_microsecond()));
    let coordinator = town.key(key(Role::Coordinator, &[&centre])).await.secret;
    for (secret, length) in [(&leader, 0), (&coordinator, 43)] {
        let walk_in = AddWalkInRequest {
            parent: event.clone(),
            session_id: "s1".into(),
            registration: Some(party(1)),
            request_id: id(),
            ..Default::default()
        };
        for _ in 0..2 {
            let let_in = town.h.attendance.add_walk_in(with(secret, walk_in.clone())).await.unwrap().into_inner();
            assert_eq!((let_in.management_token.len(), let_in.check_in_code.len()), (length, 10));
        }
    }
}

pub async fn a_stream_ends_with_the_token_that_it_was_opened_by(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    h.joins(&event, 1).await;
    let (name, token) = h.with_token(&event).await;
    let watch = |token: &str| WatchRegistrationRequest { name: name.clone(), management_token: token.to_owned() };
    let mut stream = h.registrations.watch_registration(as_portal(watch(&token))).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().registration.unwrap().position, 1);
    let mut staff = h.registrations.watch_registration(watch("")).await.unwrap().into_inner();
    staff.message().await.unwrap().unwrap();
    let next = h.updates(to(contact(), &name, &token)).await.management_token;
    let end = end_of(&mut stream, |message| assert!(message.heartbeat, "something was told to the old token")).await;
    assert_eq!(end.reason, "TOKEN_INVALID");
    assert!(staff.message().await.unwrap().unwrap().heartbeat, "staff watch on, and saw nothing new");
    let mut stream = h.registrations.watch_registration(as_portal(watch(&next))).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().registration.unwrap().position, 1);
}

pub async fn the_token_of_what_has_ended_reads_and_changes_nothing(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let elsewhere = h.open_with(1, |_| {}).await;
    let (name, token) = h.with_token(&event).await;
    let management_token = || token.clone();
    let (n, r) = (|| name.clone(), id);
    let cancel = || CancelRegistrationRequest {
        name: n(),
        request_id: r(),
        management_token: management_token(),
        ..Default::default()
    };
    h.registrations.cancel_registration(as_portal(cancel())).await.unwrap();
    let reasons = [
        no(h.registrations.cancel_registration(as_portal(cancel())).await).reason,
        no(h.registrations.update_registration(as_portal(to(contact(), &name, &token))).await).reason,
        {
            let accept = AcceptOfferRequest { name: n(), request_id: r(), management_token: management_token() };
            no(h.registrations.accept_offer(as_portal(accept)).await).reason
        },
        {
            let decline = DeclineOfferRequest {
                name: n(),
                request_id: r(),
                management_token: management_token(),
                ..Default::default()
            };
            no(h.registrations.decline_offer(as_portal(decline)).await).reason
        },
        {
            let transfer = TransferRegistrationRequest {
                name: n(),
                target_event: elsewhere,
                request_id: r(),
                management_token: management_token(),
                ..Default::default()
            };
            no(h.registrations.transfer_registration(as_portal(transfer)).await).reason
        },
    ];
    assert_eq!(reasons, ["ILLEGAL_STATE", "ILLEGAL_STATE", "NO_LIVE_OFFER", "NO_LIVE_OFFER", "ILLEGAL_STATE"]);
    assert!(h.opens(&name, &token).await);
    let explain = ExplainRegistrationRequest { name: n(), management_token: management_token() };
    assert!(h.registrations.explain_registration(as_portal(explain)).await.is_ok());
    let watch = WatchRegistrationRequest { name: n(), management_token: management_token() };
    let mut stream = h.registrations.watch_registration(as_portal(watch)).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().registration.unwrap().state(), RegistrationState::Cancelled);
    assert!(stream.message().await.unwrap().is_none(), "there is nothing more to come");
    let export = ExportRegistrationRequest { name: n(), management_token: management_token(), ..Default::default() };
    assert!(h.privacy.export_registration(as_portal(export)).await.is_ok());
    let erase = EraseRegistrationRequest {
        name: n(),
        request_id: r(),
        management_token: management_token(),
        ..Default::default()
    };
    assert!(h.privacy.erase_registration(as_portal(erase)).await.is_ok());
}

/// Waits until so many stand before the desk.
async fn stand(h: &House, many: usize) {
    while h.desk.waiting().iter().sum::<usize>() < many {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The token is looked at before the command stands in line, and may have ended when its turn comes.
pub async fn what_waits_behind_another_contact_is_refused_with_its_token(mut h: House) {
    let (event, target) = (h.open_with(9, |_| {}).await, h.open_with(9, |_| {}).await);
    let line = |event: &str| uuid::Uuid::parse_str(&event["events/".len()..]).unwrap().as_u128() % 2;
    let mut elsewhere = h.open_with(9, |_| {}).await;
    while line(&elsewhere) != line(&event) {
        elsewhere = h.open_with(9, |_| {}).await;
    }
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(h.with_token(&event).await);
    }
    let hold = h.hold().await;
    let mut busy = h.registrations.clone();
    let keeps_busy = tokio::spawn(async move { busy.create_registration(sign_up(&elsewhere, party(1))).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Staff gives four of them another contact, and the last another language.
    let mut corrections = Vec::new();
    for (i, (name, _)) in made.iter().enumerate() {
        let contact = Contact { email: format!("kita{i}@example.org"), ..contact() };
        let mut correction = to(contact, name, "");
        if i == 4 {
            correction.registration = Some(Registration { name: name.clone(), language: "en".into(), ..party(1) });
            correction.update_mask = mask(&["language"]);
        }
        let mut staff = h.registrations.clone();
        corrections.push(tokio::spawn(async move { staff.update_registration(correction).await }));
    }
    stand(&h, 5).await;
    let (mut registrations, mut privacy) = (h.registrations.clone(), h.privacy.clone());
    let named = |i: usize| (made[i].0.clone(), made[i].1.clone(), id());
    let cancel = |i: usize| {
        let (name, management_token, request_id) = named(i);
        as_portal(CancelRegistrationRequest { name, management_token, request_id, ..Default::default() })
    };
    let (cancelled, still_good) = (cancel(0), cancel(4));
    let (name, management_token, request_id) = named(1);
    let erased = as_portal(EraseRegistrationRequest { name, management_token, request_id, ..Default::default() });
    let (name, management_token, request_id) = named(2);
    let moved = as_portal(TransferRegistrationRequest {
        name,
        management_token,
        request_id,
        target_event: target.clone(),
        ..Default::default()
    });
    let (name, management_token, request_id) = named(3);
    let left_alone =
        as_portal(RestrictRegistrationRequest { name, management_token, request_id, ..Default::default() });
    let (mut second, mut third, mut fourth) = (registrations.clone(), registrations.clone(), privacy.clone());
    let cancelled = tokio::spawn(async move { registrations.cancel_registration(cancelled).await });
    let erased = tokio::spawn(async move { privacy.erase_registration(erased).await });
    let moved = tokio::spawn(async move { second.transfer_registration(moved).await });
    let left_alone = tokio::spawn(async move { fourth.restrict_registration(left_alone).await });
    let still_good = tokio::spawn(async move { third.cancel_registration(still_good).await });
    stand(&h, 10).await;
    hold.let_go().await;
    keeps_busy.await.unwrap().unwrap();
    for correction in corrections {
        correction.await.unwrap().unwrap();
    }
    assert_eq!(no(cancelled.await.unwrap()).reason, "TOKEN_INVALID");
    assert_eq!(no(erased.await.unwrap()).reason, "TOKEN_INVALID");
    assert_eq!(no(moved.await.unwrap()).reason, "TOKEN_INVALID");
    assert_eq!(no(left_alone.await.unwrap()).reason, "TOKEN_INVALID");
    still_good.await.unwrap().unwrap();
    for (name, _) in &made[..4] {
        let left = h.look(name, RegistrationView::Full).await;
        assert_eq!((left.state(), left.restrict_time), (RegistrationState::Confirmed, None));
        assert!(left.contact.unwrap().email.starts_with("kita"));
    }
}
