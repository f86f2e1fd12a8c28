//! Paper. The group leader has no laptop at session 1, Tuesday 4 February 17:30: 11 signatures, 1 empty line. On Friday
//! 7 February 16:45 she enters Tuesday's list: 10 present, 1 left early (60 of 120 minutes), 1 absent; on 10 February she
//! finds that one ticked "present" was another Rasa, and corrects it.
//!
//! Not here: the start of each person in the project (people and reports).

use crate::support::client::{Client, SignedUp};
use crate::support::service::{Database, Service};
use crate::support::words::*;
use eile::api::proto as pb;

on_both_databases! {
    tuesdays_list_is_entered_on_friday_in_one_call,
    half_a_list_is_never_saved,
    another_rasa_is_corrected_and_both_values_stay,
    somebody_who_is_on_no_list_is_entered_too,
    what_was_entered_survives_a_restart,
}

const TUESDAY: &str = "2025-02-04T17:30";

/// Twelve people in a course of eight Tuesdays, after the first of them.
async fn after_the_first_evening(database: Database) -> (Service, Client, String, Vec<SignedUp>) {
    let service = Service::start(database, "2025-01-13T09:00").await;
    let desk = service.client().await;
    let days: Vec<String> = ["02-04", "02-11", "02-18", "02-25", "03-04", "03-11", "03-18", "03-25"]
        .map(|d| format!("2025-{d}T17:30"))
        .into();
    let days: Vec<&str> = days.iter().map(String::as_str).collect();
    let event = pb::Event { seat_pools: vec![pool("main", 13)], ..course("Pozityvi tėvystė", &days) };
    let event = desk.publish(event).await.name;
    let mut people = Vec::new();
    for who in
        ["Rasa A", "Rasa B", "Ona", "Jonas", "Petras", "Eglė", "Asta", "Lina", "Rūta", "Vaida", "Nijolė", "Tomas"]
    {
        people.push(desk.sign_up(&event, party(who, 1)).await.unwrap());
    }
    service.move_to("2025-02-07T16:45").await;
    (service, desk, event, people)
}

/// Ten were there, Rūta left after an hour, and Tomas did not come.
fn tuesdays_list(people: &[SignedUp]) -> Vec<pb::MarkEntry> {
    let line = |(n, p): (usize, &SignedUp)| pb::MarkEntry {
        registration: p.name.clone(),
        member: 1,
        mark: if n == 11 { pb::AttendanceMark::Absent } else { pb::AttendanceMark::Present } as i32,
        minutes: (n == 8).then_some(60),
    };
    people.iter().enumerate().map(line).collect()
}

async fn tuesdays_list_is_entered_on_friday_in_one_call(database: Database) {
    let (service, desk, event, people) = after_the_first_evening(database).await;
    let before = desk.event(&event).await.journal_number;
    let entered = desk.record(&event, "s1", tuesdays_list(&people)).await.unwrap();
    assert_eq!((entered.new_marks, entered.journal_number), (12, before + 1), "one change");
    let told = desk.attendance(&event).await;
    for mark in &told.attendances {
        assert_eq!(mark.happen_time, Some(wire_time(TUESDAY)), "it happened on Tuesday");
        assert_eq!(mark.enter_time, Some(wire_time("2025-02-07T16:45")), "and was entered on Friday");
        assert_eq!((mark.source(), mark.actor_kind()), (pb::AttendanceSource::PaperList, pb::ActorKind::Staff));
    }
    let minutes: Vec<i32> = told.attendances.iter().map(|m| m.minutes).collect();
    assert_eq!(minutes, [120, 120, 120, 120, 120, 120, 120, 120, 60, 120, 120, 0]);
    let counts = &told.sessions[0];
    assert_eq!((counts.present, counts.absent, counts.person_minutes), (11, 1, 10 * 120 + 60));
    service.finish().await;
}

async fn half_a_list_is_never_saved(database: Database) {
    let (service, desk, event, people) = after_the_first_evening(database).await;
    let mut list = tuesdays_list(&people);
    list[11].member = 2;
    let refused = desk.record(&event, "s1", list).await.unwrap_err();
    assert_eq!((refused.reason.as_str(), refused.facts["marks"].as_str()), ("MARKS_REFUSED", "11:MEMBER_NOT_FOUND"));
    assert!(desk.attendance(&event).await.attendances.is_empty());
    service.finish().await;
}

async fn another_rasa_is_corrected_and_both_values_stay(database: Database) {
    let (service, desk, event, people) = after_the_first_evening(database).await;
    let first = desk.record(&event, "s1", tuesdays_list(&people)).await.unwrap();
    service.move_to("2025-02-10T09:00").await;
    let absent = pb::MarkEntry { mark: pb::AttendanceMark::Absent as i32, ..tuesdays_list(&people)[0].clone() };
    let corrected = desk.record(&event, "s1", vec![absent]).await.unwrap();
    assert_eq!((corrected.new_marks, corrected.corrected_marks), (0, 1));
    let told = desk.attendance(&event).await;
    let rasa = &told.attendances[0];
    let was = &rasa.corrections[0];
    assert_eq!((rasa.mark(), was.mark(), was.minutes), (pb::AttendanceMark::Absent, pb::AttendanceMark::Present, 120));
    assert_eq!((was.actor_kind(), was.journal_number), (pb::ActorKind::Staff, first.journal_number));
    assert_eq!(was.enter_time, Some(wire_time("2025-02-07T16:45")));
    assert_eq!(rasa.enter_time, Some(wire_time("2025-02-10T09:00")));
    assert_eq!(rasa.happen_time, Some(wire_time(TUESDAY)));
    assert_eq!(told.sessions[0].present, 10);
    service.finish().await;
}

async fn somebody_who_is_on_no_list_is_entered_too(database: Database) {
    let (service, desk, event, people) = after_the_first_evening(database).await;
    desk.record(&event, "s1", tuesdays_list(&people)).await.unwrap();
    let contact = pb::Contact { display_name: "Rasa C".into(), ..Default::default() };
    let walked_in = pb::Registration { contact: Some(contact), ..party("Rasa C", 1) };
    let taken = desk.walk_in(&event, "s1", walked_in).await.unwrap();
    assert!(taken.is_confirmed());
    let told = desk.attendance(&event).await;
    assert_eq!((told.sessions[0].present, told.attendances.len()), (12, 13));
    assert_eq!(told.attendances[12].happen_time, Some(wire_time(TUESDAY)));
    service.finish().await;
}

async fn what_was_entered_survives_a_restart(database: Database) {
    let (mut service, desk, event, people) = after_the_first_evening(database).await;
    desk.record(&event, "s1", tuesdays_list(&people)).await.unwrap();
    desk.record(&event, "s1", vec![pb::MarkEntry { minutes: Some(90), ..tuesdays_list(&people)[2].clone() }])
        .await
        .unwrap();
    let before = desk.attendance(&event).await;
    service.restart().await;
    assert_eq!(service.client().await.attendance(&event).await, before);
    service.finish().await;
}
