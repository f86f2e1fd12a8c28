//! A connection in somebody's hands, and how long an answer is waited for.
//!
//! The server bounds what it does (see `open`), but a server that froze, or a network that swallows what is sent, bounds
//! nothing: whoever asks has to give up by himself. A future of sqlx that is dropped half-way leaves its connection
//! somewhere in the protocol, and the pool would wait for that connection for ever. So connections go back through
//! [`Held`], which asks of each that it answers in time, and which closes the ones of which nobody knows whether a
//! transaction is open.
//!
//! The pool asks every connection that comes back whether it lives, which is a round trip for each use. One whose last
//! answer was read to its end need not be asked: it rests here, for whoever comes next.

use super::errors::{failed, is_refusal};
use crate::storage::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Connection, Executor, PgConnection, PgPool, Postgres};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a connection that goes back to the pool may take to show that it lives.
const RETURN: Duration = Duration::from_secs(2);
/// How long a silent server may hold up whoever closes.
const CLOSE: Duration = Duration::from_secs(5);
/// Who has no connection after so long gives up.
pub(super) const ACQUIRE: Duration = Duration::from_secs(5);
/// A connection that rested for longer is asked whether it still lives.
pub(super) const RESTED: Duration = Duration::from_secs(2);
/// How long one may take to show that it lives, so that a few dead ones cost less than a caller's patience.
pub(super) const WAKE: Duration = Duration::from_millis(500);
/// A connection of this age goes back to the pool, which makes a new one: what a server remembers of a connection grows.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// When silence was met last: connections that rested since before then may be as silent.
#[derive(Clone, Default)]
pub(super) struct Silence(Arc<Mutex<Option<Instant>>>);

impl Silence {
    fn met(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether it was met after a connection was put to rest.
    pub fn is_later_than(&self, rested_for: Duration) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() <= rested_for)
    }
}

/// What time it is at the server, as it said when a connection was made.
#[derive(Clone, Default)]
pub(super) struct ServerTime(Arc<Mutex<Option<(Instant, i64)>>>);

impl ServerTime {
    /// In microseconds since 1970.
    pub fn learn(&self, now: i64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), now));
    }

    fn after(&self, span: Duration) -> i64 {
        let learned = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        learned.map_or(0, |(at, now)| now.saturating_add(micros(at.elapsed() + span)))
    }
}

/// Connections, and the patience of those who use them.
#[derive(Clone)]
pub(super) struct Connections {
    pool: PgPool,
    /// As many as the pool has connections: whoever has one gets a connection that rests, or one of the pool's.
    places: Arc<Semaphore>,
    resting: Arc<Mutex<Room>>,
    patience: Duration,
    silence: Silence,
    time: ServerTime,
}

/// Where connections rest.
struct Room {
    is_open: bool,
    connections: Vec<Resting>,
}

/// A connection between two who use it, with nothing of the first left in it.
struct Resting {
    connection: PoolConnection<Postgres>,
    made: Instant,
    since: Instant,
}

impl Connections {
    pub fn new(pool: PgPool, patience: Duration, silence: Silence, time: ServerTime) -> Self {
        let room = Room { is_open: true, connections: Vec::new() };
        let places = Semaphore::new(pool.options().get_max_connections() as usize);
        Self { pool, places: Arc::new(places), resting: Arc::new(Mutex::new(room)), patience, silence, time }
    }

