//! A port with two hosts and a few VMs, behind which nothing really moves.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use model::{
    Act, Acted, AdHocDestination, Change, Chosen, Code, ControlFlow, Destination, DestinationReport, Destinations,
    DiskPlan, Evacuation, EvacuationCommand, EvacuationEvent, EvacuationId, Finding, FindingCode, Host, HostDetails,
    HostLogin, HostName, HostOrigin, HostPool, HostResources, HostSettings, HostTest, Maintenance, MaintenanceCommand,
    Migration, MigrationEvent, MigrationFilter, MigrationId, MigrationOptions, MigrationRequest, NewHost,
    PasswordChange, Phase, PlacementRules, Plan, PlanId, PlanRequest, Predictions, Preflight, Problem, Progress,
    RegisteredHost, Scope, SelectedVm, Selection, SelectionId, SessionInfo, Severity, Snapshot, SshLoginKind, Stage,
    Steering, Step, StoreOutage, Subject, Summary, TerminalEvent, TerminalKind, TerminalStatus, TracePoint,
    TransportKind, Treatment, Turn, Update, UsagePoint, Vm, VmAction, VmDetails, VmId, VmList, VmRow,
    examples::{self, host, vm},
};
use port::{
    Account, DestinationsRequest, Evacuations, Hosts, Migrations, Principal, Selections, Terminal, Terminals, Updates,
    Vms,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::auth::Auth;

pub(super) struct FakeConsole {
    auth: Auth,
    migrations: Mutex<Vec<Migration>>,
    findings: Mutex<Vec<Finding>>,
    subscribers: Mutex<Vec<mpsc::Sender<Update>>>,
    host_calls: Mutex<Vec<HostCall>>,
    evacuation: Mutex<Evacuation>,
    refusal: Mutex<Option<Problem>>,
    maintenance: Mutex<Option<Maintenance>>,
    selections: Mutex<Vec<SelectionCall>>,
}

/// What the port was asked to do to several VMs.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum SelectionCall {
    Select(Chosen, VmAction),
    CarryOut(u64),
}

/// What the port was asked to do with hosts, and with many VMs.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum HostCall {
    Test(NewHost),
    Add(NewHost),
    Change(HostName, NewHost),
    Remove(HostName),
    LogIn(HostName, HostLogin),
    SetUpKey(HostName, HostLogin),
    RemoveKey(HostName, HostLogin),
    /// Checks on an ad-hoc destination.
    Check(MigrationRequest<Destination>),
    /// To an ad-hoc destination.
    Start(MigrationRequest<Destination>),
    Plan(PlanRequest),
    CarryOut(PlanId),
    TellEvacuation(EvacuationCommand),
    Maintain(HostName, MaintenanceCommand),
    Place(PlacementRules),
}

impl FakeConsole {
    pub(super) fn new(auth: Auth) -> Self {
        Self {
            auth,
            migrations: Mutex::default(),
            findings: Mutex::default(),
            subscribers: Mutex::default(),
            host_calls: Mutex::default(),
            evacuation: Mutex::new(examples::evacuation(1, &["web", "db"])),
            refusal: Mutex::default(),
            selections: Mutex::default(),
            maintenance: Mutex::default(),
        }
    }

    /// From now on refuses every call about hosts, or none; says of the store that it can't be written for this reason.
    pub(super) fn will_refuse(&self, refusal: impl Into<Option<Problem>>) {
        *self.refusal.lock().unwrap() = refusal.into();
    }

    /// Makes alpha a host in this stage of maintenance.
    pub(super) fn will_be_in_maintenance(&self, maintenance: Maintenance) {
        *self.maintenance.lock().unwrap() = Some(maintenance);
    }

    /// The calls about hosts since the last look, refused ones included.
    pub(super) fn host_calls(&self) -> Vec<HostCall> {
        std::mem::take(&mut *self.host_calls.lock().unwrap())
    }

