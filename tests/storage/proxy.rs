//! A wire between the store and PostgreSQL that can be cut at the worst moment: after a commit was sent and
//! before its answer came back, or before the commit was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Copy)]
pub enum Cut {
    Never = 0,
    BeforeCommit = 1,
    AfterCommit = 2,
}

pub struct Wire {
    pub port: u16,
    cut: Arc<AtomicU8>,
}

impl Wire {
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicU8::new(0));
        let shears = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&shears)));
            }
        });
        Self { port, cut }
    }

    /// Cuts the next connection that commits, once.
    pub fn cut_next(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }
}

async fn carry(client: TcpStream, server: TcpStream, cut: Arc<AtomicU8>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(n @ 1..) = from_client.read(&mut buffer).await {
        let commits = buffer[..n].windows(7).any(|w| w == b"COMMIT\0");
        if commits && cut.load(Ordering::SeqCst) != Cut::Never as u8 {
            let how = cut.swap(Cut::Never as u8, Ordering::SeqCst);
            back.abort();
            let _ = back.await;
            if how == Cut::AfterCommit as u8 {
                to_server.write_all(&buffer[..n]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            return;
        }
        if to_server.write_all(&buffer[..n]).await.is_err() {
            break;
        }
    }
    back.abort();
}
