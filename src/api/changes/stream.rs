//! WatchChanges: a cursor at once, then what changes, and a heartbeat where nothing does. A reader that does not
//! take its messages is cut with the cursor to go on from.
//!
//! What waits for a reader is not a message but the changes that it will be made of, which all readers share.

use crate::api::caller::Caller;
use crate::api::proto::WatchChangesResponse;
use crate::api::{Api, status, to_proto};
use crate::feed::{Follower, Place, Slice};
use std::pin::Pin;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

/// The messages of one stream.
pub type Messages = Pin<Box<dyn Stream<Item = Result<WatchChangesResponse, Status>> + Send>>;

/// Changes in one message.
const CHANGES_MAX: usize = 100;
/// Messages that wait for a reader before it counts as slow.
const WAITING_MAX: usize = 4;

/// A message in the making.
struct Telling {
    /// `None` in a heartbeat.
    slice: Option<Slice>,
    place: Place,
}

/// Sends what comes next, whenever something does.
pub fn open(api: &Api, caller: Caller, follower: Follower) -> Messages {
    let (sender, receiver) = mpsc::channel(WAITING_MAX + 1);
    let last_word = sender.clone().try_reserve_owned().ok();
    let sending = Sending { api: api.clone(), told: follower.place(), follower, sender, last_word };
    tokio::spawn(sending.run());
    let api = api.clone();
    Box::pin(ReceiverStream::new(receiver).then(move |telling| {
        let api = api.clone();
        async move { message(&api, caller, &telling?).await }
    }))
}

async fn message(api: &Api, caller: Caller, telling: &Telling) -> Result<WatchChangesResponse, Status> {
    let changes = telling.slice.iter().flat_map(Slice::changes);
    let changes = changes.map(|(batch, entry)| to_proto::change::change(batch, entry)).collect();
    Ok(WatchChangesResponse {
        changes: api.unlinked(caller, changes).await?,
        cursor: api.cursor(telling.place),
        heartbeat: telling.slice.is_none(),
    })
}

/// One stream in work.
struct Sending {
    api: Api,
    follower: Follower,
    sender: mpsc::Sender<Result<Telling, Status>>,
    /// A seat kept for the last word, so that a slow reader hears it too.
    last_word: Option<mpsc::OwnedPermit<Result<Telling, Status>>>,
    /// The cursor of the last message.
    told: Place,
}

/// The stream has ended: its reader left or was cut.
struct Ended;

/// What a stream waits for.
enum Next {
    Slice(Slice),
    Failed(Status),
    Quiet,
    Draining,
    Gone,
}

impl Sending {
    async fn run(mut self) {
        let mut step = self.beat().await;
        let mut last = Instant::now();
        while step.is_ok() {
            step = match self.next(last).await {
                // Nothing of it is wanted: the cursor comes with the next heartbeat.
                Next::Slice(slice) if slice.changes().next().is_none() => continue,
                Next::Slice(slice) => {
                    let place = slice.place;
                    self.send(Telling { slice: Some(slice), place }).await
                }
                Next::Quiet => self.beat().await,
                Next::Failed(status) => self.end(status),
                Next::Draining => self.end(status::draining()),
                Next::Gone => Err(Ended),
            };
            last = Instant::now();
        }
    }

    async fn next(&mut self, last: Instant) -> Next {
        let Self { api, follower, sender, .. } = self;
        tokio::select! {
            () = api.drain.cancelled() => Next::Draining,
            () = sender.closed() => Next::Gone,
            slice = follower.next(CHANGES_MAX) => match slice {
                Ok(slice) => Next::Slice(slice),
                Err(error) => Next::Failed(api.no_feed(error)),
            },
            () = sleep_until(last + api.watch.heartbeat) => Next::Quiet,
        }
    }

    async fn beat(&mut self) -> Result<(), Ended> {
        let place = self.follower.place();
        self.send(Telling { slice: None, place }).await
    }

    async fn send(&mut self, telling: Telling) -> Result<(), Ended> {
        let place = telling.place;
        match timeout(self.api.watch.stall, self.sender.send(Ok(telling))).await {
            Ok(Ok(())) => {
                self.told = place;
                Ok(())
            }
            Ok(Err(_)) => Err(Ended),
            Err(_) => self.end(status::feed_lagged(&self.api.cursor(self.told))),
        }
    }

    /// The last word.
    fn end(&mut self, status: Status) -> Result<(), Ended> {
        if let Some(seat) = self.last_word.take() {
            seat.send(Err(status));
        }
        Err(Ended)
    }
}
