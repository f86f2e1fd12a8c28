//! Nine o'clock in Elektrėnai, Monday 13 January 2025: 12 seats, 4 of them kept for referrals, guardians and
//! mandated parents; 90 families, 117 persons, a third of them couples; 32 in the first minute; 16 telephone and
//! the coordinator types them in; 7 press twice because the page is slow.
//!
//! Not here: who may see what (access), and the delivery of the notices that are owed.

use crate::support::client::{Answer, Client, SignedUp, new_id};
use crate::support::service::{Database, Service};
use crate::support::words::*;
use eile::admission::{Notice, NoticeKind};
use eile::api::proto as pb;
use std::collections::BTreeSet;

on_both_databases! {
    eight_open_seats_go_to_the_first_who_fit_and_everybody_else_gets_a_truthful_number,
    a_retry_gives_the_same_number_and_the_same_token_even_an_hour_later,
    whoever_lost_the_answer_learns_it_by_asking_again,
    a_telephone_entry_stands_in_the_same_line_at_the_time_of_its_entry,
    a_couple_is_never_split_and_holds_the_last_seat_for_itself,
    the_same_mother_is_not_twice_in_line,
    the_page_says_full_and_how_many_wait_within_seconds,
    a_referral_gets_one_of_the_kept_seats_while_the_open_ones_are_gone,
    nobody_gets_in_before_nine,
}

const COUPLES: usize = 27;
const FAMILIES: usize = 90;
const IN_THE_FIRST_MINUTE: usize = 32;

/// EL-01: eight Tuesdays at 17:30; the holiday of 11 March is left out.
fn el_01() -> pb::Event {
    let starts = ["02-04", "02-11", "02-18", "02-25", "03-04", "03-18", "03-25", "04-01"];
    let starts: Vec<String> = starts.iter().map(|day| format!("2025-{day}T17:30")).collect();
    let starts: Vec<&str> = starts.iter().map(String::as_str).collect();
    pb::Event {
        seat_pools: vec![
            pool("open", 8),
            kept_pool("kept", 4, &["referral", "guardian", "mandated"], Some("2025-01-28T17:30")),
        ],
        registration_window: window("2025-01-13T09:00", "2025-01-31T12:00"),
        ..course("Sėkmingos tėvystės mokymai", &starts)
    }
}

async fn nine_o_clock(database: Database) -> (Service, Client, String) {
    let service = Service::start(database, "2025-01-10T15:00").await;
    let desk = service.client().await;
    let event = desk.publish(el_01()).await.name;
    service.move_to("2025-01-13T09:00").await;
    (service, desk, event)
}

/// The families in the order in which they press; every third is a couple.
fn family(n: usize) -> pb::Registration {
    let size = if n.is_multiple_of(3) && n / 3 < COUPLES { 2 } else { 1 };
    let family = party(&format!("Šeima {n}"), size);
    // Sixteen have no e-mail and telephone.
    if n % 5 == 4 && n / 5 < 16 { family.by_phone(&format!("8 612 {:05}", n)) } else { family }
}

/// Everybody of these presses at the same time, each seventh twice.
async fn press(service: &Service, event: &str, families: std::ops::Range<usize>) -> Vec<(usize, SignedUp)> {
    let mut calls = tokio::task::JoinSet::new();
    for n in families {
        let client = service.client().await;
        let event = event.to_owned();
        calls.spawn(async move {
            let id = new_id();
            let again = async {
                if n % 7 == 0 { Some(client.sign_up_as(&event, family(n), &id).await.unwrap()) } else { None }
            };
            let (first, second) = tokio::join!(client.sign_up_as(&event, family(n), &id), again);
            let first = first.unwrap();
            assert!(second.is_none_or(|second| second == first), "pressed twice, answered twice");
            (n, first)
        });
    }
    calls.join_all().await
}