    /// The only evacuation there is.
    pub(super) fn evacuation(&self) -> MutexGuard<'_, Evacuation> {
        self.evacuation.lock().unwrap()
    }

    fn call(&self, call: HostCall) -> Result<(), Problem> {
        self.host_calls.lock().unwrap().push(call);
        self.refusal.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    /// What it was asked to do to several VMs since the last look.
    pub(super) fn selection_calls(&self) -> Vec<SelectionCall> {
        std::mem::take(&mut *self.selections.lock().unwrap())
    }

    /// All migrations that were started, newest first.
    pub(super) fn migrations(&self) -> MutexGuard<'_, Vec<Migration>> {
        self.migrations.lock().unwrap()
    }

    /// Makes preflights find this at beta from now on.
    pub(super) fn will_find(&self, findings: Vec<Finding>) {
        *self.findings.lock().unwrap() = findings;
    }

    /// Tells every subscriber that a VM is gone.
    pub(super) async fn tell(&self, sequence: u64) {
        let changes = vec![Change::VmGone(VmId(Uuid::from_u128(9)))];
        let subscribers = self.subscribers.lock().unwrap().clone();
        for subscriber in subscribers {
            subscriber.send(Update { sequence, at_ms: 0, changes: changes.clone() }).await.unwrap();
        }
    }
}

fn vms() -> Vec<Vm> {
    vec![
        vm(1, "web", "alpha"),
        vm(2, "two words", "alpha"),
        vm(3, "größe", "alpha"),
        vm(4, "twin", "alpha"),
        vm(5, "twin", "beta"),
    ]
}

fn preflight(destination: &HostName, findings: Vec<Finding>) -> Preflight {
    Preflight {
        destination: destination.clone(),
        findings,
        control_flow: ControlFlow::PeerToPeer,
        encrypted: false,
        disks: Vec::new(),
        prediction: None,
    }
}

#[async_trait]
impl Vms for FakeConsole {
    fn snapshot(&self, _: &Principal, scope: Option<Scope>) -> Result<Snapshot, Problem> {
        let rows: Vec<VmRow> = vms().into_iter().map(|vm| VmRow { vm: vm.id, twin_on: None }).collect();
        Ok(Snapshot {
            scope,
            summary: Summary { vms: 5, hosts: 2, ..Summary::default() },
            list: Some(VmList { matching: 5, rows, ..VmList::default() }),
            sequence: 7,
            hosts: vec![Host { maintenance: self.maintenance.lock().unwrap().clone(), ..host("alpha") }, host("beta")],
            vms: vms(),
            migrations: self.migrations().clone(),
            store_outage: self.refusal.lock().unwrap().clone().map(|problem| StoreOutage { since_ms: 0, problem }),
        })
    }

    fn completions(&self, _: &Principal, typed: &str) -> Result<Vec<String>, Problem> {
        Ok(model::completions(typed, ["alpha", "beta"], ["<web>"]))
    }

    async fn look(&self, who: &Principal, name: &str, host: Option<&HostName>) -> Result<Vm, Problem> {
        self.find(who, name, host)
    }

    fn find(&self, _: &Principal, name: &str, host: Option<&HostName>) -> Result<Vm, Problem> {
        let mut found: Vec<Vm> =
            vms().into_iter().filter(|vm| vm.name == name && host.is_none_or(|host| vm.host == *host)).collect();
        match found.len() {
            0 => Err(Problem::new(Code::UnknownVm, "No VM has this name.")),
            1 => Ok(found.remove(0)),
            _ => Err(Problem::new(Code::AmbiguousName, "Several VMs have this name: on alpha, beta.")),
        }
    }

    fn vm(&self, _: &Principal, id: VmId) -> Result<Vm, Problem> {
        let known = vms().into_iter().find(|vm| vm.id == id);
        known.ok_or_else(|| Problem::new(Code::UnknownVm, "No host has this VM any more."))
    }

    async fn details(&self, who: &Principal, id: VmId) -> Result<VmDetails, Problem> {
        let vm = self.vm(who, id)?;
        Ok(VmDetails { host: vm.host.clone(), facts: examples::facts(&vm), guest: None, started: None })
    }

    async fn definition(&self, who: &Principal, id: VmId) -> Result<String, Problem> {
        Ok(format!("<domain><name>{}</name><title>&lt;b&gt;</title></domain>", self.vm(who, id)?.name))
    }

    fn usage(&self, who: &Principal, id: VmId) -> Result<Vec<UsagePoint>, Problem> {
        self.vm(who, id)?;
        Ok(Vec::new())
    }

    async fn act(&self, _: &Principal, _: VmId, _: Option<&HostName>, _: VmAction) -> Result<(), Problem> {
        Ok(())
    }
}

