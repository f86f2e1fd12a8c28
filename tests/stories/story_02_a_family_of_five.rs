//! A family of five for the celebration „Meilė kuria šeimą“, Saturday 28 June 2025, 200 places. Danuta signs up on
//! 2 June: two adults, children of 14, 9 and 3, one in care; in Polish; with a ride from Rudamina.
//!
//! Not here: booking the bus (wishes are recorded and shown, places are not given), the wording and delivery of the
//! confirmation, and who may see the door list (access).

use crate::support::client::{Client, SignedUp};
use crate::support::heard::told_in_all;
use crate::support::service::{Database, Service};
use crate::support::words::*;
use eile::admission::{Change, NoticeKind};
use eile::api::proto as pb;

on_both_databases! {
    five_people_are_one_party_with_five_places,
    a_party_of_five_is_never_confirmed_with_four_places,
    the_wish_for_a_ride_stands_beside_the_seats_whole,
    a_child_in_care_is_a_child_of_nine_and_no_more,
    what_was_written_in_polish_and_cyrillic_comes_back_unchanged_and_is_found_without_diacritics,
    a_child_that_stays_at_home_frees_a_place_that_goes_on_at_once,
}

async fn the_celebration(database: Database, places: i32) -> (Service, Client, String) {
    let service = Service::start(database, "2025-05-26T08:00").await;
    let desk = service.client().await;
    let event = pb::Event {
        kind: pb::EventKind::OpenEvent as i32,
        languages: vec!["lt".into(), "pl".into(), "ru".into()],
        sessions: vec![session("2025-06-28T11:00", 6)],
        seat_pools: vec![pool("hall", places)],
        services_offered: Some(pb::ServicesOffered { childcare_places: 0, rides: 49 }),
        registration_window: window("2025-05-26T08:00", "2025-06-27T12:00"),
        ..course("Tradicinė šventė „Meilė kuria šeimą“", &[])
    };
    let event = desk.publish(event).await.name;
    service.move_to("2025-06-02T18:20").await;
    (service, desk, event)
}

fn danuta() -> pb::Registration {
    let member = |name: &str, year: i32, role: &str| pb::Member {
        display_name: name.into(),
        birth_year: Some(year),
        role: role.into(),
        ..Default::default()
    };
    pb::Registration {
        members: vec![
            member("Danuta Łąkowska", 1984, "parent"),
            member("Żymantas Łąkowski", 1981, "parent"),
            member("Święta", 2011, "child"),
            member("Іванка", 2016, "child"),
            member("Józef", 2022, "child"),
        ],
        language: "pl".into(),
        services: Some(pb::ServiceWishes { childcare_children: 0, rides: 5 }),
        municipality_code: "41".into(),
        ..party("Danuta Łąkowska", 0)
    }
}

async fn five_people_are_one_party_with_five_places(database: Database) {
    let (service, desk, event) = the_celebration(database, 200).await;
    let family = desk.sign_up(&event, danuta()).await.unwrap();
    assert_eq!((family.stands(), family.first.party_size, family.first.accepted_number), (State::Confirmed, 5, 1));
    let counts = desk.counts(&event).await;
    assert_eq!((counts.confirmed_parties, counts.confirmed_persons, counts.free), (1, 5, Some(195)));
    assert_eq!(desk.list(&event, "", "line").await.len(), 1, "one party, not five tickets");
    let notices = service.notices(&event).await;
    assert_eq!(notices.iter().map(|n| (n.number, n.kind)).collect::<Vec<_>>(), [(1, NoticeKind::Confirmed)]);
    service.finish().await;
}

async fn a_party_of_five_is_never_confirmed_with_four_places(database: Database) {
    let (service, desk, event) = the_celebration(database, 10).await;
    let others = desk.sign_up(&event, party("Kiti", 6)).await.unwrap();
    let family = desk.sign_up(&event, danuta()).await.unwrap();
    assert_eq!((family.stands(), family.first.position, family.first.pool_id.as_str()), (State::Waitlisted, 1, ""));
    assert_eq!(desk.counts(&event).await.confirmed_persons, 6);
    let explained = desk.explain(&family.name, &family.token).await.unwrap();
    assert!(explained.needed.unwrap().seats >= 1, "it is said that seats must become free");
    desk.cancel(&others.name, &by(&others)).await.unwrap();
    assert_eq!(desk.get(&family.name).await.unwrap().stands(), State::Confirmed);
    assert_eq!(desk.counts(&event).await.confirmed_persons, 5);
    service.finish().await;
}

