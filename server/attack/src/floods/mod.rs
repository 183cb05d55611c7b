//! Floods: many connections, requests or bytes at once, from addresses of their own, for [`LASTS`] at most.

mod connections;
mod hosts;
mod requests;
mod streams;

use std::{net::Ipv4Addr, time::Duration};

use anyhow::Result;
use futures::future::{BoxFuture, join_all};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::client::Target;

/// How long a flood lasts.
pub const LASTS: Duration = Duration::from_secs(8);

/// A flood.
pub struct Flood {
    /// Its name.
    pub name: &'static str,
    run: fn(Attacker) -> BoxFuture<'static, Result<()>>,
}

/// All floods.
pub const ALL: [Flood; 15] = [
    Flood {
        name: "1,100 connections that say nothing, from 9 addresses",
        run: |from| Box::pin(connections::silent_from_few(from)),
    },
    Flood {
        name: "1,010 connections that say nothing, from 100 addresses",
        run: |from| Box::pin(connections::silent(from)),
    },
    Flood {
        name: "1,010 idle connections with an HTTP/2 preface, from one address",
        run: |from| Box::pin(connections::idle_http2(from)),
    },
    Flood { name: "300 requests, a byte a second", run: |from| Box::pin(connections::slow_headers(from)) },
    Flood { name: "200 bodies, a byte a second", run: |from| Box::pin(connections::slow_bodies(from)) },
    Flood { name: "200 readers that do not read", run: |from| Box::pin(connections::slow_readers(from)) },
    Flood { name: "5,000 connections, opened and closed", run: |from| Box::pin(connections::churn(from)) },
    Flood { name: "20 × 2,000 requests in one go", run: |from| Box::pin(requests::pipelined(from)) },
    Flood { name: "50 headers of 4 MiB", run: |from| Box::pin(requests::large_headers(from)) },
    Flood { name: "16 bodies of 32 MiB", run: |from| Box::pin(requests::large_bodies(from)) },
    Flood { name: "100 wrong logins, 10 at once, from 100 addresses", run: |from| Box::pin(requests::logins(from)) },
    Flood { name: "400 preflights, 20 at once", run: |from| Box::pin(requests::preflights(from)) },
    Flood { name: "HTTP/2 rapid reset, 8 × 5,000 streams", run: |from| Box::pin(streams::rapid_reset(from)) },
    Flood {
        name: "64 WebSockets, with 1,000 messages and a huge frame each",
        run: |from| Box::pin(streams::sockets(from)),
    },
    Flood { name: "120 tests of 60 silent ports", run: |from| Box::pin(hosts::silent_ports(from)) },
];

impl Flood {
    /// Floods the console. What the console refuses or closes is no error.
    ///
    /// # Errors
    /// If the attacker lacks something.
    pub async fn run(&self, attacker: &Attacker) -> Result<()> {
        // What has not ended by then is dropped, and its connections with it.
        timeout(2 * LASTS, (self.run)(attacker.clone())).await.unwrap_or(Ok(()))
    }
}

/// Who floods.
#[derive(Clone, Debug)]
pub struct Attacker {
    /// The console.
    pub target: Target,
    /// Connections come from the addresses .100 to .199 of this /24 of the loopback device.
    pub network: Ipv4Addr,
}

impl Attacker {
    /// One of the attacker's addresses.
    fn address(&self, number: usize) -> Ipv4Addr {
        let [a, b, c, _] = self.network.octets();
        let last = u8::try_from(100 + number % 100).unwrap_or(u8::MAX);
        Ipv4Addr::new(a, b, c, last)
    }

    /// Connections that have said this; those that the console does not take are left out.
    async fn connections(&self, number: usize, greeting: &[u8]) -> Vec<TcpStream> {
        let mut open = Vec::new();
        for number in 0..number {
            let Ok(Ok(mut connection)) =
                timeout(Duration::from_secs(1), self.target.connect(Some(self.address(number)))).await
            else {
                continue;
            };
            if connection.write_all(greeting).await.is_ok() {
                open.push(connection);
            }
        }
        open
    }

    /// Does something this often, a few at a time.
    async fn at_once<F: Future<Output = ()>>(&self, number: usize, at_once: usize, act: impl Fn(usize) -> F) {
        let numbers: Vec<usize> = (0..number).collect();
        for some in numbers.chunks(at_once) {
            join_all(some.iter().map(|number| act(*number))).await;
        }
    }
}

/// Sends a byte a second over each connection, until the flood is over or all are closed.
async fn drip(mut open: Vec<TcpStream>, byte: u8) {
    for _ in 0..LASTS.as_secs() {
        let mut left = Vec::new();
        for mut connection in open {
            if connection.write_all(&[byte]).await.is_ok() {
                left.push(connection);
            }
        }
        open = left;
        sleep(Duration::from_secs(1)).await;
    }
}
