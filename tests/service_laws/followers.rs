//! Followers of the change feed while several instances write: each hears every change once, an event's changes in
//! the order of its journal, also one that dies again and again and goes on where it was, at either instance.

use crate::driver::Dice;
use crate::support::client::Client;
use crate::support::service::{Database, Service, event_id, run};
use crate::support::words::*;
use eile::admission::Roster;
use eile::api::proto as pb;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

const EVENTS: usize = 5;
const WRITERS: u64 = 6;
const ROUNDS: u64 = 40;

/// What one follower heard, in the order in which it heard it.
type Heard = Vec<pb::Change>;

fn group(n: usize) -> pb::Event {
    let waitlist_policy = (n % 2 == 1).then(|| offers(pb::PartyFit::Skip));
    pb::Event {
        seat_pools: vec![pool("main", 6), pool("side", 3)],
        waitlist_policy,
        ..course("Tėvystės mokymai", &["2025-02-20T17:30"])
    }
}

/// Signs up, cancels, and cuts and adds seats, until its rounds are over.
async fn writes(ways: Vec<Client>, events: Arc<Vec<String>>, seed: u64) {
    let mut dice = Dice::new(seed);
    let mut own = Vec::new();
    for n in 0..ROUNDS {
        let way = &ways[dice.below(ways.len() as u64) as usize];
        let event = &events[dice.below(EVENTS as u64) as usize];
        match dice.below(8) {
            0 => {
                drop(way.set_capacity(event, "main", 2 + dice.below(8) as i32, &crate::support::client::new_id()).await)
            }
            1 | 2 if !own.is_empty() => {
                let gone: String = own.swap_remove(dice.below(own.len() as u64) as usize);
                way.cancel(&gone, &staff()).await.unwrap();
            }
            _ => {
                let size = 1 + dice.below(3) as usize;
                own.push(way.sign_up(event, party(&format!("Šeima {seed} {n}"), size)).await.unwrap().name);
            }
        }
    }
}

/// Follows to the end: that is where `until` says how many changes there are.
async fn follows(ways: Vec<Client>, seed: u64, until: watch::Receiver<Option<usize>>) -> Heard {
    let mut dice = Dice::new(seed);
    let (mut heard, mut cursor) = (Heard::new(), String::new());
    let is_over = |heard: &Heard| until.borrow().is_some_and(|count| heard.len() >= count);
    while !is_over(&heard) {
        let way = &ways[dice.below(ways.len() as u64) as usize];
        if dice.below(3) == 0 {
            let page = way.changes(&cursor, 1 + dice.below(40) as i32).await.unwrap();
            heard.extend(page.changes);
            cursor = page.cursor;
            continue;
        }
        let mut stream = way.follow(&cursor).await.unwrap();
        // A few messages, and then it dies with what it had by then.
        for _ in 0..1 + dice.below(6) {
            if is_over(&heard) {
                break;
            }
            let wait = std::time::Duration::from_millis(300);
            let Ok(message) = tokio::time::timeout(wait, stream.message()).await else { break };
            let message = message.unwrap().unwrap();
            heard.extend(message.changes);
            cursor = message.cursor;
        }
    }
    heard
}

async fn every_follower_hears_every_change_once(database: Database, instances: usize) {
    let mut service = Service::start(database, "2025-01-13T09:00").await;
    while service.instances() < instances {
        service.add_instance().await;
    }
    let mut ways = Vec::new();
    for n in 0..instances {
        ways.push(service.client_of(n).await);
    }
    let mut events = Vec::new();
    for n in 0..EVENTS {
        events.push(ways[n % instances].publish(group(n)).await.name);
    }
    let events = Arc::new(events);
    let (over, until) = watch::channel(None);
    let mut followers = tokio::task::JoinSet::new();
    for seed in 0..4 {
        followers.spawn(follows(ways.clone(), seed, until.clone()));
    }
    let mut writers = tokio::task::JoinSet::new();
    for seed in 0..WRITERS {
        writers.spawn(writes(ways.clone(), Arc::clone(&events), 1_000 + seed));
    }
    writers.join_all().await;

    let mut journals = BTreeMap::new();
    for event in events.iter() {
        let numbers: Vec<i64> = service.journal(event).await.iter().map(|e| e.number as i64).collect();
        journals.insert(event.clone(), numbers);
    }
    over.send(Some(journals.values().map(Vec::len).sum())).unwrap();
    let all = followers.join_all().await;
    for heard in &all {
        let mut told: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for change in heard {
            told.entry(change.event.clone()).or_default().push(change.journal_number);
        }
        assert_eq!(told, journals);
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "all hear the same feed");
    the_counts_are_those_after_each_commit(&service, &all[0], &events).await;
    the_states_add_up(&ways[0], &all[0], &events).await;
    service.finish().await;
}