async fn eight_open_seats_go_to_the_first_who_fit_and_everybody_else_gets_a_truthful_number(database: Database) {
    let (service, desk, event) = nine_o_clock(database).await;
    let mut all = press(&service, &event, 0..IN_THE_FIRST_MINUTE).await;
    for (at, families) in [("09:04", 32..54), ("09:50", 54..72), ("14:00", 72..83), ("16:00", 83..FAMILIES)] {
        service.move_to(&format!("2025-01-13T{at}")).await;
        all.extend(press(&service, &event, families).await);
    }
    all.sort_by_key(|(_, s)| s.first.accepted_number);
    let numbers: Vec<i64> = all.iter().map(|(_, s)| s.first.accepted_number).collect();
    assert_eq!(numbers, (1..=90).collect::<Vec<i64>>(), "each family once, in one order");

    // Told anew from the numbers alone: the first who fit have the eight open seats, then the line begins.
    let (mut free, mut waiting) = (8, 0);
    for (n, signed) in &all {
        let size = signed.first.party_size;
        if waiting == 0 && size <= free {
            free -= size;
            assert_eq!((signed.stands(), signed.first.pool_id.as_str()), (State::Confirmed, "open"), "family {n}");
        } else {
            waiting += 1;
            assert_eq!((signed.stands(), signed.first.position), (State::Waitlisted, waiting), "family {n}");
        }
        let now = desk.get_as_party(signed).await.unwrap();
        assert_eq!((now.state, now.position), (signed.first.state, signed.first.position), "the number is still true");
    }
    // Nobody of a later minute stands before anybody of an earlier one.
    for (earlier, later) in [(0..32, 32..54), (32..54, 54..72), (54..72, 72..83), (72..83, 83..90)] {
        let number = |families: std::ops::Range<usize>| {
            all.iter().filter(move |(n, _)| families.contains(n)).map(|(_, s)| s.first.accepted_number)
        };
        assert!(number(earlier).max() < number(later).min());
    }
    let counts = desk.counts(&event).await;
    assert_eq!((counts.applied_parties, counts.applied_persons), (90, 117));
    assert_eq!((counts.confirmed_persons, counts.waiting_persons), (8 - free, 117 - (8 - free)));
    assert_eq!(desk.event(&event).await.seat_pools[1].counts.as_ref().unwrap().free, Some(4), "kept, and empty");

    let notices = service.notices(&event).await;
    let told = |kind| notices.iter().filter(move |n| n.kind == kind).count();
    assert_eq!(told(NoticeKind::Confirmed) + told(NoticeKind::Waiting), 90, "each is owed exactly one notice");
    assert_eq!(told(NoticeKind::Waiting), usize::try_from(waiting).unwrap());
    service.finish().await;
}

async fn a_retry_gives_the_same_number_and_the_same_token_even_an_hour_later(database: Database) {
    let (mut service, desk, event) = nine_o_clock(database).await;
    let mut first = Vec::new();
    for n in 0..12 {
        let id = new_id();
        first.push((n, id.clone(), desk.sign_up_as(&event, family(n), &id).await.unwrap()));
    }
    // The line has moved in the meantime: the answer is still the one that was given first.
    desk.cancel(&first[0].2.name, &staff()).await.unwrap();
    service.move_to("2025-01-13T10:00").await;
    service.restart().await;
    let desk = service.client().await;
    for (n, id, answer) in &first {
        assert_eq!(&desk.sign_up_as(&event, family(*n), id).await.unwrap(), answer, "family {n}");
    }
    assert_eq!(desk.counts(&event).await.applied_parties, 12);
    let other_body = desk.sign_up_as(&event, family(50), &first[0].1).await.unwrap_err();
    assert_eq!(other_body.reason, "REQUEST_ID_REUSED");
    service.finish().await;
}

