//! A host's storage pools, with the volumes that matter to a VM.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use engine::{DiskSource, DomainFacts, Pool, Volume};
use virt::{storage_pool::StoragePool, storage_vol::StorageVol, sys};

use crate::{
    connection::Connection,
    error::LibvirtError,
    storage::{own_pools, pool_source, volumes},
    xml,
};

/// How long pools are refreshed; for the rest libvirt's last state is used. To refresh a large pool, libvirt opens each of its files.
const REFRESH_LIMIT: Duration = Duration::from_secs(3);

/// All pools but ours, each with its volumes that have the name of one of the VM's files.
pub(super) fn pools(connection: &Connection, vm: &DomainFacts) -> Result<Vec<Pool>, LibvirtError> {
    let end = Instant::now() + REFRESH_LIMIT;
    let mut pools = Vec::new();
    for pool in own_pools::of_others(connection, 0)? {
        match facts(connection, &pool, vm, end) {
            Ok(found) => pools.push(found),
            // Removed meanwhile.
            Err(error) if error.number == sys::VIR_ERR_NO_STORAGE_POOL => {}
            Err(error) => return Err(error),
        }
    }
    Ok(pools)
}

/// One pool, refreshed unless `end` has passed.
fn facts(connection: &Connection, pool: &StoragePool, vm: &DomainFacts, end: Instant) -> Result<Pool, LibvirtError> {
    let mut found = read(&pool.name()?, &pool.xml_desc(0)?)?;
    if pool.is_active()? && is_of_files(&found) && Instant::now() < end {
        // Fails while a volume is being made in the pool. A pool that can't be read is stopped by libvirt, and so is not active.
        connection.known(pool.refresh(0).map_err(LibvirtError::from))?;
    }
    found.active = pool.is_active()?;
    if found.active {
        found.available_bytes =
            connection.known(pool.info().map_err(LibvirtError::from))?.map_or(0, |info| info.available);
        found.volumes = connection.known(volumes(connection, pool, vm))?.unwrap_or_default();
    }
    Ok(found)
}

/// The names of the disks' files and volumes, without their directories.
fn file_names(vm: &DomainFacts) -> BTreeSet<&str> {
    vm.disks
        .iter()
        .filter_map(|disk| match &disk.source {
            DiskSource::File { path } | DiskSource::Block { path } => path.rsplit('/').next(),
            DiskSource::Volume { volume, .. } => Some(volume.as_str()),
            _ => None,
        })
        .collect()
}

/// The paths of its block devices.
fn device_paths(vm: &DomainFacts) -> impl Iterator<Item = &str> {
    vm.disks.iter().filter_map(|disk| match &disk.source {
        DiskSource::Block { path } => Some(path.as_str()),
        _ => None,
    })
}

/// Whether its volumes are files, which other programs may create without libvirt.
fn is_of_files(pool: &Pool) -> bool {
    matches!(pool.kind.as_str(), "dir" | "fs" | "netfs")
}

/// The facts in a pool's definition. It does not say whether the pool is active, nor what is in it.
fn read(name: &str, text: &str) -> Result<Pool, LibvirtError> {
    let document = xml::parse(text)?;
    let pool = document.root_element();
    let kind = pool.attribute("type").unwrap_or_default();
    Ok(Pool {
        name: name.to_owned(),
        kind: kind.to_owned(),
        active: false,
        path: xml::text(pool, &["target", "path"]).map(|path| pool_source::without_slash_at_end(path).to_owned()),
        source: xml::find(pool, &["source"]).and_then(|from| pool_source::source(kind, from)),
        available_bytes: 0,
        volumes: Vec::new(),
    })
}

/// A pool's volumes that have the name of one of the VM's files, or the path of one of its block devices: iSCSI and SCSI pools name
/// their volumes in their own way.
fn volumes(connection: &Connection, pool: &StoragePool, vm: &DomainFacts) -> Result<Vec<Volume>, LibvirtError> {
    let mut found: Vec<Volume> = Vec::new();
    for name in file_names(vm) {
        if let Some(volume) = if_there(pool.lookup_storage_vol_by_name(name))? {
            found.push(volumes::described(&volume)?);
        }
    }
    for path in device_paths(vm) {
        let Some(volume) = if_there(connection.lookup_storage_vol_by_path(path))? else { continue };
        let is_new = found.iter().all(|known| known.path != path);
        if is_new && volume.lookup_storage_pool()?.name()? == pool.name()? {
            found.push(volumes::described(&volume)?);
        }
    }
    Ok(found)
}

