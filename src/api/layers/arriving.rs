//! Requests while they arrive. A message stands in memory from its first byte, and its caller decides when the
//! last one comes: so there is a bound for what all of them together may have sent so far.

use super::refuse;
use http_body::{Frame, SizeHint};
use std::future::Future;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;

/// Messages up to here are sign-ups and their like: they are always taken, and never wait for larger ones.
const SMALL: usize = 4 << 10;
/// What stands before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The bytes of all messages that are arriving, and the turns of those that have come and are to be read.
pub struct Arriving {
    most: usize,
    held: AtomicUsize,
    /// A message can be three bytes for each of its parts, and takes a hundred times its size and as long to read: larger
    /// ones are read on half of the processors at most, one after the other, so that the others serve on.
    turns: Arc<Semaphore>,
}

impl Arriving {
    pub fn new(most: usize) -> Arc<Self> {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self::with_turns(most, processors.div_ceil(2))
    }

    fn with_turns(most: usize, turns: usize) -> Arc<Self> {
        Arc::new(Self { most, held: AtomicUsize::new(0), turns: Arc::new(Semaphore::new(turns)) })
    }

    /// The body of a request of one message, counted until that has been read or is dropped.
    pub fn count(self: &Arc<Self>, body: Body) -> Body {
        Body::new(self.arriving(body, false))
    }

    /// The body of a request of many small messages, as those of reflection are. Its caller decides when the answer to one is
    /// taken and the next one read: so it gets no turn, and no message that needs one.
    pub fn count_small(self: &Arc<Self>, body: Body) -> Body {
        Body::new(self.arriving(body, true))
    }

    fn arriving(self: &Arc<Self>, inner: Body, only_small: bool) -> ArrivingBody {
        ArrivingBody { inner, all: Arc::clone(self), only_small, held: 0, cut: Cut::default(), turn: Turn::None }
    }
}

struct ArrivingBody {
    inner: Body,
    all: Arc<Arriving>,
    only_small: bool,
    /// Bytes that have come and were not read yet.
    held: usize,
    cut: Cut,
    turn: Turn,
}

/// Where one message ends and the next begins.
#[derive(Default)]
struct Cut {
    /// Bytes of the prefix that have come.
    prefix: usize,
    length: usize,
    /// Bytes of the message that are still to come.
    left: usize,
}

impl Cut {
    /// Bytes of the message that is not whole yet.
    fn pending(&self) -> usize {
        if self.prefix < PREFIX { self.prefix } else { PREFIX + self.length - self.left }
    }

    /// Whether these bytes bring the last of a message that is not small.
    fn completes_large(&mut self, mut bytes: &[u8]) -> bool {
        let mut large = false;
        loop {
            while self.prefix < PREFIX {
                let [first, rest @ ..] = bytes else { return large };
                // The first of the five says whether it is compressed.
                self.length = if self.prefix == 0 { 0 } else { self.length << 8 | usize::from(*first) };
                self.prefix += 1;
                self.left = self.length;
                bytes = rest;
            }
            let here = self.left.min(bytes.len());
            self.left -= here;
            bytes = &bytes[here..];
            if self.left > 0 {
                return large;
            }
            large |= self.length > SMALL;
            self.prefix = 0;
        }
    }
}

type Acquiring = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

/// Whether a message is being read now, or waits for that.
enum Turn {
    None,
    Waits(Acquiring, Bytes),
    /// Until more is asked for: then it has been read.
    Has {
        _permit: Option<OwnedSemaphorePermit>,
    },
}

impl ArrivingBody {
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Turn::Waits(turn, _) = &mut self.turn else { return Poll::Ready(None) };
        // The semaphore is never closed.
        let permit = ready!(turn.as_mut().poll(cx)).ok();
        match std::mem::replace(&mut self.turn, Turn::Has { _permit: permit }) {
            Turn::Waits(_, last) => Poll::Ready(Some(last)),
            _ => Poll::Ready(None),
        }
    }

    /// Counts what has come.
    fn take(&mut self, bytes: &Bytes) -> Result<(), Status> {
        self.held += bytes.len();
        let all = self.all.held.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        if all > self.all.most && self.held > SMALL { Err(refuse::overloaded()) } else { Ok(()) }
    }

    /// Whoever asks for more has read every message that was whole.
    fn was_read(&mut self) {
        self.turn = Turn::None;
        let read = self.held.saturating_sub(self.cut.pending());
        self.held -= read;
        self.all.held.fetch_sub(read, Ordering::Relaxed);
    }
}

impl http_body::Body for ArrivingBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            if let Some(last) = ready!(self.poll_turn(cx)) {
                return Poll::Ready(Some(Ok(Frame::data(last))));
            }
            self.was_read();
            let frame = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            let bytes = match frame.into_data() {
                Ok(bytes) => bytes,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            };
            if let Err(no) = self.take(&bytes) {
                return Poll::Ready(Some(Err(no)));
            }
            let completes_large = self.cut.completes_large(&bytes);
            if self.only_small && (completes_large || self.held > SMALL) {
                return Poll::Ready(Some(Err(refuse::message_too_large(SMALL))));
            }
            if !completes_large {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            self.turn = Turn::Waits(Box::pin(Arc::clone(&self.all.turns).acquire_owned()), bytes);
        }
    }

    fn is_end_stream(&self) -> bool {
        !matches!(self.turn, Turn::Waits(..)) && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // What waits for its turn is not in the rest.
        if matches!(self.turn, Turn::Waits(..)) { SizeHint::default() } else { self.inner.size_hint() }
    }
}