async fn whoever_lost_the_answer_learns_it_by_asking_again(database: Database) {
    let (service, desk, event) = nine_o_clock(database).await;
    let ids: Vec<String> = (0..30).map(|_| new_id()).collect();
    for (n, id) in ids.iter().enumerate() {
        // The line goes dead while the service works: the page has no answer.
        let call = desk.sign_up_as(&event, family(n), id);
        let patience = std::time::Duration::from_micros(100 * n as u64);
        let _: Result<Answer<SignedUp>, _> = tokio::time::timeout(patience, call).await;
    }
    let mut numbers = BTreeSet::new();
    for (n, id) in ids.iter().enumerate() {
        let answer = desk.sign_up_as(&event, family(n), id).await.unwrap();
        assert!(numbers.insert(answer.first.accepted_number));
    }
    assert_eq!(desk.counts(&event).await.applied_parties, 30, "each family is in once, whatever its page said");
    service.finish().await;
}

async fn a_telephone_entry_stands_in_the_same_line_at_the_time_of_its_entry(database: Database) {
    let (service, desk, event) = nine_o_clock(database).await;
    for n in 1..=8 {
        desk.sign_up(&event, party(&format!("Anksti {n}"), 1)).await.unwrap();
    }
    let web = desk.sign_up(&event, party("Per tinklalapį", 1)).await.unwrap();
    let phone = desk.sign_up(&event, party("Telefonu", 1).by_phone("8 612 34567")).await.unwrap();
    let later = desk.sign_up(&event, party("Vėliau", 1)).await.unwrap();
    assert_eq!([1, 2, 3], [&web, &phone, &later].map(|s| s.first.position));
    let entry = desk.get_in_full(&phone.name).await.unwrap();
    assert_eq!(entry.channel, pb::Channel::Phone as i32);
    assert_eq!(entry.create_time, Some(to_wire(service.now())), "the time of the entry");
    assert_eq!(entry.contact.unwrap().phone, "8 612 34567", "shown as it was given");
    service.finish().await;
}

async fn a_couple_is_never_split_and_holds_the_last_seat_for_itself(database: Database) {
    let (service, desk, event) = nine_o_clock(database).await;
    for n in 1..=7 {
        assert!(desk.sign_up(&event, party(&format!("Viena {n}"), 1)).await.unwrap().is_confirmed());
    }
    let couple = desk.sign_up(&event, party("Pora", 2)).await.unwrap();
    assert_eq!((couple.stands(), couple.first.position), (State::Waitlisted, 1));
    let single = desk.sign_up(&event, party("Viena vėliau", 1)).await.unwrap();
    assert_eq!((single.stands(), single.first.position), (State::Waitlisted, 2), "nobody jumps the couple");
    let pools = desk.event(&event).await.seat_pools;
    assert_eq!(pools[0].counts.as_ref().unwrap().free, Some(1), "the page does not hide the empty seat");

    let first = desk.list(&event, "state = CONFIRMED", "time").await;
    desk.cancel(&first[0].name, &staff()).await.unwrap();
    let couple = desk.get(&couple.name).await.unwrap();
    assert_eq!((couple.stands(), couple.party_size), (State::Confirmed, 2), "both or neither");
    assert_eq!(desk.get(&single.name).await.unwrap().position, 1);
    service.finish().await;
}

async fn the_same_mother_is_not_twice_in_line(database: Database) {
    let (service, desk, event) = nine_o_clock(database).await;
    for n in 1..=8 {
        desk.sign_up(&event, party(&format!("Anksti {n}"), 1)).await.unwrap();
    }
    let mut mother = party("Rūta", 1);
    mother.contact.as_mut().unwrap().phone = "+370 612 99999".into();
    let first = desk.sign_up(&event, mother).await.unwrap();

    // She telephones as well: the coordinator is told, and which registration it is.
    let again = desk.sign_up(&event, party("Rūta Antrąkart", 1).by_phone("8 (612) 99999")).await.unwrap_err();
    assert_eq!((again.code, again.reason.as_str()), (tonic::Code::AlreadyExists, "ALREADY_REGISTERED"));
    assert_eq!(again.facts.get("registration"), Some(&first.name));

    // A stranger who types her address into the public page is told what any newcomer is, and so is who comes next.
    let mut stranger = party("Kažkas", 1);
    stranger.contact.as_mut().unwrap().email = " RUTA@example.org ".into();
    let twin = desk.portal().sign_up(&event, stranger).await.unwrap();
    assert!(twin.is_waiting());
    let next = desk.sign_up(&event, party("Kita", 1)).await.unwrap();
    assert_eq!((twin.first.position, next.first.position), (2, 3));
    let counts = desk.counts(&event).await;
    assert_eq!((counts.applied_parties, counts.waiting_parties), (11, 3));
    // She herself hears of it.
    let is_hers = |n: &&Notice| i64::from(n.number) == first.first.accepted_number;
    let heard: Vec<_> = service.notices(&event).await.iter().filter(is_hers).map(|n| n.kind).collect();
    assert_eq!(heard, [NoticeKind::Waiting, NoticeKind::ContactGivenAgain]);

    // After a day it is gone by itself, and nobody is told anything.
    service.move_to("2025-01-14T09:01").await;
    assert!(desk.get(&twin.name).await.is_ok_and(|r| r.stands() == State::Expired));
    assert_eq!(desk.get(&next.name).await.unwrap().position, 2);
    let counts = desk.counts(&event).await;
    assert_eq!((counts.applied_parties, counts.waiting_parties), (10, 2));
    let notices = service.notices(&event).await;
    assert!(notices.iter().all(|n| n.kind != NoticeKind::Expired));
    service.finish().await;
}

