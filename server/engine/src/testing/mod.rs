//! A simulated hypervisor: hosts, VMs and pre-copy migrations as a model under tokio's clock.
//!
//! For tests of the engine's every branch, and for thousands of hosts. It calls itself simulated wherever it is shown.

mod autostart;
mod driver;
mod facts;
mod host;
mod login;
mod obstacles;
mod post_copy;
mod precopy;
mod sleep;
mod storage;
mod switch;
mod terminal;
mod tuned;
mod viewed;
mod volumes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use model::{HostName, Mode, VmId, VmState};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::{
    hypervisor::{
        Address, CopyFacts, Daemon, HostConfig, HostConnection, HostError, HostErrorKind, HostEvent, Hypervisor, Lease,
        MigrationPlan, Probe, StateReason, Transport,
    },
    lock::lock,
};
use driver::Driver;
use host::{SimConnection, SimHost};
pub use storage::StorageFault;

/// What follows a simulated host's name in its address.
const DOMAIN: &str = ".simulated";

/// A VM's memory and how fast its guest writes to it.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// In bytes.
    pub memory_bytes: u64,
    /// What the guest changes, in bytes a second.
    pub dirty_bytes_s: u64,
}

/// What goes wrong with the next migration of a VM.
#[derive(Clone, Debug)]
pub enum Fault {
    /// libvirt refuses it with these words; nothing changes.
    Refused(String),
    /// libvirt refuses it because another program moves the VM already; nothing changes.
    Busy,
    /// The VM moves, but the caller's connection breaks before it is told.
    ResultLost,
    /// The VM moves, and a bug in the console makes the migration's task panic.
    Panics,
    /// libvirt reports success, and the VM stays.
    FalseSuccess,
    /// The VM moves, and what libvirt says sounds as if the source could not have logged in at the destination.
    TakenForALogin,
    /// libvirt reports a failure, and the VM runs on both hosts.
    RunsTwice,
    /// The guest shuts itself down half-way, or ends otherwise: this is why.
    Ends(StateReason),
    /// The guest shuts itself down as soon as it has arrived, or ends otherwise: this is why.
    EndsThere(StateReason),
    /// The destination's daemon dies while the hosts switch over, and this is what the hosts are left with: the states of source and
    /// destination with their reasons, none where there is no copy. The daemon stays down.
    BrokenSwitch([Option<(VmState, StateReason)>; 2]),
    /// The daemons lose each other half-way, and the destination does not notice: its copy waits for ever.
    LeftReceiving,
    /// The copying of its disks breaks off half-way.
    DiskCopyFails,
    /// From half-way on nothing is sent any more, and the job goes on.
    Stalls,
    /// Post-copy breaks off once half of the rest has followed, also when it is recovered.
    PostCopyBreaks,
    /// A recovery of post-copy is asked for and nothing comes of it.
    RecoveryHangs,
}

/// The model world. Clones share it, so that a second console can look at the world of a first that died.
#[derive(Clone, Default)]
pub struct Sim {
    world: Arc<Mutex<World>>,
}

#[derive(Default)]
struct World {
    hosts: BTreeMap<HostName, SimHost>,
    loads: BTreeMap<VmId, Load>,
    faults: BTreeMap<VmId, Fault>,
    /// What goes wrong with all migrations of a VM.
    lasting_faults: BTreeMap<VmId, Fault>,
    shapes: facts::Shapes,
    storage: storage::Storage,
    /// Hosts that let no other host's daemon log in.
    refusing_peers: BTreeSet<HostName>,
    /// Whether no host can do post-copy.
    no_post_copy: bool,
}

impl Sim {
    /// An empty world.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on no host can do post-copy.
    pub fn can_not_post_copy(&self) {
        self.world().no_post_copy = true;
    }

    /// Adds a host that is up, and returns how to reach it.
    pub fn add_host(&self, name: &str) -> HostConfig {
        let name: HostName = name.parse().expect("a test's host name");
        let address: Address = format!("{name}{DOMAIN}").parse().expect("made from a host name");
        let transport = Transport::Tcp { address: address.clone(), port: 16509, daemon: Daemon::System };
        let mut world = self.world();
        let uuid = Uuid::from_u128(1 + world.hosts.len() as u128);
        world.hosts.insert(name.clone(), SimHost::new(uuid));
        HostConfig {
            name,
            peer_transport: transport.clone(),
            transport,
            peer_address: address,
            bandwidth_mib_s: Some(32),
            policy_defaults: model::PolicyDefaults::default(),
            shared_directories: Vec::new(),
            budget: model::HostBudget::default(),
        }
    }

    /// Another host of the same UUID: a clone, or the same machine under a second name.
    pub fn register_again(&self, host: &HostName, name: &str) -> HostConfig {
        let config = self.add_host(name);
        let mut world = self.world();
        let uuid = world.host(host).uuid;
        world.host(&config.name).uuid = uuid;
        config
    }

    /// From now on the host has this version of libvirt, once it is asked again.
    pub fn update_libvirt(&self, host: &HostName, version: &str) {
        version.clone_into(&mut self.world().host(host).libvirt_version);
    }

    /// Puts a persistent VM in this state on a host.
    pub fn add_vm(&self, host: &HostName, name: &str, state: VmState, load: Load) -> VmId {
        let vm = {
            let mut world = self.world();
            let vm = VmId(Uuid::from_u128(0x1_0000 + world.loads.len() as u128));
            world.loads.insert(vm, load);
            vm
        };
        self.put(
            host,
            CopyFacts {
                vm,
                name: name.to_owned(),
                title: None,
                tags: Vec::new(),
                state,
                reason: host::reason_of(state),
                incoming: false,
                outgoing: false,
                abandoned: false,
                persistent: true,
                vcpus: 1,
                vcpus_max: 1,
                memory_bytes: load.memory_bytes,
                memory_now_bytes: load.memory_bytes,
                disks: None,
                macs: vec![mac(vm)],
                cpu_time_ns: None,
            },
        );
        vm
    }

