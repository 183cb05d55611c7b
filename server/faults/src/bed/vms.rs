//! The VMs of a bed: found well, made anew, removed.

use std::{fs, time::Duration};

use anyhow::{Result, bail, ensure};
use tokio::time::{Instant, sleep};

use super::{Bed, HOSTS, LOOK_AGAIN, POOL};
use crate::{
    file_systems::files_of,
    guest::{self, Facts},
    host::Sight,
    run::shown,
    vm::{Disk, Vm},
};

/// How long the console may take to know what libvirt knows.
const KNOWS_LIMIT: Duration = Duration::from_secs(60);

/// Where a VM was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// An index of the bed's hosts.
    host: usize,
    /// Which life of its guest it is, if it runs.
    life: Option<u32>,
}

/// A VM that is ready to be moved.
pub struct Ready {
    /// An index of the bed's hosts.
    pub host: usize,
    /// What its guest did, if it runs.
    pub guest: Option<Facts>,
    /// What became of it since it was last seen to be well, if something did: it was made anew.
    pub damage: Option<String>,
}

impl Kept {
    fn of(host: usize, guest: Option<Facts>) -> Self {
        Self { host, life: guest.map(|guest| guest.life) }
    }
}

impl Bed {
    /// The VM on exactly one host, as it should be: else it is made anew on alpha.
    pub async fn ensure_vm(&mut self, vm: &Vm) -> Result<Ready> {
        let kept = self.kept.get(vm.name).copied();
        let sights = self.look(vm.name).await;
        let found = self.find(vm, &sights).await?;
        let is_kept = |kept: Kept| found.is_some_and(|(host, guest)| kept == Kept::of(host, guest));
        let damage = kept.filter(|kept| !is_kept(*kept)).map(|kept| {
            let was = self.hosts[kept.host].name;
            format!("it was well on {was} ({kept:?}), and is {found:?} now: {}", shown(self, &sights))
        });
        let (host, guest) = match found {
            Some(found) => {
                self.console_knows(vm, found.0).await?;
                found
            }
            None => self.make_anew(vm).await?,
        };
        self.keep(vm, host, guest);
        Ok(Ready { host, guest, damage })
    }

    /// The host that has the VM, and what its guest did if it runs; none if it is not as it should be.
    async fn find(&self, vm: &Vm, sights: &[Sight]) -> Result<Option<(usize, Option<Facts>)>> {
        let mut there = sights.iter().enumerate().filter(|(_, sight)| **sight != Sight::Absent);
        let (Some((host, sight)), None) = (there.next(), there.next()) else { return Ok(None) };
        Ok(match vm.runs {
            true if sight.runs() => {
                let facts = Facts::read(&self.hosts[host], vm.name).await?;
                (facts.bad == 0 && facts.life != 0).then_some((host, Some(facts)))
            }
            false if !sight.is_active() => Some((host, None)),
            _ => None,
        })
    }

    /// Remembers where the VM is well, and in which life.
    pub fn keep(&mut self, vm: &Vm, host: usize, guest: Option<Facts>) {
        self.kept.insert(vm.name, Kept::of(host, guest));
    }

    /// The VM may be anywhere, and in any state, from now on.
    pub fn forget(&mut self, vm: &Vm) {
        self.kept.remove(vm.name);
    }

    /// Where the VM was last seen to be well.
    pub fn home(&self, vm: &Vm) -> Option<usize> {
        self.kept.get(vm.name).map(|kept| kept.host)
    }

    /// Removes the VM from all hosts, makes it on alpha with a new disk, and starts it if it is one that runs.
    pub async fn make_anew(&self, vm: &Vm) -> Result<(usize, Option<Facts>)> {
        self.remove(vm).await?;
        let image = self.image(vm, 0);
        self.daemons.write_file(&image, &guest::new_disk())?;
        let disk = if vm.disk == Disk::Served { image.with_extension("nbd") } else { image };
        let definition = self.daemons.dir().join(format!("{}.xml", vm.name));
        fs::write(&definition, vm.xml(&disk))?;
        let alpha = &self.hosts[0];
        alpha.virsh(&["pool-refresh", POOL]).await?;
        alpha.virsh(&["define", &definition.to_string_lossy()]).await?;
        let mut facts = None;
        if vm.runs {
            alpha.virsh(&["start", vm.name]).await?;
            facts = Some(Facts::once_filled(alpha, vm.name).await?);
        }
        self.console_knows(vm, 0).await?;
        Ok((0, facts))
    }

    /// Removes the VM from all hosts, and its images from the pools.
    pub async fn remove(&self, vm: &Vm) -> Result<()> {
        for host in &self.hosts {
            host.virsh_if_possible(&["destroy", vm.name]).await;
            host.virsh_if_possible(&["undefine", vm.name]).await;
            ensure!(host.look(vm.name).await == Sight::Absent, "{} can't be removed from {}", vm.name, host.name);
        }
        self.remove_old_images(vm, None).await
    }

    /// Removes the VM's images from the pools of all hosts but one: what a person does who has looked that all is well.
    pub async fn remove_old_images(&self, vm: &Vm, but: Option<usize>) -> Result<()> {
        if vm.disk != Disk::Copied {
            return Ok(());
        }
        for host in (0..HOSTS).filter(|host| Some(*host) != but) {
            let old = files_of(vm, &self.pool(host))?;
            for file in &old {
                fs::remove_file(file)?;
            }
            if !old.is_empty() {
                self.hosts[host].virsh(&["pool-refresh", POOL]).await?;
            }
        }
        Ok(())
    }

    /// Waits until the console shows the VM on this host, in no migration.
    async fn console_knows(&self, vm: &Vm, host: usize) -> Result<()> {
        let state = if vm.runs { "running" } else { "shutoff" };
        let started = Instant::now();
        loop {
            let shown = self.console.vm(vm.name).await?;
            if shown["host"] == self.hosts[host].name && shown["state"] == state && shown["task"].is_null() {
                return Ok(());
            }
            if started.elapsed() > KNOWS_LIMIT {
                bail!("the console does not see that {} is {state} on {}: {shown}", vm.name, self.hosts[host].name);
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}
