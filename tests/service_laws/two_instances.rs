//! Two instances of the service on one PostgreSQL: what one acknowledged the other shows, what one changes the other's
//! watchers see, seats are given once, and what is due is done once.

use crate::support::client::{Client, new_id};
use crate::support::service::{Database, Service, run};
use crate::support::words::*;
use eile::admission::Change;
use eile::api::proto as pb;
use eile::model::registration::End;
use std::time::Duration;

async fn two(local: &str) -> (Service, Client, Client) {
    let mut service = Service::start(Database::Postgres, local).await;
    service.add_instance().await;
    let (one, other) = (service.client().await, service.client_of(1).await);
    (service, one, other)
}

fn group(policy: pb::WaitlistPolicy, seats: i32) -> pb::Event {
    pb::Event {
        seat_pools: vec![pool("main", seats)],
        waitlist_policy: Some(policy),
        ..course("Tėvystės mokymai", &["2025-02-20T17:30"])
    }
}

#[test]
fn sign_ups_through_both_never_give_a_seat_twice() {
    run(async {
        let (service, one, _) = two("2025-01-13T09:00").await;
        let event = one.publish(group(Default::default(), 12)).await.name;
        let mut calls = tokio::task::JoinSet::new();
        for n in 0..160usize {
            let (client, event) = (service.client_of(n % 2).await, event.clone());
            calls.spawn(async move {
                let id = new_id();
                let first = client.sign_up_as(&event, party(&format!("Šeima {n}"), 1 + n % 3), &id).await.unwrap();
                if n.is_multiple_of(5) && first.is_confirmed() {
                    client.cancel(&first.name, &by(&first)).await.unwrap();
                }
                (n, id, first)
            });
        }
        let all = calls.join_all().await;
        let counts = one.counts(&event).await;
        assert!(counts.confirmed_persons <= 12 && counts.applied_parties == 160, "{counts:?}");
        // Each asks again, at the other instance, and hears the same.
        for (n, id, first) in all {
            let other = service.client_of((n + 1) % 2).await;
            assert_eq!(other.sign_up_as(&event, party(&format!("Šeima {n}"), 1 + n % 3), &id).await.unwrap(), first);
        }
        assert_eq!(one.counts(&event).await.applied_parties, 160);
        service.finish().await;
    });
}

#[test]
fn the_same_request_sent_to_both_at_once_is_taken_once() {
    run(async {
        let (service, one, other) = two("2025-01-13T09:00").await;
        let event = one.publish(group(Default::default(), 3)).await.name;
        for n in 0..20 {
            let id = new_id();
            let family = || party(&format!("Šeima {n}"), 1);
            let (a, b) = tokio::join!(one.sign_up_as(&event, family(), &id), other.sign_up_as(&event, family(), &id));
            assert_eq!(a.unwrap(), b.unwrap());
        }
        assert_eq!(one.counts(&event).await.applied_parties, 20);
        service.finish().await;
    });
}

#[test]
fn what_one_acknowledged_the_other_shows_at_once() {
    run(async {
        let (service, one, other) = two("2025-01-13T09:00").await;
        let event = one.publish(group(Default::default(), 3)).await.name;
        for n in 0..40 {
            let (writer, reader) = if n % 2 == 0 { (&one, &other) } else { (&other, &one) };
            let new = writer.sign_up(&event, party(&format!("Šeima {n}"), 1)).await.unwrap();
            let seen = reader.get_as_party(&new).await.unwrap();
            assert_eq!((seen.state, seen.position), (new.first.state, new.first.position));
            assert!(seen.journal_number >= new.first.journal_number);
            assert_eq!(reader.counts(&event).await.applied_parties, n + 1);
        }
        service.finish().await;
    });
}

#[test]
fn both_sweep_and_each_offer_expires_once() {
    run(async {
        let (service, one, other) = two("2025-01-13T09:00").await;
        let event = one.publish(group(offers(pb::PartyFit::Hold), 5)).await.name;
        let mut inside = Vec::new();
        for n in 0..25 {
            inside.push(one.sign_up(&event, party(&format!("Šeima {n}"), 1)).await.unwrap());
        }
        for gone in &inside[..5] {
            other.cancel(&gone.name, &staff()).await.unwrap();
        }
        assert_eq!(one.counts(&event).await.offered_parties, 5);
        for round in 1..=3 {
            service.clock.advance(eile::model::time::Span::hours(24 * 4));
            service.sweep().await;
            assert_eq!(other.counts(&event).await.expired_parties, 5 * round);
        }
        let journal = service.journal(&event).await;
        let mut expired: Vec<_> = journal
            .iter()
            .filter_map(|e| match &e.change {
                Change::Ended { number, end: End::Expired } => Some(*number),
                _ => None,
            })
            .collect();
        assert_eq!(expired.len(), 15);
        expired.sort_unstable();
        expired.dedup();
        assert_eq!(expired.len(), 15, "each of them once");
        service.finish().await;
    });
}

#[test]
fn a_watcher_of_one_sees_what_the_other_changed() {
    run(async {
        let (service, one, other) = two("2025-01-13T09:00").await;
        let event = one.publish(group(Default::default(), 1)).await.name;
        let first = one.sign_up(&event, party("Pirma", 1)).await.unwrap();
        let second = one.sign_up(&event, party("Antra", 1)).await.unwrap();
        let mut page = other.watch_event(&event).await;
        let mut own = other.watch(&second).await;
        let (shown, mine) = (page.message().await.unwrap().unwrap(), own.message().await.unwrap().unwrap());
        assert_eq!((shown.counts.unwrap().waiting_parties, mine.registration.unwrap().position), (1, 1));
        one.cancel(&first.name, &by(&first)).await.unwrap();
        let confirmed = async {
            loop {
                let told = own.message().await.unwrap().unwrap();
                if told.registration.is_some_and(|r| r.is_confirmed()) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(5), confirmed).await.expect("the other's watcher is woken");
        let told = tokio::time::timeout(Duration::from_secs(5), page.message()).await.unwrap().unwrap().unwrap();
        assert_eq!(told.counts.unwrap().waiting_parties, 0);
        drop((page, own));
        service.finish().await;
    });
}
