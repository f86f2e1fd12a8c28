use crate::heard::{told, told_by};
use crate::house::{House, as_portal, no};
use crate::samples::*;
use eile::api::proto::*;
use tonic::Code;

pub async fn facts_stand_in_the_metadata(mut h: House) {
    let event = h.open_with(4, |e| e.seat_pools = vec![pool("a", 4), pool("b", 2)]).await;
    let large = no(h.registrations.create_registration(sign_up(&event, party(5))).await);
    assert_eq!((large.reason.as_str(), large.metadata["largest_pool"].as_str()), ("PARTY_LARGER_THAN_POOL", "4"));
    h.joins(&event, 3).await;
    let without = UpdateEventRequest {
        event: Some(Event { name: event.clone(), seat_pools: vec![pool("b", 2)], ..Default::default() }),
        update_mask: mask(&["seat_pools"]),
        request_id: id(),
        ..Default::default()
    };
    let used = no(h.events.update_event(without).await);
    assert_eq!((used.reason.as_str(), used.metadata["pool_id"].as_str()), ("POOL_IN_USE", "a"));
    assert_eq!((used.metadata["parties"].as_str(), used.code), ("1", Code::FailedPrecondition));
    let publish = PublishEventRequest { name: event.clone(), request_id: id(), ..Default::default() };
    let twice = no(h.events.publish_event(publish).await);
    assert_eq!(twice.reason, "ILLEGAL_STATE");
    assert_eq!((twice.metadata["state"].as_str(), twice.metadata["verb"].as_str()), ("PUBLISHED", "PublishEvent"));

    let manual = Some(WaitlistPolicy { promotion: Promotion::Manual.into(), ..Default::default() });
    let event = h.open_with(2, |e| e.waitlist_policy = manual).await;
    let (a, b) = (h.joins(&event, 1).await, h.joins(&event, 1).await);
    h.joins(&event, 1).await;
    h.cancel(&b).await;
    let larger = Registration { name: a.name, members: vec![Member::default(); 2], ..Default::default() };
    let request = UpdateRegistrationRequest {
        registration: Some(larger),
        update_mask: mask(&["members"]),
        request_id: id(),
        ..Default::default()
    };
    let first = no(h.registrations.update_registration(request).await);
    assert_eq!(first.reason, "WAITING_PARTY_FIRST");
    assert_eq!((first.metadata["seats_needed"].as_str(), first.metadata["waiting_parties"].as_str()), ("1", "1"));
}

pub async fn only_staff_may_do_what_is_for_staff(mut h: House) {
    let event = h.open_with(2, |_| {}).await;
    let name = h.joins(&event, 1).await.name;
    let created = h.admin.create_centre(as_portal(CreateCentreRequest::default())).await;
    let listed = h.registrations.list_registrations(as_portal(ListRegistrationsRequest::default())).await;
    let approve = ApproveRegistrationRequest { name: name.clone(), request_id: id() };
    let approved = h.registrations.approve_registration(as_portal(approve)).await;
    let cancelled = h.events.cancel_event(as_portal(CancelEventRequest::default())).await;
    for (refused, method) in [
        (no(created), "CreateCentre"),
        (no(listed), "ListRegistrations"),
        (no(approved), "ApproveRegistration"),
        (no(cancelled), "CancelEvent"),
    ] {
        assert_eq!((refused.reason.as_str(), refused.metadata["method"].as_str()), ("STAFF_ONLY", method));
        assert_eq!(refused.code, Code::PermissionDenied);
    }
    let cancel = CancelRegistrationRequest { name, request_id: id(), ..Default::default() };
    assert_eq!(no(h.registrations.cancel_registration(as_portal(cancel)).await).reason, "TOKEN_INVALID");
}

