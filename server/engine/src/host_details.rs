//! What is shown of one host, asked of it when a page or a program wants to know.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use model::{HostConnectionError, HostDetails, HostName, HostResources};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    context::Context,
    error::Error,
    hypervisor::{CpuTimes, HostConnection, HostError, known_bugs},
    lock::lock,
};

/// How long an answer is given again: all who look at a host share it.
const FRESH: Duration = Duration::from_secs(1);
/// How long certificates are waited for: they may have to be read from storage. A later answer has them.
const CERTIFICATES: Duration = Duration::from_millis(700);
/// Over how much time it is told how busy CPUs are, where they were not looked at within the last half minute.
const SAMPLE: Duration = Duration::from_millis(300);
/// How old a first look may be.
const LONGEST_SAMPLE: Duration = Duration::from_secs(30);

/// The connection over which a host is asked, or why there is none.
type Asked = Result<Arc<dyn HostConnection>, HostError>;

/// What is shown of hosts.
pub(crate) struct AllHostDetails {
    context: Arc<Context>,
    answers: Mutex<BTreeMap<HostName, (Instant, HostDetails)>>,
    cpu_times: Mutex<BTreeMap<HostName, (Instant, CpuTimes)>>,
}

impl AllHostDetails {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context, answers: Mutex::default(), cpu_times: Mutex::default() }
    }

    /// What the host says of itself, and what the console knows of it; the latter also where it does not answer.
    ///
    /// # Errors
    /// `unknown-host`.
    pub(crate) async fn of(&self, name: &HostName) -> Result<HostDetails, Error> {
        let (mut details, connection) = self.known(name)?;
        if let Some((at, known)) = lock(&self.answers).get(name)
            && at.elapsed() < FRESH
            && known.errors == details.errors
        {
            return Ok(known.clone());
        }
        let asked = match &connection {
            Ok(connection) => {
                let (resources, certificates) =
                    tokio::join!(self.resources(name, &**connection), timeout(CERTIFICATES, connection.certificates()));
                details.certificates = certificates.ok().and_then(Result::ok);
                resources
            }
            Err(error) => Err(error.clone()),
        };
        match asked {
            Ok(resources) => details.resources = Some(resources),
            Err(error) => details.problem = Some(error.into()),
        }
        let mut answers = lock(&self.answers);
        answers.retain(|_, (at, _)| at.elapsed() < FRESH);
        answers.insert(name.clone(), (Instant::now(), details.clone()));
        Ok(details)
    }

    /// What is known without asking it, and the connection over which it is asked.
    fn known(&self, name: &HostName) -> Result<(HostDetails, Asked), HostError> {
        let inventory = self.context.inventory();
        let entry = inventory.host(name).ok_or_else(|| HostError::unknown_host(name.as_str()))?;
        let told =
            |(at_ms, error): &(u64, HostError)| HostConnectionError { at_ms: *at_ms, problem: error.clone().into() };
        let details = HostDetails {
            name: name.clone(),
            resources: None,
            memory_reserved_bytes: inventory.memory_reserved(name),
            problem: None,
            certificates: None,
            known_bugs: entry
                .facts
                .as_ref()
                .map(|facts| known_bugs(&facts.libvirt_version, &facts.hypervisor_version))
                .unwrap_or_default(),
            errors: entry.errors.iter().map(told).collect(),
        };
        Ok((details, inventory.connection(name)))
    }

    async fn resources(&self, name: &HostName, connection: &dyn HostConnection) -> Result<HostResources, HostError> {
        let (resources, busy) = tokio::join!(connection.resources(), self.busy(name, connection));
        let resources = resources?;
        let cpus_busy = busy.map(|share| share * resources.cpus as f32);
        Ok(HostResources { cpus_busy, ..resources })
    }

    /// Which share of its CPUs is busy, since they were last looked at.
    async fn busy(&self, name: &HostName, connection: &dyn HostConnection) -> Option<f32> {
        let last = lock(&self.cpu_times).get(name).copied().filter(|(at, _)| at.elapsed() < LONGEST_SAMPLE);
        let before = match last {
            Some((_, before)) => before,
            None => {
                let before = connection.cpu_times().await.ok()?;
                sleep(SAMPLE).await;
                before
            }
        };
        let now = connection.cpu_times().await.ok()?;
        let mut known = lock(&self.cpu_times);
        known.retain(|_, (at, _)| at.elapsed() < LONGEST_SAMPLE);
        known.insert(name.clone(), (Instant::now(), now));
        share(before, now)
    }
}

/// None of counters that have not moved, or moved back: its host has booted meanwhile.
fn share(before: CpuTimes, now: CpuTimes) -> Option<f32> {
    let all = now.all_ns.checked_sub(before.all_ns).filter(|all| *all > 0)?;
    let busy = now.busy_ns.checked_sub(before.busy_ns)?;
    Some((busy as f64 / all as f64) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_that_have_not_moved_say_nothing() {
        let times = |busy_ns, all_ns| CpuTimes { busy_ns, all_ns };
        assert_eq!(share(times(10, 100), times(60, 300)), Some(0.25));
        assert_eq!(share(times(10, 100), times(10, 100)), None);
        assert_eq!(share(times(10, 100), times(1, 20)), None, "it has booted meanwhile");
    }
}
