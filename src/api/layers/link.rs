//! What a connection and the calls on it know of each other: whether it has said what it speaks, how many calls
//! are open on it, and since when none is. hyper has no clock for connections that do nothing, so the calls are
//! counted here, and the server looks.

use super::address::Visit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// One connection. Calls find it in the request's extensions.
pub struct Link {
    visit: Visit,
    greeted: AtomicBool,
    calls: Mutex<Calls>,
}

struct Calls {
    open: usize,
    /// When the last call ended; when the connection came, before the first.
    quiet_since: Instant,
}

/// How long a connection may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
    /// From the first byte, or none, to the whole preface of HTTP/2 or the whole head of a first request.
    pub greeting: Duration,
    /// Without an open call.
    pub idle: Duration,
    /// In all, so that callers find new instances.
    pub age: Duration,
    /// To go, once it was asked to and no call is open.
    pub farewell: Duration,
}

/// What becomes of a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing before this moment.
    LookAgain(Instant),
    /// It is asked to go: calls that are open may end.
    AskToGo,
    Cut,
}

impl Link {
    pub fn new(visit: Visit) -> Arc<Self> {
        let calls = Mutex::new(Calls { open: 0, quiet_since: Instant::now() });
        Arc::new(Self { visit, greeted: AtomicBool::new(false), calls })
    }

    /// It has said in full what it speaks.
    pub fn greet(&self) {
        self.greeted.store(true, Ordering::Relaxed);
    }

    /// A call has begun; it is open until what is given back is dropped.
    pub fn open(self: &Arc<Self>) -> OpenCall {
        self.calls().open += 1;
        self.visit.open();
        OpenCall(Arc::clone(self))
    }

    /// Whoever is at the other end.
    pub fn visit(&self) -> &Visit {
        &self.visit
    }

    /// What is to be done now with a connection that is served since `since`, and was asked to go at `asked`, if it was.
    pub fn step(&self, now: Instant, manners: &Manners, since: Instant, asked: Option<Instant>) -> Step {
        if !self.greeted.load(Ordering::Relaxed) {
            return by(now, since + manners.greeting, Step::Cut);
        }
        let Calls { open, quiet_since } = *self.calls();
        let old = since + manners.age;
        match asked {
            // A look from time to time: what is open now may end at any moment.
            Some(_) if open > 0 => Step::LookAgain(now + manners.farewell),
            Some(asked) => by(now, asked.max(quiet_since) + manners.farewell, Step::Cut),
            None if open > 0 => by(now, old, Step::AskToGo).or_look_at(now + manners.idle),
            None => by(now, old.min(quiet_since + manners.idle), Step::AskToGo),
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by(now: Instant, due: Instant, step: Step) -> Step {
    if now >= due { step } else { Step::LookAgain(due) }
}

impl Step {
    /// Sooner, if that is sooner.
    fn or_look_at(self, at: Instant) -> Self {
        match self {
            Step::LookAgain(due) => Step::LookAgain(due.min(at)),
            step => step,
        }
    }
}

/// Open until it is dropped.
pub struct OpenCall(Arc<Link>);

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.visit.close();
        let mut calls = self.0.calls();
        calls.open -= 1;
        calls.quiet_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::{Addresses, Share};
    use super::*;

    const MANNERS: Manners = Manners {
        greeting: Duration::from_secs(5),
        idle: Duration::from_secs(300),
        age: Duration::from_secs(1_800),
        farewell: Duration::from_secs(10),
    };

    fn link() -> Option<Arc<Link>> {
        let share = Share { connections: 1, calls: 1, calls_per_second: 0 };
        Addresses::new(share).enter([127, 0, 0, 1].into()).map(Link::new)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_cut_that_does_not_greet_and_asked_to_go_when_it_has_been_idle() {
        let Some(link) = link() else { panic!("nobody else is there") };
        let came = Instant::now();
        let at = |seconds: u64| came + Duration::from_secs(seconds);
        let step = |seconds, asked| link.step(at(seconds), &MANNERS, came, asked);
        assert_eq!((step(4, None), step(5, None)), (Step::LookAgain(at(5)), Step::Cut));
        link.greet();
        assert_eq!((step(299, None), step(300, None)), (Step::LookAgain(at(300)), Step::AskToGo));
        assert_eq!(step(305, Some(at(300))), Step::LookAgain(at(310)));
        assert_eq!(step(310, Some(at(300))), Step::Cut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_with_an_open_call_is_never_idle_and_never_cut_for_it() {
        let Some(link) = link() else { panic!("nobody else is there") };
        let came = Instant::now();
        let at = |seconds: u64| came + Duration::from_secs(seconds);
        link.greet();
        let call = link.open();
        assert_eq!(link.step(at(400), &MANNERS, came, None), Step::LookAgain(at(700)));
        assert_eq!(link.step(at(1_700), &MANNERS, came, None), Step::LookAgain(at(1_800)));
        assert_eq!(link.step(at(1_800), &MANNERS, came, None), Step::AskToGo);
        assert_eq!(link.step(at(9_000), &MANNERS, came, Some(at(1_800))), Step::LookAgain(at(9_010)));
        // The idle time begins when the last call ends.
        tokio::time::advance(Duration::from_secs(500)).await;
        drop(call);
        assert_eq!(link.step(at(799), &MANNERS, came, None), Step::LookAgain(at(800)));
        assert_eq!(link.step(at(800), &MANNERS, came, None), Step::AskToGo);
    }
}
