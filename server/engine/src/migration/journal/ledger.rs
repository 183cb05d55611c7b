//! The ledger: what a migration may have left on hosts. Written down before it can come to be, and until it is known to be gone or is
//! the VM's own.

use model::{Autostart, DiskMove, HostName, Leftover, LeftoverKind, Problem};

use super::Journal;
use crate::hypervisor::Volume;

impl Journal {
    /// This may come to be on a host as soon as the store has the record as it is now.
    pub(in crate::migration) async fn expect(
        &mut self,
        host: &HostName,
        kinds: impl IntoIterator<Item = LeftoverKind>,
    ) {
        for what in kinds {
            self.enter_into_ledger(host, what);
        }
        self.keep(None).await;
    }

    /// A volume was made for the copy of a disk. Nothing may be written to it before the store has the record as it is now.
    pub(in crate::migration) async fn volume_created(&mut self, target: &str, made: &Volume, text: String) {
        let Some(disk) = self.disk(target) else { return };
        (disk.path, disk.created) = (Some(made.path.clone()), true);
        let (pool, volume) = (disk.pool.clone(), disk.volume.clone());
        for leftover in &mut self.record.leftovers {
            if let LeftoverKind::Volume { pool: at, name, capacity_bytes, confirmed, .. } = &mut leftover.what
                && (&*at, &*name) == (&pool, &volume)
            {
                // Some pools make it larger than it was to be.
                (*capacity_bytes, *confirmed) = (made.capacity_bytes, true);
            }
        }
        self.write(text).await;
    }

    /// The copy of a disk is proven to be the same.
    pub(in crate::migration) async fn copy_proven(&mut self, target: &str, text: String) {
        let Some(disk) = self.disk(target) else { return };
        disk.proven = true;
        self.write(text).await;
    }

    /// The host did not stop writing to a volume or reading it: at the end of the migration there is no use in trying to remove it.
    pub(in crate::migration) fn volume_hangs(&mut self, pool: &str, volume: &str) {
        self.hanging = Some((pool.to_owned(), volume.to_owned()));
    }

    /// Whether the host may still have it open.
    pub(in crate::migration) fn does_hang(&self, what: &LeftoverKind) -> bool {
        self.hanging.as_ref().is_some_and(|(pool, volume)| what.volume() == Some((pool, volume)))
    }

    /// It is gone, has never been there, or is not this migration's.
    pub(in crate::migration) async fn forget(&mut self, host: &HostName, what: &LeftoverKind, text: Option<String>) {
        self.record.leftovers.retain(|kept| kept.host != *host || !kept.what.is_same(what));
        if let LeftoverKind::Volume { pool, name, .. } = what {
            let is_its = |disk: &&mut DiskMove| (&disk.pool, &disk.volume) == (pool, name);
            for disk in self.record.disks.iter_mut().filter(is_its) {
                (disk.path, disk.created, disk.proven) = (None, false, false);
            }
        }
        match text {
            Some(text) => self.write(text).await,
            None => {
                self.keep(None).await;
                self.publish();
            }
        }
    }

    /// The host refused to remove it, and why.
    pub(in crate::migration) async fn not_removed(&mut self, leftover: &Leftover, problem: Problem) {
        let is_it = |kept: &&mut Leftover| kept.host == leftover.host && kept.what.is_same(&leftover.what);
        let Some(kept) = self.record.leftovers.iter_mut().find(is_it) else { return };
        if kept.problem.as_ref() == Some(&problem) {
            return;
        }
        let text = format!("Could not remove {}: {}", kept.name(), problem.sentence);
        kept.problem = Some(problem);
        self.write(text).await;
    }

    /// The VM was seen on the old image of a disk after the migration: it does not need the new volume.
    pub(in crate::migration) async fn volume_unused(&mut self, disk: &DiskMove) {
        let mut is_news = false;
        for leftover in &mut self.record.leftovers {
            if let LeftoverKind::Volume { pool, name, unused, .. } = &mut leftover.what
                && (&*pool, &*name) == (&disk.pool, &disk.volume)
            {
                is_news |= !*unused;
                *unused = true;
            }
        }
        if is_news {
            self.keep(None).await;
        }
    }

    /// Enters what an earlier version has written down in another way: the volumes that it had made.
    pub(in crate::migration) fn complete_ledger(&mut self) {
        let host = self.record.destination.clone();
        for disk in self.record.disks.clone().into_iter().filter(|disk| disk.created) {
            let what = LeftoverKind::Volume {
                pool: disk.pool,
                name: disk.volume,
                capacity_bytes: 0,
                confirmed: true,
                unused: false,
            };
            self.enter_into_ledger(&host, what);
        }
    }

    /// What the source says, and where it is to be set; the next write keeps it.
    pub(in crate::migration) fn note_autostart(&mut self, autostart: Autostart) {
        self.record.autostart = Some(autostart);
    }

    /// It is set on this host, or can't be.
    pub(in crate::migration) async fn autostart_set(&mut self, host: &HostName, text: Option<String>) {
        if let Some(autostart) = &mut self.record.autostart {
            autostart.pending.retain(|pending| pending != host);
        }
        self.update(text).await;
    }

    /// The VM has been moved again: on these hosts it is that migration's affair.
    pub(in crate::migration) async fn leave_autostart(&mut self, is_left: impl Fn(&HostName) -> bool) {
        let Some(Autostart { pending, .. }) = &mut self.record.autostart else { return };
        let before = pending.len();
        pending.retain(|host| !is_left(host));
        if pending.len() < before {
            self.update(None).await;
        }
    }

    /// Whether the guest sleeps at the source; the next write keeps it.
    pub(in crate::migration) fn note_sleep(&mut self, asleep: bool) {
        self.record.asleep = asleep;
    }

    /// The guest sleeps no longer at the destination.
    pub(in crate::migration) async fn woke_up(&mut self, text: Option<String>) {
        self.record.asleep = false;
        self.update(text).await;
    }

    /// What was made at the destination is the VM's own from now on.
    pub(super) fn hand_over_leftovers(&mut self) {
        self.record.leftovers.retain(|leftover| matches!(leftover.what, LeftoverKind::Token { .. }));
    }

    fn enter_into_ledger(&mut self, host: &HostName, what: LeftoverKind) {
        if self.record.leftovers.iter().any(|known| known.host == *host && known.what.is_same(&what)) {
            return;
        }
        let machine =
            self.context.inventory().host(host).and_then(|entry| entry.facts.as_ref()).map(|facts| facts.uuid);
        let since_ms = self.context.now_ms();
        self.record.leftovers.push(Leftover { host: host.clone(), what, since_ms, machine, problem: None });
    }
}
