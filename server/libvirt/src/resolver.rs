//! The system's resolver.

use std::{io, net::IpAddr};

use async_trait::async_trait;
use tokio::net::lookup_host;

/// Looks names up as all programs of the machine do (getaddrinfo), on a thread of tokio's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl engine::Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // A port is asked for, and of no use.
        Ok(lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}