#[async_trait]
impl Migrations for FakeConsole {
    async fn start(&self, who: &Principal, request: MigrationRequest<Destination>) -> Result<Migration, Problem> {
        let destination = match &request.destination {
            Destination::Registered(host) => host.clone(),
            Destination::Address(destination) => {
                self.call(HostCall::Start(request.clone()))?;
                match self.host(who, &destination.address) {
                    Err(problem) if problem.code == Code::UnknownHost => "beta".parse(),
                    host => host,
                }?
            }
        };
        let vm = vms().into_iter().find(|vm| vm.id == request.vm).unwrap();
        if vm.host == destination {
            return Err(Problem::new(Code::SameHost, "It is there already."));
        }
        let findings = self.findings.lock().unwrap().clone();
        if findings.iter().any(|finding| finding.severity == Severity::Blocker) {
            return Err(Problem::new(Code::Blocked, "It would fail.").with_findings(findings));
        }
        if findings.iter().any(|finding| finding.consent && !request.accept.contains(&finding.code)) {
            return Err(Problem::new(Code::NeedsConsent, "It is risky.").with_findings(findings));
        }
        let migration = Migration {
            id: MigrationId(Uuid::now_v7()),
            vm: vm.id,
            vm_name: vm.name,
            source: vm.host,
            destination,
            options: request.options,
            requested_by: who.user().into(),
            phase: Phase::CopyingMemory,
            progress: Progress { percent: 42.5, ..Progress::default() },
            ..examples::migration(1)
        };
        self.migrations().insert(0, migration.clone());
        Ok(migration)
    }

    async fn destination(
        &self,
        who: &Principal,
        vm: VmId,
        destination: &HostName,
        _: &MigrationOptions,
    ) -> Result<DestinationReport, Problem> {
        let vm = self.vm(who, vm)?;
        let mut findings = self.findings.lock().unwrap().clone();
        if vm.host == *destination {
            findings = vec![Finding::blocker(FindingCode::SameHost, "It is there already.")];
        }
        let disk = DiskPlan {
            target: "vda".into(),
            source: "/images/web.qcow2".into(),
            capacity_bytes: 8 << 30,
            treatment: Treatment::Shared { evidence: "The same NFS export.".into() },
        };
        let preflight = Preflight { disks: vec![disk], ..preflight(destination, findings) };
        Ok(DestinationReport { host: host(destination.as_str()), preflight: Ok(preflight) })
    }

    async fn destinations(&self, who: &Principal, request: DestinationsRequest) -> Result<Destinations, Problem> {
        let vm = self.vm(who, request.vm)?;
        let beta = self.destination(who, vm.id, &"beta".parse()?, &MigrationOptions::default()).await?;
        let unreachable = Finding::blocker(FindingCode::DestinationReachable, "gamma does not answer.");
        let gamma = preflight(&"gamma".parse()?, vec![unreachable]);
        let gamma = DestinationReport { host: host("gamma"), preflight: Ok(gamma) };
        Ok(Destinations::ranked(vm, vec![gamma, beta]))
    }

    async fn check(
        &self,
        _: &Principal,
        vm: VmId,
        destination: AdHocDestination,
        options: MigrationOptions,
    ) -> Result<Preflight, Problem> {
        let destination = Destination::Address(destination);
        self.call(HostCall::Check(MigrationRequest { vm, destination, mode: None, options, accept: Vec::new() }))?;
        Ok(preflight(&"beta".parse()?, self.findings.lock().unwrap().clone()))
    }

    async fn measure(&self, _: &Principal, _: VmId) -> Result<u64, Problem> {
        Err(Problem::new(Code::WrongState, "It does not run."))
    }

    async fn cancel(&self, _: &Principal, id: MigrationId) -> Result<Migration, Problem> {
        let mut migrations = self.migrations();
        let migration = migrations.iter_mut().find(|migration| migration.id == id);
        let migration = migration.ok_or_else(|| Problem::new(Code::UnknownMigration, "No migration has this id."))?;
        if migration.phase.has_ended() {
            return Err(Problem::new(Code::AlreadyEnded, "It has ended."));
        }
        migration.phase = Phase::Cancelled;
        Ok(migration.clone())
    }

