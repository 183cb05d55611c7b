//! What has to be ready before libvirt moves a VM: proof that shared disks are shared, volumes to copy to, empty drives.

use std::{cmp::Reverse, collections::BTreeSet, time::Duration};

use model::{Finding, LeftoverKind, Migration, Mode, Severity, text};
use tokio::time::{Instant, sleep};

use super::{
    endpoints::Endpoints,
    journal::StorageJournal,
    offline,
    plan::{Fate, Plan, PlannedDisk, Side, decide},
    proof,
    untouched::CopiedImage,
};
use crate::{
    clock::millis,
    context::Context,
    error::Error,
    hypervisor::{DiskCopy, DiskSource, HostError, NewVolume, Volume},
};

/// Between two measurements of what the guest has written to its disks.
const WRITES_APART: Duration = Duration::from_secs(1);

/// What is ready for libvirt.
#[derive(Default)]
pub(crate) struct Prepared {
    pub(crate) disks: Vec<DiskCopy>,
    /// What the console has copied, of a VM that is off.
    pub(crate) images: Vec<CopiedImage>,
    pub(crate) synchronous_writes: bool,
    pub(crate) trust_shared_directories: bool,
}

/// Makes everything ready. `link_bytes_s` is what the link between the hosts carries, if that is known; `limit_bytes_s` what may be
/// used of it. Both in bytes a second.
///
/// # Errors
/// Nothing has moved then. What was made by then is among the migration's leftovers.
pub(crate) async fn prepare(
    context: &Context,
    journal: &mut dyn StorageJournal,
    link_bytes_s: Option<u64>,
    limit_bytes_s: Option<u64>,
) -> Result<Prepared, Error> {
    let hosts = Endpoints::of(context, journal.record());
    let plan = storage_plan(&hosts, journal.record()).await?;
    is_as_planned(journal.record(), &plan)?;
    proof::prove(&hosts, journal, &plan).await?;
    let disks = create_volumes(&hosts, journal, &plan).await?;
    let images = match journal.record().mode {
        Mode::Offline => offline::copy_volumes(&hosts, journal, &plan, limit_bytes_s).await?,
        Mode::Live => Vec::new(),
    };
    for target in &plan.eject {
        journal.unless_cancelled().await?;
        hosts.source()?.eject(journal.record().vm, target).await?;
        journal.write(format!("Took the medium out of {target}.")).await;
    }
    let synchronous_writes = writes_too_fast(&hosts, journal, link_bytes_s).await;
    journal.unless_cancelled().await?;
    Ok(Prepared { disks, images, synchronous_writes, trust_shared_directories: plan.trusts_settings() })
}

/// What happens to the disks as things are now: the migration may have waited for a long time.
async fn storage_plan(hosts: &Endpoints<'_>, migration: &Migration) -> Result<Plan, HostError> {
    let (at_source, at_destination) = (hosts.source()?, hosts.destination()?);
    let domain = at_source.domain(migration.vm).await?;
    if domain.disks.is_empty() {
        return Ok(Plan::default());
    }
    let of_disks = domain.without_references();
    let (source_survey, destination_survey) =
        tokio::try_join!(at_source.survey(&of_disks), at_destination.survey(&of_disks))?;
    let (from, to) = hosts.configs()?;
    let mut options = migration.options.clone();
    options.pools.extend(migration.disks.iter().map(|disk| (disk.target.clone(), disk.pool.clone())));
    let left_volumes = hosts.context().inventory().left_volumes(hosts.destination_name());
    let source = Side { config: &from, survey: &source_survey, left_volumes: &[] };
    let destination = Side { config: &to, survey: &destination_survey, left_volumes: &left_volumes };
    Ok(decide(&domain, source, destination, migration.mode, &options))
}

/// Refuses if other disks are to be copied now than were shown, or if libvirt would leave a disk behind unasked.
fn is_as_planned(migration: &Migration, plan: &Plan) -> Result<(), Error> {
    let shown: BTreeSet<_> =
        migration.disks.iter().map(|disk| (&disk.target, &disk.source, &disk.pool, &disk.volume)).collect();
    let now: BTreeSet<_> =
        plan.copies().map(|(disk, place)| (&disk.disk.target, &disk.source, &place.pool, &place.volume)).collect();
    let left_behind = plan.disks.iter().any(|disk| libvirt_would_leave_behind(migration.mode, plan, disk));
    if shown == now && !left_behind {
        return Ok(());
    }
    // What is not known keeps a disk from being left behind.
    let in_the_way = |found: &&Finding| match found.severity {
        Severity::Blocker => true,
        Severity::Unknown => left_behind,
        Severity::Warning | Severity::Ok => false,
    };
    let mut findings: Vec<Finding> = plan.findings.iter().filter(in_the_way).cloned().collect();
    findings.sort_by_key(|found| Reverse(found.severity));
    Err(Error::DisksChanged { vm: migration.vm_name.clone(), findings })
}