    pub async fn hold(&self) -> Result<Held, StoreError> {
        let place = tokio::time::timeout(ACQUIRE, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.ok().and_then(Result::ok);
        let place = place.ok_or_else(|| StoreError::Unavailable("no connection became free in time".into()))?;
        let mut place = place;
        while let Some(Resting { connection, made, since }) = self.last_rested() {
            match self.wake(self.held(connection, made, place), since.elapsed()).await {
                Ok(held) => return Ok(held),
                Err(given_back) => place = given_back?,
            }
        }
        let connection = self.pool.acquire().await.map_err(failed)?;
        Ok(self.held(connection, Instant::now(), place))
    }

    fn held(&self, connection: PoolConnection<Postgres>, made: Instant, place: OwnedSemaphorePermit) -> Held {
        let resting = Arc::clone(&self.resting);
        Held { connection: Some(connection), made, in_transaction: false, is_clean: false, resting, place: Some(place) }
    }

    fn last_rested(&self) -> Option<Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).connections.pop()
    }

    /// A connection that rested, asked whether it lives where it rested long. Whoever goes away amid the question closes
    /// it; of one that does not answer, the place comes back.
    async fn wake(
        &self,
        mut held: Held,
        rested_for: Duration,
    ) -> Result<Held, Result<OwnedSemaphorePermit, StoreError>> {
        if rested_for <= RESTED && !self.silence.is_later_than(rested_for) {
            return Ok(held);
        }
        held.in_transaction = true;
        if let Ok(Ok(())) = tokio::time::timeout(WAKE, held.ping()).await {
            held.in_transaction = false;
            return Ok(held);
        }
        let place = held.place.take();
        Err(place.ok_or_else(|| StoreError::Failed("a connection was held without a place".into())))
    }

    /// The server's time after as long as an answer is waited for: what has not arrived by then shall do nothing any more.
    pub fn deadline(&self) -> i64 {
        self.time.after(self.patience)
    }

    /// A little more than the server's own.
    pub fn patience(&self) -> Duration {
        self.patience + self.patience / 4
    }

    /// Waits for what is asked until the server itself would have given up. Not for a commit:
    /// of that, silence says nothing.
    pub async fn in_time<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let patience = self.patience();
        let silent = |_| {
            self.fell_silent();
            Err(StoreError::Unavailable(format!("no answer within {patience:?}")))
        };
        tokio::time::timeout(patience, work).await.unwrap_or_else(silent)
    }

    /// From now on whoever takes a connection that rested asks it first.
    pub fn fell_silent(&self) {
        self.silence.met();
    }

    pub async fn close(&self) {
        self.places.close();
        let shut = Room { is_open: false, connections: Vec::new() };
        let rested = std::mem::replace(&mut *self.resting.lock().unwrap_or_else(PoisonError::into_inner), shut);
        // From here on whoever comes back is let go without a question.
        let closed = self.pool.close();
        let returned = rested.connections.into_iter().map(|mut rested| rested.connection.return_to_pool());
        let all = async { tokio::join!(futures_util::future::join_all(returned), closed) };
        if tokio::time::timeout(CLOSE, all).await.is_err() {
            tracing::warn!("the database did not take its leave in time");
        }
    }
}

/// A connection, until it is let go. One that is let go in the middle of a transaction is closed, with which the server
/// rolls back; one of which nobody knows how far its answers were read goes back to the pool, which asks it.
pub(super) struct Held {
    /// Always there until it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    made: Instant,
    in_transaction: bool,
    /// Its last answer was read to the end, and no transaction is open.
    is_clean: bool,
    resting: Arc<Mutex<Room>>,
    /// Given back when its connection can be had by somebody else.
    place: Option<OwnedSemaphorePermit>,
}

impl Held {
    pub async fn begin(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.in_transaction = true;
        self.connection().execute(statement).await.map_err(failed)?;
        Ok(())
    }

    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.connection().execute("COMMIT").await?;
        self.let_go();
        Ok(())
    }

    pub async fn roll_back(mut self) -> Result<(), sqlx::Error> {
        self.connection().execute("ROLLBACK").await?;
        self.let_go();
        Ok(())
    }

    /// One statement that is a transaction of its own. Until its answer was read to the end, nobody knows whether it was
    /// committed: the connection is closed where that never comes.
    pub async fn at_once(mut self, query: Query<'_, Postgres, PgArguments>) -> Result<PgRow, sqlx::Error> {
        self.in_transaction = true;
        let row = query.fetch_one(self.connection()).await;
        match &row {
            Ok(_) => self.let_go(),
            // The server has answered, and has rolled back.
            Err(error) => self.in_transaction = !is_refusal(error),
        }
        row
    }

    /// After a read of which the whole answer has come.
    pub fn read<T>(mut self, answer: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        let answer = answer.map_err(failed)?;
        self.let_go();
        Ok(answer)
    }

    fn let_go(&mut self) {
        self.in_transaction = false;
        self.is_clean = true;
    }

    fn connection(&mut self) -> &mut PgConnection {
        self
    }
}

impl Deref for Held {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("only `drop` takes it"),
        }
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("only `drop` takes it"),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.in_transaction {
            connection.close_on_drop();
            return;
        }
        if self.is_clean && self.made.elapsed() < LIFETIME {
            // The door closes under the same lock: nobody rests behind it.
            let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
            if resting.is_open {
                resting.connections.push(Resting { connection, made: self.made, since: Instant::now() });
                return;
            }
        }
        if let Ok(runtime) = Handle::try_current() {
            let (returned, place) = (connection.return_to_pool(), self.place.take());
            runtime.spawn(async move {
                let _ = tokio::time::timeout(RETURN, returned).await;
                drop(place);
            });
        }
    }
}
