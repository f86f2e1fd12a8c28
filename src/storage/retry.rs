//! The one retry helper: bounded, with jitter. For reads, and for operations that look their request id up
//! inside their transaction and are therefore safe to do again, even where the fate of a commit is unknown.
//! The desk repeats `transact` itself, because it must decide again.

use super::StoreError;
use std::time::Duration;

/// More than a pool has connections by default: when the database has started anew, each of them fails once.
const TRIES: u32 = 6;

/// Runs `operation` until it succeeds, fails for good, or has been tried six times.
pub(super) async fn until_settled<T, F>(mut operation: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut tries = 1;
    loop {
        match operation().await {
            Err(error) if tries < TRIES && may_settle(&error) => {
                tracing::debug!(%error, tries, "storage operation is tried again");
                tokio::time::sleep(pause(tries)).await;
                tries += 1;
            }
            settled => return settled,
        }
    }
}

fn may_settle(error: &StoreError) -> bool {
    matches!(error, StoreError::GaveWay(_) | StoreError::Conflict(_) | StoreError::Unknown(_))
}

/// Between none and 5, 10, 20 ... milliseconds, so that two who met do not meet again.
fn pause(tries: u32) -> Duration {
    let most = 5_000u64 << tries.min(8);
    let random = uuid::Uuid::new_v4().as_u64_pair().1;
    Duration::from_micros(random % most)
}
