//! Events are made once and found again.

use crate::clerk::Clerk;
use crate::places::Place;
use crate::samples::{self, ANSWER, asked, contact, created, event, minutes, open_request, sign_up};
use eile::admission::Verb;
use eile::model::access::{Reach, Within};
use eile::model::event::{Event, EventKind, EventState};
use eile::model::id::{CentreId, EventId, ProgrammeId};
use eile::model::policy::Promotion;
use eile::model::time::{Span, Timestamp};
use eile::storage::{EventQuery, NO_START, OpenRequest, Stored};
use std::sync::Arc;

pub async fn an_event_is_made_once_per_request_id(place: Place) {
    let (store, event, request) = (&place.store, event(Some(4)), open_request());
    assert_eq!(store.create_event(&event, &created(&event), &request).await.unwrap(), Stored::Created);
    let again = samples::event(Some(9));
    let replay = store.create_event(&again, &created(&again), &request).await.unwrap();
    assert_eq!(replay, Stored::Replayed(ANSWER.to_vec()));
    let other = OpenRequest { fingerprint: 1, ..request.clone() };
    assert_eq!(store.create_event(&again, &created(&again), &other).await.unwrap(), Stored::RequestIdReused);
    let taken = store.create_event(&event, &created(&event), &open_request()).await.unwrap();
    assert_eq!(taken, Stored::Taken);
    assert_eq!(store.event_ids(None, None, 9).await.unwrap(), [event.id]);
    let roster = Clerk::at(store, event.id).check().await;
    assert_eq!(roster.state, EventState::Draft);
}

pub async fn many_who_send_the_same_request_make_one_event(place: Place) {
    let (event, request, other) = (event(None), open_request(), place.another().await);
    let mut calls = Vec::new();
    for n in 0..8 {
        let (store, event) = (if n % 2 == 0 { Arc::clone(&place.store) } else { Arc::clone(&other) }, event.clone());
        let request = request.clone();
        calls.push(tokio::spawn(async move { store.create_event(&event, &created(&event), &request).await.unwrap() }));
    }
    let mut made = 0;
    for call in calls {
        match call.await.unwrap() {
            Stored::Created => made += 1,
            answer => assert_eq!(answer, Stored::Replayed(ANSWER.to_vec())),
        }
    }
    assert_eq!(made, 1);
}

pub async fn lists_filter_and_go_by_start(place: Place) {
    let mut events: Vec<Event> = (0..8).map(|n| event(Some(n % 2))).collect();
    for (n, event) in events.iter_mut().enumerate() {
        let terms = Arc::make_mut(&mut event.terms);
        // Two share a start; two have none.
        terms.starts_at = (n < 6).then(|| minutes(100 - 10 * (n as i64 / 2)));
        event.centre = CentreId(["vilnius", "kaunas"][n % 2].into());
        event.programme = (n % 4 == 0).then(|| ProgrammeId("fathers".into()));
        event.details.kind = if n == 3 { EventKind::Contest } else { EventKind::Course };
        event.details.municipality_code = ["13", "19", "21"][n % 3].into();
        Clerk::at_new(&place.store, event).await;
    }
    Clerk::at(&place.store, events[5].id).hand_in(vec![asked(Verb::Publish)]).await.unwrap();
    let start = |e: &Event| e.terms.starts_at.unwrap_or(NO_START);
    type Filter = Box<dyn Fn(&Event) -> bool>;
    let filters: Vec<(EventQuery, Filter)> = vec![
        (EventQuery::default(), Box::new(|_| true)),
        (
            EventQuery { centre: Some(CentreId("kaunas".into())), ..Default::default() },
            Box::new(|e| e.centre.0 == "kaunas"),
        ),
        (
            EventQuery { programme: Some(ProgrammeId("fathers".into())), ..Default::default() },
            Box::new(|e| e.programme.is_some()),
        ),
        (
            EventQuery { municipality: Some("19".into()), ..Default::default() },
            Box::new(|e| e.details.municipality_code == "19"),
        ),
        (
            EventQuery { kind: Some(EventKind::Contest), ..Default::default() },
            Box::new(|e| e.details.kind == EventKind::Contest),
        ),
        (
            EventQuery { starts_from: Some(minutes(90)), ..Default::default() },
            Box::new(move |e| start(e) >= minutes(90)),
        ),
        (
            EventQuery { starts_before: Some(minutes(90)), ..Default::default() },
            Box::new(move |e| start(e) < minutes(90)),
        ),
        (
            EventQuery { has_free_seats: Some(true), ..Default::default() },
            Box::new(|e| e.terms.pools[0].capacity != Some(0)),
        ),
        (
            EventQuery { has_free_seats: Some(false), ..Default::default() },
            Box::new(|e| e.terms.pools[0].capacity == Some(0)),
        ),
        (
            EventQuery { centre: Some(CentreId("kaunas".into())), starts_before: Some(NO_START), ..Default::default() },
            Box::new(|e| e.centre.0 == "kaunas" && e.terms.starts_at.is_some()),
        ),
    ];
    for (query, keep) in filters {
        let mut expected: Vec<(Timestamp, EventId)> =
            events.iter().filter(|e| keep(e)).map(|e| (start(e), e.id)).collect();
        expected.sort();
        for limit in [1, 3, 100] {
            assert_eq!(pages(&place, &query, limit).await, expected, "{query:?} by {limit}");
        }
    }
    let published = EventQuery { state: Some(EventState::Published), limit: 9, ..Default::default() };
    let listed = place.store.list_events(&published).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.event.id).collect::<Vec<_>>(), [events[5].id]);
}