    async fn steer(&self, who: &Principal, id: MigrationId, steering: Steering) -> Result<Migration, Problem> {
        let mut migrations = self.migrations();
        let migration = migrations.iter_mut().find(|migration| migration.id == id);
        let migration = migration.ok_or_else(|| Problem::new(Code::UnknownMigration, "No migration has this id."))?;
        if steering == (Steering::Bandwidth { mib_s: 0 }) {
            return Err(Problem::new(Code::InvalidInput, "The bandwidth limit is out of range."));
        }
        if let Some(problem) = steering.refusal(migration) {
            return Err(problem);
        }
        if let Steering::Policy { policy } = steering {
            migration.policy = policy;
            migration.acts.push(Act { elapsed_ms: 0, what: Acted::Policy { policy }, by: Some(who.user().into()) });
        }
        Ok(migration.clone())
    }

    async fn take_step(&self, _: &Principal, id: MigrationId, step: Step) -> Result<Migration, Problem> {
        let mut migrations = self.migrations();
        let migration = migrations.iter_mut().find(|migration| migration.id == id);
        let migration = migration.ok_or_else(|| Problem::new(Code::UnknownMigration, "No migration has this id."))?;
        if migration.step.as_ref() != Some(&step) {
            return Err(Problem::new(Code::WrongState, "This is not the safe step any more."));
        }
        let goes_on = matches!(step, Step::Recover { .. });
        (migration.phase, migration.step) = (if goes_on { Phase::PostCopy } else { Phase::Failed }, None);
        Ok(migration.clone())
    }

    async fn migration(&self, _: &Principal, id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Problem> {
        let found = self.migrations().iter().find(|migration| migration.id == id).cloned();
        let found = found.ok_or_else(|| Problem::new(Code::UnknownMigration, "No migration has this id."))?;
        Ok((found, Vec::new()))
    }

    async fn migrations(&self, _: &Principal, filter: &MigrationFilter) -> Result<Vec<Migration>, Problem> {
        let begun = self.migrations();
        let wanted = begun.iter().filter(|migration| filter.lets_through(migration));
        Ok(wanted.take(filter.limit as usize).cloned().collect())
    }

    async fn trace(&self, who: &Principal, id: MigrationId) -> Result<Vec<TracePoint>, Problem> {
        Migrations::migration(self, who, id).await?;
        let point =
            TracePoint { elapsed_ms: 7, pass: 1, remaining: 9, throughput_bytes_s: 5, dirty_bytes_s: 0, end_ms: None };
        Ok(vec![point])
    }

    async fn predictions(&self, _: &Principal) -> Result<Predictions, Problem> {
        Ok(Predictions::of(self.migrations().iter()))
    }

    fn host(&self, _: &Principal, name_or_address: &str) -> Result<HostName, Problem> {
        match name_or_address {
            "alpha" | "beta" => name_or_address.parse(),
            "127.0.0.3" => "beta".parse(),
            "localhost" | "127.0.0.1" => Err(Problem::new(Code::SameHost, "This is not another host.")),
            _ => Err(Problem::new(Code::UnknownHost, "No such host is registered.")),
        }
    }
}

#[async_trait]
impl Hosts for FakeConsole {
    fn registered(&self, _: &Principal) -> Result<Vec<RegisteredHost>, Problem> {
        let alpha = settings("alpha", TransportKind::Tcp);
        let gamma = HostSettings {
            port: Some(2222),
            user: Some("mover".into()),
            login: Some(SshLoginKind::Password),
            peer_address: Some("198.51.100.3".into()),
            shared_directories: vec!["/srv/images".into()],
            memory_reserve_mib: None,
            outgoing_mib_s: None,
            incoming_mib_s: None,
            ..settings("gamma", TransportKind::Ssh)
        };
        Ok(vec![
            RegisteredHost { settings: alpha, origin: HostOrigin::Configured, fingerprint: None },
            RegisteredHost { settings: gamma, origin: HostOrigin::Added, fingerprint: Some(KNOWN_KEY.into()) },
        ])
    }

    async fn host_details(&self, _: &Principal, name: &HostName) -> Result<HostDetails, Problem> {
        if name.as_str() != "alpha" {
            return Err(Problem::new(Code::UnknownHost, "There is no such host."));
        }
        let pool = HostPool { name: "images".into(), state: "running", ..HostPool::default() };
        let resources = HostResources { pools: Some(vec![pool]), ..HostResources::default() };
        Ok(HostDetails {
            name: name.clone(),
            resources: Some(resources),
            memory_reserved_bytes: 3 << 30,
            problem: None,
            certificates: None,
            known_bugs: Vec::new(),
            errors: Vec::new(),
        })
    }