/// Turns the error "no such volume" into none.
fn if_there(looked_up: Result<StorageVol, virt::error::Error>) -> Result<Option<StorageVol>, LibvirtError> {
    match looked_up.map_err(LibvirtError::from) {
        Ok(volume) => Ok(Some(volume)),
        Err(error) if error.number == sys::VIR_ERR_NO_STORAGE_VOL => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use engine::{Disk, DiskDevice, ImageExtras};

    use super::*;
    use crate::connection::testing;

    fn vm(sources: &[DiskSource]) -> DomainFacts {
        let disk = |source: &DiskSource| Disk {
            target: "vda".to_owned(),
            device: DiskDevice::Disk,
            source: source.clone(),
            format: "raw".to_owned(),
            read_only: false,
            shareable: false,
            transient: false,
            capacity_bytes: 0,
            allocation_bytes: 0,
            has_backing: false,
            has_data_file_or_slice: false,
            extras: Some(ImageExtras::default()),
            optional: false,
        };
        DomainFacts { disks: sources.iter().map(disk).collect(), ..DomainFacts::default() }
    }

    #[test]
    fn pools_are_listed_with_the_vms_volumes() {
        let connection = testing::connection();
        let define = |name: &str| {
            let xml = format!("<pool type='dir'><name>{name}</name><target><path>/srv/{name}</path></target></pool>");
            connection.define_storage_pool_xml(&xml, 0).unwrap()
        };
        let (active, still) = (define("found-active"), define("found-still"));
        active.create(0).unwrap();
        let volume = "<volume><name>found.raw</name><capacity>1048576</capacity></volume>";
        StorageVol::create_xml(&active, volume, 0).unwrap();

        let vm = vm(&[
            DiskSource::File { path: "/elsewhere/found.raw".to_owned() },
            DiskSource::File { path: "/elsewhere/missing.raw".to_owned() },
            DiskSource::Block { path: "/srv/found-active/found.raw".to_owned() },
            DiskSource::Empty,
        ]);
        let found = pools(&connection, &vm).unwrap();
        let pool = |name: &str| found.iter().find(|pool| pool.name == name).unwrap();
        let there = pool("found-active");
        assert!(there.active && there.available_bytes > 0);
        assert_eq!((there.kind.as_str(), there.path.as_deref()), ("dir", Some("/srv/found-active")));
        assert_eq!(there.source, None);
        let volumes: Vec<_> =
            there.volumes.iter().map(|volume| (volume.name.as_str(), volume.capacity_bytes)).collect();
        assert_eq!(volumes, [("found.raw", 1 << 20)]);
        assert_eq!((pool("found-still").active, pool("found-still").available_bytes), (false, 0));

        active.destroy().unwrap();
        active.undefine().unwrap();
        still.undefine().unwrap();
    }

    #[test]
    fn our_own_pools_are_no_place_for_a_disk() {
        let connection = testing::connection();
        for name in ["vmferry-directory-2000000000-0123456789abcdef", "vmferry-certificates-2000000000"] {
            let xml = format!("<pool type='dir'><name>{name}</name><target><path>/srv/{name}</path></target></pool>");
            let ours = connection.create_storage_pool_xml(&xml, 0).unwrap();
            let found = pools(&connection, &vm(&[])).unwrap();
            ours.destroy().unwrap();
            assert!(found.iter().all(|pool| pool.name != name), "{name}");
        }
    }

    #[test]
    fn names_are_those_of_files_and_volumes() {
        let vm = vm(&[
            DiskSource::File { path: "/a/one.qcow2".to_owned() },
            DiskSource::Block { path: "/dev/vg/two".to_owned() },
            DiskSource::Volume { pool: "p".to_owned(), volume: "three".to_owned() },
            DiskSource::Network { protocol: "nbd".to_owned(), name: "four".to_owned(), is_local: false },
        ]);
        assert_eq!(file_names(&vm).into_iter().collect::<Vec<_>>(), ["one.qcow2", "three", "two"]);
    }
}
