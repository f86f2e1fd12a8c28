//! Requests while they arrive. A message stands in memory from its first byte, and its caller decides when the
//! last one comes: so there is a bound for what all of them together may have sent so far.

use super::refuse;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;

/// The bytes of all messages that are arriving.
pub struct Arriving {
    most: usize,
    held: AtomicUsize,
}

impl Arriving {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: AtomicUsize::new(0) })
    }

    /// The body of a request, counted until it has been read or is dropped.
    pub fn count(self: &Arc<Self>, body: Body) -> Body {
        Body::new(ArrivingBody { inner: body, all: Arc::clone(self), held: 0 })
    }
}

struct ArrivingBody {
    inner: Body,
    all: Arc<Arriving>,
    held: usize,
}

impl http_body::Body for ArrivingBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.held += bytes;
            if self.all.held.fetch_add(bytes, Ordering::Relaxed) + bytes > self.all.most {
                return Poll::Ready(Some(Err(refuse::overloaded())));
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for ArrivingBody {
    fn drop(&mut self) {
        self.all.held.fetch_sub(self.held, Ordering::Relaxed);
    }
}
