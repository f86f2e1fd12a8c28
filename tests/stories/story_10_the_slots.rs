//! The psychologist's slots. 27 January 08:00: 24 one-hour slots in February, Mondays and Wednesdays; 37 people want
//! one or more; staff laid some aside for running clients. A freed slot goes to the first whom the time suits. A mother
//! asks for her son of 15.
//!
//! Not here: who sees names (access), and the sum of booked and used hours of a client (attendance).

use crate::support::client::{Client, SignedUp};
use crate::support::heard::{told, told_in_all};
use crate::support::service::{Database, Service};
use crate::support::words::*;
use eile::api::proto as pb;

on_both_databases! {
    each_slot_seats_one_and_wishes_are_met_in_their_order,
    thirteen_wait_and_each_has_a_number,
    slots_laid_aside_for_running_clients_stay_theirs,
    a_freed_slot_goes_to_the_first_whom_the_time_suits,
    a_cancelled_slot_is_offered_where_the_rules_say_offer,
    nobody_holds_four_slots_while_others_wait,
    the_page_shows_what_is_taken_and_by_nobody,
    the_sons_consent_is_asked_for_and_kept_with_the_sign_up,
    a_slot_is_given_up_by_staff_only_when_nobody_needs_it,
    the_slots_stay_at_their_hour_across_the_clock_change,
}

const DAYS: [&str; 8] = ["02-03", "02-05", "02-10", "02-12", "02-17", "02-19", "02-24", "02-26"];
const HOURS: [&str; 3] = ["12:00", "14:00", "16:00"];

/// The slot's word: `0203-1200`.
fn slot(n: usize) -> String {
    format!("{}-{}", DAYS[n / 3].replace('-', ""), HOURS[n % 3].replace(':', ""))
}

/// 24 slots, each a session and a pool of one; the first `kept` of them for running clients.
fn el_17(kept: usize, policy: pb::WaitlistPolicy) -> pb::Event {
    let meeting =
        |n: usize| pb::Session { session_id: slot(n), ..session(&format!("2025-{}T{}", DAYS[n / 3], HOURS[n % 3]), 1) };
    let seat = |n: usize| pb::SeatPool {
        session_id: slot(n),
        classes: if n < kept { vec!["client".into()] } else { Vec::new() },
        ..pool(&slot(n), 1)
    };
    pb::Event {
        kind: pb::EventKind::Appointments as i32,
        sessions: (0..24).map(meeting).collect(),
        seat_pools: (0..24).map(seat).collect(),
        registration_window: window("2025-01-27T08:00", "2025-02-26T12:00"),
        waitlist_policy: Some(policy),
        ..course("Konsultacijos Elektrėnuose, vasaris", &[])
    }
}

async fn eight_o_clock(database: Database, event: pb::Event) -> (Service, Client, String) {
    let service = Service::start(database, "2025-01-20T12:00").await;
    let desk = service.client().await;
    let event = desk.publish(event).await.name;
    service.move_to("2025-01-27T08:00").await;
    (service, desk, event)
}

async fn asks(desk: &Client, event: &str, who: &str, slots: &[usize]) -> SignedUp {
    let slots: Vec<String> = slots.iter().map(|n| slot(*n)).collect();
    let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
    desk.sign_up(event, party(who, 1).wishing(&slots)).await.unwrap()
}

async fn each_slot_seats_one_and_wishes_are_met_in_their_order(database: Database) {
    let (service, desk, event) = eight_o_clock(database, el_17(0, Default::default())).await;
    let first = asks(&desk, &event, "Pirma", &[7, 2]).await;
    let second = asks(&desk, &event, "Antra", &[7, 2]).await;
    let third = asks(&desk, &event, "Trečia", &[7, 2]).await;
    assert_eq!((first.first.pool_id.clone(), second.first.pool_id.clone()), (slot(7), slot(2)));
    assert!(third.is_waiting(), "other hours are free and do not suit her");
    let any = desk.sign_up(&event, party("Bet kada", 1)).await.unwrap();
    assert_eq!(any.first.pool_id, slot(0), "who names none gets the first that is free");
    let two = desk.sign_up(&event, party("Du", 2)).await.unwrap_err();
    assert_eq!(two.reason, "PARTY_LARGER_THAN_POOL");
    let none = desk.sign_up(&event, party("Naktį", 1).wishing(&["0230-2400"])).await.unwrap_err();
    assert_eq!((none.code, none.reason.as_str()), (tonic::Code::NotFound, "POOL_NOT_FOUND"));
    service.finish().await;
}

