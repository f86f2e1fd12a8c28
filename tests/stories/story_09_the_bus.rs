//! The bus from Šalčininkai. The celebration has 200 places. The Šalčininkai centre signs up 30 (14 adults, 16
//! children) without names on 27 May; on 20 June it becomes 34; on 26 June rain is forecast and the hall takes 180:
//! 200 are confirmed, 36 persons wait.
//!
//! Not here: counting heads at the door (attendance).

use crate::support::client::{Client, SignedUp};
use crate::support::service::{Database, Service};
use crate::support::words::*;
use eile::admission::{Change, Entering};
use eile::api::proto as pb;

on_both_databases! {
    the_bus_is_one_party_with_a_contact_and_a_head_count,
    four_more_get_in_where_nobody_waits_for_the_seats,
    four_more_on_a_full_event_are_refused_whole_and_may_stand_in_line,
    when_the_hall_shrinks_nobody_is_thrown_out_and_the_event_is_twenty_over,
    while_it_is_over_nobody_is_let_in_and_nothing_is_negative,
    staff_see_whom_they_could_ask_latest_first,
    once_it_fits_again_the_line_moves_on,
}

async fn the_celebration(database: Database) -> (Service, Client, String) {
    let service = Service::start(database, "2025-05-26T08:00").await;
    let desk = service.client().await;
    let event = pb::Event {
        kind: pb::EventKind::OpenEvent as i32,
        sessions: vec![session("2025-06-28T11:00", 6)],
        seat_pools: vec![pool("hall", 200)],
        registration_window: window("2025-05-26T08:00", "2025-06-27T12:00"),
        waitlist_policy: Some(pb::WaitlistPolicy { registrations_per_contact: Some(2), ..Default::default() }),
        ..course("Tradicinė šventė „Meilė kuria šeimą“", &[])
    };
    let event = desk.publish(event).await.name;
    service.move_to("2025-05-27T11:00").await;
    (service, desk, event)
}

fn the_bus(adults: i32, children: i32) -> pb::Registration {
    pb::Registration {
        on_behalf_of: pb::OnBehalfOf::Group as i32,
        ..party("Šalčininkų centras", 0).heads(adults, children)
    }
}

/// The bus is in with 30, 34 families of five fill the hall, and nine families of four wait.
async fn full(database: Database) -> (Service, Client, String, SignedUp, Vec<SignedUp>, Vec<SignedUp>) {
    let (service, desk, event) = the_celebration(database).await;
    let bus = desk.sign_up(&event, the_bus(14, 16)).await.unwrap();
    let (mut inside, mut waiting) = (Vec::new(), Vec::new());
    for n in 1..=34 {
        inside.push(desk.sign_up(&event, party(&format!("Šeima {n}"), 5)).await.unwrap());
    }
    for n in 1..=9 {
        waiting.push(desk.sign_up(&event, party(&format!("Laukia {n}"), 4)).await.unwrap());
    }
    let counts = desk.counts(&event).await;
    assert_eq!((counts.confirmed_persons, counts.waiting_persons, counts.free), (200, 36, Some(0)));
    service.move_to("2025-06-20T09:00").await;
    (service, desk, event, bus, inside, waiting)
}

fn with_heads(bus: &SignedUp, adults: i32, children: i32) -> pb::Registration {
    let head_count = Some(pb::HeadCount { adults, children });
    pb::Registration { name: bus.name.clone(), head_count, ..Default::default() }
}

async fn the_bus_is_one_party_with_a_contact_and_a_head_count(database: Database) {
    let (service, desk, event) = the_celebration(database).await;
    let bus = desk.sign_up(&event, the_bus(14, 16)).await.unwrap();
    assert_eq!((bus.stands(), bus.first.party_size), (State::Confirmed, 30));
    let shown = desk.get_in_full(&bus.name).await.unwrap();
    assert_eq!(shown.head_count, Some(pb::HeadCount { adults: 14, children: 16 }));
    assert!(shown.members.is_empty(), "nobody had to invent thirty names");
    assert_eq!(shown.contact.unwrap().display_name, "Šalčininkų centras");
    let counts = desk.counts(&event).await;
    assert_eq!((counts.confirmed_parties, counts.confirmed_persons), (1, 30));
    service.finish().await;
}

async fn four_more_get_in_where_nobody_waits_for_the_seats(database: Database) {
    let (service, desk, event) = the_celebration(database).await;
    let bus = desk.sign_up(&event, the_bus(14, 16)).await.unwrap();
    let grown = desk.amend(with_heads(&bus, 16, 18), &["head_count"], &by(&bus)).await.unwrap();
    assert_eq!((grown.stands(), grown.party_size, grown.accepted_number), (State::Confirmed, 34, 1));
    assert_eq!(desk.counts(&event).await.free, Some(166));
    service.finish().await;
}

async fn four_more_on_a_full_event_are_refused_whole_and_may_stand_in_line(database: Database) {
    let (service, desk, event, bus, inside, waiting) = full(database).await;
    let number = desk.event(&event).await.journal_number;
    let refused = desk.amend(with_heads(&bus, 16, 18), &["head_count"], &by(&bus)).await.unwrap_err();
    assert_eq!((refused.code, refused.reason.as_str()), (tonic::Code::FailedPrecondition, "SEATS_NOT_FREE"));
    assert_eq!((refused.facts["seats_needed"].as_str(), refused.facts["seats_free"].as_str()), ("4", "0"));
    assert_eq!(desk.event(&event).await.journal_number, number, "nothing changed");
    assert_eq!(desk.get(&bus.name).await.unwrap().party_size, 30);

    // The four are a request of their own, and stand in line like everybody.
    let four = desk.sign_up(&event, the_bus(2, 2)).await.unwrap();
    assert_eq!((four.stands(), four.first.position, four.first.party_size), (State::Waitlisted, 10, 4));
    // Five seats become free; those who waited come first, and the seat that is left is not the bus's either.
    desk.cancel(&inside[0].name, &staff()).await.unwrap();
    assert!(desk.get(&waiting[0].name).await.unwrap().is_confirmed());
    let refused = desk.amend(with_heads(&bus, 15, 16), &["head_count"], &by(&bus)).await.unwrap_err();
    assert_eq!(refused.reason, "WAITING_PARTY_FIRST");
    assert_eq!(desk.get(&four.name).await.unwrap().position, 9);
    service.finish().await;
}

