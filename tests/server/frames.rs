//! HTTP/2 by hand, for callers that no library would be.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
const ACK: u8 = 1;

/// A call to nowhere in particular, begun and taken back in one breath.
pub fn begun_and_reset(stream: u32) -> Vec<u8> {
    let id = stream.to_be_bytes();
    // HEADERS that end, of three fields that stand in the static table; then RST_STREAM with CANCEL.
    let mut both = vec![0, 0, 3, 1, 4, id[0], id[1], id[2], id[3], 0x83, 0x86, 0x84];
    both.extend([0, 0, 4, 3, 0, id[0], id[1], id[2], id[3], 0, 0, 0, 8]);
    both
}

/// One frame as it came.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub payload: Vec<u8>,
}

/// The next frame; `None` when the other side has closed.
pub async fn next(socket: &mut TcpStream) -> Option<Frame> {
    let mut head = [0; 9];
    socket.read_exact(&mut head).await.ok()?;
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    socket.read_exact(&mut payload).await.ok()?;
    Some(Frame { kind: head[3], flags: head[4], payload })
}

/// Reads until the other side closes, and answers its pings as everybody does.
pub async fn until_closed(socket: &mut TcpStream) -> Vec<Frame> {
    let mut all = Vec::new();
    while let Some(frame) = next(socket).await {
        if frame.kind == PING && frame.flags & ACK == 0 {
            let mut pong = vec![0, 0, 8, PING, ACK, 0, 0, 0, 0];
            pong.extend(&frame.payload);
            let _ = socket.write_all(&pong).await;
        }
        all.push(frame);
    }
    all
}

/// A connection from an address of this machine's choice of loopback addresses.
pub async fn from(local: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((local, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Whether the other side closes within this time.
pub async fn is_closed(socket: &mut TcpStream, within: Duration) -> bool {
    let mut bytes = [0; 256];
    let reads = async { while !matches!(socket.read(&mut bytes).await, Ok(0) | Err(_)) {} };
    tokio::time::timeout(within, reads).await.is_ok()
}