    async fn test_host(&self, _: &Principal, host: NewHost) -> Result<HostTest, Problem> {
        self.call(HostCall::Test(host))?;
        Ok(HostTest {
            libvirt_version: "11.3.0".into(),
            hypervisor_version: "10.0.2".into(),
            cpu_model: Some("EPYC-Rome".into()),
            memory_bytes: 64 << 30,
            vms: 3,
            latency_ms: 2,
        })
    }

    async fn add_host(&self, _: &Principal, host: NewHost) -> Result<(), Problem> {
        self.call(HostCall::Add(host))
    }

    async fn change_host(&self, _: &Principal, name: &HostName, host: NewHost) -> Result<(), Problem> {
        self.call(HostCall::Change(name.clone(), host))
    }

    async fn remove_host(&self, _: &Principal, name: &HostName) -> Result<(), Problem> {
        self.call(HostCall::Remove(name.clone()))
    }

    async fn log_in_at_host(&self, _: &Principal, name: &HostName, login: HostLogin) -> Result<(), Problem> {
        self.call(HostCall::LogIn(name.clone(), login))
    }

    async fn set_up_key(&self, _: &Principal, name: &HostName, login: HostLogin) -> Result<(), Problem> {
        self.call(HostCall::SetUpKey(name.clone(), login))
    }

    async fn remove_key(&self, _: &Principal, name: &HostName, login: HostLogin) -> Result<(), Problem> {
        self.call(HostCall::RemoveKey(name.clone(), login))
    }
}

/// The key that the port knows gamma by.
pub(super) const KNOWN_KEY: &str = "SHA256:knownknownknownknownknownknownknownknown123";

fn settings(name: &str, transport: TransportKind) -> HostSettings {
    HostSettings {
        name: name.parse().unwrap(),
        transport,
        address: Some("192.0.2.1".into()),
        port: None,
        user: None,
        login: None,
        daemon: None,
        peer_address: None,
        peer_transport: None,
        peer_port: None,
        peer_user: None,
        bandwidth_mib_s: None,
        policy: None,
        longest_pause_ms: None,
        budget_s: None,
        shared_directories: Vec::new(),
        memory_reserve_mib: None,
        outgoing_mib_s: None,
        incoming_mib_s: None,
    }
}

#[async_trait]
impl Terminals for FakeConsole {
    /// Says where it is and then whatever is typed, until `exit`.
    async fn open_terminal(&self, who: &Principal, vm: VmId, _: TerminalKind, _: bool) -> Result<Terminal, Problem> {
        self.vm(who, vm)?;
        let (input, mut typed) = mpsc::channel::<Vec<u8>>(1);
        let (said, events) = mpsc::channel(4);
        tokio::spawn(async move {
            let status = TerminalStatus::Connected { host: "alpha".parse().unwrap() };
            said.send(TerminalEvent::Status(status)).await.unwrap();
            while let Some(bytes) = typed.recv().await {
                if bytes == b"exit" {
                    return;
                }
                said.send(TerminalEvent::Output(bytes)).await.unwrap();
            }
        });
        Ok(Terminal { input, events })
    }
}

/// The selection that the port keeps: some VMs that have to be looked at, or of which a few were shut down.
pub(super) const SELECTION: SelectionId = SelectionId(Uuid::from_u128(77));

impl Selections for FakeConsole {
    fn select(&self, _: &Principal, chosen: Chosen, action: VmAction) -> Result<SelectionId, Problem> {
        self.selections.lock().unwrap().push(SelectionCall::Select(chosen, action));
        self.refusal.lock().unwrap().clone().map_or(Ok(SELECTION), Err)
    }

    fn selection(&self, _: &Principal, id: SelectionId) -> Result<Selection, Problem> {
        let not_running = Problem::new(Code::WrongState, "two words is shut off: it can't be shut down.");
        let gone = Problem::new(Code::UnknownVm, "No host has this VM any more.");
        let vm = |id: u128, name: &str, turn| SelectedVm {
            id: VmId(Uuid::from_u128(id)),
            name: name.into(),
            host: "alpha".parse().ok(),
            turn,
        };
        let stage = *[Stage::Ready, Stage::Running].get(usize::from(id != SELECTION)).unwrap();
        Ok(Selection {
            id,
            action: VmAction::ShutDown,
            stage,
            at_ms: 5,
            vms: vec![
                vm(1, "web", Turn::Planned),
                vm(2, "two words", Turn::Excluded(not_running)),
                vm(3, "a<b", Turn::Planned),
                SelectedVm { host: None, ..vm(4, "lost", Turn::Excluded(gone)) },
            ],
        })
    }

