//! Asks both hosts whether a VM can go to a destination, and puts together what they say.

use std::sync::Arc;

use model::{FindingCode, HostName, MigrationOptions, Mode, Vm, VmId};
use tokio::time::Instant;

use super::{
    FailedCheck, Preflights,
    ask::{self, FromDestination, FromSource},
    input::{Party, PreflightInput},
    options, refusal,
};
use crate::{
    error::Error,
    hypervisor::{DomainFacts, HostConfig, HostConnection, HostError, Presence, Survey},
    inventory::Inventory,
    limits,
};

/// What a preflight is asked for: can this VM go there?
#[derive(Clone, Copy)]
pub(crate) struct PreflightRequest<'a> {
    pub(crate) vm: VmId,
    pub(crate) destination: &'a HostName,
    /// None lets the VM's state decide.
    pub(crate) mode: Option<Mode>,
    pub(crate) options: &'a MigrationOptions,
    /// Whether an answer of the source will do that another preflight has asked for and waits for.
    pub(crate) may_share: bool,
}

impl PreflightRequest<'_> {
    /// The mode that was asked for, else the one that the VM's state allows.
    pub(crate) fn mode_of(self, vm: &Vm) -> Mode {
        self.mode.unwrap_or(if vm.state.is_active() { Mode::Live } else { Mode::Offline })
    }
}

/// What came of asking.
pub(crate) enum Gathered {
    /// One thing is so wrong that nothing else was asked.
    Refused(FailedCheck),
    /// Both hosts answered.
    Input(Box<PreflightInput>),
}

/// The VM, and how to ask the destination.
type Parties = (Vm, Arc<dyn HostConnection>, HostConfig);

impl Preflights {
    /// Asks both hosts.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, `invalid-input`; `host-unreachable` if the VM's own host does not answer.
    pub(crate) async fn gather(&self, request: PreflightRequest<'_>) -> Result<Gathered, Error> {
        options::check(request.options)?;
        let (vm, connection, config) = match self.parties(request)? {
            Ok(known) => known,
            Err(refusal) => return Ok(Gathered::Refused(refusal)),
        };
        let deadline = Instant::now() + limits::PREFLIGHT;
        let said = self.ask_source(request, &vm, deadline).await?;
        if said.migrates {
            return Ok(Gathered::Refused(refusal::migrated_from_outside(&vm)));
        }
        let name = request.options.new_name.as_ref().unwrap_or(&said.domain.name).clone();
        let wanted = DomainFacts { name, ..(*said.domain).clone() };
        let knock = request.mode_of(&vm) == Mode::Live;
        match ask::destination(&self.context, &*connection, &config, &wanted, knock, deadline).await {
            Ok(answer) => self.put_together(request, &vm, &said, answer),
            Err(error) => {
                Ok(Gathered::Refused(FailedCheck { check: FindingCode::DestinationReachable, error: error.into() }))
            }
        }
    }

    /// What the inventory says before a host is asked.
    fn parties(&self, request: PreflightRequest<'_>) -> Result<Result<Parties, FailedCheck>, HostError> {
        let PreflightRequest { vm, destination, .. } = request;
        let inventory = self.context.inventory();
        let vm = inventory.vm(vm).ok_or_else(|| HostError::unknown_vm(&vm.to_string()))?.clone();
        if let Err(refusal) = refusal::known(&inventory, &vm, request)? {
            return Ok(Err(refusal));
        }
        let entry = inventory.host(destination).ok_or_else(|| HostError::unknown_host(destination.as_str()))?;
        Ok(Ok((vm, inventory.connection(destination)?, entry.config.clone())))
    }

    async fn ask_source(
        &self,
        request: PreflightRequest<'_>,
        vm: &Vm,
        deadline: Instant,
    ) -> Result<Arc<FromSource>, Error> {
        let ask = async || ask::source(&self.context, vm, deadline).await.map(Arc::new);
        if !request.may_share {
            return ask().await;
        }
        let number = self.context.inventory().host(&vm.host).map_or(0, |entry| entry.number);
        let flight = self.recent.flight(vm, number);
        flight.get_or_init(ask).await.clone()
    }

    /// What the hosts said just now may be news: so the inventory is asked once more.
    fn put_together(
        &self,
        request: PreflightRequest<'_>,
        before: &Vm,
        said: &FromSource,
        answer: FromDestination,
    ) -> Result<Gathered, Error> {
        let PreflightRequest { destination, options, .. } = request;
        let inventory = self.context.inventory();
        let vm = inventory.vm(before.id).ok_or_else(|| HostError::unknown_vm(&before.name))?.clone();
        if let Err(refusal) = refusal::known(&inventory, &vm, request)? {
            return Ok(Gathered::Refused(refusal));
        }
        if vm.host != before.host {
            let error = Error::JustMoved { vm: vm.name, host: vm.host };
            return Ok(Gathered::Refused(FailedCheck { check: FindingCode::VmState, error }));
        }
        if let Presence::Incoming | Presence::Outgoing = Presence::of(answer.copy.as_ref()) {
            return Ok(Gathered::Refused(refusal::migrated_from_outside(&vm)));
        }
        options::check_pools(options, &said.domain, &answer.survey)?;
        let earlier = said.earlier.iter().filter(|migration| migration.destination == *destination).cloned();
        Ok(Gathered::Input(Box::new(PreflightInput {
            mode: request.mode_of(&vm),
            options: options.clone(),
            domain: Arc::clone(&said.domain),
            source: party(&inventory, &vm.host, Arc::clone(&said.survey))?,
            destination: party(&inventory, destination, Arc::new(answer.survey))?,
            may_be_another_there: answer
                .copy
                .as_ref()
                .is_some_and(|there| inventory.may_be_another(&vm, destination, there)),
            copy_there: answer.copy,
            probe: answer.probe,
            earlier: earlier.collect(),
            refused_login_ms: inventory.peer_logins.refused(&vm.host, destination),
            own: said.own.clone(),
            reserved_bytes: reserved(&inventory, request.vm, destination),
            curve: self.curve(vm.id),
            now_ms: self.context.now_ms(),
            vm,
        })))
    }
}

fn party(inventory: &Inventory, name: &HostName, survey: Arc<Survey>) -> Result<Party, HostError> {
    let entry = inventory.host(name).ok_or_else(|| HostError::unknown_host(name.as_str()))?;
    let memory_bytes = entry.facts.as_ref().map_or(0, |facts| facts.memory_bytes);
    let left_volumes = inventory.left_volumes(name);
    Ok(Party {
        maintenance: entry.maintenance.clone(),
        config: entry.config.clone(),
        origin: entry.origin,
        memory_bytes,
        survey,
        left_volumes,
    })
}

/// What is reserved at the destination for other VMs, by evacuations.
fn reserved(inventory: &Inventory, vm: VmId, destination: &HostName) -> u64 {
    let of_others = inventory.reservations(None).filter(|reserved| reserved.vm != vm);
    of_others.filter(|reserved| reserved.host == *destination).map(|reserved| reserved.memory_bytes).sum()
}