async fn the_wish_for_a_ride_stands_beside_the_seats_whole(database: Database) {
    let (service, desk, event) = the_celebration(database, 200).await;
    let family = desk.sign_up(&event, danuta()).await.unwrap();
    let shown = desk.get_in_full(&family.name).await.unwrap();
    assert_eq!(shown.services.unwrap().rides, 5, "all five ride or the family is asked: never four of five");
    assert_eq!(desk.event(&event).await.services_offered.unwrap().rides, 49, "the wish took no seat of the bus");
    assert_eq!(desk.counts(&event).await.confirmed_persons, 5, "nor one of the hall");
    service.finish().await;
}

async fn a_child_in_care_is_a_child_of_nine_and_no_more(database: Database) {
    let (service, desk, event) = the_celebration(database, 200).await;
    desk.sign_up(&event, danuta()).await.unwrap();
    let list = desk.list(&event, "", "name").await;
    let child = &list[0].members[3];
    assert_eq!((child.role.as_str(), child.birth_year), ("child", Some(2016)));
    let listed = told_in_all(&list).to_lowercase();
    assert!(listed.contains("child") && listed.contains("іванка"), "{listed}");
    let journal = format!("{:?}", service.journal(&event).await).to_lowercase();
    for word in ["ward", "care", "globo"] {
        assert!(!listed.contains(word), "`{word}` stands on the list");
        assert!(!journal.contains(&format!("\"{word}")), "`{word}` stands in the journal");
    }
    service.finish().await;
}

async fn what_was_written_in_polish_and_cyrillic_comes_back_unchanged_and_is_found_without_diacritics(
    database: Database,
) {
    let (service, desk, event) = the_celebration(database, 200).await;
    let family = desk.sign_up(&event, danuta()).await.unwrap();
    desk.sign_up(&event, party("Ona Žymantienė", 1)).await.unwrap();
    let shown = desk.get_in_full(&family.name).await.unwrap();
    let (asked, mut shown_members) = (danuta(), shown.members.clone());
    shown_members.iter_mut().for_each(|member| member.person.clear());
    assert_eq!((shown_members, shown.contact, shown.language.as_str()), (asked.members, asked.contact, "pl"));
    for words in ["lakowska", "ŁĄKOWSKA danuta", "swieta", "іванка", "jozef"] {
        let found = desk.list(&event, &format!("search : \"{words}\""), "line").await;
        assert_eq!(found.iter().map(|r| &r.name).collect::<Vec<_>>(), [&family.name], "{words}");
    }
    let title = &desk.event(&event).await.titles[0].text;
    assert_eq!(title, "Tradicinė šventė „Meilė kuria šeimą“");
    service.finish().await;
}

async fn a_child_that_stays_at_home_frees_a_place_that_goes_on_at_once(database: Database) {
    let (service, desk, event) = the_celebration(database, 5).await;
    let family = desk.sign_up(&event, danuta()).await.unwrap();
    let waiting = desk.sign_up(&event, party("Laukianti", 1)).await.unwrap();
    let smaller = without_the_youngest(&family);
    let answer = desk.amend(smaller, &["members"], &by(&family)).await.unwrap();
    assert_eq!((answer.stands(), answer.party_size, answer.accepted_number), (State::Confirmed, 4, 1));
    assert!(desk.get(&waiting.name).await.unwrap().is_confirmed(), "in the same transaction");
    let journal = service.journal(&event).await;
    let resized = journal.iter().position(|e| matches!(e.change, Change::Resized { size: 4, .. })).unwrap();
    assert_eq!(journal[resized].seats, -1);
    assert!(matches!(journal[resized + 1].change, Change::Confirmed { number: 2, .. }));
    assert_eq!(journal[resized].at, journal[resized + 1].at);
    let owed = service.notices(&event).await;
    assert!(owed.iter().any(|n| (n.number, n.kind) == (2, NoticeKind::Promoted)));
    service.finish().await;
}

fn without_the_youngest(family: &SignedUp) -> pb::Registration {
    let mut members = danuta().members;
    members.truncate(4);
    pb::Registration { name: family.name.clone(), members, ..Default::default() }
}
