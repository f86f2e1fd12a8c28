//! A wire between the store and PostgreSQL that can be cut at the worst moment: after a commit was sent and
//! before its answer came back, or before the commit was sent; or that swallows everything and says nothing, as a
//! network does that was pulled out of the wall.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const AT_ONCE: u8 = 16;
/// In the message that binds them: one format for all, binary, and 37 values.
const SIGN_UPS: [u8; 6] = [0, 1, 0, 1, 0, 37];

#[derive(Clone, Copy)]
pub enum Cut {
    Never = 0,
    BeforeCommit = 1,
    AfterCommit = 2,
    /// The commit is carried, and from then on this connection is silent.
    SilentAfterCommit = 3,
    /// The commit is carried two seconds later, when nobody waits for it any more.
    Late = 4,
}

pub struct Wire {
    pub port: u16,
    cut: Arc<AtomicU8>,
    /// Connections that were made before it was counted up carry nothing any more.
    silences: Arc<AtomicU64>,
}

impl Wire {
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicU8::new(0));
        let silences = Arc::new(AtomicU64::new(0));
        let (shears, hush) = (Arc::clone(&cut), Arc::clone(&silences));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&shears), Silence::of(&hush)));
            }
        });
        Self { port, cut, silences }
    }

    /// Every connection that is open now falls silent, in both directions, and stays open. New ones carry.
    pub fn fall_silent(&self) {
        self.silences.fetch_add(1, Ordering::SeqCst);
    }

    /// Cuts the next connection that commits, once.
    pub fn cut_next(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }

    /// Cuts the next connection over which sign-ups go in a transaction of one statement, once.
    pub fn cut_next_at_once(&self, cut: Cut) {
        self.cut.store(cut as u8 | AT_ONCE, Ordering::SeqCst);
    }
}

/// Whether a connection still carries.
#[derive(Clone)]
struct Silence {
    silences: Arc<AtomicU64>,
    at_first: u64,
}

impl Silence {
    fn of(silences: &Arc<AtomicU64>) -> Self {
        Self { silences: Arc::clone(silences), at_first: silences.load(Ordering::SeqCst) }
    }

    fn has_fallen(&self) -> bool {
        self.silences.load(Ordering::SeqCst) != self.at_first
    }
}

async fn carry(client: TcpStream, server: TcpStream, cut: Arc<AtomicU8>, silence: Silence) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let hushed = silence.clone();
    let back = tokio::spawn(async move {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(n @ 1..) = from_server.read(&mut buffer).await {
            if !hushed.has_fallen() && to_client.write_all(&buffer[..n]).await.is_err() {
                return;
            }
        }
        // Silence carries no end either: the client never learns that the server has gone away.
        if hushed.has_fallen() {
            std::future::pending::<()>().await;
        }
    });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(n @ 1..) = from_client.read(&mut buffer).await {
        if silence.has_fallen() {
            continue;
        }
        let wanted = cut.load(Ordering::SeqCst);
        let mark: &[u8] = if wanted & AT_ONCE == 0 { b"COMMIT\0" } else { &SIGN_UPS };
        let commits = buffer[..n].windows(mark.len()).any(|w| w == mark);
        if commits && wanted != Cut::Never as u8 {
            let how = cut.swap(Cut::Never as u8, Ordering::SeqCst) & !AT_ONCE;
            if how == Cut::SilentAfterCommit as u8 {
                silence.silences.fetch_add(1, Ordering::SeqCst);
                to_server.write_all(&buffer[..n]).await.unwrap();
                continue;
            }
            back.abort();
            let _ = back.await;
            if how == Cut::Late as u8 {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            if how == Cut::AfterCommit as u8 || how == Cut::Late as u8 {
                to_server.write_all(&buffer[..n]).await.unwrap();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            return;
        }
        if to_server.write_all(&buffer[..n]).await.is_err() {
            break;
        }
    }
    back.abort();
}