impl Drop for ArrivingBody {
    fn drop(&mut self) {
        self.all.held.fetch_sub(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;

    /// A body in pieces, each there at once.
    struct Pieces(Vec<Vec<u8>>);

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = Status;
        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            let next = if self.0.is_empty() { None } else { Some(self.0.remove(0)) };
            Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes.into()))))
        }
    }

    /// What comes of it next: how many bytes; `None` while it waits.
    async fn next(body: &mut Body) -> Option<Result<usize, Status>> {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
        let frame = tokio::time::timeout(std::time::Duration::from_millis(50), frame).await.ok()?;
        Some(frame.unwrap_or_else(|| Ok(Frame::data(Bytes::new()))).map(|f| f.into_data().map_or(0, |data| data.len())))
    }

    fn body(all: &Arc<Arriving>, length: usize) -> Body {
        all.count(Body::new(Pieces(message(length).chunks(16 << 10).map(<[u8]>::to_vec).collect())))
    }

    #[tokio::test]
    async fn large_messages_are_read_one_after_the_other_and_small_ones_at_once() {
        let all = Arriving::with_turns(1 << 20, 1);
        let (mut first, mut second) = (body(&all, 20 << 10), body(&all, 20 << 10));
        for body in [&mut first, &mut second] {
            assert!(matches!(next(body).await, Some(Ok(16_384))), "what is not whole needs no turn");
        }
        assert!(matches!(next(&mut first).await, Some(Ok(4_101))));
        assert!(next(&mut second).await.is_none(), "the first is being read");
        assert!(matches!(next(&mut body(&all, SMALL)).await, Some(Ok(4_101))), "a small one is read at once");
        // Whoever asks for more has read it.
        assert!(matches!(next(&mut first).await, Some(Ok(0))));
        assert!(matches!(next(&mut second).await, Some(Ok(4_101))));
        drop((first, second));
        assert_eq!((all.turns.available_permits(), all.held.load(Ordering::Relaxed)), (1, 0));
    }

    #[tokio::test]
    async fn a_small_message_is_taken_even_where_there_is_no_room_for_larger_ones() {
        let all = Arriving::with_turns(32 << 10, 1);
        let mut much = body(&all, 100 << 10);
        assert!(matches!(next(&mut much).await, Some(Ok(_))));
        assert!(matches!(next(&mut much).await, Some(Ok(_))));
        let mut small = body(&all, 300);
        assert!(matches!(next(&mut small).await, Some(Ok(305))));
        assert!(matches!(next(&mut much).await, Some(Err(_))), "who holds much is refused");
    }

    #[tokio::test]
    async fn what_was_read_is_given_back_while_the_stream_stays_open() {
        let all = Arriving::with_turns(1 << 20, 1);
        let held = || all.held.load(Ordering::Relaxed);
        let pieces = vec![message(300), [message(200), message(9)[..7].to_vec()].concat(), message(9)[7..].to_vec()];
        let mut stream = all.count_small(Body::new(Pieces(pieces)));
        for (bytes, held_then) in [(305, 305), (212, 212), (7, 14)] {
            assert!(matches!(next(&mut stream).await, Some(Ok(n)) if n == bytes));
            assert_eq!(held(), held_then, "what is whole was read, and what is not is kept");
        }
        assert!(matches!(next(&mut stream).await, Some(Ok(0))));
        assert_eq!(held(), 0, "nothing is held for who only stays");
        let mut one = body(&all, 20 << 10);
        while !matches!(next(&mut one).await, Some(Ok(0))) {}
        assert_eq!((held(), all.turns.available_permits()), (0, 1), "of a single message neither");
    }

    #[tokio::test]
    async fn a_stream_of_small_messages_takes_no_turn_and_no_large_message() {
        let all = Arriving::with_turns(1 << 20, 1);
        for much in [message(SMALL + 1), [message(SMALL / 2), message(SMALL / 2), message(SMALL / 2)].concat()] {
            let mut stream = all.count_small(Body::new(Pieces(vec![much])));
            assert!(matches!(next(&mut stream).await, Some(Err(_))));
        }
        let mut stream = all.count_small(Body::new(Pieces(vec![message(SMALL - 5)])));
        assert!(matches!(next(&mut stream).await, Some(Ok(_))));
        assert_eq!(all.turns.available_permits(), 1, "another may read");
    }

    fn message(length: usize) -> Vec<u8> {
        [&[0][..], &(length as u32).to_be_bytes(), &vec![7; length]].concat()
    }

    /// How many pieces of so many bytes bring the end of a large message.
    fn completed(bytes: &[u8], piece: usize) -> usize {
        let mut cut = Cut::default();
        bytes.chunks(piece).filter(|piece| cut.completes_large(piece)).count()
    }

    #[test]
    fn a_large_message_is_known_by_its_last_byte_however_it_comes() {
        let some =
            [message(10), message(SMALL + 1), message(0), message(SMALL), message(3 * SMALL), message(1)].concat();
        for piece in [1, 2, 3, 7, 1_000] {
            assert_eq!(completed(&some, piece), 2, "in pieces of {piece}");
        }
        assert_eq!(completed(&some, some.len()), 1);
        let large = message(SMALL + 1);
        assert_eq!(completed(&large[..large.len() - 1], 100), 0, "nobody has a turn for what has not come");
    }
}
