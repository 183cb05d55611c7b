//! Two privileged hosts as the engine reaches them, with a VM that goes from one to the other and back, and its migration under way.

use std::{
    fs,
    future::Future,
    io::{self, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use engine::{
    AllowedNetworks, CopyFacts, HostConfig, HostConnection, HostError, Hypervisor, MigrationPlan, Networks,
    NotMigrated, Statistics, Tuning,
};
use libvirt::{LibvirtHypervisor, SshFiles, SystemResolver};
use model::{ControlFlow, Mode, VmId};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    guest::{self, FILLED, NAME},
    lab::{Entry, Lab, LabHost, Sandbox},
    support::LIMIT,
};

/// Of the network in MiB/s: less than what the guest writes, and more than it needs to be sent once within seconds.
pub(crate) const LIMIT_MIB_S: u32 = 12;

/// What a guest has certainly had an interrupt during, in bytes: it arrives within a second here, and the timer ticks 18 times in that.
pub(crate) const MORE_THAN_AN_INTERRUPT: u64 = 1 << 20;

/// All that a test works with.
pub(crate) struct Site {
    lab: Lab,
    connections: [Arc<dyn HostConnection>; 2],
    /// Which of both hosts the VM is on.
    at: usize,
    /// The limit that libvirt kept for the VM at first, as virsh prints it.
    limit_at_first: String,
    /// Whether libvirt has to be told that the hosts share a directory: before 10.10 it can't be configured.
    trust_shared_directories: bool,
}

/// A migration under way.
pub(crate) struct Moving {
    source: Arc<dyn HostConnection>,
    begun: Instant,
    migrating: JoinHandle<Result<(), NotMigrated>>,
}

impl Site {
    /// Enters a sandbox for the test of this name, and starts the VM there; none outside, where nothing is left to do.
    pub(crate) async fn enter(test: &str) -> Option<Self> {
        let Entry::Inside(sandbox) = Sandbox::enter(test) else { return None };
        let lab = sandbox.start().await;
        Some(Self::start(&sandbox, lab, false).await)
    }

    /// The same with an older libvirt; also none where there is none.
    pub(crate) async fn enter_older(test: &str) -> Option<Self> {
        let Entry::Inside(sandbox) = Sandbox::enter(test) else { return None };
        let lab = sandbox.start_older_pair().await?;
        Some(Self::start(&sandbox, lab, true).await)
    }

    async fn start(sandbox: &Sandbox, lab: Lab, trust_shared_directories: bool) -> Self {
        let [definition, console] = guest::write(&sandbox.shared());
        lab.red.virsh(&["create", &definition.to_string_lossy()]);
        until("its memory is full", async || fs::read_to_string(&console).is_ok_and(|text| text.contains(FILLED)))
            .await;
        let networks = Arc::new(Networks::new(AllowedNetworks::Any, &[], SystemResolver));
        let hypervisor =
            LibvirtHypervisor::new(SshFiles::below(&sandbox.shared()), networks).expect("libvirt can be used");
        let connect = async |host: &LabHost| {
            hypervisor.connect(&host.config(), host.name, mpsc::unbounded_channel().0).await.expect("it answers")
        };
        let connections = [connect(&lab.red).await, connect(&lab.blue).await];
        let limit_at_first = kept_limit(&lab.red);
        Self { lab, connections, at: 0, limit_at_first, trust_shared_directories }
    }

    pub(crate) fn vm(&self) -> VmId {
        guest::id()
    }

    fn hosts(&self) -> [&LabHost; 2] {
        let hosts = [&self.lab.red, &self.lab.blue];
        [hosts[self.at], hosts[1 - self.at]]
    }

    /// Both hosts as the console has them.
    pub(crate) fn configs(&self) -> [HostConfig; 2] {
        self.hosts().map(LabHost::config)
    }

    /// Lets no packet pass from one host to the other, in either direction. The console reaches both.
    pub(crate) fn cut_link(&self) {
        for (host, other) in self.hosts().into_iter().zip(self.hosts().into_iter().rev()) {
            host.run("nft", &["add", "table", "ip", "cut"]);
            host.run("nft", &["add", "chain", "ip", "cut", "out", "{ type filter hook output priority 0; }"]);
            host.run("nft", &["add", "rule", "ip", "cut", "out", "ip", "daddr", &other.address, "drop"]);
        }
    }

    /// Lets them pass again.
    pub(crate) fn mend_link(&self) {
        for host in self.hosts() {
            host.run("nft", &["delete", "table", "ip", "cut"]);
        }
    }

    /// Fails unless both hosts have these halves of the VM, according to virsh.
    pub(crate) fn assert_states(&self, expected: [&str; 2]) {
        let states = self.hosts().map(|host| host.virsh(&["domstate", NAME, "--reason"]).trim().to_owned());
        assert_eq!(states, expected);
    }

    /// It was moved to the other host by the console: fails unless it runs there, and only there.
    pub(crate) async fn has_moved(&mut self) {
        self.at = 1 - self.at;
        self.assert_only_here().await;
    }

    /// The connection to the host that the VM is on.
    pub(crate) fn here(&self) -> &Arc<dyn HostConnection> {
        &self.connections[self.at]
    }

    /// Begins to move the VM to the other host, live and with a limit below what the guest writes.
    pub(crate) async fn begin(&self, change: impl FnOnce(&mut MigrationPlan)) -> Moving {
        let mut plan = self.plan();
        change(&mut plan);
        let source = Arc::clone(self.here());
        let driver = Arc::clone(&source);
        let migrating = tokio::spawn(async move { driver.migrate(&plan).await });
        Moving { source, begun: Instant::now(), migrating }
    }

    /// Recovers a migration by post-copy that broke off.
    pub(crate) async fn recover(&self) -> Moving {
        let plan = MigrationPlan { bandwidth_mib_s: None, ..self.plan() };
        let source = Arc::clone(self.here());
        let driver = Arc::clone(&source);
        let migrating = tokio::spawn(async move { driver.recover_post_copy(&plan).await });
        Moving { source, begun: Instant::now(), migrating }
    }

    fn plan(&self) -> MigrationPlan {
        let [_, there] = self.hosts();
        MigrationPlan {
            vm: self.vm(),
            destination: there.config(),
            control_flow: ControlFlow::PeerToPeer,
            encrypted: false,
            rdma: false,
            mode: Mode::Live,
            undefine_source: false,
            persist_destination: false,
            bandwidth_mib_s: Some(LIMIT_MIB_S),
            switchover_mib_s: None,
            throttle: None,
            post_copy: false,
            connections: None,
            compress: false,
            new_name: None,
            disks: Vec::new(),
            synchronous_writes: false,
            trust_shared_directories: self.trust_shared_directories,
        }
    }

    /// Waits for the end of a migration, which has to succeed: the VM then runs there, and only there.
    pub(crate) async fn arrives(&mut self, how: &str, moving: Moving) {
        let begun = moving.begun;
        moving.ended().await.unwrap_or_else(|why| panic!("{how}: {why:?}"));
        self.arrived(how, begun).await;
    }

    /// Recovers what broke off. One that is too early, as libvirt has told of the end before both of QEMU's halves wait, is refused or
    /// fails, loses nothing, and is tried again.
    pub(crate) async fn recovers(&mut self) {
        let begun = Instant::now();
        let recover =
            async || self.recover().await.ended().await.map_err(|why| say(&format!("not recovered: {why:?}")));
        until("it is recovered", async || recover().await.is_ok()).await;
        self.arrived("a recovery", begun).await;
    }

    async fn arrived(&mut self, how: &str, begun: Instant) {
        let took = begun.elapsed();
        self.at = 1 - self.at;
        let figures = self.here().completed_job(self.vm()).await.ok().flatten().unwrap_or_default();
        say(&format!("{how}: {took:.1?}, pause {:?} ms, {} passes", figures.downtime_ms, figures.memory_pass));
        self.assert_only_here().await;
    }

    /// Fails unless the VM runs here, according to virsh, and the other host does not have it.
    pub(crate) async fn assert_only_here(&self) {
        let states = || self.hosts().map(state);
        until("it runs here", async || states()[0].as_deref() == Some("running")).await;
        assert!(matches!(states()[1].as_deref(), None | Some("shut off")), "{:?}", states());
        let copies = self.connections[1 - self.at].copy(self.vm()).await.expect("it answers");
        assert_eq!(copies, None, "the other host has none");
    }

    /// Waits until the VM runs at the other host.
    pub(crate) async fn until_it_runs_there(&self) {
        let [_, there] = self.hosts();
        until("it runs there", async || state(there).as_deref() == Some("running")).await;
    }

    /// What both hosts say, the source first. Each has to answer within the limit of a small call.
    pub(crate) async fn copies(&self) -> [CopyFacts; 2] {
        let mut copies = Vec::new();
        for connection in [self.here(), &self.connections[1 - self.at]] {
            copies.push(connection.copy(self.vm()).await.expect("it answers in time").expect("it has a copy"));
        }
        copies.try_into().expect("there are two")
    }

    /// Runs virsh at the host that the VM is on.
    pub(crate) fn virsh_here(&self, arguments: &[&str]) {
        self.hosts()[0].virsh(arguments);
    }

    /// The limit that libvirt keeps for the VM here.
    pub(crate) fn kept_limit(&self) -> String {
        kept_limit(self.hosts()[0])
    }

    /// What it was before any migration.
    pub(crate) fn limit_at_first(&self) -> &str {
        &self.limit_at_first
    }
}

impl Moving {
    pub(crate) async fn tune(&self, tuning: Tuning) -> Result<(), HostError> {
        self.source.tune(guest::id(), tuning).await
    }

    pub(crate) async fn cancel(&self) {
        self.source.abort(guest::id()).await.expect("it runs");
    }

    /// Waits until a pass over what the guest has changed has begun.
    pub(crate) async fn until_second_pass(&self) {
        self.until("the second pass begins", |figures| figures.memory_pass >= 2).await;
    }

    /// Waits until the memory that the guest needs for an interrupt has certainly arrived. QEMU reads it while it holds its lock: were
    /// the migration to break off before, the destination's QEMU would never answer again, and could not be recovered.
    pub(crate) async fn until_interrupts_work_there(&self) {
        let at_first = self.source.job(guest::id()).await.expect("the source answers").expect("it runs");
        let enough = at_first.memory_processed + MORE_THAN_AN_INTERRUPT;
        self.until("the guest runs there for a while", |figures| figures.memory_processed >= enough).await;
    }

    /// Waits until the figures are as wanted.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Statistics) -> bool) {
        until(what, async || {
            assert!(!self.migrating.is_finished(), "it ended before: {what}");
            let figures = self.source.job(guest::id()).await.expect("the source answers");
            figures.is_some_and(|figures| wanted(&figures))
        })
        .await;
    }

    /// What libvirt says at the end.
    pub(crate) async fn ended(self) -> Result<(), NotMigrated> {
        timeout(LIMIT, self.migrating).await.expect("it ends").expect("it does not panic")
    }
}

/// The VM's state on a host, in virsh's words; none if it is not there.
fn state(host: &LabHost) -> Option<String> {
    let output = host.try_virsh(&["domstate", NAME]);
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Prints a line; not with a macro, whose output the test harness captures.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn kept_limit(host: &LabHost) -> String {
    host.virsh(&["migrate-getspeed", NAME]).trim().to_owned()
}

/// Waits until a condition holds.
async fn until<Holding: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> Holding) {
    let wait = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(LIMIT, wait).await.is_ok(), "{what}: not within {LIMIT:?}");
}
