//! Simulated storage: places, and the pools that hosts have for them. Pools of one place are shared storage.

use std::collections::BTreeMap;

use model::{HostName, VmId};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, sleep},
};

use super::{Sim, World, host::SimConnection};
use crate::hypervisor::{
    Chunk, Disk, DiskCopy, DiskSource, DomainFacts, HostError, HostErrorKind, NewVolume, Pool, Volume,
};

/// What reading or writing a chunk takes at least.
const CHUNK_TIME: Duration = Duration::from_millis(5);

/// What goes wrong with a host's storage, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageFault {
    /// A volume is not made.
    CreateFails,
    /// Another program makes a volume of this name first.
    TakenMeanwhile(String),
    /// A volume is made, and the daemon dies before it says so.
    DiesCreating,
    /// A volume can't be deleted.
    DeleteFails,
    /// A volume can't be read to its end.
    ReadFails,
    /// A volume can't be read to its end, and the host does not say so: its storage hangs.
    ReadHangs,
    /// A volume can't be written to its end, likewise.
    WriteHangs,
    /// The pool is full half-way through a volume.
    NoSpace,
}

/// A volume's contents and when they changed.
#[derive(Clone, Debug, Default)]
struct SimVolume {
    format: String,
    capacity_bytes: u64,
    contents: Vec<Chunk>,
    changes: u64,
}

/// All storage of the world.
#[derive(Default)]
pub(super) struct Storage {
    /// Volumes by name, of each place.
    places: BTreeMap<String, BTreeMap<String, SimVolume>>,
    /// Pools of each host, with the place.
    pools: BTreeMap<HostName, Vec<(Pool, String)>>,
    /// Disks of each VM.
    pub(super) disks: BTreeMap<VmId, Vec<Disk>>,
    /// What guests write to their disks, in bytes a second.
    pub(super) writes: BTreeMap<VmId, u64>,
    /// When guests began to.
    began: Option<Instant>,
    faults: Vec<(HostName, StorageFault)>,
}

impl Storage {
    /// Whether something is to go wrong, once.
    fn fails(&mut self, host: &HostName, fault: &StorageFault) -> bool {
        let found = self.faults.iter().position(|(on, known)| (on, known) == (host, fault));
        found.map(|index| self.faults.remove(index)).is_some()
    }

    /// An active pool and the volumes of its place.
    fn pool(&mut self, host: &HostName, name: &str) -> Option<(&Pool, &mut BTreeMap<String, SimVolume>)> {
        let (pool, place) = self.pools.get(host)?.iter().find(|(pool, _)| pool.name == name && pool.active)?;
        Some((pool, self.places.entry(place.clone()).or_default()))
    }

    /// The pool and the name of the volume at a path.
    pub(super) fn at(&mut self, host: &HostName, path: &str) -> Option<(String, String)> {
        let (directory, name) = path.rsplit_once('/')?;
        let pools = self.pools.get(host)?;
        let at = |(pool, _): &&(Pool, String)| pool.active && pool.path.as_deref() == Some(directory);
        let (pool, place) = pools.iter().find(at)?;
        self.places.get(place)?.contains_key(name).then(|| (pool.name.clone(), name.to_owned()))
    }

    /// Whether two hosts have the same thing at a path.
    pub(super) fn is_same(&mut self, a: &HostName, b: &HostName, path: &str) -> bool {
        let mut place = |host: &HostName| {
            let (pool, _) = self.at(host, path)?;
            self.pools[host].iter().find(|(known, _)| known.name == pool).map(|(_, place)| place.clone())
        };
        place(a).is_some() && place(a) == place(b)
    }

    /// What libvirt's own copying leaves at the destination.
    pub(super) fn copy(&mut self, from: &HostName, source: &str, to: &HostName, destination: &str) {
        let (Some(source), Some(destination)) = (self.at(from, source), self.at(to, destination)) else { return };
        let Some(contents) = self.pool(from, &source.0).and_then(|(_, volumes)| volumes.get(&source.1).cloned()) else {
            return;
        };
        if let Some((_, volumes)) = self.pool(to, &destination.0) {
            volumes.insert(destination.1, contents);
        }
    }

    /// The drive is empty from now on.
    pub(super) fn eject(&mut self, vm: VmId, target: &str) {
        let disks = self.disks.get_mut(&vm).into_iter().flatten();
        disks.filter(|disk| disk.target == target).for_each(|disk| disk.source = DiskSource::Empty);
    }

    /// The VM arrived: its copied disks are where they were copied to.
    pub(super) fn arrived(&mut self, vm: VmId, copies: &[DiskCopy]) {
        for disk in self.disks.get_mut(&vm).into_iter().flatten() {
            if let Some(copy) = copies.iter().find(|copy| copy.target == disk.target) {
                disk.source = DiskSource::File { path: copy.path.clone() };
            }
        }
    }
}

impl Sim {
    /// Gives a host a pool; pools of the same `place` have the same volumes, whatever hosts call them.
    pub fn add_pool(&self, host: &HostName, pool: Pool, place: &str) {
        let mut world = self.world();
        world.storage.places.entry(place.to_owned()).or_default();
        world.storage.pools.entry(host.clone()).or_default().push((pool, place.to_owned()));
    }

    /// Gives a VM a disk.
    pub fn add_disk(&self, vm: VmId, disk: Disk) {
        self.world().storage.disks.entry(vm).or_default().push(disk);
    }

