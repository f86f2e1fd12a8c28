//! P11: an hour that was announced stays that hour. Both clock changes of 2025 in Vilnius (30 March, 26 October), the
//! hour that does not exist and the one that comes twice, offers across them, and an event in another zone.

use crate::support::client::Client;
use crate::support::service::{Database, Service};
use crate::support::words::*;
use eile::api::proto as pb;

on_both_databases! {
    p11_half_past_five_stays_half_past_five_across_both_clock_changes,
    p11_an_hour_that_does_not_exist_is_refused_and_one_that_comes_twice_is_the_first,
    p11_a_course_moved_by_a_day_or_copied_to_the_summer_keeps_its_hour,
    p11_an_offer_across_the_clock_change_ends_at_the_local_hour,
    p11_an_event_in_another_zone_has_its_own_clock,
}

async fn opened(database: Database, local: &str) -> (Service, Client) {
    let service = Service::start(database, local).await;
    let desk = service.client().await;
    (service, desk)
}

fn starts(event: &pb::Event) -> Vec<(&str, i64)> {
    event.sessions.iter().map(|s| (s.start_local.as_str(), s.start_time.unwrap().seconds)).collect()
}

fn utc(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

async fn p11_half_past_five_stays_half_past_five_across_both_clock_changes(database: Database) {
    let (service, desk) = opened(database, "2025-01-13T09:00").await;
    let spring = ["2025-03-25T17:30", "2025-04-01T17:30"];
    let autumn = ["2025-10-23T17:30", "2025-10-30T17:30"];
    for (days, instants) in [
        (spring, ["2025-03-25T15:30:00Z", "2025-04-01T14:30:00Z"]),
        (autumn, ["2025-10-23T14:30:00Z", "2025-10-30T15:30:00Z"]),
    ] {
        let event = pb::Event { seat_pools: vec![pool("main", 12)], ..course("Mokymai", &days) };
        let event = desk.publish(event).await;
        for shown in [event.clone(), desk.event(&event.name).await] {
            assert_eq!(starts(&shown), [(days[0], utc(instants[0])), (days[1], utc(instants[1]))]);
            let lengths = shown.sessions.iter().map(|s| s.end_time.unwrap().seconds - s.start_time.unwrap().seconds);
            assert!(lengths.into_iter().all(|length| length == 2 * 3600));
        }
    }
    service.finish().await;
}

async fn p11_an_hour_that_does_not_exist_is_refused_and_one_that_comes_twice_is_the_first(database: Database) {
    let (service, desk) = opened(database, "2025-01-13T09:00").await;
    let night = |start: &str, end: &str| pb::Event {
        sessions: vec![pb::Session { start_local: start.into(), end_local: end.into(), ..Default::default() }],
        seat_pools: vec![pool("main", 12)],
        ..course("Naktis", &[])
    };
    let refused = desk.draft(night("2025-03-30T03:30", "2025-03-30T05:00")).await.unwrap_err();
    assert_eq!(refused.reason, "INVALID_FIELDS");
    assert!(refused.facts["fields"].contains("start_local"), "{:?}", refused.facts);
    let refused = desk.draft(night("2025-03-30T01:00", "2025-03-30T03:15")).await.unwrap_err();
    assert!(refused.facts["fields"].contains("end_local"), "{:?}", refused.facts);
    let twice = desk.draft(night("2025-10-26T03:30", "2025-10-26T05:00")).await.unwrap();
    assert_eq!(starts(&twice), [("2025-10-26T03:30", utc("2025-10-26T00:30:00Z"))]);
    service.finish().await;
}

async fn p11_a_course_moved_by_a_day_or_copied_to_the_summer_keeps_its_hour(database: Database) {
    let (service, desk) = opened(database, "2025-01-13T09:00").await;
    let event = pb::Event {
        seat_pools: vec![pool("main", 12)],
        ..course("Mokymai", &["2025-03-18T17:30", "2025-03-25T17:30"])
    };
    let event = desk.publish(event).await;
    let party = desk.sign_up(&event.name, party("Šeima", 2)).await.unwrap();
    let mut moved = event.clone();
    moved.sessions[1].start_local = "2025-04-03T17:30".into();
    moved.sessions[1].end_local = "2025-04-03T19:30".into();
    let moved = desk.update_event(moved, &["sessions"]).await.unwrap();
    assert_eq!(moved.sessions[1].session_id, event.sessions[1].session_id, "the same meeting, on another day");
    assert_eq!(starts(&moved)[1], ("2025-04-03T17:30", utc("2025-04-03T14:30:00Z")));
    assert!(desk.get_as_party(&party).await.unwrap().is_confirmed());

    let copy = desk.copy_event(&event.name, "2025-07-01").await.unwrap();
    assert_eq!(
        starts(&copy),
        [("2025-07-01T17:30", utc("2025-07-01T14:30:00Z")), ("2025-07-17T17:30", utc("2025-07-17T14:30:00Z"))]
    );
    assert_eq!(copy.counts.unwrap().applied_parties, 0, "people are never copied");
    service.finish().await;
}

async fn p11_an_offer_across_the_clock_change_ends_at_the_local_hour(database: Database) {
    let (service, desk) = opened(database, "2025-03-20T09:00").await;
    let event = pb::Event {
        seat_pools: vec![pool("main", 1)],
        waitlist_policy: Some(pb::WaitlistPolicy {
            offer_rules: vec![pb::OfferRule { min_time_to_start: None, answer_window: Some(hours(3)) }],
            ..offers(pb::PartyFit::Hold)
        }),
        ..course("Mokymai", &["2025-04-01T17:30"])
    };
    let event = desk.publish(event).await.name;
    let first = desk.sign_up(&event, party("Pirma", 1)).await.unwrap();
    let second = desk.sign_up(&event, party("Antra", 1)).await.unwrap();
    // One hour runs on Saturday evening; the night is one hour shorter; the clock goes on at eight, by the wall.
    service.move_to("2025-03-29T20:00").await;
    desk.cancel(&first.name, &by(&first)).await.unwrap();
    let offered = desk.get_as_party(&second).await.unwrap();
    assert_eq!(offered.offer_expire_time, Some(wire_time("2025-03-30T10:00")));
    assert_eq!(offered.offer_expire_time.unwrap().seconds, utc("2025-03-30T07:00:00Z"));
    service.move_to("2025-03-30T09:59").await;
    assert!(desk.accept(&second.name, &by(&second)).await.unwrap().is_confirmed());
    service.finish().await;
}

async fn p11_an_event_in_another_zone_has_its_own_clock(database: Database) {
    let (service, desk) = opened(database, "2025-01-13T09:00").await;
    let event = pb::Event {
        time_zone: "Europe/Warsaw".into(),
        seat_pools: vec![pool("main", 1)],
        ..course("Szkolenie", &["2025-04-01T17:30"])
    };
    let event = desk.publish(event).await;
    assert_eq!(
        (event.time_zone.as_str(), starts(&event)),
        ("Europe/Warsaw", vec![("2025-04-01T17:30", utc("2025-04-01T15:30:00Z"))])
    );
    // Sign-ups end with the start there, an hour later than the same wall-clock time in Vilnius.
    service.move_to("2025-04-01T18:29").await;
    assert!(desk.sign_up(&event.name, party("Ostatnia", 1)).await.is_ok());
    service.move_to("2025-04-01T18:30").await;
    let late = desk.sign_up(&event.name, party("Spóźniona", 1)).await.unwrap_err();
    assert_eq!(late.reason, "REGISTRATION_CLOSED");
    service.finish().await;
}
