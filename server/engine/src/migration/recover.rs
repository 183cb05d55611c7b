//! Recovers a migration by post-copy that broke off: the source sends the rest of the memory, and the end is judged like any other.
//!
//! A person has asked for it (`take_step.rs`), and the store says that it goes on. Should the console die, the next one watches it like
//! any other migration, or finds it broken off still (`resume.rs`).

use model::{Acted, ControlFlow, DiskMove, Migration};
use tokio::time::Instant;

use super::{
    Reported, Setback,
    active::ActiveMigration,
    finalize::finalize,
    sample::{due, sample, watch_until_gone},
};
use crate::{
    clock::every_sample,
    hypervisor::{DiskCopy, HostError, HostErrorKind, MigrationPlan, NotMigrated},
    limits,
    storage::StorageJournal as _,
};

/// Lets the rest of the memory follow, and ends the migration by what the hosts say then.
pub(super) async fn recover(active: &mut ActiveMigration) {
    active.journal().until_written().await;
    let Migration { id, .. } = *active.record();
    if let Ok(points) = active.context().store().trace(id).await {
        active.context().traces().go_on(id, points);
    }
    let reported = attempt(active).await;
    if matches!(reported, Err(Setback::Lost(_))) {
        // It may go on without us.
        watch_until_gone(active).await;
    }
    finalize(active, reported, &[]).await;
}

async fn attempt(active: &mut ActiveMigration) -> Reported {
    let plan = plan(active).await.map_err(NotMigrated::NotBegun)?;
    let source = active.source().map_err(NotMigrated::NotBegun)?;
    let mut recovering = source.recover_post_copy(&plan);
    let mut ticks = every_sample();
    let mut begun = Instant::now();
    loop {
        tokio::select! {
            reported = &mut recovering => return Ok(reported?),
            () = due(active, &mut ticks) => {}
        }
        sample(active).await;
        if !active.has_broken_off() {
            begun = Instant::now();
        } else if begun.elapsed() > limits::RECOVERY_BEGINS {
            return Err(Setback::Lost(too_late(active.record()).into()));
        }
    }
}

/// The plan that it was begun with, as far as it matters now: libvirt wants the call repeated.
async fn plan(active: &ActiveMigration) -> Result<MigrationPlan, HostError> {
    let Migration { vm, source, destination, mode, options, encrypted, acts, disks, .. } = active.record();
    let copy = active.source()?.copy(*vm).await?;
    let inventory = active.context().inventory();
    let (Some(from), Some(to)) = (inventory.host(source), inventory.host(destination)) else {
        return Err(HostError::unknown_host(destination.as_str()));
    };
    let asked_for = acts.iter().rev().find_map(|act| match act.what {
        Acted::Bandwidth { mib_s } => Some(mib_s),
        _ => None,
    });
    Ok(MigrationPlan {
        vm: *vm,
        destination: to.for_migration(None),
        control_flow: ControlFlow::PeerToPeer,
        encrypted: *encrypted,
        rdma: false,
        mode: *mode,
        undefine_source: !options.keep_source_definition,
        persist_destination: copy.is_some_and(|copy| copy.persistent),
        bandwidth_mib_s: asked_for.or(options.bandwidth_mib_s).or(from.config.bandwidth_mib_s),
        switchover_mib_s: None,
        throttle: None,
        post_copy: true,
        connections: None,
        compress: false,
        new_name: options.new_name.clone(),
        disks: disks.iter().filter_map(copied).collect(),
        synchronous_writes: false,
        trust_shared_directories: false,
    })
}

/// A disk whose copy was complete before the VM went on at the destination: its definition there has it.
fn copied(DiskMove { target, path, .. }: &DiskMove) -> Option<DiskCopy> {
    let path = path.clone()?;
    // Only volumes of logical pools are block devices, and those are below /dev.
    Some(DiskCopy { target: target.clone(), is_block: path.starts_with("/dev/"), path })
}

fn too_late(Migration { vm_name, source, .. }: &Migration) -> HostError {
    let sentence = format!(
        "libvirt on {source} did not begin to recover the migration of {vm_name} within {} s.",
        limits::RECOVERY_BEGINS.as_secs()
    );
    HostError::new(HostErrorKind::TimedOut, sentence)
}