    /// A network of the host gives the VM an address.
    pub fn lease(&self, host: &HostName, vm: VmId, address: &str) {
        let lease = Lease { mac: mac(vm), address: address.to_owned() };
        self.world().host(host).leases.push(lease);
    }

    /// Puts a copy on a host behind everybody's back, and tells of it.
    pub fn put(&self, host: &HostName, copy: CopyFacts) {
        let vm = copy.vm;
        let mut world = self.world();
        let host = world.host(host);
        host.copies.insert(vm, copy);
        host.tell(&HostEvent::Changed(vm));
    }

    /// Another program, virsh say, migrates a VM without the console.
    pub fn migrate_behind_everybodys_back(&self, vm: VmId, source: &HostName, destination: &HostConfig) {
        let plan = MigrationPlan {
            control_flow: model::ControlFlow::PeerToPeer,
            encrypted: false,
            rdma: false,
            vm,
            destination: destination.clone(),
            mode: Mode::Live,
            undefine_source: true,
            persist_destination: true,
            bandwidth_mib_s: Some(32),
            switchover_mib_s: None,
            throttle: None,
            post_copy: false,
            connections: None,
            compress: false,
            new_name: None,
            disks: Vec::new(),
            synchronous_writes: false,
            trust_shared_directories: false,
        };
        tokio::spawn(precopy::run(self.clone(), source.clone(), plan, Driver::default(), oneshot::channel().0));
    }

    /// Takes a copy away behind everybody's back, and tells of it.
    pub fn forget(&self, host: &HostName, vm: VmId) {
        let mut world = self.world();
        let host = world.host(host);
        host.copies.remove(&vm);
        host.tell(&HostEvent::Changed(vm));
    }

    /// What a host has of a VM, up or not.
    pub fn copy(&self, host: &HostName, vm: VmId) -> Option<CopyFacts> {
        self.world().host(host).copy(vm)
    }

    /// The hosts on which a VM runs.
    pub fn runs_on(&self, vm: VmId) -> Vec<HostName> {
        let runs = |host: &SimHost| host.copies.get(&vm).is_some_and(|copy| copy.state == VmState::Running);
        self.world().hosts.iter().filter(|(_, host)| runs(host)).map(|(name, _)| name.clone()).collect()
    }

    /// Lets the next migration of a VM go wrong.
    pub fn fail_next(&self, vm: VmId, fault: Fault) {
        self.world().faults.insert(vm, fault);
    }

    /// Lets all migrations of a VM go wrong, or (none) none any more.
    pub fn fail_always(&self, vm: VmId, fault: Option<Fault>) {
        let lasting = &mut self.world().lasting_faults;
        match fault {
            Some(fault) => lasting.insert(vm, fault),
            None => lasting.remove(&vm),
        };
    }

    /// What goes wrong with the migration of a VM that begins now.
    fn take_fault(&self, vm: VmId) -> Option<Fault> {
        let mut world = self.world();
        world.faults.remove(&vm).or_else(|| world.lasting_faults.get(&vm).cloned())
    }

    /// Kills a host's libvirt daemon: connections break, guests go on, what was arriving is destroyed.
    pub fn kill(&self, host: &HostName) {
        self.world().host(host).kill();
    }

    /// Cuts the console off from a host; what hosts do among themselves goes on.
    pub fn cut(&self, host: &HostName) {
        self.world().host(host).cut();
    }

    /// The same, but the console's connection is not told: libvirt does that only when no call hangs in it any more.
    pub fn cut_in_silence(&self, host: &HostName) {
        self.world().host(host).cut_in_silence();
    }

    /// Lets the console reach it again.
    pub fn mend(&self, host: &HostName) {
        self.world().host(host).reachable = true;
    }

    /// Starts it again.
    pub fn revive(&self, host: &HostName) {
        self.world().host(host).up = true;
    }

    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

impl World {
    /// The name that the host at this address was made under, whatever the console calls it.
    fn name_at(&self, host: &HostConfig) -> HostName {
        let address = host.transport.address();
        address.strip_suffix(DOMAIN).and_then(|name| name.parse().ok()).unwrap_or_else(|| host.name.clone())
    }

    fn host(&mut self, name: &HostName) -> &mut SimHost {
        self.hosts.get_mut(name).expect("a test names hosts it made")
    }
}

#[async_trait]
impl Hypervisor for Sim {
    async fn connect(
        &self,
        host: &HostConfig,
        called: &str,
        events: mpsc::UnboundedSender<HostEvent>,
    ) -> Result<Arc<dyn HostConnection>, HostError> {
        let name = self.world().name_at(host);
        self.knock_at(&name).await;
        let mut world = self.world();
        let Some(entry) = world.hosts.get_mut(&name).filter(|entry| entry.up && entry.reachable) else {
            return Err(unreachable(called));
        };
        entry.let_in(host, called)?;
        entry.listeners.push(events);
        Ok(Arc::new(SimConnection { sim: self.clone(), name, cuts: entry.cuts }))
    }

    async fn probe(&self, address: &Address, _port: u16) -> Probe {
        self.knock(&address.to_string())
    }
}

/// The MAC address of a VM that [`Sim::add_vm`] has made.
fn mac(vm: VmId) -> String {
    let number = vm.0.as_u128();
    format!("52:54:00:{:02x}:{:02x}:{:02x}", number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff)
}

fn unreachable(name: &str) -> HostError {
    HostError::new(HostErrorKind::Unreachable, format!("{name} does not answer (simulated)."))
}
