//! One connection to a host, and what the host says first.

use std::sync::Arc;

use model::HostTest;
use tokio::{sync::mpsc, time::Instant};

use super::{CopyFacts, HostConfig, HostConnection, HostError, HostEvent, HostFacts, Hypervisor};
use crate::limits;

/// A connection, and what the host said first.
pub(crate) struct Opened {
    pub(crate) connection: Arc<dyn HostConnection>,
    pub(crate) events: mpsc::UnboundedReceiver<HostEvent>,
    pub(crate) facts: HostFacts,
    pub(crate) copies: Vec<CopyFacts>,
}

impl Opened {
    /// Connects to a host, and asks what it is and has.
    ///
    /// # Errors
    /// Why it can't be reached.
    pub(crate) async fn connect(
        hypervisor: &dyn Hypervisor,
        config: &HostConfig,
        called: &str,
    ) -> Result<Self, HostError> {
        let (sender, events) = mpsc::unbounded_channel();
        let connection = hypervisor.connect(config, called, sender).await?;
        let no_answer = |error: HostError| match called == config.name.as_str() {
            true => error.into_no_answer(called),
            false => error.into_details_of_no_answer(called),
        };
        let facts = connection.host().await.map_err(no_answer)?;
        let copies = connection.copies().await.map_err(no_answer)?;
        Ok(Self { connection, events, facts, copies })
    }

    pub(crate) fn test(&self) -> HostTest {
        let HostFacts { libvirt_version, hypervisor_version, cpu_model, memory_bytes, latency_ms, .. } =
            self.facts.clone();
        let vms = self.copies.iter().filter(|copy| !copy.incoming).count();
        HostTest {
            libvirt_version,
            hypervisor_version,
            cpu_model,
            memory_bytes,
            latency_ms,
            vms: u32::try_from(vms).unwrap_or(u32::MAX),
        }
    }
}

/// When a request that arrives now has to be answered.
pub(crate) fn deadline() -> Instant {
    Instant::now() + limits::CONNECTING
}
