//! The second wall of PostgreSQL (docs/decisions/0024): what belongs to people or centres is shown to whoever says on whose
//! behalf it reads, and nothing else. Not the same on both, so not among the cases; the cases themselves run as an
//! ordinary owner, whom the policies bind, so that whatever of the service's own work forgot to say who it is fails there.

use crate::clerk::{self, Clerk};
use crate::findings::on_postgres::settled;
use crate::places::Place;
use crate::postgres;
use crate::samples::{self, START, asked, contact, minutes, open_request, sign_up};
use eile::admission::Verb;
use eile::model::access::{Reach, Within};
use eile::model::access_log::{AccessEntry, AccessKind, AccessQuery};
use eile::model::id::{CentreId, EventId};
use eile::model::report::Report;
use eile::storage::{Options, Store};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What stands behind the wall, and how many rows of each there are of a centre here.
const WALLED: [(&str, i64); 5] = [("access_log", 1), ("attendance", 1), ("parties", 3), ("reasons", 1), ("reports", 1)];
const CENTRES: [&str; 2] = ["elektrenai", "vilnius"];

/// Two centres with an event each, and rows of each in every walled table.
struct Two {
    place: Place,
    events: [EventId; 2],
}

impl Two {
    async fn at(place: Place) -> Self {
        let mut events = Vec::new();
        for centre in CENTRES {
            events.push(filled(&place, &CentreId(centre.into())).await);
        }
        Self { place, events: events.try_into().unwrap() }
    }

    async fn as_owner(&self) -> PgConnection {
        PgConnection::connect(&postgres::as_owner(&self.place.url)).await.unwrap()
    }
}

async fn filled(place: &Place, centre: &CentreId) -> EventId {
    let mut event = samples::event(None);
    event.centre = centre.clone();
    let clerk = Clerk::at_new(&place.store, &event).await;
    clerk.hand_in(vec![asked(Verb::Publish)]).await.unwrap();
    clerk.hand_in((1..=3).map(|n| sign_up(1, contact(n))).collect()).await.unwrap();
    clerk.hand_in(vec![asked(Verb::SetClass { number: 2, class: None })]).await.unwrap();
    let mark =
        "insert into attendance values ('{}', 1, 1, 1, 1, 90, 1, 2, 0, 0, 1)".replace("{}", &event.id.0.to_string());
    place.meddle(&mark).await;
    place.store.add_access_entries(vec![entry(centre, event.id)]).await.unwrap();
    place.store.create_report(&report(centre), &open_request()).await.unwrap();
    event.id
}

fn entry(centre: &CentreId, event: EventId) -> AccessEntry {
    AccessEntry {
        id: Uuid::now_v7(),
        at: START,
        key: "0f1e2d3c4b5a6978".into(),
        role: None,
        person: None,
        method: "GetRoster".into(),
        kind: AccessKind::Read,
        centre: Some(centre.clone()),
        event: Some(event),
        registration: None,
        rows_max: None,
        request_id: None,
        reason: String::new(),
        outcome: 0,
        left_out: 0,
    }
}

fn report(centre: &CentreId) -> Report {
    Report {
        id: Uuid::now_v7(),
        title: "Quarter".into(),
        centre: Some(centre.clone()),
        created_at: START,
        query: String::new(),
        figures: String::new(),
        rests_on: Vec::new(),
        people_number: 0,
    }
}

fn of(centre: &str) -> Reach {
    Reach::Within(Within { centres: Some(vec![CentreId(centre.into())]), events: None })
}

/// Rows of each walled table that a transaction with these settings sees.
async fn seen(connection: &mut PgConnection, settings: &[(&str, &str)]) -> BTreeMap<&'static str, i64> {
    connection.execute("begin").await.unwrap();
    for (name, value) in settings {
        let set = sqlx::query("select set_config($1, $2, true)").bind(*name).bind(*value);
        set.execute(&mut *connection).await.unwrap();
    }
    let mut found = BTreeMap::new();
    for (table, _) in WALLED {
        let count = AssertSqlSafe(format!("select count(*) from {table}"));
        found.insert(table, sqlx::query_scalar(count).fetch_one(&mut *connection).await.unwrap());
    }
    connection.execute("rollback").await.unwrap();
    found
}

