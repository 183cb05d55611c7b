//! One migration, from the queue to its end.

use std::mem;

use model::{HostName, Migration, MigrationFilter, Mode, Phase};
use tokio::time::timeout;

use super::{
    Setback,
    active::ActiveMigration,
    asleep, autostart,
    connections::{self, number},
    drive::{self, Handover},
    finalize::{finalize, not_begun},
    leftovers, queue,
    sample::watch_until_gone,
};
use crate::{
    error::Error,
    hypervisor::{HostError, HostErrorKind, HostFacts, Presence, Transport, knows_switchover},
    limits, preflight,
    storage::{self, Prepared, StorageJournal as _},
};

/// How many earlier migrations are looked through for one that measured the link.
const EARLIER: u32 = 50;

/// What only a migration that was just asked for has.
pub(super) struct Start {
    /// Whether the VM's definition outlives a power-off at the source, and so shall at the destination.
    pub(super) persistent: bool,
    /// How the destination is reached, if a login was typed for this migration. Gone when the migration has ended.
    pub(super) login: Option<Transport>,
}

/// Runs a migration that was just asked for to its end.
pub(super) async fn run(active: &mut ActiveMigration, start: Start) {
    let Migration { requested_by, vm_name, source, destination, .. } = active.record();
    let begun = format!("{requested_by} asked to move {vm_name} from {source} to {destination}.");
    active.write(begun).await;
    if let Err(error) = queue::wait(active).await {
        return not_begun(active, Setback::NotBegun(error)).await;
    }
    active.journal().enter(Phase::Checking).await;
    if let Err(error) = check_again(active).await {
        return not_begun(active, Setback::NotBegun(error)).await;
    }
    asleep::note(active);
    autostart::note(active, start.persistent).await;
    // What has not come as far as this the next console knows not to have begun, whatever it finds on the hosts.
    active.journal().enter(Phase::Preparing).await;
    if active.until_written().await.is_err() {
        return active.journal().end(Phase::Cancelled, None, None).await;
    }
    active.expect_memory();
    let mut prepared = match prepare(active).await {
        Ok(prepared) => prepared,
        Err(error) => return not_begun(active, Setback::NotBegun(error)).await,
    };
    let Start { persistent, login } = start;
    let switchover_mib_s = switchover_mib_s(active).await;
    let connections = connections::choose(active).await;
    let images = mem::take(&mut prepared.images);
    let reported =
        drive::drive(active, Handover { persistent, login, prepared, switchover_mib_s, connections }, &images).await;
    active.give_places_back();
    match reported {
        Err(refused @ Setback::NotBegun(_)) => not_begun(active, refused).await,
        reported => {
            if matches!(reported, Err(Setback::Lost(_))) && !active.is_direct() {
                // It may go on without us.
                watch_until_gone(active).await;
            }
            finalize(active, reported, &images).await;
        }
    }
}

/// Does all that comes before libvirt is asked to move the VM.
async fn prepare(active: &mut ActiveMigration) -> Result<Prepared, Error> {
    let context = active.shared_context();
    let limit = bandwidth_bytes_s(active);
    let link = match limit {
        Some(limit) => Some(limit),
        None => measured_link_bytes_s(active).await,
    };
    let (mode, destination) = (active.record().mode, active.record().destination.clone());
    let preparing = storage::prepare(&context, active, link, limit);
    let prepared = match mode {
        // What is ready may have been made: it is in the ledger.
        Mode::Live => timeout(limits::PREPARING, preparing).await.map_err(|_| too_slow(&destination))??,
        // This copies the disks, which takes as long as it takes.
        Mode::Offline => preparing.await?,
    };
    leftovers::expect_copy(active).await?;
    if active.record().mode == Mode::Offline {
        // Of a VM that is off both hosts may have had a definition all along, so the next console could not see by them
        // whether libvirt was asked.
        active.journal().enter(Phase::SwitchingOver).await;
        active.until_written().await?;
        // It may have been started meanwhile, and libvirt would not mind: both hosts would have it.
        check_again(active).await?;
    }
    Ok(prepared)
}