    fn carry_out_selection(&self, _: &Principal, _: SelectionId, seen_ms: u64) -> Result<(), Problem> {
        self.selections.lock().unwrap().push(SelectionCall::CarryOut(seen_ms));
        self.refusal.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

impl Updates for FakeConsole {
    fn subscribe(
        &self,
        who: &Principal,
        since: Option<u64>,
        scope: Option<Scope>,
    ) -> Result<mpsc::Receiver<Update>, Problem> {
        let (sender, receiver) = mpsc::channel(16);
        if since.is_none() {
            let changes = vec![Change::Snapshot(Box::new(self.snapshot(who, scope)?))];
            sender.try_send(Update { sequence: 7, at_ms: 0, changes }).unwrap();
        }
        self.subscribers.lock().unwrap().push(sender);
        Ok(receiver)
    }
}

#[async_trait]
impl Account for FakeConsole {
    async fn change_password(&self, who: &Principal, change: PasswordChange) -> Result<(), Problem> {
        Ok(self.auth.change_password(who, change).await?)
    }

    async fn sessions(&self, who: &Principal) -> Result<Vec<SessionInfo>, Problem> {
        Ok(self.auth.sessions_of(who).await?)
    }

    async fn end_session(&self, who: &Principal, handle: &str) -> Result<(), Problem> {
        Ok(self.auth.end_session(who, handle).await?)
    }
}

#[async_trait]
impl Evacuations for FakeConsole {
    async fn plan(&self, _: &Principal, request: PlanRequest) -> Result<Plan, Problem> {
        self.call(HostCall::Plan(request.clone()))?;
        Ok(examples::plan(request))
    }

    async fn kept_plan(&self, _: &Principal, id: PlanId) -> Result<Plan, Problem> {
        let plan = examples::plan(PlanRequest::plain(Subject::Hosts(vec![host("alpha").name])));
        if plan.id == id { Ok(plan) } else { Err(Problem::new(Code::UnknownPlan, "There is no such plan any more.")) }
    }

    async fn carry_out(&self, who: &Principal, id: PlanId) -> Result<Evacuation, Problem> {
        self.call(HostCall::CarryOut(id))?;
        self.kept_plan(who, id).await?;
        Ok(self.evacuation().clone())
    }

    async fn evacuation(&self, _: &Principal, id: EvacuationId) -> Result<(Evacuation, Vec<EvacuationEvent>), Problem> {
        let evacuation = self.evacuation().clone();
        match evacuation.id == id {
            true => Ok((
                evacuation,
                vec![EvacuationEvent { at_ms: 1_700_000_000_000, text: "web has moved to beta.".into() }],
            )),
            false => Err(Problem::new(Code::UnknownEvacuation, "There is no such evacuation.")),
        }
    }

    async fn evacuations(&self, _: &Principal, _: u32) -> Result<Vec<Evacuation>, Problem> {
        Ok(vec![Evacuation { items: Vec::new(), ..self.evacuation().clone() }])
    }

    async fn tell(&self, who: &Principal, id: EvacuationId, command: EvacuationCommand) -> Result<Evacuation, Problem> {
        self.call(HostCall::TellEvacuation(command))?;
        Ok(Evacuations::evacuation(self, who, id).await?.0)
    }

    async fn set_maintenance(&self, _: &Principal, name: &HostName, said: MaintenanceCommand) -> Result<(), Problem> {
        self.call(HostCall::Maintain(name.clone(), said))?;
        match [host("alpha").name, host("beta").name].contains(name) {
            true => Ok(()),
            false => Err(Problem::new(Code::UnknownHost, "There is no such host.")),
        }
    }

    async fn placement_rules(&self, _: &Principal) -> Result<PlacementRules, Problem> {
        Ok(PlacementRules::default())
    }

    async fn set_placement_rules(&self, _: &Principal, rules: PlacementRules) -> Result<(), Problem> {
        self.call(HostCall::Place(rules))
    }
}
