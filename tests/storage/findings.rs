//! What probes of both databases found (docs: ARCHITECTURE.md, durability), pinned: how each must be used so
//! that nothing acknowledged is lost and nothing is given away twice. Not the same on both, so not among the
//! cases.

use crate::clerk::{self, Clerk};
use crate::places::Place;
use crate::postgres;
use crate::proxy::{Cut, Wire};
use crate::samples::{ANSWER, asked, centre, contact, minutes, open_request, sign_up};
use eile::admission::{Answer, Verb};
use eile::model::registration::CancelReason;
use eile::storage::{Fresh, Lock, Options, StoreError, Stored};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub mod on_postgres {
    use super::*;
    use sqlx::{Connection, Executor, PgConnection};

    pub async fn cluster() -> &'static postgres::Cluster {
        tokio::task::spawn_blocking(postgres::shared).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_isolation_is_named_and_never_the_servers_default() {
        for default in ["serializable", "repeatable read"] {
            let place = Place::postgres().await;
            let name = place.url.rsplit('/').next().unwrap();
            place.meddle(&format!("alter database {name} set default_transaction_isolation = '{default}'")).await;
            let stores = [place.another().await, place.another().await];
            let first = Clerk::at_open(&stores[0], Some(5)).await;
            let second = Clerk::at(&stores[1], first.event);
            // At any other level, whoever waited for the lock would be told to give way.
            let run = |clerk: Clerk, from: u64| async move {
                for n in 0..25 {
                    clerk.hand_in(vec![sign_up(1, contact(from + n))]).await.unwrap();
                }
                clerk
            };
            let (a, b) = tokio::join!(tokio::spawn(run(first, 0)), tokio::spawn(run(second, 100)));
            let roster = a.unwrap().check().await;
            assert_eq!((roster.counts.confirmed.parties, roster.counts.waiting.parties), (5, 45));
            clerk::assert_same(&roster, &b.unwrap().check().await);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_is_written_before_the_event_row_is_locked() {
        let place = Place::postgres().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        let mut holder = PgConnection::connect(&place.url).await.unwrap();
        holder.execute("begin").await.unwrap();
        holder.execute("select id from events for update").await.unwrap();
        let event = clerk.event;
        let call = tokio::spawn(async move {
            let answers = clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
            (clerk, answers)
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!call.is_finished(), "it was written while another held the lock");
        // What the holder leaves behind is what is decided on: here, that there is no such event.
        sqlx::query("delete from events where id = $1").bind(event.0).execute(&mut holder).await.unwrap();
        holder.execute("commit").await.unwrap();
        let (clerk, answers) = call.await.unwrap();
        assert_eq!(answers, []);
        assert!(clerk.memory.lock().unwrap().is_none());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_decided_from_memory_is_refused_whole_where_another_instance_went_first() {
        let place = Place::postgres().await;
        let first = Clerk::at_open(&place.store, Some(2)).await;
        let second = Clerk::at(&place.another().await, first.event);
        first.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
        second.hand_in(vec![sign_up(1, contact(2))]).await.unwrap();
        // The first still believes that one seat is free, and would give it away twice.
        let ask = async || first.hand_in_once(vec![sign_up(1, contact(3))], minutes(1)).await;
        let said = ask().await;
        assert!(matches!(said, Err(StoreError::Conflict(_))), "{said:?}");
        assert_eq!(second.check().await.counts.applied().parties, 2, "a part of it was written");
        // From now on it locks first, and hears what it had missed.
        ask().await.unwrap();
        assert_eq!(first.remembered().heard, "behind");
        let counts = first.check().await.counts;
        assert_eq!((counts.confirmed.parties, counts.waiting.parties), (2, 1));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_refusal_from_memory_is_told_only_where_nobody_else_went_first() {
        let place = Place::postgres().await;
        let first = Clerk::at_open(&place.store, None).await;
        let second = Clerk::at(&place.another().await, first.event);
        let taken = || sign_up(1, contact(1));
        first.hand_in(vec![taken()]).await.unwrap();
        let refused = first.hand_in(vec![taken()]).await.unwrap();
        assert!(matches!(refused[..], [Answer::Refused(_)]), "{refused:?}");
        let cancel = Verb::Cancel { number: 1, reason: CancelReason::CannotCome };
        second.hand_in(vec![asked(cancel)]).await.unwrap();
        // What is refused writes nothing that a number could guard.
        let answers = first.hand_in(vec![taken()]).await.unwrap();
        assert!(matches!(answers[..], [Answer::Done(_)]), "{answers:?}");
        first.check().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_batch_of_sign_ups_is_one_transaction_of_one_statement() {
        let place = Place::postgres().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        let mut watcher = PgConnection::connect(&place.url).await.unwrap();
        // Nobody waits for a lock any more: a row that is held is waited for by the statement that writes.
        watcher.execute("begin").await.unwrap();
        watcher.execute("select id from events for update").await.unwrap();
        let event = clerk.event;
        let call = tokio::spawn(async move {
            clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
            clerk
        });
        let waits = waiting_statement(&place.url).await;
        assert!(waits.starts_with("-- write_at_once"), "{waits}");
        watcher.execute("commit").await.unwrap();
        let clerk = call.await.unwrap();
        assert_eq!(clerk.event, event);
        assert_eq!(clerk.check().await.counts.confirmed.parties, 1);
    }

    /// What the service asks for that waits for a lock.
    async fn waiting_statement(url: &str) -> String {
        let mut watcher = PgConnection::connect(url).await.unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let waits: Option<String> = sqlx::query_scalar(
                "select query from pg_stat_activity
                where application_name = 'eile' and datname = current_database() and wait_event_type = 'Lock'",
            )
            .fetch_optional(&mut watcher)
            .await
            .unwrap();
            match waits {
                Some(statement) => return statement,
                None => assert!(Instant::now() < until, "nothing waits"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_replay_is_answered_only_after_a_commit_that_wrote_to_the_log() {
        // A commit that wrote nothing does not wait for a standby; a row lock is written.
        let place = Place::postgres().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        let command = sign_up(1, contact(1));
        clerk.hand_in(vec![command.clone()]).await.unwrap();
        let request = open_request();
        place.store.create_centre(&centre("vilnius"), &request).await.unwrap();
        let mut watcher = PgConnection::connect(&place.url).await.unwrap();

        let before = transactions_written(&mut watcher).await;
        let answers = clerk.hand_in(vec![command]).await.unwrap();
        assert!(matches!(answers[..], [Answer::Replayed(_)]));
        let between = transactions_written(&mut watcher).await;
        assert!(between > before, "the replay of a sign-up was not written to the log");
        let again = place.store.create_centre(&centre("vilnius"), &request).await.unwrap();
        assert_eq!(again, Stored::Replayed(ANSWER.to_vec()));
        assert!(transactions_written(&mut watcher).await > between, "the replay of a creation was not written");
    }

    /// The next transaction id: only a transaction that writes (a row lock does) takes one.
    async fn transactions_written(watcher: &mut PgConnection) -> i64 {
        sqlx::query_scalar("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            .fetch_one(watcher)
            .await
            .unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_commit_waits_for_the_disk_whatever_the_server_was_told() {
        let place = Place::postgres().await;
        let name = place.url.rsplit('/').next().unwrap();
        place.meddle(&format!("alter database {name} set synchronous_commit = off")).await;
        // Opening reads the setting back on every connection and refuses anything but `on`.
        let store = eile::storage::open(&place.url, Options::default()).await.unwrap();
        store.ping().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_call_that_is_dropped_leaves_no_transaction_open() {
        let place = Place::postgres().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        let mut holder = PgConnection::connect(&place.url).await.unwrap();
        holder.execute("begin").await.unwrap();
        holder.execute("select id from events for update").await.unwrap();
        for n in 0..20 {
            let mut memory = clerk.remembered();
            let work = move |fresh: Vec<Fresh>| {
                let mut memory = Some(memory.clone_for(fresh));
                clerk::decide(memory.as_mut().unwrap(), &[sign_up(1, contact(n))], minutes(2)).1.into_iter().collect()
            };
            let locked = Lock { event: clerk.event, known: None, ask: false };
            let call = place.store.transact(vec![locked], Box::new(work));
            // Dropped at a different moment each time: before, during and after `begin`.
            let _ = tokio::time::timeout(Duration::from_millis(n / 2), call).await;
        }
        holder.execute("commit").await.unwrap();
        settled(&mut holder).await;
        // Nobody waited for them, and yet each was done, wholly.
        assert_eq!(clerk.check().await.counts.confirmed.parties, 20);
    }

    /// Waits until no connection of the service has a transaction open.
    pub async fn settled(watcher: &mut PgConnection) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let open: i64 = sqlx::query_scalar(
                "select count(*) from pg_stat_activity
                where application_name = 'eile' and datname = current_database() and xact_start is not null",
            )
            .fetch_one(&mut *watcher)
            .await
            .unwrap();
            if open == 0 {
                return;
            }
            assert!(Instant::now() < until, "{open} transactions stay open");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_connection_lost_before_the_commit_wrote_nothing_and_says_so() {
        let place = Place::postgres().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        let cluster = cluster().await;
        let (url, mut memory) = (place.url.clone(), clerk.remembered());
        let work = move |_: Vec<Fresh>| {
            let killed = cluster.query(
                &url,
                "select count(pg_terminate_backend(pid)) from pg_stat_activity
                where application_name = 'eile' and datname = current_database() and state = 'idle in transaction'",
            );
            assert_eq!(killed, "1");
            clerk::decide(&mut memory, &[sign_up(1, contact(1))], minutes(2)).1.into_iter().collect()
        };
        let locked = Lock { event: clerk.event, known: None, ask: false };
        let error = place.store.transact(vec![locked], Box::new(work)).await.unwrap_err();
        assert!(matches!(error, StoreError::GaveWay(_)), "{error}");
        assert_eq!(clerk.check().await.len(), 0);
        clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_read_over_connections_that_died_goes_over_another() {
        let place = Place::postgres().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        let event = clerk.lock().event;
        let (events, store) = ([event], &place.store);
        let all_at_once = (0..16).map(|_| store.journal_numbers(&events));
        assert!(futures_util::future::join_all(all_at_once).await.iter().all(Result::is_ok));
        let killed = cluster().await.query(
            &place.url,
            "select count(pg_terminate_backend(pid)) from pg_stat_activity
            where application_name = 'eile' and datname = current_database()",
        );
        assert!(killed.parse::<u32>().unwrap() > 2, "{killed} connections were open");
        assert_eq!(place.store.journal_numbers(&events).await.unwrap().len(), 1);
        place.store.ping().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_commit_whose_answer_is_lost_is_unknown_and_the_request_id_settles_it() {
        let place = Place::postgres().await;
        let wire = Wire::to(cluster().await.port()).await;
        let name = place.url.rsplit('/').next().unwrap();
        let url = format!("postgres://eile@127.0.0.1:{}/{name}", wire.port);
        let store = eile::storage::open(&url, Options { writers: 1, ..Options::default() }).await.unwrap();
        let clerk = Clerk::at_open(&store, None).await;
        for (n, (cut, was_written)) in (1..).zip([(Cut::AfterCommit, true), (Cut::BeforeCommit, false)].repeat(2)) {
            let command = sign_up(1, contact(n));
            // In a transaction of several statements, and of one.
            if n <= 2 {
                clerk.forget();
                wire.cut_next(cut);
            } else {
                clerk.hand_in(vec![sign_up(1, contact(10 + n))]).await.unwrap();
                wire.cut_next_at_once(cut);
            }
            let error = clerk.hand_in(vec![command.clone()]).await.unwrap_err();
            assert!(matches!(error, StoreError::Unknown(_)), "{error}");
            clerk.forget();
            let answers = clerk.hand_in(vec![command]).await.unwrap();
            assert_eq!(matches!(answers[..], [Answer::Replayed(_)]), was_written);
            clerk.check().await;
        }
        // Operations that look their request id up settle it by themselves.
        for (cut, id) in [(Cut::AfterCommit, "vilnius"), (Cut::BeforeCommit, "kaunas")] {
            wire.cut_next(cut);
            let stored = store.create_centre(&centre(id), &open_request()).await.unwrap();
            assert!(matches!(stored, Stored::Created | Stored::Replayed(_)));
        }
        assert_eq!(store.list_centres(None, 9).await.unwrap().len(), 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_two_instances_could_both_believe_free_is_guarded_by_indexes() {
        // SQLite has one process and no such indexes: they cost it more than all other rows together.
        crate::cases::refused::a_request_id_that_was_used_before(Place::postgres().await).await;
        crate::cases::refused::a_second_live_registration_under_one_contact(Place::postgres().await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn connections_that_died_while_they_rested_are_replaced() {
        let place = Place::postgres().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        tokio::time::sleep(Duration::from_millis(2200)).await;
        place
            .meddle(
                "select pg_terminate_backend(pid) from pg_stat_activity
            where application_name = 'eile' and datname = current_database()",
            )
            .await;
        place.store.ping().await.unwrap();
        clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_lock_that_does_not_come_gives_way() {
        let place = Place::postgres().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        let mut holder = PgConnection::connect(&place.url).await.unwrap();
        holder.execute("begin").await.unwrap();
        holder.execute("select id from events for update").await.unwrap();
        let error = clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap_err();
        assert!(matches!(error, StoreError::GaveWay(_)), "{error}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn instances_that_start_at_once_make_the_tables_once() {
        let url = tokio::task::spawn_blocking(|| postgres::shared().database()).await.unwrap();
        let open = |url: String| tokio::spawn(async move { eile::storage::open(&url, Options::default()).await });
        let calls: Vec<_> = (0..4).map(|_| open(url.clone())).collect();
        for call in calls {
            call.await.unwrap().unwrap().ping().await.unwrap();
        }
    }

    impl clerk::Memory {
        /// A copy brought up to date with what a transaction was told.
        fn clone_for(&mut self, mut fresh: Vec<Fresh>) -> Self {
            let mut memory = Some(self.clone());
            clerk::refresh(&mut memory, fresh.pop().unwrap());
            memory.unwrap()
        }
    }
}

mod on_sqlite {
    use super::*;

    /// What a killed process leaves: the files as they are now, under another roof.
    fn copy_of(folder: &Path) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        for name in ["eile.db", "eile.db-wal"] {
            std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
        }
        copy
    }

    fn wal(folder: &Path) -> u64 {
        std::fs::metadata(folder.join("eile.db-wal")).map_or(0, |file| file.len())
    }

    #[tokio::test]
    async fn what_a_killed_process_left_is_written_back_before_anybody_is_served() {
        let place = Place::sqlite().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
        assert!(wal(place.path()) > 0, "the test needs something in the WAL");
        let copy = copy_of(place.path());
        let url = format!("sqlite:{}", copy.path().join("eile.db").display());
        let store = eile::storage::open(&url, Options { migrate: false, ..Options::default() }).await.unwrap();
        assert_eq!(wal(copy.path()), 0);
        assert_eq!(Clerk::at(&store, clerk.event).check().await.len(), 1);
    }

    #[tokio::test]
    async fn closing_writes_everything_back() {
        let place = Place::sqlite().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
        place.store.close().await;
        assert_eq!(wal(place.path()), 0);
    }

    #[tokio::test]
    async fn a_second_process_is_refused_until_the_first_has_closed() {
        let place = Place::sqlite().await;
        let second = eile::storage::open(&place.url, Options::default()).await;
        let Err(StoreError::Unavailable(said)) = second else { panic!("it was opened twice") };
        assert!(said.contains("another process"), "{said}");
        assert!(eile::storage::migrate(&place.url).await.is_err());
        place.store.close().await;
        eile::storage::open(&place.url, Options::default()).await.unwrap();
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_made_only_by_whoever_migrates() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("eile.db").display());
        let as_it_is = Options { migrate: false, ..Options::default() };
        assert!(eile::storage::open(&url, as_it_is).await.is_err());
        assert!(!folder.path().join("eile.db").exists());
        eile::storage::migrate(&url).await.unwrap();
        eile::storage::open(&url, as_it_is).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn calls_that_are_dropped_leave_no_transaction_open() {
        let place = Place::sqlite().await;
        let clerk = Arc::new(Clerk::at_open(&place.store, None).await);
        for n in 0..20 {
            let memory = Arc::new(std::sync::Mutex::new(Some(clerk.remembered())));
            let work = move |mut fresh: Vec<Fresh>| {
                let mut memory = memory.lock().unwrap();
                clerk::refresh(&mut memory, fresh.pop().unwrap());
                let memory = memory.as_mut().unwrap();
                clerk::decide(memory, &[sign_up(1, contact(n))], minutes(2)).1.into_iter().collect()
            };
            let call = place.store.transact(vec![clerk.lock()], Box::new(work));
            let _ = tokio::time::timeout(Duration::from_micros(100 * n), call).await;
        }
        let until = Instant::now() + Duration::from_secs(10);
        while clerk.check().await.counts.confirmed.parties < 20 {
            assert!(Instant::now() < until);
        }
    }

    #[tokio::test]
    async fn a_deleted_name_is_nowhere_in_the_file() {
        let place = Place::sqlite().await;
        let clerk = Clerk::at_open(&place.store, None).await;
        clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
        let there = |place: &Place| {
            let file = std::fs::read(place.path().join("eile.db")).unwrap();
            file.windows(12).any(|w| w == b"as signed up")
        };
        place.store.close().await;
        assert!(there(&place));
        place.meddle("pragma secure_delete = on; delete from parties; pragma wal_checkpoint(truncate)").await;
        assert!(!there(&place));
    }
}