async fn thirteen_wait_and_each_has_a_number(database: Database) {
    let (service, _, event) = eight_o_clock(database, el_17(0, Default::default())).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..37 {
        let (client, event) = (service.client().await, event.clone());
        calls.spawn(async move { client.sign_up(&event, party(&format!("Klientė {n}"), 1)).await.unwrap() });
    }
    let all = calls.join_all().await;
    let mut slots: Vec<_> = all.iter().filter(|s| s.is_confirmed()).map(|s| s.first.pool_id.clone()).collect();
    slots.sort();
    slots.dedup();
    assert_eq!(slots.len(), 24, "each slot once");
    let mut places: Vec<_> = all.iter().filter(|s| s.is_waiting()).map(|s| s.first.position).collect();
    places.sort_unstable();
    assert_eq!(places, (1..=13).collect::<Vec<_>>());
    service.finish().await;
}

async fn slots_laid_aside_for_running_clients_stay_theirs(database: Database) {
    let (service, desk, event) = eight_o_clock(database, el_17(9, Default::default())).await;
    for n in 0..15 {
        assert!(desk.sign_up(&event, party(&format!("Nauja {n}"), 1)).await.unwrap().is_confirmed());
    }
    let late = desk.sign_up(&event, party("Nauja per vėlai", 1)).await.unwrap();
    let kept = asks(&desk, &event, "Nauja į laikomą", &[3]).await;
    assert!(late.is_waiting() && kept.is_waiting());
    let client = asks(&desk, &event, "Tęsianti", &[4, 3]).await;
    let client = desk.set_class(&client.name, "client", "Tęsia nuo gruodžio", &staff()).await.unwrap();
    assert_eq!(
        (client.stands(), client.pool_id.clone()),
        (State::Confirmed, slot(4)),
        "her hour, though two wait before her"
    );
    assert!(desk.get(&kept.name).await.unwrap().is_waiting());

    // Staff open what the clients do not need: the line moves in the same call.
    let mut changed = desk.event(&event).await;
    changed.seat_pools.iter_mut().for_each(|p| p.classes.clear());
    desk.update_event(changed, &["seat_pools"]).await.unwrap();
    assert_eq!(desk.get(&late.name).await.unwrap().pool_id, slot(0));
    assert_eq!(desk.get(&kept.name).await.unwrap().pool_id, slot(3));
    service.finish().await;
}

async fn a_freed_slot_goes_to_the_first_whom_the_time_suits(database: Database) {
    let (service, desk, event) = eight_o_clock(database, el_17(0, Default::default())).await;
    let mut inside = Vec::new();
    for n in 0..24 {
        inside.push(asks(&desk, &event, &format!("Viduje {n}"), &[n]).await);
    }
    let mondays = asks(&desk, &event, "Tik pirmadieniais", &[0, 1, 2, 6, 7, 8]).await;
    let wednesday = asks(&desk, &event, "Tik trečiadienį", &[4]).await;
    let any = desk.sign_up(&event, party("Bet kada", 1)).await.unwrap();
    desk.cancel(&inside[4].name, &by(&inside[4])).await.unwrap();
    assert_eq!(desk.get(&wednesday.name).await.unwrap().pool_id, slot(4));
    assert_eq!(desk.get(&mondays.name).await.unwrap().position, 1, "kept her place; the time did not suit");
    desk.cancel(&inside[5].name, &by(&inside[5])).await.unwrap();
    assert_eq!(desk.get(&any.name).await.unwrap().pool_id, slot(5));
    desk.cancel(&inside[7].name, &by(&inside[7])).await.unwrap();
    assert_eq!(desk.get(&mondays.name).await.unwrap().pool_id, slot(7));
    desk.cancel(&inside[8].name, &by(&inside[8])).await.unwrap();
    assert_eq!(desk.counts(&event).await.free, Some(1), "nobody waits any more");
    service.finish().await;
}

