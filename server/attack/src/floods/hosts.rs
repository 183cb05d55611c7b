//! A user who names hosts that accept connections and say nothing.

use std::net::IpAddr;

use anyhow::Result;
use tokio::{net::TcpListener, time::timeout};

use super::{Attacker, LASTS};

pub(super) async fn silent_ports(attacker: Attacker) -> Result<()> {
    let mut silent = Vec::new();
    for number in 0..60 {
        silent.push(TcpListener::bind((IpAddr::from(attacker.address(number)), 0)).await?);
    }
    let ports = silent.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
    let testing = attacker.at_once(120, 60, async |number| {
        let silent = ports[number % ports.len()];
        let body = serde_json::json!({ "settings": {
            "name": format!("mute{number}"), "transport": "tcp", "address": silent.ip().to_string(), "port": silent.port()
        }});
        let request = attacker.target.request("POST", "/api/hosts/test", "", &body.to_string());
        // The caller leaves long before the console's own limit.
        let exchange = attacker.target.exchange(Some(attacker.address(number)), &request);
        let _ = timeout(LASTS / 4, exchange).await;
    });
    testing.await;
    Ok(())
}
