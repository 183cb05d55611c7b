//! The engine as the console sees it: composes the parts, and passes each call on to one of them.

use std::sync::Arc;

use model::{
    Host, HostName, HostOrigin, HostTest, Migration, MigrationEvent, MigrationFilter, MigrationId, MigrationOptions,
    MigrationRequest, Preflight, Snapshot, Update, Vm, VmAction, VmId,
};
use store::{EngineStore, StoreError};
use tokio::sync::mpsc;

use crate::{
    clock::Clock,
    context::Context,
    error::Error,
    hosts::{self, HostCredentials, Hosts, Reached},
    hypervisor::{HostConfig, HostError, Hypervisor},
    inventory::{self, Feed, Inventory, RESERVED},
    migration::Migrations,
    preflight::Preflights,
};

/// How many migrations of earlier runs pages show at once.
const REMEMBERED: u32 = 50;

/// Moves VMs between hosts.
pub struct Engine {
    context: Arc<Context>,
    hosts: Arc<Hosts>,
    preflights: Arc<Preflights>,
    migrations: Arc<Migrations>,
}

impl Engine {
    /// Connects to the hosts and resumes the migrations that an earlier run left open.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start(
        configured: Vec<HostConfig>,
        hypervisor: Arc<dyn Hypervisor>,
        store: Arc<dyn EngineStore>,
    ) -> Result<Arc<Self>, StoreError> {
        let clock = Clock::start();
        let feed = Feed::new(store.reserve_sequence(RESERVED).await?);
        let stored = store.hosts().await?;
        let open = store.open_migrations().await?;
        let mut inventory = Inventory::new(clock, feed);
        for host in configured {
            inventory.attach(host, HostOrigin::Configured, None, None);
        }
        hosts::add_stored(&mut inventory, &stored);
        hosts::add_unregistered(&mut inventory, &open);
        inventory.remember(store.migrations(&MigrationFilter::newest(REMEMBERED)).await?);
        let watches = inventory.watches();
        let context = Context::new(hypervisor, store, clock, inventory);
        let hosts = Hosts::new(Arc::clone(&context));
        let preflights = Arc::new(Preflights::new(Arc::clone(&context)));
        let migrations = Migrations::new(Arc::clone(&context), Arc::clone(&hosts), Arc::clone(&preflights));
        for migration in open {
            migrations.resume(migration);
        }
        for watch in watches {
            hosts.watch(watch, None);
        }
        context.tasks().spawn(Arc::clone(&hosts).keep_letting_go());
        Ok(Arc::new(Self { context, hosts, preflights, migrations }))
    }

    /// Stops watching. Migrations under way go on without the console, and the next start resumes them.
    pub async fn stop(&self) {
        self.context.tasks().stop().await;
    }

    /// Whether every host was tried at least once.
    pub fn is_ready(&self) -> bool {
        self.context.inventory().is_ready()
    }

    /// Hosts, VMs, and the current and latest migrations.
    pub fn snapshot(&self) -> Snapshot {
        self.context.inventory().snapshot()
    }

    /// All updates after number `since`, from a snapshot on where that number is unknown; a subscriber that lags gets one, too.
    pub fn subscribe(&self, since: Option<u64>) -> mpsc::Receiver<Update> {
        let (receiver, feeding) = inventory::subscribe(self.context.shared_inventory(), since);
        self.context.tasks().spawn(feeding);
        receiver
    }

    /// The VM of this name; with `host` only the one there.
    ///
    /// # Errors
    /// `unknown-vm`; `ambiguous-name` when several different VMs have the name.
    pub fn find(&self, name: &str, host: Option<&HostName>) -> Result<Vm, Error> {
        let inventory = self.context.inventory();
        let on_host = |vm: &&Vm| host.is_none_or(|host| vm.host == *host);
        let found: Vec<&Vm> = inventory.vms().filter(|vm| vm.name == name).filter(on_host).collect();
        match found[..] {
            [vm] => Ok(vm.clone()),
            [] => Err(HostError::unknown_vm(name).into()),
            _ => {
                let vms = found.iter().map(|vm| (vm.host.clone(), vm.id)).collect();
                Err(Error::AmbiguousName { name: name.to_owned(), vms })
            }
        }
    }

    /// The VM with this id, if a host has it.
    pub fn vm(&self, id: VmId) -> Option<Vm> {
        self.context.inventory().vm(id).cloned()
    }

    /// A host as it is now, if the console has one of this name.
    pub fn shown_host(&self, name: &HostName) -> Option<Host> {
        self.context.inventory().shown_host(name).cloned()
    }

    /// The hosts that a VM at `source` could go to, by name: the registered ones but `source`, as they are now. One that is there
    /// for a
    /// migration only is no destination for others.
    pub fn destinations(&self, source: &HostName) -> Vec<Host> {
        let inventory = self.context.inventory();
        let others =
            inventory.hosts().filter(|entry| entry.origin != HostOrigin::Temporary && entry.config.name != *source);
        others.filter_map(|entry| inventory.shown_host(&entry.config.name).cloned()).collect()
    }

    /// Starts, stops, pauses or resumes a VM where it is.
    ///
    /// # Errors
    /// `unknown-vm`, `already-migrating`, `wrong-state`, `host-unreachable`, or what the hypervisor says.
    pub async fn act(&self, id: VmId, action: VmAction) -> Result<(), Error> {
        let (host, connection) = {
            let inventory = self.context.inventory();
            let vm = inventory.vm(id).ok_or_else(|| HostError::unknown_vm(&id.to_string()))?;
            is_possible(vm, action)?;
            (vm.host.clone(), inventory.connection(&vm.host)?)
        };
        connection.act(id, action).await?;
        hosts::refresh_copy(&self.context, &host, &*connection, id).await;
        Ok(())
    }

    /// Looks whether a VM can go to a host, without side effects.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, `host-unreachable` if the VM's own host does not answer.
    pub async fn preflight(
        &self,
        vm: VmId,
        destination: &HostName,
        options: &MigrationOptions,
    ) -> Result<Preflight, Error> {
        self.preflights.run(vm, destination, options).await
    }

    /// Measures what a guest writes to its memory, in bytes a second; later predictions use it.
    ///
    /// # Errors
    /// `unknown-vm`, `wrong-state`, `host-unreachable`, or what the hypervisor says.
    pub async fn measure(&self, vm: VmId) -> Result<u64, Error> {
        self.preflights.measure(vm).await
    }

    /// The registered host of this name or address.
    ///
    /// # Errors
    /// `unknown-host`; `same-host` for this machine's own addresses; `invalid-input` for what is no address.
    pub fn host(&self, name_or_address: &str) -> Result<HostName, Error> {
        let inventory = self.context.inventory();
        let entry = inventory.find_host(name_or_address)?.ok_or_else(|| HostError::unknown_host(name_or_address))?;
        Ok(entry.config.name.clone())
    }

    /// The registered hosts, and those that are there for a migration only, by name. Without passwords.
    pub fn registered(&self) -> Vec<(HostConfig, HostOrigin)> {
        self.context.inventory().hosts().map(|entry| (entry.config.clone(), entry.origin)).collect()
    }

    /// Connects to a host that need not be registered, once, and says what it is. A password that was typed for the same account of a
    /// registered one counts. Changes nothing but the known hosts, if a fingerprint was confirmed.
    ///
    /// # Errors
    /// `invalid-input`; why it can't be reached.
    pub async fn test_host(&self, host: &HostConfig, credentials: &HostCredentials) -> Result<HostTest, Error> {
        self.hosts.test(host, credentials).await
    }

    /// Registers a host that answers, within 10 s. A password that was typed is kept for as long as the credentials say.
    ///
    /// # Errors
    /// `invalid-input`, `host-exists`, `host-in-use`; why it can't be reached.
    pub async fn add_host(&self, host: HostConfig, credentials: HostCredentials) -> Result<(), Error> {
        self.hosts.add(host, credentials).await
    }

    /// Replaces how a host is reached, if it answers with the new settings; its name may change, too. A password that was typed
    /// for the same account
    /// stays.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`, `host-exists`, `invalid-input`; why it can't be reached.
    pub async fn change_host(
        &self,
        name: &HostName,
        host: HostConfig,
        credentials: HostCredentials,
    ) -> Result<(), Error> {
        self.hosts.change(name, host, credentials).await
    }

    /// Forgets a host, and says how it was reached. Its VMs stay what and where they are.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`.
    pub async fn remove_host(&self, name: &HostName) -> Result<HostConfig, Error> {
        self.hosts.remove(name).await
    }

    /// Logs in at a host: it is connected from then on, for as long as the credentials say. With nothing typed it is tried once
    /// more as it
    /// is.
    ///
    /// # Errors
    /// `unknown-host`; `invalid-input` if something was typed and the host is not reached by ssh; why it can't be reached.
    pub async fn log_in(&self, name: &HostName, credentials: HostCredentials) -> Result<(), Error> {
        self.hosts.log_in(name, credentials).await
    }

    /// Sees that a destination answers, within 10 s: a registered one by its name or address, or for one migration one that is
    /// not, by its
    /// address, where `port` is that of ssh (22, or what a registered host has). One that is not registered has the name
    /// `register` from now on, and is registered as soon as its migration has begun, by the task that begins it; without a name it is
    /// there for the migration only.
    ///
    /// # Errors
    /// `same-host` for this machine's own addresses; `invalid-input` for what is no address, and for a port or a fingerprint that
    /// would
    /// not be used; `host-exists` if `register` is another's name, or the host is registered; why it can't be reached.
    pub async fn reach(
        &self,
        destination: &str,
        port: Option<u16>,
        credentials: HostCredentials,
        register: Option<HostName>,
    ) -> Result<Reached, Error> {
        self.hosts.reach(destination, port, credentials, register).await
    }

    /// Writes a migration down and begins it. What can be refused is refused here, within 10 s.
    ///
    /// # Errors
    /// See [`model::refusal`]; `blocked` and `needs-consent` with what the preflight found; and `unknown-vm`, `unknown-host`,
    /// `invalid-input`, `already-there`, `host-unreachable`.
    pub async fn migrate(&self, request: MigrationRequest, requested_by: &str) -> Result<Migration, Error> {
        self.migrations.start(request, requested_by).await
    }

    /// The same, to a destination that was reached. Ends within 10 s of when that was asked for.
    ///
    /// # Errors
    /// Those of [`Engine::migrate`]; `invalid-input` for another control flow than direct to a registered host with a login for
    /// this one
    /// migration, and for a definition that is to stay where the console could not see that the VM runs elsewhere.
    pub async fn migrate_to(
        &self,
        reached: Reached,
        request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Error> {
        self.migrations.start_to(reached, request, requested_by).await
    }

    /// The same whatever is found, for the test that compares what a preflight says with what happens then.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, `invalid-input`, `already-migrating`.
    #[cfg(any(test, feature = "unchecked"))]
    pub async fn migrate_unchecked(&self, request: MigrationRequest, requested_by: &str) -> Result<Migration, Error> {
        self.migrations.start_unchecked(request, requested_by).await
    }

    /// Asks for a migration to be cancelled.
    ///
    /// # Errors
    /// `unknown-migration`; `already-ended`.
    pub async fn cancel(&self, id: MigrationId, by: &str) -> Result<Migration, Error> {
        self.migrations.cancel(id, by).await
    }

    /// One migration as it is now, and its history, oldest entry first.
    ///
    /// # Errors
    /// `unknown-migration`.
    pub async fn migration(&self, id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Error> {
        self.migrations.get(id).await
    }

    /// The migrations that a filter lets through, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn migrations(&self, filter: &MigrationFilter) -> Result<Vec<Migration>, Error> {
        self.migrations.list(filter).await
    }
}

#[cfg(test)]
impl Engine {
    pub(crate) fn inventory(&self) -> std::sync::MutexGuard<'_, Inventory> {
        self.context.inventory()
    }

    pub(crate) fn running_tasks(&self) -> usize {
        self.context.tasks().len()
    }
}

/// Whether an action makes sense now.
fn is_possible(vm: &Vm, action: VmAction) -> Result<(), Error> {
    if let Some(open) = vm.migration {
        return Err(Error::AlreadyMigrating { vm: vm.name.clone(), open });
    }
    if !action.is_possible(vm.state) {
        return Err(Error::NotPossible { vm: vm.name.clone(), state: vm.state, action });
    }
    Ok(())
}
