//! Who is at the other end, as far as an address tells: so many connections and calls at once from each, and so
//! many calls a second. No single address can take what is there for all. What is known of an address is forgotten when it has neither connections nor calls to wait off.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Addresses that are known before those that have gone are looked for.
const KNOWN_BEFORE_LOOKING: usize = 1_024;
/// How far calls may run ahead of their pace: a second's worth may come at once.
const AHEAD: Duration = Duration::from_secs(1);

/// When an address with too many open calls may try again: they end as soon as its other callers like.
const LATER: Duration = Duration::from_secs(1);

/// What one address may have.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    pub connections: usize,
    /// Open calls, streams among them.
    pub calls: usize,
    /// 0 for any number.
    pub calls_per_second: u32,
}

/// Every address that somebody calls from.
pub struct Addresses {
    share: Share,
    /// The time between two calls of one address; none where calls are not counted.
    pace: Option<Duration>,
    known: Mutex<HashMap<IpAddr, Arc<Address>>>,
}

struct Address {
    /// Changed under the lock of all.
    connections: AtomicUsize,
    calls: AtomicUsize,
    /// Bytes of answers that it has not taken.
    waiting: AtomicUsize,
    /// When the next call would come if all of them had kept their pace (GCRA).
    due: Mutex<Instant>,
}

impl Addresses {
    pub fn new(share: Share) -> Arc<Self> {
        let pace = (share.calls_per_second > 0).then(|| Duration::from_secs(1) / share.calls_per_second);
        Arc::new(Self { share, pace, known: Mutex::default() })
    }

    /// A connection from this address, if it may have one more.
    pub fn enter(self: &Arc<Self>, ip: IpAddr) -> Option<Visit> {
        let ip = network(ip);
        let mut known = self.known();
        if known.len() >= KNOWN_BEFORE_LOOKING {
            let now = Instant::now();
            known.retain(|_, address| address.matters(now));
        }
        let address = known.entry(ip).or_insert_with(|| Arc::new(Address::new()));
        if address.connections.load(Ordering::Relaxed) >= self.share.connections {
            return None;
        }
        address.connections.fetch_add(1, Ordering::Relaxed);
        Some(Visit { addresses: Arc::clone(self), ip, address: Arc::clone(address) })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<IpAddr, Arc<Address>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Address {
    fn new() -> Self {
        Self {
            connections: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            due: Mutex::new(Instant::now()),
        }
    }

    fn due(&self) -> MutexGuard<'_, Instant> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn matters(&self, now: Instant) -> bool {
        self.connections.load(Ordering::Relaxed) > 0 || *self.due() > now
    }
}

/// Whom an address stands for: a household or a machine has a whole network of the newer kind to choose from.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// One connection of an address, counted until it is dropped.
pub struct Visit {
    addresses: Arc<Addresses>,
    ip: IpAddr,
    address: Arc<Address>,
}

impl Visit {
    /// A call has begun, whatever becomes of it.
    pub fn open(&self) {
        self.address.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// It has ended.
    pub fn close(&self) {
        self.address.calls.fetch_sub(1, Ordering::Relaxed);
    }

    /// So many bytes more wait to be taken; answers how many there are now.
    pub fn waits(&self, bytes: usize) -> usize {
        self.address.waiting.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// They do not wait any more.
    pub fn taken(&self, bytes: usize) {
        self.address.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether a call that has begun now may go on; or how long its address must wait before the next.
    pub fn may_call(&self, now: Instant) -> Result<(), Duration> {
        if self.address.calls.load(Ordering::Relaxed) > self.addresses.share.calls {
            return Err(LATER);
        }
        let Some(pace) = self.addresses.pace else { return Ok(()) };
        let mut due = self.address.due();
        let next = (*due).max(now) + pace;
        match next.checked_duration_since(now + AHEAD) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *due = next;
                Ok(())
            }
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut known = self.addresses.known();
        self.address.connections.fetch_sub(1, Ordering::Relaxed);
        if !self.address.matters(Instant::now()) {
            known.remove(&self.ip);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    const ANY: Share = Share { connections: 9, calls: 9, calls_per_second: 0 };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn an_address_has_so_many_connections_and_is_forgotten_with_the_last() {
        let all = Addresses::new(Share { connections: 2, ..ANY });
        let mut here: Vec<Visit> = (0..2).map(|_| all.enter(ip("192.0.2.1")).unwrap()).collect();
        assert!(all.enter(ip("192.0.2.1")).is_none() && all.enter(ip("::ffff:192.0.2.1")).is_none());
        assert!(all.enter(ip("192.0.2.2")).is_some());
        here.pop();
        here.push(all.enter(ip("192.0.2.1")).unwrap());
        drop(here);
        assert!(all.known().is_empty());
    }

    #[tokio::test]
    async fn the_connections_of_an_address_share_its_open_calls() {
        let all = Addresses::new(Share { calls: 2, ..ANY });
        let (a, b) = (all.enter(ip("192.0.2.1")).unwrap(), all.enter(ip("192.0.2.1")).unwrap());
        let other = all.enter(ip("192.0.2.2")).unwrap();
        let now = Instant::now();
        for visit in [&a, &b, &other] {
            visit.open();
            visit.may_call(now).unwrap();
        }
        b.open();
        assert_eq!(b.may_call(now), Err(LATER));
        other.may_call(now).unwrap();
        a.close();
        b.may_call(now).unwrap();
    }

    #[tokio::test]
    async fn one_network_of_the_newer_kind_is_one_address() {
        let all = Addresses::new(Share { connections: 1, ..ANY });
        let _first = all.enter(ip("2001:db8:1:2::3")).unwrap();
        assert!(all.enter(ip("2001:db8:1:2:ffff::9")).is_none());
        assert!(all.enter(ip("2001:db8:1:3::3")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_keep_their_pace_and_new_connections_do_not_help() {
        let all = Addresses::new(Share { calls_per_second: 10, ..ANY });
        let visit = all.enter(ip("192.0.2.1")).unwrap();
        let calls = |visit: &Visit| (0..100).filter(|_| visit.may_call(Instant::now()).is_ok()).count();
        assert_eq!(calls(&visit), 10);
        let wait = visit.may_call(Instant::now()).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        drop(visit);
        let visit = all.enter(ip("192.0.2.1")).unwrap();
        assert_eq!(calls(&visit), 0);
        assert_eq!(calls(&all.enter(ip("192.0.2.2")).unwrap()), 10);
        tokio::time::advance(wait).await;
        assert_eq!(calls(&visit), 1);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(calls(&visit), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_that_have_gone_are_forgotten() {
        let all = Addresses::new(Share { calls_per_second: 1, ..ANY });
        for n in 0..10_000_u32 {
            let visit = all.enter(IpAddr::V4(n.into())).unwrap();
            visit.may_call(Instant::now()).unwrap();
            drop(visit);
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert!(all.known().len() <= KNOWN_BEFORE_LOOKING, "{}", all.known().len());
    }
}