fn times(n: i64) -> BTreeMap<&'static str, i64> {
    WALLED.into_iter().map(|(table, rows)| (table, rows * n)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raw_select_shows_what_the_setting_names_and_fails_without_one() {
    let two = Two::at(Place::postgres().await).await;
    let mut owner = two.as_owner().await;
    for (table, _) in WALLED {
        let all = || AssertSqlSafe(format!("select * from {table}"));
        assert!(sqlx::raw_sql(all()).execute(&mut owner).await.is_err(), "{table} is shown to whoever says nothing");
    }
    let one = two.events[0].0.to_string();
    assert_eq!(seen(&mut owner, &[("eile.reach", "service")]).await, times(2));
    assert_eq!(seen(&mut owner, &[("eile.reach", "all")]).await, times(2));
    let within = |centres, events| [("eile.reach", "within"), ("eile.centres", centres), ("eile.events", events)];
    assert_eq!(seen(&mut owner, &within("elektrenai", "*")).await, times(1));
    assert_eq!(seen(&mut owner, &within("elektrenai,vilnius", "*")).await, times(2));
    assert_eq!(seen(&mut owner, &within("", "*")).await, times(0));
    assert_eq!(seen(&mut owner, &within("vilnius", &one)).await, times(0));
    let by_event =
        BTreeMap::from([("reports", 0), ("access_log", 1), ("attendance", 1), ("parties", 3), ("reasons", 1)]);
    assert_eq!(seen(&mut owner, &within("*", &one)).await, by_event);
    let named = format!("{one}/2");
    let alone = [("eile.reach", "registration"), ("eile.registration", named.as_str())];
    let of_one = BTreeMap::from([("reports", 0), ("access_log", 0), ("attendance", 0), ("parties", 1), ("reasons", 1)]);
    assert_eq!(seen(&mut owner, &alone).await, of_one);
    // What a transaction said is gone with it, and leaves no half of it behind.
    for wrong in ["", "Service", "true", "centres"] {
        owner.execute("begin").await.unwrap();
        sqlx::query("select set_config('eile.reach', $1, true)").bind(wrong).execute(&mut owner).await.unwrap();
        assert!(owner.execute("select * from parties").await.is_err(), "{wrong:?} is shown something");
        owner.execute("rollback").await.unwrap();
    }
    for (table, _) in WALLED {
        let all = AssertSqlSafe(format!("select * from {table}"));
        assert!(sqlx::raw_sql(all).execute(&mut owner).await.is_err(), "{table} is shown after a transaction");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_with_rows_of_people_or_centres_binds_its_owner_too() {
    let place = Place::postgres().await;
    let mut watcher = PgConnection::connect(&place.url).await.unwrap();
    let walled = "select relname::text from pg_class where relrowsecurity and relforcerowsecurity order by relname";
    let walled: Vec<String> = sqlx::query_scalar(walled).fetch_all(&mut watcher).await.unwrap();
    assert_eq!(walled, WALLED.map(|(table, _)| table));
    let names = "select count(*) from information_schema.columns where table_schema = 'public' and column_name in
        ('document', 'search', 'reason') and table_name not in
        ('parties', 'reasons', 'access_log', 'reports', 'event_documents', 'centres', 'programmes', 'access_keys', 'people')";
    let others: i64 = sqlx::query_scalar(names).fetch_one(&mut watcher).await.unwrap();
    assert_eq!(others, 0, "a new table has words: does it belong to people or a centre?");
}

/// Callers' reads of the first centre through a store.
async fn looks(store: &Arc<dyn Store>, [own, other]: [EventId; 2]) {
    let (reach, vilnius) = (of(CENTRES[0]), of(CENTRES[1]));
    assert_eq!(store.parties(&reach, own, &[1, 2]).await.unwrap().len(), 2);
    assert_eq!(store.parties(&reach, other, &[1, 2]).await.unwrap().len(), 0);
    assert_eq!(store.parties(&vilnius, other, &[1, 2]).await.unwrap().len(), 2);
    assert_eq!(store.parties_by_name(&reach, own, None, 9).await.unwrap().len(), 3);
    assert_eq!(store.parties_by_name(&reach, other, None, 9).await.unwrap().len(), 0);
    assert_eq!(store.reasons(&reach, own, 2).await.unwrap().len(), 1);
    assert_eq!(store.reasons(&reach, other, 2).await.unwrap(), []);
    let found = store.registrations_by_contact(&reach, contact(1)).await.unwrap();
    assert_eq!(found, [(own, clerk::registration_id(1))]);
    let one = Reach::Registration(other, 3);
    assert_eq!(store.parties(&one, other, &[1, 2, 3]).await.unwrap().len(), 1);
    assert_eq!(store.everything(&reach, own).await.unwrap().unwrap().parties.len(), 3);
    let shut = store.everything(&reach, other).await.unwrap().unwrap();
    assert!(shut.parties.is_empty() && shut.whole.marks.is_empty());
    let all = AccessQuery { limit: 9, before: Some(minutes(9)), ..AccessQuery::default() };
    assert_eq!(store.access_entries(&reach, &all).await.unwrap().len(), 1);
    assert_eq!(store.access_entries(&Reach::All, &all).await.unwrap().len(), 2);
    let reports = store.list_reports(&reach, None, 9).await.unwrap();
    assert_eq!(reports.iter().map(|r| r.centre.clone().unwrap().0).collect::<Vec<_>>(), [CENTRES[0]]);
    assert_eq!(store.report(&vilnius, reports[0].id).await.unwrap(), None);
    assert_eq!(store.parties(&Reach::Service, other, &[1]).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_is_shown_what_it_reaches_whatever_is_asked_for() {
    let two = Two::at(Place::postgres().await).await;
    looks(&two.place.store, two.events).await;
    // The same where the server has the role: it is made by whoever may.
    let store = eile::storage::open(&two.place.url, Options::default()).await.unwrap();
    looks(&store, two.events).await;
    // And where that is all that is left: whoever may do all passes by the policies, and only the role binds it.
    let is_reader =
        "select count(*) from pg_roles where rolname = 'eile_reader' and not rolcanlogin and not rolbypassrls";
    let mut watcher = PgConnection::connect(&two.place.url).await.unwrap();
    let made: i64 = sqlx::query_scalar(is_reader).fetch_one(&mut watcher).await.unwrap();
    assert_eq!(made, 1);
    let secrets = "select bool_or(has_table_privilege('eile_reader', oid, 'select'))
        from pg_class where relname in ('secrets', 'access_keys', 'access_key_uses', 'people', 'open_requests')";
    let shown: bool = sqlx::query_scalar(secrets).fetch_one(&mut watcher).await.unwrap();
    assert!(!shown, "the reader sees what no caller is shown");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_keeps_nothing_of_whom_it_read_for() {
    let two = Two::at(Place::postgres().await).await;
    // One connection for all, and the role that may read nothing else: what were left of it would be seen at once.
    let options = Options { readers: 1, ..Options::default() };
    let store = eile::storage::open(&two.place.url, options).await.unwrap();
    for n in 0..500 {
        let (mine, other) = if n % 2 == 0 { (0, 1) } else { (1, 0) };
        let reach = of(CENTRES[mine]);
        assert_eq!(store.parties(&reach, two.events[mine], &[1]).await.unwrap().len(), 1, "{n}");
        assert_eq!(store.parties(&reach, two.events[other], &[1]).await.unwrap().len(), 0, "{n}");
        if n % 25 == 0 {
            store.list_access_keys(None, 9).await.unwrap();
            assert_eq!(store.parties(&Reach::Service, two.events[other], &[1]).await.unwrap().len(), 1);
        }
    }
    // Callers who go away at any moment of their read.
    for n in 0..100 {
        let reach = of(CENTRES[n % 2]);
        let numbers = [1, 2, 3];
        let read = store.parties(&reach, two.events[n % 2], &numbers);
        let _ = tokio::time::timeout(Duration::from_micros(n as u64 * 20), read).await;
    }
    store.list_access_keys(None, 9).await.unwrap();
    assert!(store.whole(two.events[0]).await.unwrap().is_some());
    settled(&mut PgConnection::connect(&two.place.url).await.unwrap()).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_by_the_owner_fails_unless_it_says_that_it_is_the_service() {
    let two = Two::at(Place::postgres().await).await;
    let owner = postgres::as_owner(&two.place.url);
    let as_service = (["--enable-row-security", "--no-privileges"], Some("-c eile.reach=service"));
    let restored = tokio::task::spawn_blocking(move || {
        let refused = postgres::dump(&owner, &[], None);
        assert!(!refused.status.success(), "a dump without rows would be taken for a backup");
        let dumped = postgres::dump(&owner, &as_service.0, as_service.1);
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        let restored = postgres::as_owner(&postgres::shared().database_of_ordinary_owner());
        postgres::restore(&restored, &dumped.stdout);
        restored
    });
    let restored = restored.await.unwrap();
    let store = eile::storage::open(&restored, Options { migrate: false, ..Options::default() }).await.unwrap();
    looks(&store, two.events).await;
    store.close().await;
    assert_eq!(
        seen(&mut PgConnection::connect(&restored).await.unwrap(), &[("eile.reach", "service")]).await,
        times(2)
    );
}
