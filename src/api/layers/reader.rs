//! Whether the reader of an answer takes it. A caller can open no window and leave what was written for it where
//! it is: the answer is not asked for its next piece then, so that it cannot end itself. It tells here that a
//! piece was handed over, and whoever drives the stream gives up when none is asked for again in time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::time::sleep;

tokio::task_local! {
    static READER: Arc<Reader>;
}

/// Counts the pieces that were handed over; even: the next was asked for, or there is none yet.
#[derive(Default)]
pub struct Reader(AtomicU64);

impl Reader {
    /// The one of the stream that is being driven.
    pub fn here() -> Arc<Self> {
        READER.try_with(Arc::clone).unwrap_or_default()
    }

    /// A piece waits to be taken.
    pub fn hand(&self) {
        self.0.store((self.0.load(Ordering::Relaxed) + 2) | 1, Ordering::Relaxed);
    }

    /// The next piece is asked for.
    pub fn ask(&self) {
        self.0.store(self.0.load(Ordering::Relaxed) & !1, Ordering::Relaxed);
    }
}

/// Drives a stream, and gives it up, `None`, where a piece has not been taken for so long.
pub async fn with_patience<F: Future>(patience: Duration, stream: F) -> Option<F::Output> {
    let reader = Arc::new(Reader::default());
    let mut stream = pin!(READER.scope(Arc::clone(&reader), stream));
    let mut waiting = None;
    poll_fn(|cx| {
        if let Poll::Ready(done) = stream.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        let piece = reader.0.load(Ordering::Relaxed);
        if piece % 2 == 0 {
            waiting = None;
            return Poll::Pending;
        }
        // For another piece than before the time begins anew.
        waiting = waiting.take().filter(|(of, _)| *of == piece);
        let (_, time) = waiting.get_or_insert_with(|| (piece, Box::pin(sleep(patience))));
        time.as_mut().poll(cx).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::Instant;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_given_up_when_a_piece_is_not_taken_and_only_then() {
        let waits_for_us = async {
            sleep(PATIENCE * 10).await;
            1
        };
        assert_eq!(with_patience(PATIENCE, waits_for_us).await, Some(1));
        let taken_slowly = async {
            let reader = Reader::here();
            for _ in 0..10 {
                reader.hand();
                sleep(PATIENCE / 2).await;
                reader.ask();
            }
            sleep(PATIENCE * 10).await;
            2
        };
        assert_eq!(with_patience(PATIENCE, taken_slowly).await, Some(2));
        let begun = Instant::now();
        let not_taken = async {
            Reader::here().hand();
            pending::<()>().await;
        };
        assert_eq!(with_patience(PATIENCE, not_taken).await, None);
        assert_eq!(begun.elapsed(), PATIENCE);
    }
}
