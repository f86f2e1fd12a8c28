//! What a portal that cannot vouch for contacts learns of who is registered.

use crate::house::{House, as_portal, no};
use crate::samples::*;
use eile::api::proto::RegistrationState as State;
use eile::api::proto::*;

pub async fn a_portal_learns_nothing_by_trying_out(mut h: House) {
    let event = h.open_with(20, |_| {}).await;
    let known = party(1);
    h.sign_up(&event, known.clone()).await;
    for who in [known, party(1)] {
        let tried = CreateRegistrationRequest { validate_only: true, ..sign_up(&event, who) };
        let tried = h.registrations.create_registration(as_portal(tried)).await.unwrap().into_inner();
        assert_eq!(tried.registration.unwrap().state(), State::Confirmed);
    }
    // A party that would move learns as little of the target.
    let other = h.open_with(20, |_| {}).await;
    let here = h.sign_up(&other, party(1)).await;
    let twin = h.look(&here.registration.clone().unwrap().name, RegistrationView::Full).await;
    h.sign_up(&event, Registration { contact: twin.contact, ..party(1) }).await;
    let tried = TransferRegistrationRequest {
        name: twin.name,
        target_event: event,
        request_id: id(),
        validate_only: true,
        management_token: here.management_token,
        ..Default::default()
    };
    let tried = h.registrations.transfer_registration(as_portal(tried)).await.unwrap().into_inner();
    assert_eq!(tried.registration.unwrap().state(), State::Confirmed);
}

pub async fn a_full_line_is_full_for_everybody_alike(mut h: House) {
    let none_waits = |e: &mut Event| {
        e.waitlist_policy = Some(WaitlistPolicy { waitlist_limit: Some(0), ..Default::default() });
    };
    let event = h.open_with(2, none_waits).await;
    let known = party(1);
    h.sign_up(&event, known.clone()).await;
    let twin = h.registrations.create_registration(as_portal(sign_up(&event, known.clone()))).await;
    assert_eq!(twin.unwrap().into_inner().registration.unwrap().state(), State::Confirmed, "as a newcomer");
    for who in [known, party(1)] {
        let refused = no(h.registrations.create_registration(as_portal(sign_up(&event, who))).await);
        assert_eq!(refused.reason, "WAITLIST_FULL");
    }
}

pub async fn a_possible_duplicate_reads_nothing_that_is_not_so(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let who = party(1);
    h.sign_up(&event, who.clone()).await;
    let twin = h.registrations.create_registration(as_portal(sign_up(&event, who))).await.unwrap().into_inner();
    let explain =
        ExplainRegistrationRequest { name: twin.registration.unwrap().name, management_token: twin.management_token };
    let read = async |h: &mut House| {
        let told = h.registrations.explain_registration(as_portal(explain.clone())).await.unwrap().into_inner();
        told.needed.map(|needed| (needed.reason(), needed.seats)).unwrap()
    };
    assert_eq!(read(&mut h).await, (NeededReason::Seats, 1), "what everybody reads");
    let two = Event { name: event.clone(), seat_pools: vec![pool("main", 2)], ..Default::default() };
    h.update(two, &["seat_pools"]).await;
    assert_eq!(read(&mut h).await, (NeededReason::StaffChoice, 0), "there is a seat, and it waits");
    h.joins(&event, 1).await;
    assert_eq!(read(&mut h).await, (NeededReason::Seats, 1));
}

pub async fn a_cut_capacity_is_told_before_everything_else(mut h: House) {
    for (promotion, after) in
        [(Promotion::Automatic, NeededReason::Seats), (Promotion::Manual, NeededReason::StaffChoice)]
    {
        let by = |e: &mut Event| {
            e.waitlist_policy = Some(WaitlistPolicy { promotion: promotion.into(), ..Default::default() });
        };
        let event = h.open_with(5, by).await;
        h.joins(&event, 5).await;
        let waiting = h.joins(&event, 1).await;
        let explain = ExplainRegistrationRequest { name: waiting.name.clone(), ..Default::default() };
        let told = h.registrations.explain_registration(explain.clone()).await.unwrap().into_inner();
        assert_eq!((told.needed.unwrap().reason(), told.needed.unwrap().seats), (after, 1));
        let cut = Event { name: event, seat_pools: vec![pool("main", 2)], ..Default::default() };
        h.update(cut, &["seat_pools"]).await;
        let told = h.registrations.explain_registration(explain).await.unwrap().into_inner();
        let needed = told.needed.unwrap();
        assert_eq!((needed.reason(), needed.seats), (NeededReason::OverCapacity, 4), "three too many, and one more");
    }
}

pub async fn a_party_is_not_told_that_it_has_a_class(mut h: House) {
    let ranked = |e: &mut Event| {
        let class_order = vec!["guardian".into(), "any".into()];
        e.waitlist_policy = Some(WaitlistPolicy { class_order, ..Default::default() });
    };
    let event = h.open_with(1, ranked).await;
    h.joins(&event, 1).await;
    let waiting = h.sign_up(&event, party(1)).await;
    let name = waiting.registration.unwrap().name;
    let class = SetRegistrationClassRequest {
        name: name.clone(),
        class: "guardian".into(),
        reason: "Globėja".into(),
        request_id: id(),
        ..Default::default()
    };
    let any = SetRegistrationClassRequest { class: "any".into(), request_id: id(), ..class.clone() };
    let unknown = no(h.registrations.set_registration_class(any).await);
    assert_eq!((unknown.reason.as_str(), unknown.metadata["known"].as_str()), ("CLASS_UNKNOWN", "guardian"));
    let plain = SetRegistrationClassRequest { class: String::new(), request_id: id(), ..class.clone() };
    h.registrations.set_registration_class(plain).await.unwrap();
    let explain = |management_token: String| ExplainRegistrationRequest { name: name.clone(), management_token };
    let told = |answer: ExplainRegistrationResponse| {
        let is_class = |s: &Step| s.kind() == StepKind::ClassChanged;
        (answer.class_rank, answer.steps.iter().filter(|s| is_class(s)).count())
    };
    let staff = h.registrations.explain_registration(explain(String::new())).await.unwrap().into_inner();
    assert_eq!(told(staff), (1, 1));
    let token = waiting.management_token;
    let party = h.registrations.explain_registration(as_portal(explain(token))).await.unwrap().into_inner();
    assert_eq!(told(party), (0, 0));
}
