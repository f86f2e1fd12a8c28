//! The issuer's keys, as they were told last: asked for anew in good time, and when a key shows up that is not among them.
//! Whatever callers send, the issuer is asked no more often than the pace allows.

use super::fetch::Fetcher;
use super::keyset::KeySet;
use super::{Algorithm, Fault, No, Source};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// How often the issuer is asked for its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Older, and nobody is let in by them before the issuer was asked again.
    pub refresh: Duration,
    /// While the issuer does not answer, they count for so long.
    pub keep: Duration,
    /// From one question to the next, whatever callers send.
    pub pause: Duration,
}

pub struct Issuer {
    fetcher: Fetcher,
    algorithms: Vec<Algorithm>,
    pace: Pace,
    state: RwLock<State>,
    asking: Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    /// The keys, and when they were asked for.
    keys: Option<(Arc<KeySet>, Instant)>,
    asked: Option<Instant>,
}

impl State {
    /// The keys that are younger than this.
    fn younger(&self, age: Duration) -> Option<Arc<KeySet>> {
        self.keys.as_ref().filter(|(_, at)| at.elapsed() < age).map(|(keys, _)| Arc::clone(keys))
    }
}

impl Issuer {
    pub fn new(source: Source, algorithms: Vec<Algorithm>, pace: Pace) -> Result<Self, Fault> {
        let fetcher = Fetcher::new(source)?;
        Ok(Self { fetcher, algorithms, pace, state: RwLock::default(), asking: Mutex::default() })
    }

    /// The keys, where they are young enough that nobody need be asked.
    pub fn at_hand(&self) -> Option<Arc<KeySet>> {
        self.state().younger(self.pace.refresh / 2)
    }

    /// The keys that count now; the issuer is asked first where they are too old, or do not hold the one that is wanted.
    pub async fn keys(self: &Arc<Self>, wanted: Option<&str>) -> Result<Arc<KeySet>, No> {
        let state = self.state();
        let fresh = state.younger(self.pace.refresh);
        if let Some(keys) = fresh.filter(|keys| wanted.is_none_or(|kid| keys.knows(kid))) {
            if state.younger(self.pace.refresh / 2).is_none() && !self.was_asked() {
                // In good time, so that nobody has to wait for it.
                drop(self.begin());
            }
            return Ok(keys);
        }
        if self.was_asked() {
            // Perhaps this moment.
            drop(self.asking.lock().await);
        } else {
            let _ = self.begin().await;
        }
        self.state().younger(self.pace.keep.max(self.pace.refresh)).ok_or(No::Unavailable)
    }

    /// Asks now, and tells what went wrong.
    pub async fn read_now(&self) -> Result<(), Fault> {
        let begun = Instant::now();
        self.change(|state| state.asked = Some(begun));
        let text = self.fetcher.keys().await?;
        let keys = Arc::new(KeySet::read(&text, &self.algorithms)?);
        tracing::debug!(keys = keys.len(), "the issuer's keys were read");
        if keys.len() == 0 {
            tracing::warn!("the issuer has no key that signs with an algorithm of oidc.algorithms: nobody can sign in");
        }
        self.change(|state| state.keys = Some((keys, begun)));
        Ok(())
    }

    /// Has the issuer asked, unless somebody else just did. In a task of its own: a caller who goes away must not have used
    /// up the question.
    fn begin(self: &Arc<Self>) -> JoinHandle<()> {
        let issuer = Arc::clone(self);
        tokio::spawn(async move {
            let _asking = issuer.asking.lock().await;
            if issuer.was_asked() {
                return;
            }
            if let Err(why) = issuer.read_now().await {
                tracing::warn!(%why, "the issuer's keys cannot be had");
            }
        })
    }

    fn was_asked(&self) -> bool {
        self.state().asked.is_some_and(|at| at.elapsed() < self.pace.pause)
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}