async fn a_cancelled_slot_is_offered_where_the_rules_say_offer(database: Database) {
    let (service, desk, event) = eight_o_clock(database, el_17(0, offers(pb::PartyFit::Skip))).await;
    let holder = asks(&desk, &event, "Turi", &[9]).await;
    let first = asks(&desk, &event, "Pirma", &[9]).await;
    let second = asks(&desk, &event, "Antra", &[9, 10]).await;
    assert!(second.is_confirmed(), "another hour suits her too");
    let third = asks(&desk, &event, "Trečia", &[10, 9]).await;
    desk.cancel(&holder.name, &by(&holder)).await.unwrap();
    let offered = desk.get(&first.name).await.unwrap();
    assert_eq!((offered.stands(), offered.pool_id.clone()), (State::Offered, slot(9)));
    assert!(desk.get(&third.name).await.unwrap().is_waiting(), "one slot, one offer");
    desk.decline(&first.name, &by(&first)).await.unwrap();
    assert!(desk.get(&third.name).await.unwrap().is_offered());
    assert!(desk.accept(&third.name, &by(&third)).await.unwrap().is_confirmed());
    service.finish().await;
}

async fn nobody_holds_four_slots_while_others_wait(database: Database) {
    let two_each = pb::WaitlistPolicy { registrations_per_contact: Some(2), ..Default::default() };
    let (service, desk, event) = eight_o_clock(database, el_17(0, two_each)).await;
    let client = party("Ta pati", 1);
    let first = desk.sign_up(&event, client.clone()).await.unwrap();
    let second = desk.sign_up(&event, client.clone()).await.unwrap();
    assert!(first.is_confirmed() && second.is_confirmed());
    for _ in 0..2 {
        let refused = desk.sign_up(&event, client.clone()).await.unwrap_err();
        assert_eq!(
            (refused.reason.as_str(), refused.facts.get("registration")),
            ("ALREADY_REGISTERED", Some(&first.name))
        );
    }
    // Pressing at the same time from two telephones does not help either.
    desk.cancel(&first.name, &by(&first)).await.unwrap();
    let (one, two) = (service.client().await, service.client().await);
    let (a, b) = tokio::join!(one.sign_up(&event, client.clone()), two.sign_up(&event, client.clone()));
    assert!(a.is_ok() != b.is_ok(), "one of both: {a:?} {b:?}");
    assert_eq!(desk.counts(&event).await.confirmed_persons, 2);
    service.finish().await;
}

async fn the_page_shows_what_is_taken_and_by_nobody(database: Database) {
    let (service, desk, event) = eight_o_clock(database, el_17(0, Default::default())).await;
    let booked = asks(&desk, &event, "Konfidenciali", &[11]).await;
    let page = desk.event(&event).await;
    let free: Vec<_> = page.seat_pools.iter().map(|p| p.counts.as_ref().unwrap().free).collect();
    assert_eq!(free.iter().filter(|f| **f == Some(0)).count(), 1);
    assert_eq!(free[11], Some(0));
    let staff_hear = told(&desk.get_in_full(&booked.name).await.unwrap()).to_lowercase();
    assert!(staff_hear.contains("konfidenc") && !told(&page).to_lowercase().contains("konfidenc"));
    // A guessed number beside the right one, or a wrong token, opens nothing.
    let guessed = format!("{}0", &booked.name[..booked.name.len() - 1]);
    let guessed = if guessed == booked.name { format!("{}1", &booked.name[..booked.name.len() - 1]) } else { guessed };
    let refused = desk.get(&guessed).await.unwrap_err();
    assert_eq!(refused.reason, "REGISTRATION_NOT_FOUND");
    let stranger = SignedUp { token: "x".repeat(43), ..booked };
    let refused = desk.get_as_party(&stranger).await.unwrap_err();
    assert_eq!((refused.code, refused.reason.as_str()), (tonic::Code::PermissionDenied, "TOKEN_INVALID"));
    service.finish().await;
}

