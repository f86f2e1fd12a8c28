//! Opening, closing, and the secret that all instances share.

use crate::clerk::Clerk;
use crate::places::Place;
use crate::samples::{contact, sign_up};
use eile::storage::{Options, StoreError};

pub async fn what_was_stored_is_there_after_a_restart(mut place: Place) {
    let clerk = Clerk::at_open(&place.store, Some(2)).await;
    clerk.hand_in((1..=5).map(|n| sign_up(1, contact(n))).collect()).await.unwrap();
    let before = clerk.check().await;
    let secret = place.store.secret().await.unwrap();
    place.reopen(Options { migrate: false, ..Options::default() }).await.unwrap();
    let after = Clerk::at(&place.store, clerk.event).check().await;
    crate::clerk::assert_same(&before, &after);
    assert_eq!(place.store.secret().await.unwrap(), secret);
    place.store.ping().await.unwrap();
}

pub async fn all_instances_have_one_secret(place: Place) {
    let mut calls = Vec::new();
    for _ in 0..6 {
        let store = place.another().await;
        calls.push(tokio::spawn(async move { store.secret().await.unwrap() }));
    }
    let secret = place.store.secret().await.unwrap();
    assert_ne!(secret, [0; 32]);
    for call in calls {
        assert_eq!(call.await.unwrap(), secret);
    }
}

pub async fn tables_that_are_not_of_this_version_are_refused(mut place: Place) {
    let as_it_is = Options { migrate: false, ..Options::default() };
    place.meddle("insert into _sqlx_migrations values (9999, 'later', '2030-01-01', true, '', 0)").await;
    let newer = place.reopen(as_it_is).await.unwrap_err().to_string();
    assert!(newer.contains("newer"), "{newer}");
    place.meddle("delete from _sqlx_migrations where version = 9999").await;
    place.reopen(as_it_is).await.unwrap();
    place.meddle("delete from _sqlx_migrations").await;
    let older = place.reopen(as_it_is).await.unwrap_err().to_string();
    assert!(older.contains("not up to date"), "{older}");
    place.meddle("drop table _sqlx_migrations").await;
    let none = place.reopen(as_it_is).await.unwrap_err().to_string();
    assert!(none.contains("not up to date"), "{none}");
}

pub async fn migrating_twice_does_nothing_more(mut place: Place) {
    place.store.close().await;
    eile::storage::migrate(&place.url).await.unwrap();
    eile::storage::migrate(&place.url).await.unwrap();
    place.reopen(Options::default()).await.unwrap();
    place.store.ping().await.unwrap();
}

pub async fn a_url_that_cannot_be_used_is_refused_without_being_shown(_: Place) {
    for url in [
        "mysql://eile:hunter2@localhost/eile",
        "hunter2",
        "postgres://eile:hunter2@127.0.0.1:1/eile",
        "sqlite::memory:",
    ] {
        match eile::storage::open(url, Options::default()).await {
            Ok(_) => panic!("{url} was opened"),
            Err(error) => assert!(!error.to_string().contains("hunter2"), "{error}"),
        }
    }
}

pub async fn a_closed_store_says_so(place: Place) {
    place.store.close().await;
    assert!(matches!(place.store.ping().await, Err(StoreError::Unavailable(_))));
}
