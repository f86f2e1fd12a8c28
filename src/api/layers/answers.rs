//! Long answers to who reads: so many are worked out at once, and so many bytes of them wait for whoever asked. A caller
//! that asks for page after page and takes none would fill the memory otherwise, and who only asks would keep everybody
//! from the processors.

use super::link::Link;
use super::refuse;
use http::Response;
use http_body::{Body as _, Frame, SizeHint};
use std::future::poll_fn;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;

/// Answers up to here are never counted nor refused.
const SMALL: usize = 4 << 10;
/// Of what waits, one address has at most one part in so many.
const SHARES: usize = 4;
/// Lists in work at once, for each processor: the others wait, and who signs up goes before them.
const LISTS: usize = 2;

pub struct Answers {
    most: usize,
    waiting: AtomicUsize,
    lists: Arc<Semaphore>,
}

/// The turn of one call among lists. It goes to the handler with the request, who takes it when the whole message has come
/// and its caller is let in: so nobody holds one by being slow, or without a right. It ends when the answer is made.
#[derive(Clone)]
pub struct Turn {
    lists: Arc<Semaphore>,
    has: Arc<OnceLock<OwnedSemaphorePermit>>,
}

impl Turn {
    /// Waits until it is this call's turn.
    pub async fn take(&self) {
        // The semaphore is never closed.
        if let Ok(permit) = Arc::clone(&self.lists).acquire_owned().await {
            let _ = self.has.set(permit);
        }
    }
}

impl Answers {
    /// `most`: bytes that wait to be taken.
    pub fn new(most: usize) -> Arc<Self> {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Arc::new(Self { most, waiting: AtomicUsize::new(0), lists: Arc::new(Semaphore::new(LISTS * processors)) })
    }

    /// A turn for a call, to be taken.
    pub fn turn(&self) -> Turn {
        Turn { lists: Arc::clone(&self.lists), has: Arc::default() }
    }

    /// Counts the answer until it has been taken, or refuses it. Only for calls that changed nothing.
    pub async fn keep(
        self: &Arc<Self>,
        response: Response<Body>,
        link: Option<&Arc<Link>>,
    ) -> Result<Response<Body>, Status> {
        let (parts, mut body) = response.into_parts();
        let first = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.transpose()?;
        let bytes = first.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len);
        let waiting = (bytes > SMALL).then(|| self.wait(bytes, link)).transpose()?;
        Ok(Response::from_parts(parts, Body::new(Kept { first, rest: body, _waiting: waiting })))
    }

    fn wait(self: &Arc<Self>, bytes: usize, link: Option<&Arc<Link>>) -> Result<Waiting, Status> {
        let waiting = Waiting { bytes, all: Arc::clone(self), link: link.cloned() };
        let all = self.waiting.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let share = link.map_or(0, |link| link.visit().waits(bytes));
        if all > self.most || share > self.most / SHARES { Err(refuse::overloaded()) } else { Ok(waiting) }
    }
}

/// Bytes that are counted until this is dropped.
struct Waiting {
    bytes: usize,
    all: Arc<Answers>,
    link: Option<Arc<Link>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.all.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
        if let Some(link) = &self.link {
            link.visit().taken(self.bytes);
        }
    }
}

struct Kept {
    first: Option<Frame<Bytes>>,
    rest: Body,
    _waiting: Option<Waiting>,
}

impl http_body::Body for Kept {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::super::address::{Addresses, Share};
    use super::*;

    const MOST: usize = 64 << 10;

    fn from(addresses: &Arc<Addresses>, last: u8) -> Arc<Link> {
        Link::new(addresses.enter([127, 0, 0, last].into()).unwrap())
    }

    fn addresses() -> Arc<Addresses> {
        Addresses::new(Share { connections: 9, calls: 9, calls_per_second: 0 })
    }

    fn answer(bytes: usize) -> Response<Body> {
        struct One(Option<Bytes>);
        impl http_body::Body for One {
            type Data = Bytes;
            type Error = Status;
            fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
                Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
            }
        }
        Response::new(Body::new(One(Some(vec![0; bytes].into()))))
    }

    #[tokio::test]
    async fn answers_that_wait_have_so_many_bytes_together_and_an_address_a_part_of_them() {
        let (answers, addresses) = (Answers::new(MOST), addresses());
        let a = from(&addresses, 1);
        let one = answers.keep(answer(MOST / SHARES), Some(&a)).await.unwrap();
        assert!(answers.keep(answer(SMALL + 1), Some(&a)).await.is_err(), "the address has its part");
        // Small ones are always answered, and others have their own part.
        answers.keep(answer(SMALL), Some(&a)).await.unwrap();
        let others: Vec<_> = (2..5).map(|n| from(&addresses, n)).collect();
        let mut held = Vec::new();
        for other in &others {
            held.push(answers.keep(answer(MOST / SHARES), Some(other)).await.unwrap());
        }
        assert!(answers.keep(answer(SMALL + 1), Some(&from(&addresses, 9))).await.is_err(), "all of it is taken");
        drop((one, held));
        answers.keep(answer(MOST / SHARES), Some(&a)).await.unwrap();
        assert_eq!(answers.waiting.load(Ordering::Relaxed), 0, "what was refused or taken is not counted");
    }

    #[tokio::test]
    async fn an_answer_that_was_kept_comes_whole() {
        let kept = Answers::new(MOST).keep(answer(10_000), None).await.unwrap();
        let mut body = kept.into_body();
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap().len(), 10_000);
        assert!(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_none());
    }

    #[tokio::test]
    async fn lists_take_turns_and_a_turn_ends_with_its_call() {
        let answers = Answers::new(MOST);
        let turns: Vec<_> = (0..answers.lists.available_permits()).map(|_| answers.turn()).collect();
        let next = answers.turn();
        for turn in &turns {
            turn.take().await;
        }
        let waits = tokio::time::timeout(std::time::Duration::from_millis(50), next.take()).await;
        assert!(waits.is_err(), "a list waits for its turn");
        drop(turns);
        next.take().await;
    }
}
