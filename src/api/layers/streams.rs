//! Streams stay open for as long as their callers like: so many at once on an instance, and no more.

use super::meters::Seen;
use super::{is_health, is_reflection, refuse};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

/// Streams of reflection at once: their answers are large, and nobody has to show a key for them.
const REFLECTIONS: usize = 64;

/// The seats of streams.
pub struct Streams {
    most: usize,
    seats: Arc<Semaphore>,
    /// Whoever watches the health of the service must not be turned away by those who watch their place in line.
    for_health: Arc<Semaphore>,
    for_reflection: Arc<Semaphore>,
    open: Gauge,
}

impl Streams {
    pub fn new(most: usize, registry: &mut Registry) -> Self {
        let open = Gauge::default();
        registry.register("eile_streams", "Streams that are open", open.clone());
        let seats = |most: usize| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { most, seats: seats(most), for_health: seats(most), for_reflection: seats(most.min(REFLECTIONS)), open }
    }

    /// A seat for a call that is answered by a stream; none for any other call.
    pub fn seat(&self, path: &str, seen: &Seen) -> Result<Option<StreamSeat>, Status> {
        let (seats, most) = match is_health(path) {
            true if path.ends_with("/Watch") => (&self.for_health, self.most),
            false if is_reflection(path) => (&self.for_reflection, self.most.min(REFLECTIONS)),
            false if seen.is_stream() => (&self.seats, self.most),
            _ => return Ok(None),
        };
        let permit = Arc::clone(seats).try_acquire_owned().map_err(|_| refuse::too_many_streams(most))?;
        self.open.inc();
        Ok(Some(StreamSeat { _permit: permit, open: self.open.clone() }))
    }
}

/// Taken until it is dropped, however the stream ends.
pub struct StreamSeat {
    _permit: OwnedSemaphorePermit,
    open: Gauge,
}

impl Drop for StreamSeat {
    fn drop(&mut self) {
        self.open.dec();
    }
}
