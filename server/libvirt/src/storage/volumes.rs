//! Volumes of storage pools: finding, creating, deleting them. Their contents: `contents.rs`.

use engine::{NewVolume, Volume};
use virt::{storage_pool::StoragePool, storage_vol::StorageVol, sys};

use super::own_pools;
use crate::{
    connection::Connection,
    error::LibvirtError,
    xml::{self, splice::escaped},
};

/// Whether a call failed because a volume is being made in the pool: libvirt refuses to refresh the pool until then.
pub(crate) fn is_busy(error: &LibvirtError) -> bool {
    error.message.contains("has asynchronous jobs running")
}

/// A volume of an active pool, which is refreshed first.
pub(crate) fn volume(connection: &Connection, pool: &str, name: &str) -> Result<Option<Volume>, LibvirtError> {
    find(&refreshed(connection, pool)?, name)?.map(|volume| described(&volume)).transpose()
}

/// The volume at a path, and the active pool that it is in.
pub(crate) fn at(connection: &Connection, path: &str) -> Result<Option<(String, Volume)>, LibvirtError> {
    refresh_all_around(connection, path)?;
    let Some((pool, volume)) = looked_up(connection, path)? else { return Ok(None) };
    Ok(Some((pool, described(&volume)?)))
}

/// The volume at a path. Pools are refreshed only if none knows it: another program may have made it.
pub(crate) fn known_at(connection: &Connection, path: &str) -> Result<StorageVol, LibvirtError> {
    if let Some((_, volume)) = looked_up(connection, path)? {
        return Ok(volume);
    }
    refresh_all_around(connection, path)?;
    let (_, volume) = looked_up(connection, path)?.ok_or_else(|| no_volume(path))?;
    Ok(volume)
}

/// The pool and the volume at a path, by name, as far as active pools know: none is refreshed.
pub(crate) fn named_at(connection: &Connection, path: &str) -> Result<Option<(String, String)>, LibvirtError> {
    let Some((pool, volume)) = looked_up(connection, path)? else { return Ok(None) };
    Ok(Some((pool, volume.name()?)))
}

/// The volume at a path, and its pool's name. One of a pool of ours is none: that pool is gone in a moment, or already.
fn looked_up(connection: &Connection, path: &str) -> Result<Option<(String, StorageVol)>, LibvirtError> {
    let Some(volume) = if_there(connection.lookup_storage_vol_by_path(path).map_err(LibvirtError::from))? else {
        return Ok(None);
    };
    let Some(pool) = unless_stopped(volume.lookup_storage_pool().map_err(LibvirtError::from))? else { return Ok(None) };
    let pool = pool.name()?;
    Ok((!own_pools::is_ours(&pool)).then_some((pool, volume)))
}

/// What libvirt answers if no pool has the volume.
fn no_volume(path: &str) -> LibvirtError {
    LibvirtError {
        number: sys::VIR_ERR_NO_STORAGE_VOL,
        domain: sys::VIR_FROM_STORAGE,
        int1: 0,
        message: format!("no storage pool has a volume at {path}"),
    }
}

/// Refreshes the active pools that the path is below.
fn refresh_all_around(connection: &Connection, path: &str) -> Result<(), LibvirtError> {
    for pool in own_pools::of_others(connection, sys::VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)? {
        unless_stopped(refresh_around(&pool, path))?;
    }
    Ok(())
}

/// Refreshes a pool if the path is below it.
fn refresh_around(pool: &StoragePool, path: &str) -> Result<(), LibvirtError> {
    if is_below(path, &pool.xml_desc(0)?)? {
        pool.refresh(0)?;
    }
    Ok(())
}

/// Turns the error that a pool was stopped or removed meanwhile into none.
pub(crate) fn unless_stopped<T>(result: Result<T, LibvirtError>) -> Result<Option<T>, LibvirtError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if [sys::VIR_ERR_NO_STORAGE_POOL, sys::VIR_ERR_OPERATION_INVALID].contains(&error.number) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Creates a volume, sparse if the pool's volumes are files. libvirt refuses if there is a volume of that name, or a file that the
/// pool does not know yet.
pub(crate) fn create(connection: &Connection, wanted: &NewVolume) -> Result<Volume, LibvirtError> {
    let pool = refreshed(connection, &wanted.pool)?;
    let xml = definition(wanted, is_of_files(&pool.xml_desc(0)?)?);
    described(&StorageVol::create_xml(&pool, &xml, 0)?)
}

/// Deletes a volume if there is one.
pub(crate) fn delete(connection: &Connection, pool: &str, name: &str) -> Result<(), LibvirtError> {
    match find(&refreshed(connection, pool)?, name)? {
        Some(volume) => if_there(volume.delete(0).map_err(LibvirtError::from)).map(drop),
        None => Ok(()),
    }
}

/// A pool, refreshed.
fn refreshed(connection: &Connection, pool: &str) -> Result<StoragePool, LibvirtError> {
    let pool = connection.lookup_storage_pool_by_name(pool)?;
    pool.refresh(0)?;
    Ok(pool)
}

