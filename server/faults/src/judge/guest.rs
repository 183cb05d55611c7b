//! What the guest has to say.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use super::{Judge, LOOK_AGAIN, active};
use crate::{
    bed::{Bed, HOSTS},
    guest::{self, Facts},
    host::Sight,
    run::shown,
};

/// Within this time the guest's heart beats.
const HEARTBEAT_LIMIT: Duration = Duration::from_secs(5);

impl Judge<'_> {
    /// The guest goes on from where it was, and its disk has what it wrote.
    pub(super) async fn guest_goes_on(&mut self, bed: &Bed, sights: &[Sight]) -> Result<()> {
        if self.spoilt {
            return Ok(());
        }
        let Some(home) = (0..HOSTS).find(|&host| self.is_at(host, sights)) else { return self.rests(bed, sights) };
        let (host, vm) = (&bed.hosts[home], self.moved.vm);
        self.home = Some(home);
        let Some(before) = self.before else {
            if bed.disk(self.plan.vm, home)? != guest::new_disk() {
                self.violated("bytes", format!("the image on {} is not what it was", host.name));
            }
            return Ok(());
        };
        let first = Facts::read(host, vm).await?;
        let started = Instant::now();
        let mut facts = first;
        while facts.ticks == first.ticks && started.elapsed() < HEARTBEAT_LIMIT {
            sleep(LOOK_AGAIN).await;
            facts = Facts::read(host, vm).await?;
        }
        if facts.ticks == first.ticks {
            self.violated("guest", format!("on {} its heart does not beat: {facts:?}", host.name));
        }
        if let Some(wrong) = facts.differs_from_earlier(&before) {
            self.violated("guest", format!("on {}: {wrong}", host.name));
        }
        if active(sights) == 1 {
            host.virsh(&["suspend", vm]).await?;
            let facts = Facts::read(host, vm).await?;
            let wrong = guest::wrong_bytes(&bed.disk(self.plan.vm, home)?, &facts);
            let memory = guest::memory(host, vm).await?;
            host.virsh(&["resume", vm]).await?;
            if let Some(wrong) = wrong {
                self.violated("bytes", wrong);
            }
            if let Some(wrong) = guest::wrong_memory(&memory) {
                self.violated("memory", wrong);
            }
        }
        self.guest = Some(facts);
        Ok(())
    }

    /// A VM whose QEMU was ended is on one host, with the disk that its guest left.
    fn rests(&mut self, bed: &Bed, sights: &[Sight]) -> Result<()> {
        let homes: Vec<usize> = (0..HOSTS).filter(|&host| self.is_home(host, sights)).collect();
        let [home] = homes[..] else {
            if self.may_be_off {
                self.violated("none", format!("it has not exactly one definition: {}", shown(bed, sights)));
            }
            return Ok(());
        };
        let Some(before) = self.before else { return Ok(()) };
        let name = bed.hosts[home].name;
        match bed.disk(self.plan.vm, home) {
            Ok(disk) => {
                if let Some(wrong) = guest::wrong_at_rest(&disk, before.pass) {
                    self.violated("bytes", format!("it rests on {name}: {wrong}"));
                }
            }
            Err(error) => self.violated("bytes", format!("it rests on {name}: {error:#}")),
        }
        Ok(())
    }
}
