//! What a simulated host answers about its volumes.

use model::{HostName, VmId};
use tokio::{
    sync::mpsc,
    time::{Duration, sleep},
};

use super::{
    World,
    host::SimConnection,
    storage::{SimVolume, StorageFault},
};
use crate::hypervisor::{Chunk, Disk, DiskSource, HostError, HostErrorKind, ImageUsers, NewVolume, Volume};

/// What reading or writing a chunk takes at least.
const CHUNK_TIME: Duration = Duration::from_millis(5);

impl SimConnection {
    /// Asks the host's storage, if this connection still reaches it.
    fn storage<T>(&self, question: impl FnOnce(&mut World, &HostName) -> Result<T, HostError>) -> Result<T, HostError> {
        self.ask(|_| ())?;
        question(&mut self.sim.world(), &self.name)
    }

    pub(super) fn find_volume(&self, pool: &str, name: &str) -> Result<Option<Volume>, HostError> {
        self.storage(|world, host| {
            let (pool, volumes) = world.storage.pool(host, pool).ok_or_else(|| no_pool(pool))?;
            Ok(volumes.get(name).map(|volume| volume.facts(pool, name)))
        })
    }

    pub(super) fn find_volume_at(&self, path: &str) -> Result<Option<(String, Volume)>, HostError> {
        let found = self.storage(|world, host| Ok(world.storage.at(host, path)))?;
        let Some((pool, name)) = found else { return Ok(None) };
        Ok(self.find_volume(&pool, &name)?.map(|volume| (pool, volume)))
    }

    pub(super) fn find_users(&self, path: &str, left: Option<VmId>) -> Result<ImageUsers, HostError> {
        self.storage(|world, host| {
            let has = |disk: &Disk| matches!(&disk.source, DiskSource::File { path: known } if known == path);
            let disks = &world.storage.disks;
            let uses = |vm: &VmId| disks.get(vm).is_some_and(|disks| disks.iter().any(has));
            let copies =
                world.hosts[host].copies.values().filter(|copy| Some(copy.vm) != left || copy.state.is_active());
            let here = copies.filter(|copy| uses(&copy.vm)).map(|copy| format!("the VM {}", copy.name)).collect();
            let shared = world.storage.pools(host).filter(|pool| pool.source.is_some());
            let around = shared.filter(|pool| path.rsplit_once('/').map(|(at, _)| at) == pool.path.as_deref());
            let elsewhere = around.map(|pool| format!("other hosts that share the pool {}", pool.name)).collect();
            Ok(ImageUsers { here, elsewhere })
        })
    }

    pub(super) fn make_volume(&self, wanted: &NewVolume) -> Result<Volume, HostError> {
        let NewVolume { pool, name, format, capacity_bytes } = wanted.clone();
        let made = self.storage(|world, host| {
            if world.storage.fails(host, &StorageFault::CreateFails) {
                return Err(refused("cannot create the volume"));
            }
            let taken = world.storage.fails(host, &StorageFault::TakenMeanwhile(name.clone()));
            let (pool, volumes) = world.storage.pool(host, &pool).ok_or_else(|| no_pool(&pool))?;
            if taken {
                volumes.insert(name.clone(), SimVolume::default());
            }
            if volumes.contains_key(&name) {
                return Err(refused("storage volume exists already"));
            }
            let volume = match pool.kind.as_str() {
                "logical" => SimVolume::logical(capacity_bytes),
                _ => SimVolume::new(format, capacity_bytes),
            };
            let facts = volume.facts(pool, &name);
            volumes.insert(name.clone(), volume);
            Ok(facts)
        })?;
        if self.sim.world().storage.fails(&self.name, &StorageFault::DiesCreating) {
            self.sim.kill(&self.name);
        }
        self.ask(|_| made)
    }

    pub(super) fn remove_volume(&self, pool: &str, name: &str) -> Result<(), HostError> {
        self.storage(|world, host| {
            if world.storage.fails(host, &StorageFault::DeleteFails) {
                return Err(refused("cannot unlink file"));
            }
            let (_, volumes) = world.storage.pool(host, pool).ok_or_else(|| no_pool(pool))?;
            volumes.remove(name);
            Ok(())
        })
    }

    /// Waits for ever if this is to go wrong.
    pub(super) async fn unless_storage_hangs(&self, fault: &StorageFault) {
        let hangs = self.sim.world().storage.fails(&self.name, fault);
        if hangs {
            std::future::pending::<()>().await;
        }
    }

    pub(super) async fn send_volume(&self, pool: &str, name: &str, to: mpsc::Sender<Chunk>) -> Result<(), HostError> {
        let contents = self.storage(|world, host| {
            let (_, volumes) = world.storage.pool(host, pool).ok_or_else(|| no_pool(pool))?;
            volumes.get(name).map(SimVolume::whole).ok_or_else(|| refused("no such volume"))
        })?;
        let half = contents.len() / 2;
        for (index, chunk) in contents.into_iter().enumerate() {
            sleep(CHUNK_TIME).await;
            self.ask(|_| ())?;
            if index == half {
                self.unless_storage_hangs(&StorageFault::ReadHangs).await;
                if self.sim.world().storage.fails(&self.name, &StorageFault::ReadEnds) {
                    return Ok(());
                }
                if self.sim.world().storage.fails(&self.name, &StorageFault::ReadFails) {
                    return Err(refused("cannot read: Input/output error"));
                }
            }
            if to.send(chunk).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn fill_volume(
        &self,
        pool: &str,
        name: &str,
        mut from: mpsc::Receiver<Chunk>,
    ) -> Result<(), HostError> {
        let mut received = 0;
        let loses_end = self.sim.world().storage.fails(&self.name, &StorageFault::LosesEnd);
        while let Some(chunk) = from.recv().await {
            sleep(CHUNK_TIME).await;
            received += 1;
            if received == 4 {
                self.unless_storage_hangs(&StorageFault::WriteHangs).await;
            }
            self.storage(|world, host| {
                if received == 4 && world.storage.fails(host, &StorageFault::NoSpace) {
                    return Err(refused("cannot write data to file: No space left on device"));
                }
                let (_, volumes) = world.storage.pool(host, pool).ok_or_else(|| no_pool(pool))?;
                let volume = volumes.get_mut(name).ok_or_else(|| refused("no such volume"))?;
                volume.contents.push(chunk);
                Ok(())
            })?;
        }
        if loses_end {
            self.storage(|world, host| {
                let (_, volumes) = world.storage.pool(host, pool).ok_or_else(|| no_pool(pool))?;
                volumes.get_mut(name).ok_or_else(|| refused("no such volume"))?.lose_end();
                Ok(())
            })?;
        }
        Ok(())
    }

    pub(super) fn written(&self, vm: VmId) -> Result<u64, HostError> {
        self.storage(|world, _| Ok(world.storage.written(vm)))
    }
}

fn no_pool(name: &str) -> HostError {
    refused(&format!("storage pool '{name}' is not active"))
}

fn refused(words: &str) -> HostError {
    HostError::new(HostErrorKind::Refused, format!("libvirt refused: {words} (simulated)")).with_details(words)
}