async fn the_sons_consent_is_asked_for_and_kept_with_the_sign_up(database: Database) {
    let consent = pb::Question {
        question_id: "consent".into(),
        texts: lithuanian("Ar turite raštišką vieno iš tėvų sutikimą (vaikui iki 16 metų)?"),
        required: true,
        max_length: 20,
    };
    let event = pb::Event { questions: vec![consent], ..el_17(0, Default::default()) };
    let (service, desk, event) = eight_o_clock(database, event).await;
    let mut son = party("Motina", 0);
    son.on_behalf_of = pb::OnBehalfOf::Child as i32;
    son.members = vec![pb::Member { display_name: "Sūnus".into(), birth_year: Some(2010), ..Default::default() }];
    let without = desk.sign_up(&event, son.clone()).await.unwrap_err();
    assert_eq!(without.reason, "INVALID_FIELDS");
    son.answers = vec![pb::Answer { question_id: "consent".into(), text: "taip".into() }];
    let with = desk.sign_up(&event, son.clone()).await.unwrap();
    let full = desk.get_in_full(&with.name).await.unwrap();
    assert_eq!(full.answers, son.answers);
    assert!(told(&full).contains("taip"), "who reads the answers is told");
    let titles = told_in_all(&desk.event(&event).await.titles);
    assert!(titles.contains("Konsultacijos"), "{titles}");
    let said = format!("{titles} {:?}", service.journal(&event).await).to_lowercase();
    assert!(!said.contains("psicholog") && !said.contains("taip"), "no word that tells what it is about");
    service.finish().await;
}

async fn a_slot_is_given_up_by_staff_only_when_nobody_needs_it(database: Database) {
    let (service, desk, event) = eight_o_clock(database, el_17(0, Default::default())).await;
    let booked = asks(&desk, &event, "Turi", &[23]).await;
    let mut shorter = desk.event(&event).await;
    shorter.seat_pools.pop();
    let refused = desk.update_event(shorter.clone(), &["seat_pools"]).await.unwrap_err();
    assert_eq!((refused.reason.as_str(), refused.facts["pool_id"].as_str()), ("POOL_IN_USE", slot(23).as_str()));
    desk.cancel(&booked.name, &staff()).await.unwrap();
    assert_eq!(desk.update_event(shorter, &["seat_pools"]).await.unwrap().seat_pools.len(), 23);
    service.finish().await;
}

async fn the_slots_stay_at_their_hour_across_the_clock_change(database: Database) {
    let days = ["2025-03-24T12:00", "2025-03-31T12:00", "2025-04-07T12:00"];
    let slots = days.iter().enumerate().map(|(n, day)| pb::Session { session_id: format!("s{n}"), ..session(day, 1) });
    let event = pb::Event {
        sessions: slots.collect(),
        seat_pools: (0..3).map(|n| pb::SeatPool { session_id: format!("s{n}"), ..pool(&format!("p{n}"), 1) }).collect(),
        registration_window: None,
        ..el_17(0, Default::default())
    };
    let (service, desk, event) = eight_o_clock(database, event).await;
    let shown = desk.event(&event).await.sessions;
    let utc: Vec<_> = shown.iter().map(|s| s.start_time.unwrap().seconds % 86_400 / 3600).collect();
    assert_eq!(utc, [10, 9, 9], "noon in Vilnius is ten by the sun's clock, then nine");
    assert_eq!(shown.iter().map(|s| s.start_local.as_str()).collect::<Vec<_>>(), days);
    service.finish().await;
}