fn too_slow(destination: &HostName) -> HostError {
    let minutes = limits::PREPARING.as_secs() / 60;
    HostError::new(HostErrorKind::TimedOut, format!("Preparing {destination} took longer than {minutes} min."))
        .with_fix(format!("Look at the storage of {destination}: something in it hangs. Then try again."))
}

/// What was chosen for the migration, or else set for the source, in bytes a second.
pub(super) fn bandwidth_bytes_s(active: &ActiveMigration) -> Option<u64> {
    let Migration { source, options, .. } = active.record();
    let of_source = active.context().inventory().host(source)?.config.bandwidth_mib_s;
    Some(u64::from(options.bandwidth_mib_s.or(of_source)?) << 20)
}

/// What earlier migrations between the two hosts had, in bytes a second.
pub(super) async fn measured_link_bytes_s(active: &ActiveMigration) -> Option<u64> {
    let earlier = earlier(active).await?;
    preflight::carried(earlier.iter(), &active.record().options)
}

/// What the link carries without the limit of this migration, in MiB/s, if it has one and that is known. Writes down what QEMU is told.
async fn switchover_mib_s(active: &mut ActiveMigration) -> Option<u32> {
    let limit = u32::try_from(bandwidth_bytes_s(active)? >> 20).ok()?;
    if active.record().mode != Mode::Live || !can_be_told(active) {
        return None;
    }
    let mib_s = preflight::unlimited_mib_s(earlier(active).await?.iter(), limit)?;
    let text = format!(
        "QEMU is told that the network carries {mib_s} MiB/s without the limit of {limit} MiB/s, which does not hold during the pause: \
         earlier migrations between these hosts had more."
    );
    active.write(text).await;
    Some(mib_s)
}

/// Whether QEMU can be told what the link carries during the pause, also if the console has to drive the migration.
fn can_be_told(active: &ActiveMigration) -> bool {
    let Migration { source, destination, .. } = active.record();
    let inventory = active.context().inventory();
    let [from, to] = [source, destination].map(|name| inventory.host(name).and_then(|entry| entry.facts.as_ref()));
    let libvirt = |facts: &HostFacts| number(&facts.libvirt_version);
    let (Some(from), Some(to)) = (from, to) else { return false };
    let older = libvirt(from).zip(libvirt(to)).map(|(one, other)| one.min(other));
    older.zip(number(&from.hypervisor_version)).is_some_and(|(libvirt, qemu)| knows_switchover(libvirt, qemu))
}

/// The newest migrations between the two hosts that succeeded.
async fn earlier(active: &ActiveMigration) -> Option<Vec<Migration>> {
    let Migration { source, destination, .. } = active.record();
    let between = MigrationFilter {
        source: Some(source.clone()),
        destination: Some(destination.clone()),
        ..MigrationFilter::newest(EARLIER)
    };
    active.context().store().migrations(&between.succeeded()).await.ok()
}

/// Looks at the VM once more: it may have waited in the queue for a long time.
async fn check_again(active: &ActiveMigration) -> Result<(), Error> {
    let Migration { vm, vm_name, source, mode, .. } = active.record();
    let connection = active.source()?;
    let copy = connection.copy(*vm).await?;
    let is_active = copy.as_ref().is_some_and(|copy| copy.state.is_active());
    if matches!(Presence::of(copy.as_ref()), Presence::Abandoned { .. }) {
        return Err(Error::LeftPaused { vm: vm_name.clone(), host: source.clone() });
    }
    if copy.is_some() && is_active == (*mode == Mode::Live) {
        return match is_active && connection.job(*vm).await?.is_some() {
            true => Err(Error::MigratedFromOutside { vm: vm_name.clone() }),
            false => Ok(()),
        };
    }
    Err(Error::StateChanged { vm: vm_name.clone(), state: copy.map(|copy| copy.state) })
}