async fn rain(service: &Service, desk: &Client, event: &str) -> pb::Event {
    service.move_to("2025-06-26T16:00").await;
    desk.set_capacity(event, "hall", 180, &crate::support::client::new_id()).await.unwrap()
}

async fn when_the_hall_shrinks_nobody_is_thrown_out_and_the_event_is_twenty_over(database: Database) {
    let (service, desk, event, bus, inside, waiting) = full(database).await;
    let counts = rain(&service, &desk, &event).await.counts.unwrap();
    assert_eq!((counts.capacity, counts.over_capacity, counts.free), (Some(180), 20, Some(0)));
    assert_eq!((counts.confirmed_persons, counts.confirmed_parties), (200, 35));
    for family in inside.iter().chain([&bus]) {
        assert!(desk.get(&family.name).await.unwrap().is_confirmed());
    }
    let told = desk.explain(&waiting[0].name, &waiting[0].token).await.unwrap().needed.unwrap();
    assert_eq!(told.reason(), pb::NeededReason::OverCapacity);
    let journal = service.journal(&event).await;
    let cut = journal.iter().position(|e| matches!(e.change, Change::TermsChanged { .. })).unwrap();
    assert_eq!(journal.len(), cut + 1, "the cut is the last thing that happened");
    service.finish().await;
}

async fn while_it_is_over_nobody_is_let_in_and_nothing_is_negative(database: Database) {
    let (service, desk, event, bus, inside, waiting) = full(database).await;
    rain(&service, &desk, &event).await;
    let newcomer = desk.sign_up(&event, party("Naujokė", 1)).await.unwrap();
    assert_eq!((newcomer.stands(), newcomer.first.position), (State::Waitlisted, 10));
    let refused = desk.promote(&waiting[0].name, "Labai prašė", &staff()).await.unwrap_err();
    assert_eq!(refused.reason, "SEATS_NOT_FREE");
    desk.amend(with_heads(&bus, 15, 16), &["head_count"], &staff()).await.unwrap_err();
    for (gone, over) in inside.iter().zip([15, 10, 5, 0]) {
        desk.cancel(&gone.name, &staff()).await.unwrap();
        let page = desk.event(&event).await;
        let counts = page.counts.unwrap();
        assert_eq!((counts.over_capacity, counts.free, counts.waiting_parties), (over, Some(0), 10));
        let pool = page.seat_pools[0].counts.clone().unwrap();
        assert_eq!((pool.over_capacity, pool.free), (over, Some(0)));
    }
    let cut = service.journal(&event).await;
    let cut = cut.into_iter().skip_while(|e| !matches!(e.change, Change::TermsChanged { .. }));
    let let_in = |c: &Change| {
        matches!(
            c,
            Change::Confirmed { .. } | Change::Offered { .. } | Change::Registered { to: Entering::Seat { .. }, .. }
        )
    };
    assert!(cut.into_iter().all(|e| !let_in(&e.change)));
    service.finish().await;
}

async fn staff_see_whom_they_could_ask_latest_first(database: Database) {
    let (service, desk, event, bus, inside, _) = full(database).await;
    rain(&service, &desk, &event).await;
    let mut confirmed = desk.list(&event, "state = CONFIRMED", "time").await;
    confirmed.reverse();
    assert_eq!(confirmed.first().map(|r| &r.name), inside.last().map(|s| &s.name));
    assert_eq!(confirmed.last().map(|r| &r.name), Some(&bus.name));
    let (mut asked, mut persons) = (0, 0);
    for family in &confirmed {
        if persons < 20 {
            (asked, persons) = (asked + 1, persons + family.party_size);
            assert!(!family.contact.as_ref().unwrap().email.is_empty(), "they can be reached");
        }
    }
    assert_eq!((asked, persons), (4, 20), "by party, whole");
    service.finish().await;
}

async fn once_it_fits_again_the_line_moves_on(database: Database) {
    let (service, desk, event, bus, inside, waiting) = full(database).await;
    rain(&service, &desk, &event).await;
    for gone in &inside[..4] {
        desk.cancel(&gone.name, &staff()).await.unwrap();
    }
    assert!(desk.get(&waiting[0].name).await.unwrap().is_waiting(), "180 of 180");
    // The bus comes without its last five children.
    let smaller = desk.amend(with_heads(&bus, 14, 11), &["head_count"], &by(&bus)).await.unwrap();
    assert_eq!((smaller.stands(), smaller.party_size), (State::Confirmed, 25));
    assert!(desk.get(&waiting[0].name).await.unwrap().is_confirmed());
    assert!(desk.get(&waiting[1].name).await.unwrap().is_waiting());
    let raised = desk.set_capacity(&event, "hall", 200, &crate::support::client::new_id()).await.unwrap();
    assert_eq!(raised.counts.unwrap().confirmed_persons, 199, "five more families of four");
    assert!(desk.get(&waiting[5].name).await.unwrap().is_confirmed());
    assert_eq!(desk.get(&waiting[6].name).await.unwrap().position, 1);
    service.finish().await;
}