/// Whether a disk can neither stay nor be copied, and libvirt would not mind. It refuses to leave files behind that it does
/// not see to be shared; but it takes every block device for shared, and asks nothing of a VM that is shut off, or if it
/// was told to trust the settings.
fn libvirt_would_leave_behind(mode: Mode, plan: &Plan, disk: &PlannedDisk) -> bool {
    let refuses = mode == Mode::Live && matches!(disk.disk.source, DiskSource::File { .. }) && !plan.trusts_settings();
    matches!(disk.fate, Fate::Stuck) && !refuses
}

/// Makes the volumes that disks are copied to.
async fn create_volumes(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    plan: &Plan,
) -> Result<Vec<DiskCopy>, Error> {
    let mut copies = Vec::new();
    for (PlannedDisk { disk, .. }, place) in plan.copies() {
        journal.unless_cancelled().await?;
        let wanted = NewVolume {
            pool: place.pool.clone(),
            name: place.volume.clone(),
            format: disk.format.clone(),
            capacity_bytes: disk.capacity_bytes,
        };
        let made = create_volume(hosts, journal, &wanted).await?;
        let size = text::bytes(disk.capacity_bytes);
        let (volume, pool, host) = (&wanted.name, &wanted.pool, hosts.destination_name());
        let told = format!("Made the volume {volume} ({size}) in the pool {pool} on {host}.");
        journal.volume_created(&disk.target, &made, told).await?;
        copies.push(DiskCopy { target: disk.target.clone(), path: made.path, is_block: place.is_block });
    }
    Ok(copies)
}

/// Makes a volume. If it is not certain whether it was made, it stays among the migration's leftovers: the pool had none of its name
/// before, and libvirt makes none over another.
async fn create_volume(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    wanted: &NewVolume,
) -> Result<Volume, Error> {
    let (host, destination) = (hosts.destination_name(), hosts.destination()?);
    let NewVolume { pool, name, capacity_bytes, .. } = wanted.clone();
    if let Some(by) = hosts.context().inventory().left_by(host, &pool, &name) {
        return Err(Error::VolumeLeft { pool, volume: name, host: host.clone(), by });
    }
    if destination.volume(&pool, &name).await?.is_some() {
        // libvirt refuses, in words of its own.
        return Ok(destination.create_volume(wanted).await?);
    }
    let what = LeftoverKind::Volume { pool, name, capacity_bytes, confirmed: false, unused: false };
    journal.expect(host, what.clone()).await?;
    let made = destination.create_volume(wanted).await;
    // It has said that it has not made it.
    if let Err(error) = &made
        && !error.kind.is_no_answer()
    {
        journal.forget(host, &what, None).await;
    }
    Ok(made?)
}

/// Whether the guest writes so fast that the copies of its disks might never catch up. Written down, if so.
async fn writes_too_fast(hosts: &Endpoints<'_>, journal: &mut dyn StorageJournal, link_bytes_s: Option<u64>) -> bool {
    let migration = journal.record();
    if migration.mode == Mode::Offline || migration.disks.is_empty() {
        return false;
    }
    let Some(link) = link_bytes_s else { return false };
    let Some(writes) = disk_writes_bytes_s(hosts, migration).await else { return false };
    let too_fast = writes > link / 2;
    if too_fast {
        let (writes, link) = (text::rate(writes), text::rate(link));
        let told = format!(
            "The guest writes {writes} to its disks and the link carries {link}: it will wait for each write to reach both hosts."
        );
        journal.write(told).await;
    }
    too_fast
}

/// What the guest writes to the disks that are copied, in bytes a second; none if the host does not say.
async fn disk_writes_bytes_s(hosts: &Endpoints<'_>, migration: &Migration) -> Option<u64> {
    let targets: Vec<String> = migration.disks.iter().map(|disk| disk.target.clone()).collect();
    let source = hosts.source().ok()?;
    let before = (Instant::now(), source.disk_writes(migration.vm, &targets).await.ok()?);
    sleep(WRITES_APART).await;
    let after = (Instant::now(), source.disk_writes(migration.vm, &targets).await.ok()?);
    let written = after.1.saturating_sub(before.1);
    written.saturating_mul(1000).checked_div(millis(after.0 - before.0))
}
