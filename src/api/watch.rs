//! The streams: what stands now, then what changes, and a heartbeat where nothing does. A reader that does
//! not take its messages is cut; calling again gives the present state first, so that nothing is lost.

mod token;

use super::caller::Caller;
use super::from_proto::{Fields, Path};
use super::proto::{WatchEventRequest, WatchEventResponse, WatchRegistrationRequest, WatchRegistrationResponse};
use super::to_proto::{self, int64, names, words};
use super::{Api, status};
use crate::desk::View;
use crate::model::event::EventState;
use crate::model::id::EventId;
use futures_util::stream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use token::Stepped;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

/// Messages that wait for a reader before it counts as slow.
const WAITING_MAX: usize = 8;

/// All streams of an instance together look so often at most: thousands of them watch one event on the day when it opens,
/// and each sign-up is news for all. Up to a dozen streams see every change at once, ten thousand about a second later.
const LOOKS_PER_SECOND: u32 = 10_000;
/// Pauses that are not worth a timer.
const SHORT: Duration = Duration::from_millis(2);

/// How many streams are followed on this instance.
#[derive(Clone, Default)]
pub struct Crowd(Arc<AtomicU32>);

impl Crowd {
    fn join(&self) -> Joined {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        Joined { crowd: self.clone(), percent: 50 + before.wrapping_mul(61) % 100 }
    }
}

/// One of the crowd, until it is dropped.
struct Joined {
    crowd: Crowd,
    /// Of the pause; others have another, so that they do not all look at one moment.
    percent: u32,
}

impl Joined {
    /// How long it waits from news to its look.
    fn pause(&self) -> Duration {
        Duration::from_secs(1) * self.crowd.0.load(Ordering::Relaxed) / LOOKS_PER_SECOND * self.percent / 100
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.crowd.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The messages of one stream.
pub type Messages<M> = ReceiverStream<Result<M, Status>>;

/// How streams are kept.
#[derive(Clone, Copy, Debug)]
pub struct WatchOptions {
    /// A sign of life after so long without a change.
    pub heartbeat: Duration,
    /// A reader that takes nothing for so long is cut.
    pub stall: Duration,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self { heartbeat: Duration::from_secs(15), stall: Duration::from_secs(30) }
    }
}

/// The messages of a stream for as long as its reader would be let in.
pub type LetIn<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// A look at what is watched.
enum Seen<M> {
    /// This message, at this journal number.
    State(M, u64),
    /// This message, and nothing after it.
    Last(M),
}

impl Api {
    /// Ends a stream within seconds of its reader's key being revoked.
    pub(super) fn while_let_in<M: Send + 'static>(
        &self,
        caller: Caller,
        messages: impl Stream<Item = Result<M, Status>> + Send + 'static,
    ) -> LetIn<M> {
        let api = self.clone();
        let barred = Box::pin(async move { api.barred(caller).await });
        let parts = (Box::pin(messages), Some(barred));
        Box::pin(stream::unfold(parts, |(mut messages, barred)| async {
            let mut barred = barred?;
            tokio::select! {
                biased;
                no = &mut barred => Some((Err(no), (messages, None))),
                next = messages.next() => next.map(|message| (message, (messages, Some(barred)))),
            }
        }))
    }

    pub(super) async fn follow_registration(
        &self,
        caller: Caller,
        r: WatchRegistrationRequest,
    ) -> Result<impl Stream<Item = Result<WatchRegistrationResponse, Status>> + Send + use<>, Status> {
        let mut fields = Fields::default();
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        let (event, number, acting) = (named.name.event, named.number, named.acting);
        let name = names::registration(event, named.name.id);
        let look = move |view: &View<'_>| {
            let Some(s) = view.roster.standing(number) else {
                return Err(status::registration_not_found(&name));
            };
            let at = view.roster.journal_number;
            let for_staff = acting.is_staff() && caller.sees_people_of(view.event.details.named_roles());
            let basic = to_proto::registration::basic(view.roster, s, for_staff);
            let is_hidden = acting.is_staff() && !for_staff;
            let message = WatchRegistrationResponse {
                registration: Some(if is_hidden { to_proto::registration::taken(basic) } else { basic }),
                journal_number: int64(at),
                heartbeat: false,
            };
            // Once the event is closed nobody moves up any more.
            let goes_on = s.state.is_live() && view.roster.state == EventState::Published;
            let message = Stepped { message, step: s.steps.last().copied().unwrap_or_default() };
            Ok(if goes_on { Seen::State(message, at) } else { Seen::Last(message) })
        };
        let messages = self.follow(event, look, Stepped::heartbeat, Stepped::shows_the_same).await?;
        Ok(self.while_it_bears_the_token(caller, named.name, r.management_token, messages))
    }

    pub(super) async fn follow_event(
        &self,
        caller: Caller,
        r: WatchEventRequest,
    ) -> Result<Messages<WatchEventResponse>, Status> {
        let mut fields = Fields::default();
        let event = fields.event_name(Path::Top("name"), &r.name).unwrap_or_default();
        fields.finish(()).map_err(status::fields)?;
        let look = move |view: &View<'_>| {
            if !caller.is_staff() && view.roster.state == EventState::Draft {
                return Err(status::event_not_found(&names::event(event)));
            }
            let at = view.roster.journal_number;
            let message = WatchEventResponse {
                state: words::event_state(view.roster.state).into(),
                counts: Some(to_proto::event::event_counts(view.roster)),
                pools: view.roster.pools().map(|(p, h)| to_proto::event::pool_counts(p, h)).collect(),
                journal_number: int64(at),
                heartbeat: false,
            };
            Ok(Seen::State(message, at))
        };
        let beat = |last: &WatchEventResponse, at| WatchEventResponse {
            state: last.state,
            journal_number: int64(at),
            heartbeat: true,
            ..WatchEventResponse::default()
        };
        self.follow(event, look, beat, |_, _| false).await
    }

    /// Sends what `look` sees now, and again whenever the event moves and it is not the `same` as before.
    async fn follow<M, L>(
        &self,
        event: EventId,
        look: L,
        beat: impl Fn(&M, u64) -> M + Send + Sync + 'static,
        same: impl Fn(&M, &M) -> bool + Send + Sync + 'static,
    ) -> Result<Messages<M>, Status>
    where
        M: Clone + Send + Sync + 'static,
        L: Fn(&View<'_>) -> Result<Seen<M>, Status> + Send + Sync + 'static,
    {
        let about = status::About::event("", event);
        let moves = self.desk.watch(event).await.map_err(|error| status::desk(error, &about))?;
        // What cannot be watched is told before the stream begins.
        let first = self.look(event, &look).await??;
        let (sender, receiver) = mpsc::channel(WAITING_MAX + 1);
        let last_word = sender.clone().try_reserve_owned().ok();
        let (joined, api) = (self.crowd.join(), self.clone());
        let follower =
            Follower { api, event, moves, sender, last_word, at: 0, last: None, sent: Instant::now(), joined };
        tokio::spawn(follower.run(first, look, beat, same));
        Ok(ReceiverStream::new(receiver))
    }
}