fn find(pool: &StoragePool, name: &str) -> Result<Option<StorageVol>, LibvirtError> {
    if_there(pool.lookup_storage_vol_by_name(name).map_err(LibvirtError::from))
}

/// Turns the error "no such volume" into none.
pub(crate) fn if_there<T>(result: Result<T, LibvirtError>) -> Result<Option<T>, LibvirtError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.number == sys::VIR_ERR_NO_STORAGE_VOL => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a path is below that of a pool with this XML.
pub(crate) fn is_below(path: &str, pool: &str) -> Result<bool, LibvirtError> {
    let document = xml::parse(pool)?;
    let target = xml::text(document.root_element(), &["target", "path"]);
    Ok(target.is_some_and(|target| path.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'))))
}

/// Whether the volumes of a pool with this XML are files, which grow as they are written to. Others are allocated in full: a sparse
/// volume of LVM, for example, is a snapshot that breaks when it is full.
pub(crate) fn is_of_files(pool: &str) -> Result<bool, LibvirtError> {
    Ok(matches!(xml::parse(pool)?.root_element().attribute("type"), Some("dir" | "fs" | "netfs")))
}

/// The XML that creates a volume.
fn definition(wanted: &NewVolume, is_sparse: bool) -> String {
    let NewVolume { name, format, capacity_bytes, .. } = wanted;
    let (name, format_name) = (escaped(name), escaped(format));
    let allocation = if is_sparse { "<allocation unit='bytes'>0</allocation>" } else { "" };
    // Without it, libvirt creates qcow2 images of version 2, for QEMU before 1.1.
    let version = if format == "qcow2" { "<compat>1.1</compat>" } else { "" };
    format!(
        "<volume><name>{name}</name><capacity unit='bytes'>{capacity_bytes}</capacity>{allocation}\
         <target><format type='{format_name}'/>{version}</target></volume>"
    )
}

/// A volume in the engine's form. libvirt reads its size anew.
pub(crate) fn described(volume: &StorageVol) -> Result<Volume, LibvirtError> {
    parsed(&volume.xml_desc(0)?)
}

/// A volume's XML in the engine's form.
fn parsed(volume: &str) -> Result<Volume, LibvirtError> {
    let document = xml::parse(volume)?;
    let root = document.root_element();
    let missing = |what| LibvirtError::unusable(format!("libvirt's XML of a volume has no {what}"));
    // Not trimmed: spaces are part of names.
    let whole = |path: &[&'static str]| xml::find(root, path).and_then(|node| node.text()).map(str::to_owned);
    Ok(Volume {
        name: whole(&["name"]).ok_or_else(|| missing("name"))?,
        path: whole(&["target", "path"]).ok_or_else(|| missing("path"))?,
        // The XML of block devices has no format.
        format: xml::attribute(root, &["target", "format"], "type").unwrap_or("raw").to_owned(),
        capacity_bytes: xml::bytes(root, &["capacity"]).ok_or_else(|| missing("capacity"))?,
        allocation_bytes: xml::bytes(root, &["allocation"]).ok_or_else(|| missing("allocation"))?,
        length_bytes: xml::bytes(root, &["physical"]),
        has_backing: xml::text(root, &["backingStore", "path"]).is_some(),
        modified: xml::text(root, &["target", "timestamps", "mtime"]).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    /// The pool of libvirt's test driver, of type `dir`.
    const POOL: &str = "default-pool";

    fn wanted(name: &str) -> NewVolume {
        NewVolume { pool: POOL.to_owned(), name: name.to_owned(), format: "qcow2".to_owned(), capacity_bytes: 5 << 20 }
    }

    #[test]
    fn a_volume_is_made_found_and_deleted() {
        let connection = testing::connection();
        let name = "it's <a> & \"b\".qcow2";
        assert_eq!(volume(&connection, POOL, name).unwrap(), None);
        let made = create(&connection, &wanted(name)).unwrap();
        assert_eq!((made.name.as_str(), made.format.as_str(), made.capacity_bytes), (name, "qcow2", 5 << 20));
        assert_eq!(volume(&connection, POOL, name).unwrap(), Some(made.clone()));
        assert_eq!(at(&connection, &made.path).unwrap(), Some((POOL.to_owned(), made)));
        assert!(create(&connection, &wanted(name)).is_err());
        delete(&connection, POOL, name).unwrap();
        delete(&connection, POOL, name).unwrap();
        assert_eq!(volume(&connection, POOL, name).unwrap(), None);
    }

    #[test]
    fn a_pool_has_to_exist_and_be_active() {
        let connection = testing::connection();
        let missing = volume(&connection, "no-such-pool", "x").unwrap_err();
        assert_eq!(missing.number, sys::VIR_ERR_NO_STORAGE_POOL);
        connection
            .define_storage_pool_xml(
                "<pool type='dir'><name>not-started</name><target><path>/not/started</path></target></pool>",
                0,
            )
            .unwrap();
        assert!(volume(&connection, "not-started", "x").is_err());
        assert!(create(&connection, &NewVolume { pool: "not-started".to_owned(), ..wanted("x") }).is_err());
        assert_eq!(at(&connection, "/not/started/x").unwrap(), None);
    }

    #[test]
    fn pools_that_are_stopped_or_removed_meanwhile_are_none() {
        let connection = testing::connection();
        let xml = "<pool type='dir'><name>stops</name><target><path>/stops</path></target></pool>";
        let pool = connection.define_storage_pool_xml(xml, 0).unwrap();
        let list = || unless_stopped(pool.list_all_volumes(0).map_err(LibvirtError::from).map(|_| ()));
        pool.create(0).unwrap();
        assert_eq!(list().unwrap(), Some(()));
        pool.destroy().unwrap();
        assert_eq!(list().unwrap(), None);
        pool.undefine().unwrap();
        assert_eq!(list().unwrap(), None);
    }

    #[test]
    fn a_volume_of_our_own_pool_is_in_none() {
        let connection = testing::connection();
        let xml =
            "<pool type='dir'><name>vmferry-directory-2000000001-0</name><target><path>/srv/old</path></target></pool>";
        let ours = connection.create_storage_pool_xml(xml, 0).unwrap();
        let volume = "<volume><name>old.qcow2</name><capacity>1</capacity></volume>";
        StorageVol::create_xml(&ours, volume, 0).unwrap();
        let path = "/srv/old/old.qcow2";
        let (found, known) = (at(&connection, path), known_at(&connection, path));
        ours.destroy().unwrap();
        assert_eq!(found.unwrap(), None);
        assert_eq!(known.map(drop).unwrap_err().number, sys::VIR_ERR_NO_STORAGE_VOL);
    }

    #[test]
    fn a_path_is_below_a_pool_only_in_its_directory() {
        let pool = "<pool type='dir'><target><path>/srv/vm</path></target></pool>";
        let below = |path| is_below(path, pool).unwrap();
        assert!(below("/srv/vm/a.img") && below("/srv/vm/a/b"));
        assert!(!below("/srv/vm2/a.img") && !below("/srv/vm") && !below("a"));
        assert!(!is_below("/a", "<pool type='rbd'/>").unwrap());
    }

    #[test]
    fn only_files_are_sparse() {
        for (kind, expected) in [("dir", true), ("fs", true), ("netfs", true), ("logical", false), ("disk", false)] {
            assert_eq!(is_of_files(&format!("<pool type='{kind}'/>")).unwrap(), expected, "{kind}");
        }
        assert!(definition(&wanted("a"), true).contains("<allocation unit='bytes'>0</allocation>"));
        assert!(!definition(&wanted("a"), false).contains("allocation"));
    }

    #[test]
    fn no_name_changes_the_shape_of_a_definition() {
        let name = "</name><target><path>/etc/passwd</path></target><name>";
        let wanted = NewVolume { format: "raw'/><path>/etc</path><a b='".to_owned(), ..wanted(name) };
        let definition = definition(&wanted, true);
        let document = xml::parse(&definition).unwrap();
        assert_eq!(xml::text(document.root_element(), &["name"]), Some(name));
        assert_eq!(
            xml::attribute(document.root_element(), &["target", "format"], "type"),
            Some(wanted.format.as_str())
        );
        assert!(xml::find(document.root_element(), &["target", "path"]).is_none());
    }

    #[test]
    fn volumes_are_described_as_libvirt_writes_them() {
        let file = "<volume type='file'><name> a b </name><key>/p/ a b </key><capacity unit='bytes'>67108864</capacity>\
                    <allocation unit='bytes'>200704</allocation><physical unit='bytes'>196616</physical>\
                    <target><path>/p/ a b </path><format type='qcow2'/><timestamps><atime>1.5</atime>\
                    <mtime>1795417859.782242126</mtime></timestamps></target>\
                    <backingStore><path>/base</path><format type='raw'/></backingStore></volume>";
        let expected = Volume {
            name: " a b ".to_owned(),
            path: "/p/ a b ".to_owned(),
            format: "qcow2".to_owned(),
            capacity_bytes: 64 << 20,
            allocation_bytes: 200_704,
            length_bytes: Some(196_616),
            has_backing: true,
            modified: Some("1795417859.782242126".to_owned()),
        };
        assert_eq!(parsed(file).unwrap(), expected);
        let device = "<volume type='block'><name>a</name><capacity unit='bytes'>512</capacity>\
                      <allocation unit='bytes'>512</allocation><target><path>/dev/vg/a</path></target></volume>";
        let device = parsed(device).unwrap();
        assert_eq!((device.format.as_str(), device.modified), ("raw", None));
        assert_eq!((device.length_bytes, device.has_backing), (None, false));
        assert!(parsed("<volume><name>a</name></volume>").is_err());
    }
}
