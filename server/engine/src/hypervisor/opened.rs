//! One connection to a host, and what the host says first.

use std::{sync::Arc, time::Duration};

use model::{Code, HostName, HostTest, Problem};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{CopyFacts, Engine, HostConfig, HostConnection, HostEvent, HostFacts};

/// How long a host has to answer somebody who waits for it. What else such a request does fits into the rest of 10 s.
const LIMIT: Duration = Duration::from_millis(9_500);

/// A connection, and what the host said first.
pub(crate) struct Opened {
    pub(crate) connection: Arc<dyn HostConnection>,
    pub(crate) events: mpsc::UnboundedReceiver<HostEvent>,
    pub(crate) facts: HostFacts,
    pub(crate) copies: Vec<CopyFacts>,
}

impl Opened {
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

impl Engine {
    /// Connects to a host, once, and asks what it is and has.
    pub(crate) async fn open(&self, config: &HostConfig) -> Result<Opened, Problem> {
        let (sender, events) = mpsc::unbounded_channel();
        let connection = self.hypervisor.connect(config, sender).await?;
        let unsaid = |problem| no_answer(&config.name, problem);
        let (facts, copies) = (connection.host().await.map_err(unsaid)?, connection.copies().await.map_err(unsaid)?);
        Ok(Opened { connection, events, facts, copies })
    }

    /// The same for somebody who waits.
    ///
    /// # Errors
    /// `host-unreachable` also if it takes too long.
    pub(crate) async fn open_soon(&self, config: &HostConfig) -> Result<Opened, Problem> {
        let opened = timeout_at(deadline(), self.open(config)).await;
        opened.unwrap_or_else(|_| Err(too_late(&config.name)))
    }
}

/// When somebody who asks now has to have an answer.
pub(crate) fn deadline() -> Instant {
    Instant::now() + LIMIT
}

pub(crate) fn too_late(host: &HostName) -> Problem {
    Problem::new(Code::HostUnreachable, format!("{host} did not answer in time."))
        .with_fix("Check the host and its libvirt daemon, then try again.")
}

/// A host that was asked did not say: for the caller it does not answer, whatever the reason.
pub(crate) fn no_answer(host: &HostName, problem: Problem) -> Problem {
    if matches!(problem.code, Code::HostUnreachable | Code::UnknownVm) {
        return problem;
    }
    let details = problem.details.unwrap_or(problem.sentence);
    Problem::new(Code::HostUnreachable, format!("{host} does not answer as it should."))
        .with_fix("Check the host and its libvirt daemon, then try again.")
        .with_details(details)
}
