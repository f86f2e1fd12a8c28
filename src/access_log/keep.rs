//! The access log is kept for a time, and not longer.

use crate::clock::Clock;
use crate::model::time::Span;
use crate::storage::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked for what is too old.
const EVERY: Duration = Duration::from_secs(600);
/// Rows taken out at once, so that nobody who writes waits for it.
const ROWS: u32 = 500;
/// Between two pieces.
const REST: Duration = Duration::from_millis(50);

/// Takes out what is older than `keep`, now and then until it is told to stop.
pub async fn keep(store: Arc<dyn Store>, clock: Arc<dyn Clock>, keep: Span, stop: CancellationToken) {
    let work = async {
        loop {
            match trim(store.as_ref(), clock.as_ref(), keep).await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "rows of the access log were kept long enough"),
                Err(error) => tracing::warn!(%error, "the access log could not be trimmed"),
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

async fn trim(store: &dyn Store, clock: &dyn Clock, keep: Span) -> Result<u64, StoreError> {
    let before = clock.now().plus(Span(-keep.0));
    let mut gone = 0;
    loop {
        let some = store.drop_access_entries(before, ROWS).await?;
        gone += some;
        if some < u64::from(ROWS) {
            return Ok(gone);
        }
        tokio::time::sleep(REST).await;
    }
}