async fn pages(place: &Place, query: &EventQuery, limit: u32) -> Vec<(Timestamp, EventId)> {
    let mut all = Vec::new();
    loop {
        let query = EventQuery { limit, after: all.last().copied(), ..query.clone() };
        let page = place.store.list_events(&query).await.unwrap();
        let short = page.len() < limit as usize;
        all.extend(page.iter().map(|row| (row.event.terms.starts_at.unwrap_or(NO_START), row.event.id)));
        if short {
            return all;
        }
    }
}

pub async fn what_is_due_is_found_earliest_first(place: Place) {
    let mut due = Vec::new();
    for hours in [30, 10, 20] {
        let mut event = event(Some(1));
        let terms = Arc::make_mut(&mut event.terms);
        terms.policy.promotion = Promotion::Offer;
        terms.policy.quiet_hours = None;
        terms.policy.offer_rules.iter_mut().for_each(|rule| rule.answer_window = Some(Span::hours(hours)));
        let clerk = Clerk::at_new(&place.store, &event).await;
        let commands = vec![asked(Verb::Publish), sign_up(1, contact(1)), sign_up(1, contact(2))];
        clerk.hand_in(commands).await.unwrap();
        let cancel = Verb::Cancel { number: 1, reason: eile::model::registration::CancelReason::CannotCome };
        clerk.hand_in(vec![asked(cancel)]).await.unwrap();
        let roster = clerk.check().await;
        due.push((roster.next_due().expect("an offer is out"), clerk.event));
    }
    due.sort();
    let ids: Vec<EventId> = due.iter().map(|(_, id)| *id).collect();
    assert_eq!(place.store.due_events(Timestamp(i64::MAX), 9).await.unwrap(), ids);
    assert_eq!(place.store.due_events(due[1].0, 9).await.unwrap(), ids[..2]);
    assert_eq!(place.store.due_events(due[1].0, 1).await.unwrap(), ids[..1]);
    assert_eq!(place.store.due_events(minutes(0), 9).await.unwrap(), []);
    let clerk = Clerk::at(&place.store, ids[0]);
    clerk.hand_in_at(vec![asked(Verb::Sweep)], due[0].0).await.unwrap();
    assert_eq!(place.store.due_events(Timestamp(i64::MAX), 9).await.unwrap(), ids[1..]);
}

