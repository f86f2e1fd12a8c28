//! Writes the rows, in batches: whatever came within a moment of the first.

use super::Shared;
use crate::model::access_log::AccessEntry;
use crate::storage::StoreError;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long the first row of a batch waits for others: as much as a killed process loses.
const GATHER: Duration = Duration::from_millis(250);
/// Most rows of a batch.
const BATCH_MAX: usize = 2_048;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// How often it is tried when the instance is stopping.
const LAST_TRIES: u32 = 3;

pub(super) async fn write(shared: Arc<Shared>, mut rows: Receiver<AccessEntry>, close: CancellationToken) {
    let mut batch = Vec::new();
    loop {
        let step = tokio::select! {
            biased;
            () = close.cancelled(), if !rows.is_closed() => Step::Close,
            n = rows.recv_many(&mut batch, BATCH_MAX) => if n == 0 { Step::End } else { Step::Gather },
            () = shared.used.notified() => Step::Uses,
        };
        match step {
            Step::Close => rows.close(),
            Step::End => break,
            Step::Gather => gather(&mut rows, &mut batch, &close).await,
            Step::Uses => pause(GATHER, &close).await,
        }
        keep_trying(&shared, &mut batch, &close).await;
        note_uses(&shared).await;
    }
    note_uses(&shared).await;
}

enum Step {
    Close,
    End,
    Gather,
    Uses,
}

/// Waits for more rows, but not when the instance is stopping.
async fn gather(rows: &mut Receiver<AccessEntry>, batch: &mut Vec<AccessEntry>, close: &CancellationToken) {
    let until = Instant::now() + GATHER;
    while batch.len() < BATCH_MAX {
        let more = timeout_at(until, rows.recv_many(batch, BATCH_MAX - batch.len()));
        match close.run_until_cancelled(more).await {
            Some(Ok(n)) if n > 0 => {}
            _ => return,
        }
    }
}

/// Until it is done, however long that takes: meanwhile nobody is let in who would leave a row.
async fn keep_trying(shared: &Shared, batch: &mut Vec<AccessEntry>, close: &CancellationToken) {
    let mut last_tries = 0;
    while !batch.is_empty() {
        match shared.store.add_access_entries(batch.clone()).await {
            Ok(()) => batch.clear(),
            Err(error) if close.is_cancelled() && last_tries == LAST_TRIES => {
                tracing::error!(%error, rows = batch.len(), "rows of the access log are lost");
                batch.clear();
                return;
            }
            Err(error) => {
                failed(shared, &error, batch.len());
                last_tries += u32::from(close.is_cancelled());
                pause(PAUSE, close).await;
                continue;
            }
        }
        if shared.failing.swap(false, Ordering::AcqRel) {
            tracing::info!("the access log can be written again");
        }
    }
}

fn failed(shared: &Shared, error: &StoreError, rows: usize) {
    if !shared.failing.swap(true, Ordering::AcqRel) {
        tracing::error!(%error, rows, "the access log cannot be written: nobody is let in who would leave a row");
    }
}

/// A pause, cut short when the instance stops; then it is a short one.
async fn pause(time: Duration, close: &CancellationToken) {
    if close.is_cancelled() {
        sleep(time.min(Duration::from_millis(100))).await;
    } else {
        close.run_until_cancelled(sleep(time)).await;
    }
}

/// What cannot be noted now is noted with a later use: nobody is refused for it.
async fn note_uses(shared: &Shared) {
    let due = shared.uses.due();
    if due.is_empty() {
        return;
    }
    match shared.store.note_key_uses(due.clone()).await {
        Ok(()) => shared.uses.written(&due),
        Err(error) => tracing::warn!(%error, "when access keys were used last cannot be noted"),
    }
}
