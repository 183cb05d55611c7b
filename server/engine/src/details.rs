//! What is shown of one VM, asked of its host when a page or a program wants to know.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use model::{GuestFacts, HostName, VmDetails, VmId};
use tokio::time::{Instant, timeout};

use crate::{
    context::Context,
    error::Error,
    hypervisor::{HostConnection, HostError},
    lock::lock,
};

/// How long an answer is given again: all who look at a VM share it.
const FRESH: Duration = Duration::from_millis(400);
/// How long an agent is waited for.
const AGENT_PATIENCE: Duration = Duration::from_secs(1);
/// How long what it said, or that it did not answer, holds.
const AGENT_FRESH: Duration = Duration::from_secs(30);

type Guests = BTreeMap<VmId, (Instant, Option<GuestFacts>)>;

/// What is shown of VMs.
pub(crate) struct Details {
    context: Arc<Context>,
    answers: Mutex<BTreeMap<VmId, (Instant, VmDetails)>>,
    guests: Mutex<Guests>,
}

impl Details {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context, answers: Mutex::default(), guests: Mutex::default() }
    }

    /// What the VM's host says of it.
    ///
    /// # Errors
    /// `unknown-vm`, `host-unreachable`, or what the hypervisor says.
    pub(crate) async fn of(&self, id: VmId) -> Result<VmDetails, Error> {
        let (host, connection) = self.connection(id)?;
        if let Some((at, known)) = lock(&self.answers).get(&id)
            && at.elapsed() < FRESH
            && known.host == host
        {
            return Ok(known.clone());
        }
        let mut facts = connection.details(id).await?;
        let guest = if facts.agent_connected { self.guest(&*connection, id).await } else { None };
        let shared = self.context.inventory().host(&host).map(|entry| entry.config.shared_directories.clone());
        for disk in facts.disks.iter_mut().filter(|disk| disk.shared.is_none()) {
            disk.shared = by_settings(shared.as_deref().unwrap_or_default(), disk.source.as_deref());
        }
        let seen = facts.interfaces.iter().flat_map(|interface| &interface.seen_addresses);
        let told = guest.iter().flat_map(|guest| &guest.addresses).chain(seen);
        let started = {
            let mut inventory = self.context.inventory();
            inventory.set_addresses(id, told.cloned().collect());
            inventory.started(id).filter(|_| facts.state.has_process())
        };
        let details = VmDetails { host, facts, guest, started };
        let mut answers = lock(&self.answers);
        answers.retain(|_, (at, _)| at.elapsed() < FRESH);
        answers.insert(id, (Instant::now(), details.clone()));
        Ok(details)
    }

    /// The VM's definition.
    ///
    /// # Errors
    /// Those of [`Self::of`].
    pub(crate) async fn definition(&self, id: VmId) -> Result<String, Error> {
        let (_, connection) = self.connection(id)?;
        Ok(connection.definition(id).await?)
    }

    fn connection(&self, id: VmId) -> Result<(HostName, Arc<dyn HostConnection>), Error> {
        let inventory = self.context.inventory();
        let vm = inventory.vm(id).ok_or_else(|| HostError::unknown_vm(&id.to_string()))?;
        Ok((vm.host.clone(), inventory.connection(&vm.host)?))
    }

    /// What the agent says, or said a moment ago. One that does not answer in time is not asked again at once.
    async fn guest(&self, connection: &dyn HostConnection, id: VmId) -> Option<GuestFacts> {
        if let Some((at, said)) = lock(&self.guests).get(&id)
            && at.elapsed() < AGENT_FRESH
        {
            return said.clone();
        }
        let said = timeout(AGENT_PATIENCE, connection.guest(id)).await;
        let said = said.ok().and_then(Result::ok);
        let mut guests = lock(&self.guests);
        guests.retain(|_, (at, _)| at.elapsed() < AGENT_FRESH);
        guests.insert(id, (Instant::now(), said.clone()));
        said
    }
}

/// That the host's settings say that the directory is shared.
fn by_settings(directories: &[String], path: Option<&str>) -> Option<String> {
    let path = path?;
    let above = |directory: &&String| path.strip_prefix(directory.as_str()).is_some_and(|rest| rest.starts_with('/'));
    directories.iter().find(above).map(|directory| format!("the host's settings say that it shares {directory}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_shared_directory_is_shared() {
        let shared = |path| by_settings(&["/srv/images".to_owned()], path);
        assert!(shared(Some("/srv/images/a.raw")).is_some() && shared(Some("/srv/images/b/a.raw")).is_some());
        assert_eq!((shared(Some("/srv/images2/a.raw")), shared(Some("/srv/images")), shared(None)), (None, None, None));
    }
}
