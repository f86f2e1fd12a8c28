//! Digests are worked out ahead: a report over years of events must not be the first to look at each of them.
//!
//! Only events that rest are: one that people sign up for at this moment would be worked out again and again. And never for
//! more than a part of the time, so that whoever signs up does not feel it.

use super::{ReportError, Reports};
use crate::model::id::EventId;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often events are looked for that have moved since their digest.
const EVERY: Duration = Duration::from_secs(10);
/// Events looked at in one go.
const EVENTS_MAX: u32 = 1_000;
/// Events worked out between two pauses.
const SOME: usize = 5;
/// A pause is so many times as long as the work before it.
const REST: u32 = 4;

/// Keeps digests up to date until it is told to stop.
pub async fn keep_ahead(reports: Reports, stop: CancellationToken) {
    let mut ahead = Ahead::new(reports);
    let work = async {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(error) = ahead.look().await {
                tracing::warn!(%error, "digests could not be worked out ahead");
            }
        }
    };
    stop.run_until_cancelled(work).await;
}

/// What was seen at the last look.
pub struct Ahead {
    reports: Reports,
    seen: HashMap<EventId, u64>,
}

impl Ahead {
    pub fn new(reports: Reports) -> Self {
        Self { reports, seen: HashMap::new() }
    }

    /// Works out the events that have not moved since the last look.
    pub async fn look(&mut self) -> Result<(), ReportError> {
        let stale = self.reports.store().stale_digests(EVENTS_MAX).await?;
        let rests = |(event, number): &&(EventId, u64)| self.seen.get(event) == Some(number);
        let rest: Vec<EventId> = stale.iter().filter(rests).map(|(event, _)| *event).collect();
        for some in rest.chunks(SOME) {
            let began = Instant::now();
            self.reports.ahead(some).await?;
            tokio::time::sleep(began.elapsed() * REST).await;
        }
        self.seen = stale.into_iter().collect();
        Ok(())
    }
}