async fn the_page_says_full_and_how_many_wait_within_seconds(database: Database) {
    let (service, desk, event) = nine_o_clock(database).await;
    let mut page = desk.watch_event(&event).await;
    let first = page.message().await.unwrap().unwrap();
    assert_eq!(first.counts.unwrap().free, Some(12));
    for n in 0..30 {
        desk.sign_up(&event, party(&format!("Šeima {n}"), 1)).await.unwrap();
    }
    let full = async {
        loop {
            let now = page.message().await.unwrap().unwrap();
            if now.counts.as_ref().is_some_and(|c| c.waiting_parties == 22) {
                return now;
            }
        }
    };
    let now = tokio::time::timeout(std::time::Duration::from_secs(5), full).await.expect("within seconds");
    let open = now.pools.iter().find(|p| p.pool_id == "open").unwrap();
    assert_eq!((open.free, open.confirmed_persons, now.counts.unwrap().waiting_persons), (Some(0), 8, 22));
    assert_eq!(now.journal_number, desk.event(&event).await.journal_number);
    service.finish().await;
}

async fn a_referral_gets_one_of_the_kept_seats_while_the_open_ones_are_gone(database: Database) {
    let (service, desk, event) = nine_o_clock(database).await;
    let mut all = Vec::new();
    for n in 0..14 {
        all.push(desk.sign_up(&event, party(&format!("Šeima {n}"), 1)).await.unwrap());
    }
    let referred =
        desk.set_class(&all[13].name, "referral", "Nukreipė vaiko teisių specialistė", &staff()).await.unwrap();
    assert_eq!((referred.stands(), referred.pool_id.as_str()), (State::Confirmed, "kept"));
    let after = desk.get(&all[12].name).await.unwrap();
    assert_eq!((after.stands(), after.position), (State::Waitlisted, 5), "nobody else moved");
    let unknown = desk.set_class(&all[12].name, "vip", "Pažįstama", &staff()).await.unwrap_err();
    assert_eq!(unknown.reason, "CLASS_UNKNOWN");
    service.finish().await;
}

async fn nobody_gets_in_before_nine(database: Database) {
    let service = Service::start(database, "2025-01-13T08:59").await;
    let desk = service.client().await;
    let event = desk.publish(el_01()).await.name;
    let id = new_id();
    let early = desk.sign_up_as(&event, family(0), &id).await.unwrap_err();
    assert_eq!((early.code, early.reason.as_str()), (tonic::Code::FailedPrecondition, "REGISTRATION_NOT_OPEN"));
    assert_eq!(desk.counts(&event).await.applied_parties, 0);
    // The same request a minute later is judged afresh: a no is no answer to keep.
    service.move_to("2025-01-13T09:00").await;
    assert!(desk.sign_up_as(&event, family(0), &id).await.unwrap().is_confirmed());
    service.finish().await;
}
