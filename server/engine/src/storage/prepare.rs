//! What has to be ready before libvirt moves a VM: proof that shared disks are shared, volumes to copy to, empty drives.

use std::{cmp::Reverse, collections::BTreeSet, sync::Arc, time::Duration};

use model::{Code, DiskMove, Finding, Migration, Mode, Problem, Severity, text};
use store::MigrationFilter;
use tokio::time::{Instant, sleep};

use super::plan::{Fate, Plan, PlannedDisk, Side, decide};
use crate::{
    DiskCopy, DiskSource, HostConfig, HostConnection, NewVolume, clock::millis, inventory::unknown_host,
    migration::lifecycle::Runner, preflight,
};

/// Between two looks at what the guest has written to its disks.
const WRITES_APART: Duration = Duration::from_secs(1);
/// How many earlier moves between the two hosts are looked at for those that measured the link.
const EARLIER: u32 = 50;

/// What is ready for libvirt.
#[derive(Default)]
pub(crate) struct Prepared {
    pub(crate) disks: Vec<DiskCopy>,
    pub(crate) synchronous_writes: bool,
    pub(crate) trust_shared_directories: bool,
}

impl Runner<'_> {
    /// Makes everything ready. Nothing has moved when it fails; what it made by then is to be cleaned up.
    pub(crate) async fn prepare(&mut self) -> Result<Prepared, Problem> {
        let plan = self.storage_plan().await?;
        self.is_as_planned(&plan)?;
        self.prove(&plan).await?;
        let disks = self.create_volumes(&plan).await?;
        if self.migration.mode == Mode::Offline {
            self.copy_volumes(&plan).await?;
        }
        for target in &plan.eject {
            self.unless_cancelled().await?;
            self.source()?.eject(self.migration.vm, target).await?;
            self.write(format!("Took the medium out of {target}.")).await;
        }
        let synchronous_writes = self.writes_too_fast().await;
        self.unless_cancelled().await?;
        Ok(Prepared { disks, synchronous_writes, trust_shared_directories: plan.trusts_settings() })
    }

    pub(super) fn source(&self) -> Result<Arc<dyn HostConnection>, Problem> {
        self.engine.inventory().connection(&self.migration.source)
    }

    pub(super) fn destination(&self) -> Result<Arc<dyn HostConnection>, Problem> {
        self.engine.inventory().connection(&self.migration.destination)
    }

    /// The settings of both hosts.
    pub(super) fn configs(&self) -> Result<(HostConfig, HostConfig), Problem> {
        let inventory = self.engine.inventory();
        let config = |name| inventory.host(name).map(|entry| entry.config.clone());
        let Migration { source, destination, .. } = &self.migration;
        config(source).zip(config(destination)).ok_or_else(|| unknown_host(destination.as_str()))
    }

    /// Ends the preparations as soon as somebody has asked for it.
    pub(crate) async fn unless_cancelled(&mut self) -> Result<(), Problem> {
        if !self.handle.cancel.is_cancelled() {
            return Ok(());
        }
        if !self.migration.cancel_requested {
            self.note_cancel().await;
        }
        Err(Problem::new(Code::Cancelled, "The migration was cancelled before libvirt began."))
    }

    /// What happens to the disks as things are now: the migration may have waited for a long time.
    async fn storage_plan(&self) -> Result<Plan, Problem> {
        let (here, there) = (self.source()?, self.destination()?);
        let domain = here.domain(self.migration.vm).await?;
        if domain.disks.is_empty() {
            return Ok(Plan::default());
        }
        let (at_source, at_destination) = tokio::try_join!(here.survey(&domain), there.survey(&domain))?;
        let (from, to) = self.configs()?;
        let mut options = self.migration.options.clone();
        options.pools.extend(self.migration.disks.iter().map(|disk| (disk.target.clone(), disk.pool.clone())));
        let source = Side { config: &from, survey: &at_source };
        let destination = Side { config: &to, survey: &at_destination };
        Ok(decide(&domain, source, destination, self.migration.mode, &options))
    }

    /// Refuses if other disks are to be copied now than were shown, or if libvirt would leave a disk behind unasked.
    fn is_as_planned(&self, plan: &Plan) -> Result<(), Problem> {
        let shown: BTreeSet<_> =
            self.migration.disks.iter().map(|disk| (&disk.target, &disk.source, &disk.pool, &disk.volume)).collect();
        let now: BTreeSet<_> =
            plan.copies().map(|(disk, place)| (&disk.disk.target, &disk.source, &place.pool, &place.volume)).collect();
        let left_behind = plan.disks.iter().any(|disk| self.libvirt_would_leave_behind(plan, disk));
        if shown == now && !left_behind {
            return Ok(());
        }
        // What is not known is in the way of a disk that would be left behind.
        let in_the_way = |found: &&Finding| match found.severity {
            Severity::Blocker => true,
            Severity::Unknown => left_behind,
            Severity::Warning | Severity::Ok => false,
        };
        let mut findings: Vec<Finding> = plan.findings.iter().filter(in_the_way).cloned().collect();
        findings.sort_by_key(|found| Reverse(found.severity));
        let (sentence, fix) = match findings.first() {
            Some(Finding { text, fix, .. }) => (text.clone(), fix.clone()),
            None => (format!("The disks of {} are others than when this was asked for.", self.migration.vm_name), None),
        };
        let fix = fix.unwrap_or_else(|| "Look at what is planned now, then start it again.".to_owned());
        Err(Problem::new(Code::Blocked, sentence).with_fix(fix).with_findings(findings))
    }

    /// Whether a disk can neither stay nor be copied, and libvirt would not mind. It refuses to leave files behind that it does
    /// not see to be shared; but it takes every block device for shared, and asks nothing of a VM that is shut off, or if it
    /// was told to trust the settings.
    fn libvirt_would_leave_behind(&self, plan: &Plan, disk: &PlannedDisk) -> bool {
        let refuses = self.migration.mode == Mode::Live
            && matches!(disk.disk.source, DiskSource::File { .. })
            && !plan.trusts_settings();
        matches!(disk.fate, Fate::Stuck) && !refuses
    }

    /// Makes the volumes that disks are copied to. What was made is written down at once: the intent is in the store since the
    /// migration is.
    async fn create_volumes(&mut self, plan: &Plan) -> Result<Vec<DiskCopy>, Problem> {
        let mut copies = Vec::new();
        for (PlannedDisk { disk, .. }, place) in plan.copies() {
            self.unless_cancelled().await?;
            let wanted = NewVolume {
                pool: place.pool.clone(),
                name: place.volume.clone(),
                format: disk.format.clone(),
                capacity_bytes: disk.capacity_bytes,
            };
            let made = self.destination()?.create_volume(&wanted).await?;
            let kept = self.migration.disks.iter_mut().find(|kept| kept.target == disk.target);
            if let Some(DiskMove { path, created, .. }) = kept {
                (*path, *created) = (Some(made.path.clone()), true);
            }
            let size = text::bytes(disk.capacity_bytes);
            let (volume, pool, host) = (&wanted.name, &wanted.pool, &self.migration.destination);
            self.write(format!("Made the volume {volume} ({size}) in the pool {pool} on {host}.")).await;
            copies.push(DiskCopy { target: disk.target.clone(), path: made.path, is_block: place.is_block });
        }
        Ok(copies)
    }

    /// Whether the guest writes so fast that the copies of its disks might never catch up. Told, if so.
    async fn writes_too_fast(&mut self) -> bool {
        if self.migration.mode == Mode::Offline || self.migration.disks.is_empty() {
            return false;
        }
        let Some(link) = self.link_bytes_s().await else { return false };
        let Some(writes) = self.disk_writes_bytes_s().await else { return false };
        let too_fast = writes > link / 2;
        if too_fast {
            let (writes, link) = (text::rate(writes), text::rate(link));
            let text = format!(
                "The guest writes {writes} to its disks and the link carries {link}: it will wait for each write to reach both hosts."
            );
            self.write(text).await;
        }
        too_fast
    }

    /// What the link may or can carry, in bytes a second: the limit, or else what earlier moves between the two hosts had.
    async fn link_bytes_s(&self) -> Option<u64> {
        if let Some(limit) = self.bandwidth_bytes_s() {
            return Some(limit);
        }
        let Migration { source, destination, options, .. } = &self.migration;
        let between = MigrationFilter {
            source: Some(source.clone()),
            destination: Some(destination.clone()),
            ..MigrationFilter::newest(EARLIER)
        };
        let earlier = self.engine.store.migrations(&between.succeeded()).await.ok()?;
        preflight::carried(earlier.iter(), options)
    }

    /// What was chosen for the migration, or else set for the source, in bytes a second.
    pub(super) fn bandwidth_bytes_s(&self) -> Option<u64> {
        let (source, _) = self.configs().ok()?;
        let limit = self.migration.options.bandwidth_mib_s.or(source.bandwidth_mib_s)?;
        Some(u64::from(limit) << 20)
    }

    /// What the guest writes to the disks that are copied, in bytes a second; none if the host does not say.
    async fn disk_writes_bytes_s(&self) -> Option<u64> {
        let targets: Vec<String> = self.migration.disks.iter().map(|disk| disk.target.clone()).collect();
        let source = self.source().ok()?;
        let before = (Instant::now(), source.disk_writes(self.migration.vm, &targets).await.ok()?);
        sleep(WRITES_APART).await;
        let after = (Instant::now(), source.disk_writes(self.migration.vm, &targets).await.ok()?);
        let written = after.1.saturating_sub(before.1);
        written.saturating_mul(1000).checked_div(millis(after.0 - before.0))
    }
}