    /// Puts a volume into a pool, or changes the one there.
    pub fn put_volume(&self, host: &HostName, pool: &str, name: &str, contents: Vec<Chunk>) {
        let mut world = self.world();
        let (_, volumes) = world.storage.pool(host, pool).expect("a test names pools it made");
        let volume = volumes.entry(name.to_owned()).or_default();
        volume.capacity_bytes = contents.iter().map(length).sum();
        (volume.contents, volume.changes) = (contents, volume.changes + 1);
    }

    /// The names of the volumes in a pool.
    pub fn volumes(&self, host: &HostName, pool: &str) -> Vec<String> {
        let mut world = self.world();
        world.storage.pool(host, pool).map_or_else(Vec::new, |(_, volumes)| volumes.keys().cloned().collect())
    }

    /// The contents of a volume.
    pub fn contents(&self, host: &HostName, pool: &str, name: &str) -> Option<Vec<Chunk>> {
        let mut world = self.world();
        world.storage.pool(host, pool)?.1.get(name).map(|volume| volume.contents.clone())
    }

    /// From now on the guest writes this much to its disks, in bytes a second.
    pub fn write_to_disks(&self, vm: VmId, bytes_s: u64) {
        self.world().storage.writes.insert(vm, bytes_s);
    }

    /// Lets something go wrong with a host's storage, once.
    pub fn fail_storage(&self, host: &HostName, fault: StorageFault) {
        self.world().storage.faults.push((host.clone(), fault));
    }

    /// A host's pools, with the volumes that have the name of one of the VM's files.
    pub(super) fn pools_for(&self, host: &HostName, domain: &DomainFacts) -> Vec<Pool> {
        let world = self.world();
        let named = |name: &str| {
            domain.disks.iter().any(|disk| match &disk.source {
                DiskSource::File { path } | DiskSource::Block { path } => path.rsplit('/').next() == Some(name),
                DiskSource::Volume { volume, .. } => volume == name,
                _ => false,
            })
        };
        let pools = world.storage.pools.get(host).into_iter().flatten();
        let told = pools.map(|(pool, place)| {
            let volumes = world.storage.places[place].iter().filter(|(name, _)| pool.active && named(name));
            Pool { volumes: volumes.map(|(name, volume)| volume.facts(pool, name)).collect(), ..pool.clone() }
        });
        told.collect()
    }
}

impl SimVolume {
    fn facts(&self, pool: &Pool, name: &str) -> Volume {
        let data = |chunk: &Chunk| if matches!(chunk, Chunk::Data(_)) { length(chunk) } else { 0 };
        Volume {
            name: name.to_owned(),
            path: format!("{}/{name}", pool.path.as_deref().unwrap_or_default()),
            format: self.format.clone(),
            capacity_bytes: self.capacity_bytes,
            allocation_bytes: self.contents.iter().map(data).sum(),
            modified: Some(self.changes.to_string()),
        }
    }
}

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

    pub(super) fn find_users(&self, path: &str, left: VmId) -> Result<Vec<String>, HostError> {
        self.storage(|world, host| {
            let has = |disk: &Disk| matches!(&disk.source, DiskSource::File { path: known } if known == path);
            let disks = &world.storage.disks;
            let uses = |vm: &VmId| disks.get(vm).is_some_and(|disks| disks.iter().any(has));
            let copies = world.hosts[host].copies.values().filter(|copy| copy.vm != left || copy.state.is_active());
            let mut users: Vec<_> =
                copies.filter(|copy| uses(&copy.vm)).map(|copy| format!("the VM {}", copy.name)).collect();
            let shared = world.storage.pools[host].iter().map(|(pool, _)| pool).filter(|pool| pool.source.is_some());
            let around = shared.filter(|pool| path.rsplit_once('/').map(|(at, _)| at) == pool.path.as_deref());
            users.extend(around.map(|pool| format!("other hosts that share the pool {}", pool.name)));
            Ok(users)
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
            let volume = SimVolume { format, capacity_bytes, ..SimVolume::default() };
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
    async fn unless_storage_hangs(&self, fault: &StorageFault) {
        let hangs = self.sim.world().storage.fails(&self.name, fault);
        if hangs {
            std::future::pending::<()>().await;
        }
    }

    pub(super) async fn send_volume(&self, pool: &str, name: &str, to: mpsc::Sender<Chunk>) -> Result<(), HostError> {
        let contents = self.storage(|world, host| {
            let (_, volumes) = world.storage.pool(host, pool).ok_or_else(|| no_pool(pool))?;
            volumes.get(name).map(|volume| volume.contents.clone()).ok_or_else(|| refused("no such volume"))
        })?;
        let half = contents.len() / 2;
        for (index, chunk) in contents.into_iter().enumerate() {
            sleep(CHUNK_TIME).await;
            self.ask(|_| ())?;
            if index == half {
                self.unless_storage_hangs(&StorageFault::ReadHangs).await;
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
        Ok(())
    }

    /// What a guest has written: as much each second since the world began.
    pub(super) fn written(&self, vm: VmId) -> Result<u64, HostError> {
        self.storage(|world, _| {
            let seconds = world.storage.began.get_or_insert_with(Instant::now).elapsed().as_secs();
            Ok(world.storage.writes.get(&vm).copied().unwrap_or_default() * seconds)
        })
    }
}

fn length(chunk: &Chunk) -> u64 {
    match chunk {
        Chunk::Data(data) => data.len() as u64,
        Chunk::Hole(bytes) => *bytes,
    }
}

fn no_pool(name: &str) -> HostError {
    refused(&format!("storage pool '{name}' is not active"))
}

fn refused(words: &str) -> HostError {
    HostError::new(HostErrorKind::Refused, format!("libvirt refused: {words} (simulated)")).with_details(words)
}
