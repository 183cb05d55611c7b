//! Simulated storage: places, and the pools that hosts have for them. Pools of one place are shared storage.

use std::collections::BTreeMap;

use model::{HostName, VmId};
use tokio::time::Instant;

use super::Sim;
use crate::hypervisor::{Chunk, Disk, DiskCopy, DiskSource, DomainFacts, Pool, Volume};

/// LVM's default extent, in bytes.
const EXTENT: u64 = 4 << 20;

/// What goes wrong with a host's storage, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageFault {
    /// A volume is not made.
    CreateFails,
    /// Another program makes a volume of this name first.
    TakenMeanwhile(String),
    /// A volume is made, and the daemon dies before it says so.
    DiesCreating,
    /// A volume is made, and the host does not say so: its storage hangs.
    CreateHangs,
    /// A volume can't be deleted.
    DeleteFails,
    /// A volume can't be deleted, and the host does not say so.
    DeleteHangs,
    /// A volume can't be read to its end.
    ReadFails,
    /// A volume can't be read to its end, and the host does not say so: its storage hangs.
    ReadHangs,
    /// A volume can't be written to its end, likewise.
    WriteHangs,
    /// A volume is read to its half, and the host says that this is all.
    ReadEnds,
    /// The pool is full half-way through a volume.
    NoSpace,
    /// What is written last is lost, and the host does not say so: libvirt forgets the error of a write that fails while it finishes a
    /// stream (`virFDStreamCloseInt`).
    LosesEnd,
    /// libvirt's own copying leaves a volume empty, and does not say so.
    MirrorsNothing,
    /// libvirt's own copying leaves a volume of half the size, likewise.
    MirrorsHalf,
}

/// A volume's contents and when they changed.
#[derive(Clone, Debug, Default)]
pub(super) struct SimVolume {
    format: String,
    capacity_bytes: u64,
    pub(super) contents: Vec<Chunk>,
    has_backing: bool,
    is_device: bool,
    hides_times: bool,
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
    pub(super) fn fails(&mut self, host: &HostName, fault: &StorageFault) -> bool {
        let found = self.faults.iter().position(|(on, known)| (on, known) == (host, fault));
        found.map(|index| self.faults.remove(index)).is_some()
    }

    /// An active pool and the volumes of its place.
    pub(super) fn pool(&mut self, host: &HostName, name: &str) -> Option<(&Pool, &mut BTreeMap<String, SimVolume>)> {
        let (pool, place) = self.pools.get(host)?.iter().find(|(pool, _)| pool.name == name && pool.active)?;
        Some((pool, self.places.entry(place.clone()).or_default()))
    }

    /// All pools of a host.
    pub(super) fn pools(&self, host: &HostName) -> impl Iterator<Item = &Pool> {
        self.pools.get(host).into_iter().flatten().map(|(pool, _)| pool)
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
        let (empty, half) = (self.fails(to, &StorageFault::MirrorsNothing), self.fails(to, &StorageFault::MirrorsHalf));
        if let Some((_, volumes)) = self.pool(to, &destination.0).filter(|_| !empty) {
            let capacity_bytes = contents.capacity_bytes / if half { 2 } else { 1 };
            volumes.insert(destination.1, SimVolume { capacity_bytes, ..contents });
        }
    }

    /// What a guest has written: as much each second since this was first asked.
    pub(super) fn written(&mut self, vm: VmId) -> u64 {
        let seconds = self.began.get_or_insert_with(Instant::now).elapsed().as_secs();
        self.writes.get(&vm).copied().unwrap_or_default() * seconds
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

    /// From now on the VM's disk is the file at this path.
    pub fn move_disk(&self, vm: VmId, target: &str, path: &str) {
        let mut world = self.world();
        let disks = world.storage.disks.get_mut(&vm).into_iter().flatten();
        disks
            .filter(|disk| disk.target == target)
            .for_each(|disk| disk.source = DiskSource::File { path: path.into() });
    }

    /// Puts a volume into a pool, or changes the one there.
    pub fn put_volume(&self, host: &HostName, pool: &str, name: &str, contents: Vec<Chunk>) {
        let mut world = self.world();
        let (_, volumes) = world.storage.pool(host, pool).expect("a test names pools it made");
        let volume = volumes.entry(name.to_owned()).or_insert_with(|| SimVolume::new("qcow2".to_owned(), 0));
        volume.capacity_bytes = contents.iter().map(length).sum();
        (volume.contents, volume.changes) = (contents, volume.changes + 1);
    }

    /// Lays a volume over another one: it has only what was changed since.
    pub fn lay_over_another(&self, host: &HostName, pool: &str, name: &str) {
        let mut world = self.world();
        let volume = world.storage.pool(host, pool).and_then(|(_, volumes)| volumes.get_mut(name));
        volume.expect("a test names volumes it made").has_backing = true;
    }

    /// From now on the host does not say when a volume was last written to.
    pub fn hide_times(&self, host: &HostName, pool: &str, name: &str) {
        let mut world = self.world();
        let volume = world.storage.pool(host, pool).and_then(|(_, volumes)| volumes.get_mut(name));
        volume.expect("a test names volumes it made").hides_times = true;
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
    /// Without contents.
    pub(super) fn new(format: String, capacity_bytes: u64) -> Self {
        Self { format, capacity_bytes, ..Self::default() }
    }

    /// A logical volume: a whole number of extents.
    pub(super) fn logical(capacity_bytes: u64) -> Self {
        let capacity_bytes = capacity_bytes.next_multiple_of(EXTENT);
        Self { is_device: true, ..Self::new("raw".to_owned(), capacity_bytes) }
    }

    /// All that is read of it. A device is read to its end, however little was written.
    pub(super) fn whole(&self) -> Vec<Chunk> {
        let mut contents = self.contents.clone();
        let len: u64 = contents.iter().map(length).sum();
        if self.is_device && len < self.capacity_bytes {
            contents.push(Chunk::Hole(self.capacity_bytes - len));
        }
        contents
    }

    /// What was written last was not kept: it reads as zeroes.
    pub(super) fn lose_end(&mut self) {
        if let Some(last) = self.contents.iter_mut().rfind(|chunk| matches!(chunk, Chunk::Data(_))) {
            *last = Chunk::Hole(length(last));
        }
    }

    pub(super) fn facts(&self, pool: &Pool, name: &str) -> Volume {
        let data = |chunk: &Chunk| if matches!(chunk, Chunk::Data(_)) { length(chunk) } else { 0 };
        Volume {
            name: name.to_owned(),
            path: format!("{}/{name}", pool.path.as_deref().unwrap_or_default()),
            format: self.format.clone(),
            capacity_bytes: self.capacity_bytes,
            allocation_bytes: self.contents.iter().map(data).sum(),
            length_bytes: Some(self.whole().iter().map(length).sum()),
            has_backing: self.has_backing,
            modified: (!self.hides_times).then(|| self.changes.to_string()),
        }
    }
}

fn length(chunk: &Chunk) -> u64 {
    match chunk {
        Chunk::Data(data) => data.len() as u64,
        Chunk::Hole(bytes) => *bytes,
    }
}