pub async fn every_violated_field_is_told_at_once(mut h: House) {
    let bad = Event {
        centre: "Centras".into(),
        kind: 99,
        titles: vec![LocalizedText { language: "LT".into(), text: " ".into() }],
        time_zone: "Mars/Olympus".into(),
        sessions: vec![
            session("2031-03-30T03:30", "2031-03-30T05:00"),
            Session { session_id: "Ą".into(), ..session("2031-04-01T17:30", "2031-04-01T17:00") },
        ],
        seat_pools: vec![pool("a", 0), SeatPool { release_time: at("2031-01-01T00:00:00Z"), ..pool("a", -5) }],
        minimum_to_start: -1,
        ..Default::default()
    };
    let request = CreateEventRequest {
        event: Some(bad),
        event_id: "7".into(),
        request_id: "not a uuid".into(),
        ..Default::default()
    };
    let refused = no(h.events.create_event(request).await);
    assert_eq!((refused.reason.as_str(), refused.code), ("INVALID_FIELDS", Code::InvalidArgument));
    assert_eq!(
        refused.fields,
        [
            "event.centre",
            "event.kind",
            "event.minimum_to_start",
            "event.seat_pools[0].capacity",
            "event.seat_pools[1].capacity",
            "event.seat_pools[1].pool_id",
            "event.seat_pools[1].release_time",
            "event.sessions[0].start_local",
            "event.sessions[1].end_local",
            "event.sessions[1].session_id",
            "event.time_zone",
            "event.titles",
            "event.titles[0].language",
            "event.titles[0].text",
            "event_id",
            "request_id",
        ]
    );
    assert_eq!(refused.metadata["count"], "16");
    let event = h.open_with(1, |_| {}).await;
    let both = Registration {
        members: vec![Member { person_ref: "38703181745".into(), birth_year: Some(1800), ..Default::default() }],
        head_count: Some(HeadCount { adults: -1, children: 0 }),
        ..party(1)
    };
    let refused = no(h.registrations.create_registration(sign_up(&event, both)).await);
    assert_eq!(refused.reason, "PERSONAL_CODE_REFUSED", "though members and heads exclude each other");
    assert_eq!(
        refused.fields,
        [
            "registration.head_count",
            "registration.head_count.adults",
            "registration.members[0].birth_year",
            "registration.members[0].person_ref",
        ]
    );
    let code = "kodas 387 0318 1745";
    let coded = Registration {
        contact: Some(Contact { display_name: code.into(), email: "x".into(), phone: "38703181745".into() }),
        members: vec![Member { person_ref: "38703181745".into(), birth_year: Some(1800), ..Default::default() }],
        head_count: None,
        channel: 42,
        ..Default::default()
    };
    let asked = sign_up(&event, coded);
    assert!(told(&asked).contains("1745"));
    let refused = no(h.registrations.create_registration(asked).await);
    assert_eq!(refused.reason, "PERSONAL_CODE_REFUSED");
    assert_eq!(
        refused.fields,
        [
            "registration.channel",
            "registration.contact.display_name",
            "registration.contact.email",
            "registration.contact.phone",
            "registration.members[0].birth_year",
            "registration.members[0].person_ref",
        ]
    );
    let words = told_by(&refused.status);
    assert!(words.contains("registration.contact.phone"), "its details are among the words: {words}");
    assert!(!words.contains("1745"), "the code is not repeated");
    assert_eq!(h.get(&event).await.counts.unwrap().applied_parties, 0);
}

pub async fn nothing_sent_makes_an_internal_error(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let name = h.joins(&event, 1).await.name;
    let long = "ė".repeat(5000);
    let strings = ["", "x", "events/", "'; drop table events; --", "\u{0}", "„Lietuva“ 🙂", long.as_str()];
    for text in strings.into_iter().chain([event.as_str(), name.as_str()]) {
        let text = || text.to_owned();
        let answers = [
            h.events.get_event(GetEventRequest { name: text() }).await.err(),
            h.events
                .list_events(ListEventsRequest { filter: text(), page_token: text(), page_size: i32::MIN })
                .await
                .err(),
            h.events.list_events(ListEventsRequest { filter: text(), ..Default::default() }).await.err(),
            h.events.list_events(ListEventsRequest { page_token: text(), ..Default::default() }).await.err(),
            h.admin.get_centre(GetCentreRequest { name: text() }).await.err(),
            h.registrations
                .list_registrations(ListRegistrationsRequest {
                    parent: event.clone(),
                    filter: text(),
                    order_by: text(),
                    page_token: text(),
                    ..Default::default()
                })
                .await
                .err(),
            h.registrations
                .get_registration(GetRegistrationRequest { name: text(), view: -1, management_token: text() })
                .await
                .err(),
            h.registrations
                .get_registration(GetRegistrationRequest { name: name.clone(), view: 0, management_token: text() })
                .await
                .err(),
            h.registrations
                .promote_registration(PromoteRegistrationRequest {
                    name: name.clone(),
                    pool_id: text(),
                    reason: text(),
                    request_id: text(),
                    ..Default::default()
                })
                .await
                .err(),
            h.events
                .copy_event(CopyEventRequest {
                    name: event.clone(),
                    centre: text(),
                    first_session_date: text(),
                    request_id: id(),
                })
                .await
                .err(),
        ];
        for status in answers.into_iter().flatten() {
            let refused = crate::house::no_of(status);
            assert!(!matches!(refused.code, Code::Internal | Code::Unknown | Code::Unavailable), "{refused:?}");
        }
    }
}