pub async fn ids_and_numbers_are_told(place: Place) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(Clerk::at_open(&place.store, None).await.event);
    }
    ids.sort();
    assert_eq!(place.store.event_ids(None, None, 3).await.unwrap(), ids[..3]);
    assert_eq!(place.store.event_ids(None, Some(ids[2]), 3).await.unwrap(), ids[3..]);
    let mut numbers = place.store.journal_numbers(&[ids[1], EventId(uuid::Uuid::nil()), ids[4]]).await.unwrap();
    numbers.sort();
    assert_eq!(numbers, [(ids[1], 2), (ids[4], 2)]);
    assert_eq!(place.store.journal_numbers(&[]).await.unwrap(), []);
}

pub async fn answers_are_kept_beside_their_request_ids(mut place: Place) {
    let (event, open) = (event(None), open_request());
    place.store.create_event(&event, &created(&event), &open).await.unwrap();
    let clerk = Clerk::at(&place.store, event.id);
    let publish = asked(Verb::Publish);
    let join = sign_up(1, contact(1));
    let (published, joined) = (publish.request.unwrap().key, join.request.unwrap().key);
    clerk.hand_in(vec![publish, join]).await.unwrap();
    place.reopen(eile::storage::Options::default()).await.unwrap();
    let store = &place.store;
    assert_eq!(store.event_answer(event.id, published).await.unwrap().as_deref(), Some(ANSWER));
    assert_eq!(store.event_answer(event.id, joined).await.unwrap(), None, "a sign-up's answer is its outcome");
    assert_eq!(store.event_answer(EventId(uuid::Uuid::new_v4()), published).await.unwrap(), None);
    let again = OpenRequest { answer: b"what would be answered now".to_vec(), ..open.clone() };
    assert_eq!(store.open_answer(&again).await.unwrap().as_deref(), Some(ANSWER));
    let other_body = OpenRequest { fingerprint: 1, ..open };
    assert_eq!(store.open_answer(&other_body).await.unwrap(), None);
    assert_eq!(store.open_answer(&open_request()).await.unwrap(), None);
}

pub async fn lists_show_what_is_reached_and_nothing_else(place: Place) {
    let mut made = Vec::new();
    for centre in ["elektrenai", "vilnius", "kaunas"] {
        let mut event = samples::event(None);
        event.centre = CentreId(centre.into());
        let clerk = Clerk::at_new(&place.store, &event).await;
        if centre != "kaunas" {
            clerk.hand_in(vec![asked(Verb::Publish), sign_up(1, contact(1))]).await.unwrap();
        }
        made.push(event.id);
    }
    let store = &place.store;
    let centres = |names: &[&str]| Some(names.iter().map(|name| CentreId((*name).into())).collect::<Vec<_>>());
    let listed = async |within: Within, no_drafts: bool| {
        let query = EventQuery { within, no_drafts, limit: 9, ..EventQuery::default() };
        let mut ids: Vec<_> = store.list_events(&query).await.unwrap().iter().map(|row| row.event.id).collect();
        ids.sort();
        ids
    };
    let two = Within { centres: centres(&["elektrenai", "kaunas"]), events: None };
    assert_eq!(listed(Within::default(), false).await, made);
    assert_eq!(listed(Within::default(), true).await, made[..2]);
    assert_eq!(listed(two.clone(), false).await, [made[0], made[2]]);
    assert_eq!(listed(Within { events: Some(vec![made[1]]), ..two.clone() }, false).await, []);
    assert_eq!(listed(Within { centres: None, events: Some(made[1..].to_vec()) }, false).await, made[1..]);
    assert_eq!(listed(Within { centres: Some(Vec::new()), events: None }, false).await, []);
    assert_eq!(store.event_ids(Some(&CentreId("vilnius".into())), None, 9).await.unwrap(), [made[1]]);
    let found = store.registrations_by_contact(&Reach::Within(two), contact(1)).await.unwrap();
    assert_eq!(found.iter().map(|(event, _)| *event).collect::<Vec<_>>(), [made[0]]);
    assert_eq!(store.registrations_by_contact(&Reach::All, contact(1)).await.unwrap().len(), 2);
}
