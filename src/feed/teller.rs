//! The one task of an instance that reads what is new in the feed and wakes its followers: with what this
//! instance commits, and with a look at the database for what others did.

use super::read::{Wanted, stored};
use super::{FeedError, Shared};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The least time between two looks. What is committed meanwhile comes with the next.
const BREATH: Duration = Duration::from_millis(20);
/// Positions behind the ring after which followers are left to read storage.
const BEHIND_MAX: u64 = 16_384;

pub(super) async fn run(shared: Arc<Shared>) {
    let closing = shared.closing.clone();
    tokio::select! {
        () = closing.cancelled() => {}
        () = tell(&shared) => {}
    }
}

async fn tell(shared: &Shared) {
    let mut commits = shared.desk.commits();
    let mut followers = shared.followers.subscribe();
    let mut told = None;
    loop {
        if *followers.borrow_and_update() == 0 {
            // Nobody hears what happens meanwhile, so the ring would have a hole.
            told = None;
            if followers.changed().await.is_err() {
                return;
            }
            continue;
        }
        match look(shared, told).await {
            Ok(end) => told = Some(end),
            Err(error) => tracing::warn!(%error, "the change feed could not be read"),
        }
        sleep(BREATH).await;
        tokio::select! {
            _ = commits.changed() => {}
            _ = followers.changed() => {}
            () = sleep(shared.options.poll) => {}
        }
    }
}

/// Reads what is new since `told`, and tells of it.
async fn look(shared: &Shared, told: Option<u64>) -> Result<u64, FeedError> {
    let end = shared.desk.store().feed_end().await?;
    let mut at = match told {
        Some(told) if end.saturating_sub(told) <= BEHIND_MAX => told,
        _ => {
            shared.ring.start(end);
            end
        }
    };
    while at < end {
        let (batches, reached) = stored(shared, at, &Wanted::default(), end).await?;
        shared.ring.push(batches);
        at = reached;
        shared.end.send_replace(at);
    }
    shared.end.send_if_modified(|known| std::mem::replace(known, at) != at);
    Ok(at)
}
