//! Hands a migration to libvirt, and goes on direct where the source may not log in at the destination.

use model::{ControlFlow, Migration, Mode, Policy, VmState};

use super::{
    Reported, Setback,
    active::ActiveMigration,
    begin_again::begins_again,
    follow_policy::throttle,
    sample::{due, sample},
};
use crate::{
    clock::every_sample,
    error::Error,
    hypervisor::{HostError, HostErrorKind, MigrationPlan, NotMigrated, Presence, Transport},
    precopy::Connections,
    storage::{self, CopiedImage, Prepared, StorageJournal as _},
};

/// What libvirt needs besides the record.
pub(super) struct Handover {
    /// Whether the VM's definition outlives a power-off at the source, and so shall at the destination.
    pub(super) persistent: bool,
    /// How the destination is reached, if a login was typed for this migration.
    pub(super) login: Option<Transport>,
    pub(super) prepared: Prepared,
    /// What the link carries without a limit, in MiB/s, if that is known and there is one.
    pub(super) switchover_mib_s: Option<u32>,
    /// Over how many connections the memory goes; none is the ordinary one.
    pub(super) connections: Option<Connections>,
}

/// Lets libvirt move the VM, and watches it until libvirt says it is over. `images` are those that the console has copied itself.
pub(super) async fn drive(active: &mut ActiveMigration, handover: Handover, images: &[CopiedImage]) -> Reported {
    let plan = plan(active, handover).map_err(|error| Setback::NotBegun(error.into()))?;
    ensure_untouched(active, images).await?;
    let reported = hand_over(active, &plan).await;
    let is_direct = plan.control_flow == ControlFlow::Direct;
    if !is_direct {
        remember_login(active, &reported);
    }
    match doubted(active, reported).await {
        // It was the source's login that failed, and the request does not insist on it.
        Err(NotMigrated::NotBegun(refusal))
            if is_peer_login(&refusal) && !is_direct && active.record().options.control_flow.is_none() =>
        {
            go_direct(active, &refusal).await.map_err(Setback::NotBegun)?;
            ensure_untouched(active, images).await?;
            let plan = MigrationPlan { control_flow: ControlFlow::Direct, post_copy: false, ..plan };
            let reported = hand_over(active, &plan).await;
            doubted(active, reported).await.map_err(Setback::from)
        }
        reported => reported.map_err(Setback::from),
    }
}

/// That nothing was begun, as the source could not log in, is believed only while the source has the VM and does not move it.
async fn doubted(active: &ActiveMigration, reported: Result<(), NotMigrated>) -> Result<(), NotMigrated> {
    match reported {
        Err(NotMigrated::NotBegun(refusal)) if is_peer_login(&refusal) && !is_as_it_was(active).await => {
            Err(NotMigrated::Failed(refusal))
        }
        reported => reported,
    }
}

/// The last thing before libvirt is asked to move a VM that is off: libvirt does not mind if it runs by now, or has written to its disks.
async fn ensure_untouched(active: &ActiveMigration, images: &[CopiedImage]) -> Reported {
    match active.record().mode {
        Mode::Live => Ok(()),
        Mode::Offline => {
            storage::ensure_untouched(active.context(), active.record(), images).await.map_err(Setback::NotBegun)
        }
    }
}

/// Hands it to libvirt, again where it has to begin again.
async fn hand_over(active: &mut ActiveMigration, plan: &MigrationPlan) -> Result<(), NotMigrated> {
    let mut plan = plan.clone();
    loop {
        active.journal().prepare(Some(plan.throttle.is_some()), Some(plan.post_copy));
        active.journal().switchover(plan.switchover_mib_s);
        active.journal().connections(plan.connections.filter(|_| !plan.post_copy));
        let reported = hand_over_once(active, &plan).await;
        let Some(again) = begins_again(active, &reported).await else { return reported };
        if !is_as_it_was(active).await {
            return reported;
        }
        plan.throttle = again.throttle.or(plan.throttle);
        plan.post_copy = again.post_copy.unwrap_or(plan.post_copy);
    }
}

