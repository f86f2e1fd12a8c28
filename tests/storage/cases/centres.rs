//! Centres and programmes: documents with a version.

use crate::places::Place;
use crate::samples::{ANSWER, centre, open_request, programme};
use eile::model::id::{CentreId, ProgrammeId};
use eile::storage::{OpenRequest, Stored};

pub async fn a_centre_is_made_changed_and_read_back(place: Place) {
    let (store, request) = (&place.store, open_request());
    let first = centre("vilnius");
    assert_eq!(store.create_centre(&first, &request).await.unwrap(), Stored::Created);
    assert_eq!(store.create_centre(&first, &request).await.unwrap(), Stored::Replayed(ANSWER.to_vec()));
    let reused = OpenRequest { fingerprint: 0, ..request.clone() };
    assert_eq!(store.create_centre(&first, &reused).await.unwrap(), Stored::RequestIdReused);
    assert_eq!(store.create_centre(&first, &open_request()).await.unwrap(), Stored::Taken);
    assert_eq!(store.centre(&first.id).await.unwrap(), Some(first.clone()));

    let mut second = first.clone();
    second.version = 2;
    second.municipality_code = "13".into();
    let update = open_request();
    assert_eq!(store.update_centre(&second, &update).await.unwrap(), Stored::Created);
    assert_eq!(store.update_centre(&second, &update).await.unwrap(), Stored::Replayed(ANSWER.to_vec()));
    assert_eq!(store.update_centre(&second, &open_request()).await.unwrap(), Stored::VersionMismatch(2));
    assert_eq!(store.centre(&first.id).await.unwrap(), Some(second));
    let nowhere = eile::model::centre::Centre { version: 2, ..centre("nowhere") };
    assert_eq!(store.update_centre(&nowhere, &open_request()).await.unwrap(), Stored::Missing);
    assert_eq!(store.centre(&CentreId("nowhere".into())).await.unwrap(), None);
}

pub async fn centres_are_listed_in_the_order_of_their_ids(place: Place) {
    for id in ["b", "a-b", "ab", "a", "1"] {
        place.store.create_centre(&centre(id), &open_request()).await.unwrap();
    }
    let ids = |page: Vec<eile::model::centre::Centre>| page.into_iter().map(|c| c.id.0).collect::<Vec<_>>();
    assert_eq!(ids(place.store.list_centres(None, 3).await.unwrap()), ["1", "a", "a-b"]);
    let after = CentreId("a-b".into());
    assert_eq!(ids(place.store.list_centres(Some(&after), 9).await.unwrap()), ["ab", "b"]);
}

pub async fn a_programme_is_made_changed_and_read_back(place: Place) {
    let (store, request) = (&place.store, open_request());
    let first = programme("fathers");
    assert_eq!(store.create_programme(&first, &request).await.unwrap(), Stored::Created);
    assert_eq!(store.create_programme(&first, &request).await.unwrap(), Stored::Replayed(ANSWER.to_vec()));
    assert_eq!(store.create_programme(&first, &open_request()).await.unwrap(), Stored::Taken);
    let mut second = first.clone();
    second.version = 2;
    second.project_code = "LT-2026".into();
    assert_eq!(store.update_programme(&second, &open_request()).await.unwrap(), Stored::Created);
    assert_eq!(store.update_programme(&second, &open_request()).await.unwrap(), Stored::VersionMismatch(2));
    let absent = eile::model::centre::Programme { version: 2, ..programme("x") };
    assert_eq!(store.update_programme(&absent, &open_request()).await.unwrap(), Stored::Missing);
    assert_eq!(store.programme(&first.id).await.unwrap(), Some(second.clone()));
    store.create_programme(&programme("a"), &open_request()).await.unwrap();
    assert_eq!(store.list_programmes(None, 1).await.unwrap()[0].id.0, "a");
    assert_eq!(store.list_programmes(Some(&ProgrammeId("a".into())), 9).await.unwrap(), [second]);
}

pub async fn of_many_updates_of_one_version_one_holds(place: Place) {
    let made = centre("vilnius");
    place.store.create_centre(&made, &open_request()).await.unwrap();
    let other = place.another().await;
    let mut calls = Vec::new();
    for n in 0..6 {
        let store = if n % 2 == 0 { place.store.clone() } else { other.clone() };
        let update = eile::model::centre::Centre { version: 2, municipality_code: n.to_string(), ..made.clone() };
        calls.push(tokio::spawn(async move { store.update_centre(&update, &open_request()).await.unwrap() }));
    }
    let mut held = 0;
    for call in calls {
        match call.await.unwrap() {
            Stored::Created => held += 1,
            answer => assert_eq!(answer, Stored::VersionMismatch(2)),
        }
    }
    assert_eq!(held, 1);
}