/// One stream in work.
struct Follower<M> {
    api: Api,
    event: EventId,
    moves: watch::Receiver<u64>,
    sender: mpsc::Sender<Result<M, Status>>,
    /// A seat kept for the last word, so that a slow reader hears it too.
    last_word: Option<mpsc::OwnedPermit<Result<M, Status>>>,
    /// The journal number of the last message.
    at: u64,
    last: Option<M>,
    /// When it was last sent anything.
    sent: Instant,
    joined: Joined,
}

/// The stream has ended: its reader left, was cut, or has been told everything.
struct Ended;

impl<M: Clone + Send + Sync + 'static> Follower<M> {
    async fn run<L>(
        mut self,
        first: Seen<M>,
        look: L,
        beat: impl Fn(&M, u64) -> M + Send + Sync + 'static,
        same: impl Fn(&M, &M) -> bool + Send + Sync + 'static,
    ) where
        L: Fn(&View<'_>) -> Result<Seen<M>, Status> + Send + Sync + 'static,
    {
        let mut step = self.tell(first, &same).await;
        while step.is_ok() {
            step = match self.next().await {
                Next::Moved => match self.seen(&look).await {
                    Ok(seen) => self.tell(seen, &same).await,
                    Err(status) => self.end(status),
                },
                Next::Quiet => match self.last.as_ref().map(|last| beat(last, self.at)) {
                    Some(message) => self.send(message).await,
                    None => Ok(()),
                },
                Next::Draining => self.end(status::draining()),
                Next::Gone => Err(Ended),
            };
        }
    }

    async fn seen<L>(&self, look: &L) -> Result<Seen<M>, Status>
    where
        L: Fn(&View<'_>) -> Result<Seen<M>, Status> + Send + Sync,
    {
        self.api.look(self.event, look).await?
    }

    async fn next(&mut self) -> Next {
        // Counted from what the reader was sent: an event may move all the time, and this registration not.
        let quiet = self.sent + self.api.watch.heartbeat;
        tokio::select! {
            () = self.api.drain.cancelled() => return Next::Draining,
            () = self.sender.closed() => return Next::Gone,
            moved = self.moves.changed() => if moved.is_err() { return Next::Draining },
            () = sleep_until(quiet) => return Next::Quiet,
        }
        let pause = self.joined.pause();
        if pause < SHORT {
            return Next::Moved;
        }
        tokio::select! {
            () = self.api.drain.cancelled() => Next::Draining,
            () = self.sender.closed() => Next::Gone,
            () = sleep(pause) => {
                // What came meanwhile is seen by the same look.
                self.moves.mark_unchanged();
                Next::Moved
            }
        }
    }

    async fn tell(&mut self, seen: Seen<M>, same: &impl Fn(&M, &M) -> bool) -> Result<(), Ended> {
        match seen {
            Seen::Last(message) => {
                let _ = self.send(message).await;
                Err(Ended)
            }
            Seen::State(message, at) => {
                self.at = self.at.max(at);
                if self.last.as_ref().is_some_and(|last| same(last, &message)) {
                    return Ok(());
                }
                self.last = Some(message.clone());
                self.send(message).await
            }
        }
    }

    async fn send(&mut self, message: M) -> Result<(), Ended> {
        self.sent = Instant::now();
        match timeout(self.api.watch.stall, self.sender.send(Ok(message))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended),
            Err(_) => self.end(status::watch_lagged(self.at)),
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

/// What a stream waits for.
enum Next {
    Moved,
    Quiet,
    Draining,
    Gone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_streams_see_every_change_at_once_and_thousands_look_so_often_together() {
        let crowd = Crowd::default();
        let mut all: Vec<_> = (0..12).map(|_| crowd.join()).collect();
        assert!(all.iter().all(|one| one.pause() < SHORT));
        all.extend((all.len()..10_000).map(|_| crowd.join()));
        let sum: Duration = all.iter().map(Joined::pause).sum();
        assert!((9_900..10_100).contains(&sum.as_secs()), "a second each, on average: {sum:?}");
        assert!(all.iter().all(|one| one.pause() <= Duration::from_millis(1_500)));
        let last = all.pop();
        drop(all);
        assert!(last.is_some_and(|one| one.pause() < SHORT));
    }
}
