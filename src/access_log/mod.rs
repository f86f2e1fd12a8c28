//! Who read personal data and who decided: one bounded buffer and one writer (docs/decisions/0021).
//!
//! A call takes its seat in the buffer before anything is read or decided for it, and is refused where there will be
//! none: nothing goes unseen, and nothing is done that cannot be written down. How the call ended is added when it has
//! ended; where it broke off, the row says that. What is not here: which calls leave a row, which is the api's.

mod keep;
mod refusals;
mod seat;
mod uses;
mod writer;

pub use keep::keep;
pub use seat::{GONE, Seat, Slot};

use crate::clock::Clock;
use crate::model::access_log::AccessEntry;
use crate::model::time::Timestamp;
use crate::storage::Store;
use refusals::Refusals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uses::Uses;
use uuid::Uuid;

/// Calls that can have a seat at once, and rows that wait to be written: more calls wait.
const SEATS: usize = 8_192;

/// Why there is no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSeat {
    /// The rows before it cannot be written.
    Failing,
    /// The instance is stopping.
    Closed,
}

/// A clone is the same.
#[derive(Clone)]
pub struct AccessLog {
    shared: Arc<Shared>,
    close: CancellationToken,
    writer: TaskTracker,
}

struct Shared {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    sender: mpsc::Sender<AccessEntry>,
    /// Rows could not be written when it was tried last.
    failing: AtomicBool,
    uses: Uses,
    used: Notify,
    refusals: Refusals,
    /// What no other instance has in its ids, and a number that goes up.
    instance: u64,
    rows: AtomicU64,
}

impl AccessLog {
    /// Starts the writer. Must be called inside a runtime.
    pub fn open(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let (sender, receiver) = mpsc::channel(SEATS);
        let shared = Arc::new(Shared {
            store,
            clock,
            sender,
            failing: AtomicBool::new(false),
            uses: Uses::default(),
            used: Notify::new(),
            refusals: Refusals::default(),
            instance: Uuid::new_v4().as_u64_pair().1,
            rows: AtomicU64::new(0),
        });
        let (close, writer) = (CancellationToken::new(), TaskTracker::new());
        writer.spawn(writer::write(Arc::clone(&shared), receiver, close.clone()));
        writer.close();
        Self { shared, close, writer }
    }

    /// A seat for this row, whose time, id and outcome are given when the call ends. Waits where the buffer is full.
    pub async fn seat(&self, entry: AccessEntry) -> Result<Seat, NoSeat> {
        self.check()?;
        let permit = self.shared.sender.clone().reserve_owned().await.map_err(|_| NoSeat::Closed)?;
        // Whoever waited may have waited for rows that cannot be written.
        self.check()?;
        Ok(Seat::new(Arc::clone(&self.shared), permit, entry))
    }

    /// The same without waiting; the row comes back where there is no seat at hand.
    pub fn seat_at_once(&self, entry: AccessEntry) -> Result<Seat, Box<AccessEntry>> {
        let permit = self.check().ok().and_then(|()| self.shared.sender.clone().try_reserve_owned().ok());
        match permit {
            Some(permit) => Ok(Seat::new(Arc::clone(&self.shared), permit, entry)),
            None => Err(Box::new(entry)),
        }
    }

    fn check(&self) -> Result<(), NoSeat> {
        if self.shared.failing.load(Ordering::Acquire) { Err(NoSeat::Failing) } else { Ok(()) }
    }

    /// Whether a refusal of this key leaves a row, and how many before it left none.
    pub fn refusal(&self, key: &str) -> Option<u32> {
        self.shared.refusals.next(key, self.shared.clock.now())
    }

    /// A key was shown, and let somebody in.
    pub fn used(&self, key: &str, now: Timestamp) {
        if self.shared.uses.note(key, now) {
            self.shared.used.notify_one();
        }
    }

    /// Writes what is left, calls that are still in work included, and takes no more.
    pub async fn close(&self) {
        self.close.cancel();
        self.writer.wait().await;
    }
}

impl Shared {
    /// An id behind all that this instance has given.
    fn next_id(&self) -> Uuid {
        Uuid::from_u64_pair(self.rows.fetch_add(1, Ordering::Relaxed), self.instance)
    }
}
