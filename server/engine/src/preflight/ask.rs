//! Asks the two hosts, each once and side by side.

use std::sync::Arc;

use model::{HostName, Migration, MigrationFilter, Vm, VmId};
use store::StoreError;
use tokio::time::{Instant, timeout_at};

use super::reach::DATA_PORT;
use crate::{
    context::Context,
    error::Error,
    hypervisor::{CopyFacts, DomainFacts, HostConfig, HostConnection, HostError, Probe, Survey},
};

/// How many earlier moves away from the source are considered, whatever their destination.
const EARLIER: u32 = 200;

/// How many earlier moves of the VM are considered.
const OWN: u32 = 40;

/// What the VM's own host says, the same for every destination.
#[derive(Debug)]
pub(super) struct FromSource {
    pub(super) domain: Arc<DomainFacts>,
    pub(super) survey: Arc<Survey>,
    /// Whether it is being migrated, by this console or from outside.
    pub(super) migrates: bool,
    /// Moves away from there that succeeded, newest first.
    pub(super) earlier: Vec<Migration>,
    /// Moves of the VM that succeeded, newest first.
    pub(super) own: Vec<Migration>,
}

/// What a destination says.
pub(super) struct FromDestination {
    pub(super) survey: Survey,
    pub(super) copy: Option<CopyFacts>,
    pub(super) probe: Option<Probe>,
}

/// Asks the VM's own host.
///
/// # Errors
/// `unknown-vm` if it is gone by now, `host-unreachable` for everything else.
pub(super) async fn source(context: &Context, vm: &Vm, deadline: Instant) -> Result<FromSource, Error> {
    let host = &vm.host;
    let connection = context.inventory().connection(host)?;
    let asked = async {
        let (copy, job, domain) = tokio::join!(connection.copy(vm.id), connection.job(vm.id), connection.domain(vm.id));
        let (copy, job) = (copy?, job?);
        context.inventory().set_copy(host, vm.id, copy.clone());
        if copy.is_none() {
            return Err(HostError::unknown_vm(&vm.name));
        }
        let domain = domain?;
        // What it runs with here is here.
        let survey = connection.survey(&domain.without_references()).await?;
        Ok((job.is_some(), domain, survey))
    };
    let (answer, earlier, own) =
        tokio::join!(timeout_at(deadline, asked), earlier(context, host), of_vm(context, vm.id));
    let (migrates, domain, survey) =
        answer.map_err(|_| HostError::too_late(host.as_str()))?.map_err(|error| error.into_no_answer(host.as_str()))?;
    Ok(FromSource { domain: Arc::new(domain), survey: Arc::new(survey), migrates, earlier: earlier?, own: own? })
}

async fn earlier(context: &Context, source: &HostName) -> Result<Vec<Migration>, StoreError> {
    let filter = MigrationFilter { source: Some(source.clone()), ..MigrationFilter::newest(EARLIER) }.succeeded();
    context.store().migrations(&filter).await
}

async fn of_vm(context: &Context, vm: VmId) -> Result<Vec<Migration>, StoreError> {
    let filter = MigrationFilter { vm: Some(vm), ..MigrationFilter::newest(OWN) }.succeeded();
    context.store().migrations(&filter).await
}

/// Asks a destination what it has for this VM.
///
/// # Errors
/// `host-unreachable`.
pub(super) async fn destination(
    context: &Context,
    connection: &dyn HostConnection,
    config: &HostConfig,
    domain: &DomainFacts,
    knock: bool,
    deadline: Instant,
) -> Result<FromDestination, HostError> {
    let probe = async {
        match knock {
            true => Some(context.hypervisor().probe(&config.peer_address, DATA_PORT).await),
            false => None,
        }
    };
    let asked = async { tokio::join!(connection.survey(domain), connection.copy(domain.vm), probe) };
    let (survey, copy, probe) =
        timeout_at(deadline, asked).await.map_err(|_| HostError::too_late(config.name.as_str()))?;
    let survey = survey.map_err(|error| error.into_no_answer(config.name.as_str()))?;
    let copy = copy.map_err(|error| error.into_no_answer(config.name.as_str()))?;
    context.inventory().set_copy(&config.name, domain.vm, copy.clone());
    Ok(FromDestination { survey, copy, probe })
}