async fn hand_over_once(active: &mut ActiveMigration, plan: &MigrationPlan) -> Result<(), NotMigrated> {
    let source = active.source().map_err(NotMigrated::NotBegun)?;
    let mut moving = source.migrate(plan);
    let mut ticks = every_sample();
    loop {
        // Only waiting is given up when libvirt is done: a sample, once begun, is taken and written down.
        tokio::select! {
            reported = &mut moving => return reported,
            () = due(active, &mut ticks) => {}
        }
        sample(active).await;
    }
}

fn plan(
    active: &ActiveMigration,
    Handover { persistent, login, prepared, switchover_mib_s, connections }: Handover,
) -> Result<MigrationPlan, HostError> {
    let Migration { vm, source, destination, mode, options, control_flow, encrypted, policy, .. } = active.record();
    let inventory = active.context().inventory();
    let (Some(from), Some(to)) = (inventory.host(source), inventory.host(destination)) else {
        return Err(HostError::unknown_host(destination.as_str()));
    };
    let control_flow = control_flow.unwrap_or(ControlFlow::PeerToPeer);
    let runs = inventory.copy(source, *vm).is_some_and(|copy| copy.state == VmState::Running);
    // Of other migrations libvirt encrypts nothing itself: they go through a connection that is encrypted or not.
    let from_host_to_host = *mode == Mode::Live && control_flow != ControlFlow::Tunnelled;
    // Direct, the console is the link between both halves: should it die, post-copy breaks off.
    let can_post_copy = *mode == Mode::Live && control_flow == ControlFlow::PeerToPeer;
    Ok(MigrationPlan {
        vm: *vm,
        destination: to.for_migration(login.as_ref()),
        control_flow,
        encrypted: *encrypted && from_host_to_host,
        rdma: options.rdma && from_host_to_host,
        mode: *mode,
        undefine_source: !options.keep_source_definition,
        // An offline VM has nothing but its definition, so that is what has to stay.
        persist_destination: persistent || *mode == Mode::Offline,
        bandwidth_mib_s: options.bandwidth_mib_s.or(from.config.bandwidth_mib_s),
        switchover_mib_s,
        throttle: (policy.slows_guest() && *mode == Mode::Live).then(|| throttle(active.record())),
        // libvirt refuses it for a VM that is paused, and its tunnelled transport can't do it.
        post_copy: *policy == Policy::Certain && can_post_copy && !options.rdma && runs,
        connections: connections.map(|connections| connections.count),
        compress: connections.is_some_and(|connections| connections.compressed),
        new_name: options.new_name.clone(),
        disks: prepared.disks,
        synchronous_writes: prepared.synchronous_writes,
        trust_shared_directories: prepared.trust_shared_directories,
    })
}

/// Whether the source may log in at the destination is known once it has tried.
fn remember_login(active: &ActiveMigration, reported: &Result<(), NotMigrated>) {
    let Migration { source, destination, .. } = active.record();
    let refused_ms = match reported {
        Err(NotMigrated::NotBegun(refusal)) if is_peer_login(refusal) => Some(active.context().now_ms()),
        Ok(()) | Err(NotMigrated::Failed(_)) => None,
        Err(NotMigrated::NotBegun(_) | NotMigrated::Lost(_)) => return,
    };
    active.context().inventory().peer_logins.tried(source, destination, refused_ms);
}

/// Whether the source has the VM, and does not move it. That nothing was begun is only what libvirt's words sound like: a login that
/// worked and broke later may sound so, too.
async fn is_as_it_was(active: &ActiveMigration) -> bool {
    let Migration { mode, source, .. } = active.record();
    let expected = if *mode == Mode::Live { Presence::Active } else { Presence::Inactive };
    active.presence_at(source).await == expected
}

/// Whether the source's daemon could not log in at the destination.
fn is_peer_login(refusal: &HostError) -> bool {
    refusal.kind == HostErrorKind::PeerLogin
}

/// From now on the console drives it, which the next console has to know of. What was made ready stays so.
async fn go_direct(active: &mut ActiveMigration, refusal: &HostError) -> Result<(), Error> {
    active.unless_cancelled().await?;
    let Migration { source, destination, .. } = active.record();
    let because = refusal.details.as_ref().map_or_else(String::new, |words| format!(" ({words})"));
    let text =
        format!("{source} could not log in on {destination}{because}. It goes on direct: the console drives it.");
    active.journal().go_direct(text).await;
    active.until_written().await
}
