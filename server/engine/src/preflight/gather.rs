//! One question: can this VM go there? Both hosts are asked, and what they say is put together.

use std::{sync::Arc, time::Duration};

use model::{Code, FindingCode, HostName, MigrationOptions, Mode, Problem, Vm, VmId};
use tokio::time::Instant;

use super::{
    ask::{self, FromDestination, FromSource},
    input::{Case, Party},
};
use crate::{
    DomainFacts, Engine, HostConfig, HostConnection, Survey,
    inventory::{Inventory, unknown_host},
    migration::admission::{self, Refusal},
    migration::verdict::Presence,
};

/// How long both hosts have to answer. With the time to tell it stays under 10 s.
const LIMIT: Duration = Duration::from_secs(8);

/// Can this VM go there?
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) vm: VmId,
    pub(crate) to: &'a HostName,
    /// None lets the VM's state decide.
    pub(crate) mode: Option<Mode>,
    pub(crate) options: &'a MigrationOptions,
    /// Whether what the source said a moment ago will do.
    pub(crate) recent_will_do: bool,
}

/// What came of looking.
pub(crate) enum Look {
    /// One thing is so wrong that nothing else was looked at.
    Refused(Refusal),
    /// Both hosts answered.
    Seen(Box<Case>),
}

/// The VM, and how to ask the destination.
type Parties = (Vm, Arc<dyn HostConnection>, HostConfig);

impl Question<'_> {
    /// Asks both hosts.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, `invalid-input`; `host-unreachable` if the VM's own host does not answer.
    pub(crate) async fn look(self, engine: &Engine) -> Result<Look, Problem> {
        admission::options(self.options)?;
        let (vm, connection, config) = match self.before(engine)? {
            Ok(known) => known,
            Err(refusal) => return Ok(Look::Refused(refusal)),
        };
        let deadline = Instant::now() + LIMIT;
        let said = self.ask_source(engine, &vm, deadline).await?;
        if said.migrates {
            return Ok(Look::Refused(admission::moving_elsewhere(&vm)));
        }
        let name = self.options.new_name.as_ref().unwrap_or(&said.domain.name).clone();
        let wanted = DomainFacts { name, ..(*said.domain).clone() };
        let knock = self.mode_of(&vm) == Mode::Live;
        match ask::destination(engine, &*connection, &config, &wanted, knock, deadline).await {
            Ok(answer) => self.together(engine, &vm, &said, answer),
            Err(problem) => Ok(Look::Refused(Refusal { code: FindingCode::DestinationReachable, problem })),
        }
    }

    /// What the inventory says before anybody is asked.
    fn before(self, engine: &Engine) -> Result<Result<Parties, Refusal>, Problem> {
        let inventory = engine.inventory();
        let vm = inventory.vm(self.vm).ok_or_else(|| admission::unknown_vm(&self.vm.to_string()))?.clone();
        if let Err(refusal) = admission::known(&inventory, &vm, self)? {
            return Ok(Err(refusal));
        }
        let entry = inventory.host(self.to).ok_or_else(|| unknown_host(self.to.as_str()))?;
        Ok(Ok((vm, inventory.connection(self.to)?, entry.config.clone())))
    }

    async fn ask_source(self, engine: &Engine, vm: &Vm, deadline: Instant) -> Result<Arc<FromSource>, Problem> {
        let ask = async || ask::source(engine, vm, deadline).await.map(Arc::new);
        if !self.recent_will_do {
            return ask().await;
        }
        let number = engine.inventory().host(&vm.host).map_or(0, |entry| entry.number);
        let flight = engine.recent.flight(vm, number);
        let said = flight.get_or_init(ask).await.clone();
        if said.is_err() {
            engine.recent.forget(vm.id, &flight);
        }
        said
    }

    /// What hosts said just now may be news: so the inventory is asked once more.
    fn together(
        self,
        engine: &Engine,
        before: &Vm,
        said: &FromSource,
        answer: FromDestination,
    ) -> Result<Look, Problem> {
        let inventory = engine.inventory();
        let vm = inventory.vm(self.vm).ok_or_else(|| admission::unknown_vm(&before.name))?.clone();
        if let Err(refusal) = admission::known(&inventory, &vm, self)? {
            return Ok(Look::Refused(refusal));
        }
        if vm.host != before.host {
            let problem = Problem::new(Code::WrongState, format!("{} has just moved to {}.", vm.name, vm.host));
            return Ok(Look::Refused(Refusal { code: FindingCode::VmState, problem: problem.with_fix("Try again.") }));
        }
        if let Presence::Incoming | Presence::Outgoing = Presence::of(answer.copy.as_ref()) {
            return Ok(Look::Refused(admission::moving_elsewhere(&vm)));
        }
        admission::pools(self.options, &said.domain, &answer.survey)?;
        let earlier = said.earlier.iter().filter(|migration| migration.destination == *self.to).cloned();
        Ok(Look::Seen(Box::new(Case {
            mode: self.mode_of(&vm),
            options: self.options.clone(),
            domain: Arc::clone(&said.domain),
            source: party(&inventory, &vm.host, Arc::clone(&said.survey))?,
            destination: party(&inventory, self.to, Arc::new(answer.survey))?,
            copy_there: answer.copy,
            probe: answer.probe,
            earlier: earlier.collect(),
            refused_login_ms: engine.recent.refused_login(&vm.host, self.to),
            dirty_bytes_s: engine.recent.dirty_rate(vm.id),
            now_ms: engine.clock.now_ms(),
            vm,
        })))
    }

    /// What was asked for, else what the VM's state lets it do.
    pub(crate) fn mode_of(self, vm: &Vm) -> Mode {
        self.mode.unwrap_or(if vm.state.is_active() { Mode::Live } else { Mode::Offline })
    }
}

fn party(inventory: &Inventory, name: &HostName, survey: Arc<Survey>) -> Result<Party, Problem> {
    let entry = inventory.host(name).ok_or_else(|| unknown_host(name.as_str()))?;
    let memory_bytes = entry.facts.as_ref().map_or(0, |facts| facts.memory_bytes);
    Ok(Party { config: entry.config.clone(), origin: entry.origin, memory_bytes, survey })
}