/// Where the next change tells other counts, a commit ended: what was told is what the journal gives up to there.
async fn the_counts_are_those_after_each_commit(service: &Service, heard: &Heard, events: &[String]) {
    for event in events {
        let entries = service.journal(event).await;
        let mut roster = Roster::replay(event_id(event), &entries[..1]).unwrap();
        let told: Vec<_> = heard.iter().filter(|change| change.event == *event).collect();
        let mut commits = 0;
        for (n, change) in told.iter().enumerate() {
            if n > 0 {
                roster.apply(&entries[n]);
            }
            let counts = change.counts.unwrap();
            if told.get(n + 1).is_some_and(|next| next.counts == Some(counts)) {
                continue;
            }
            commits += 1;
            let (journal, free) = (&roster.counts, roster.free_in_all().map(|free| free as i32));
            let persons = [journal.confirmed.persons, journal.offered.persons, journal.waiting.persons];
            let parties = [journal.confirmed.parties, journal.offered.parties, journal.waiting.parties];
            let said_persons = [counts.confirmed_persons, counts.offered_persons, counts.waiting_persons];
            let said_parties = [counts.confirmed_parties, counts.offered_parties, counts.waiting_parties];
            assert_eq!(said_persons, persons.map(|n| n as i32), "{event} {n}");
            assert_eq!((said_parties, counts.free), (parties.map(|n| n as i32), free), "{event} {n}");
        }
        assert!(commits > 10, "{event}: {commits} commits");
    }
}

/// A change around a session says which, also where staff have taken the session out since.
async fn changes_around_a_session_name_it(database: Database) {
    let service = Service::start(database, "2025-01-13T09:00").await;
    let client = service.client().await;
    let event = client.publish(super::at_the_door::open_group()).await.name;
    let id = crate::support::client::new_id;
    let party = client.sign_up(&event, party("Šeima", 2)).await.unwrap().name;
    let line = |member| pb::MarkEntry {
        registration: party.clone(),
        member,
        mark: pb::AttendanceMark::Present as i32,
        minutes: None,
    };
    client.record(&event, "s1", vec![line(1), line(2)]).await.unwrap();
    let scan = pb::CheckInRequest {
        parent: event.clone(),
        session_id: "s2".into(),
        registration: party.clone(),
        request_id: id(),
        ..Default::default()
    };
    client.check_in(scan).await.unwrap();
    let heads = pb::RecordHeadCountRequest {
        parent: event.clone(),
        session_id: "s2".into(),
        adults: 5,
        request_id: id(),
        ..Default::default()
    };
    client.count_heads(heads).await.unwrap();
    client.move_session(&event, "s9", ("2025-02-25T10:00", "2025-02-25T12:00"), &id()).await.unwrap();
    client.cancel_session(&event, "s8", "Lektorė serga", &id()).await.unwrap();
    let mut without = client.event(&event).await;
    without.etag.clear();
    without.sessions.retain(|s| s.session_id != "s7");
    client.update_event(without, &["sessions"]).await.unwrap();

    let heard = client.changes("", 500).await.unwrap().changes;
    let sessions: Vec<_> =
        heard.iter().filter(|c| !c.session_id.is_empty()).map(|c| (c.kind(), c.session_id.as_str())).collect();
    let expected = [
        (pb::ChangeKind::AttendanceRecorded, "s1"),
        (pb::ChangeKind::CheckedIn, "s2"),
        (pb::ChangeKind::HeadsCounted, "s2"),
        (pb::ChangeKind::SessionMoved, "s9"),
        (pb::ChangeKind::SessionCancelled, "s8"),
        (pb::ChangeKind::SessionCancelled, "s7"),
    ];
    assert_eq!(sessions, expected);
    service.finish().await;
}

#[test]
fn changes_around_a_session_name_it_on_sqlite() {
    run(changes_around_a_session_name_it(Database::Sqlite));
}

#[test]
fn changes_around_a_session_name_it_on_postgres() {
    run(changes_around_a_session_name_it(Database::Postgres));
}

/// Whoever only follows knows the state of every registration and the seats that are held.
async fn the_states_add_up(client: &Client, heard: &Heard, events: &[String]) {
    let mut states = BTreeMap::new();
    let mut seats: BTreeMap<&str, i32> = BTreeMap::new();
    for change in heard {
        *seats.entry(&change.event).or_default() += change.seats;
        if change.registration_state() != pb::RegistrationState::Unspecified {
            states.insert(change.registration.clone(), change.registration_state());
        }
    }
    let mut stored = BTreeMap::new();
    for event in events {
        let counts = client.counts(event).await;
        assert_eq!(seats[event.as_str()], counts.confirmed_persons + counts.offered_persons, "{event}");
        for r in client.list(event, "", "line").await {
            stored.insert(r.name.clone(), r.state());
        }
    }
    assert_eq!(states, stored);
}

#[test]
fn every_follower_hears_every_change_once_on_sqlite() {
    run(every_follower_hears_every_change_once(Database::Sqlite, 1));
}

#[test]
fn every_follower_hears_every_change_once_on_postgres() {
    run(every_follower_hears_every_change_once(Database::Postgres, 1));
}

#[test]
fn every_follower_hears_every_change_once_while_two_instances_write() {
    run(every_follower_hears_every_change_once(Database::Postgres, 2));
}
