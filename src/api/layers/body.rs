//! The stream of an answer: counted when it ends, ended at the caller's deadline, and ended when the
//! service stops and it has nothing more to say. What its call holds is given back with it.

use super::deadline::Deadline;
use super::link::OpenCall;
use super::meters::Seen;
use super::reader::Reader;
use super::refuse::{self, Ending};
use super::streams::StreamSeat;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::task_tracker::TaskTrackerToken;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;

pub struct CallBody {
    inner: Body,
    /// Until the call is counted.
    seen: Option<Seen>,
    deadline: Deadline,
    drain: CancellationToken,
    reader: Arc<Reader>,
    _holds: Holds,
    /// Made when the stream first has to wait: an answer of one message never does.
    clocks: Option<Clocks>,
}

/// What a call holds until the last word of its answer is handed over.
pub struct Holds {
    _in_work: TaskTrackerToken,
    /// On its connection.
    _open: Option<OpenCall>,
    pub stream: Option<StreamSeat>,
}

impl Holds {
    pub fn new(in_work: TaskTrackerToken, open: Option<OpenCall>) -> Self {
        Self { _in_work: in_work, _open: open, stream: None }
    }
}

struct Clocks {
    drain: Pin<Box<WaitForCancellationFutureOwned>>,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl CallBody {
    pub fn new(inner: Body, seen: Seen, deadline: Deadline, drain: CancellationToken, holds: Holds) -> Self {
        let reader = Reader::here();
        Self { inner, seen: Some(seen), deadline, drain, reader, _holds: holds, clocks: None }
    }

    fn count(&mut self, code: Ending) {
        if let Some(seen) = self.seen.take() {
            seen.finish(code);
        }
    }

    /// Why a stream that waits must end now, if it must.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        let (deadline, drain) = (self.deadline, &self.drain);
        let clocks = self.clocks.get_or_insert_with(|| Clocks {
            drain: Box::pin(drain.clone().cancelled_owned()),
            sleep: deadline.asked.then(|| Box::pin(tokio::time::sleep_until(deadline.at))),
        });
        if clocks.drain.as_mut().poll(cx).is_ready() {
            return Poll::Ready(refuse::draining());
        }
        match &mut clocks.sleep {
            Some(sleep) => sleep.as_mut().poll(cx).map(|()| refuse::deadline_exceeded()),
            None => Poll::Pending,
        }
    }

    /// Ends the stream with a status of ours.
    fn end(&mut self, status: Status) -> Frame<Bytes> {
        self.count(status.code());
        self.inner = Body::empty();
        let mut trailers = HeaderMap::new();
        if status.add_header(&mut trailers).is_err() {
            trailers.clear();
        }
        Frame::trailers(trailers)
    }
}

impl http_body::Body for CallBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.reader.ask();
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                match frame.trailers_ref() {
                    Some(trailers) => self.count(refuse::ending_of_trailers(trailers)),
                    None => self.reader.hand(),
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(status))) => {
                self.count(status.code());
                Poll::Ready(Some(Err(status)))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => self.as_mut().get_mut().poll_end(cx).map(|status| Some(Ok(self.end(status)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for CallBody {
    /// Over HTTP/1 the next call has the same reader.
    fn drop(&mut self) {
        self.reader.ask();
    }
}
