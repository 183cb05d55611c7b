//! Users of an image, which must not be deleted then: VMs that have it as a disk, images with it in their backing chain, and hosts that
//! share its pool.

use engine::ImageUsers;
use model::VmId;
use roxmltree::Node;
use virt::{domain::Domain, storage_pool::StoragePool, sys};

use super::{own_pools, pool_source, volumes};
use crate::{connection::Connection, domain, error::LibvirtError, xml};

/// An image: its path, and the pool and the name of its volume if it is in a pool.
struct Image<'a> {
    path: &'a str,
    volume: Option<(String, String)>,
}

impl Image<'_> {
    /// Whether it is in the pool of this name and XML. It may be in several: a pool's directory may be below another's.
    fn is_in(&self, pool: &str, xml: &str) -> Result<bool, LibvirtError> {
        Ok(self.volume.as_ref().is_some_and(|(name, _)| name == pool) || volumes::is_below(self.path, xml)?)
    }
}

/// The users of the image at a path. A VM that has `left` counts only if it runs here all the same.
pub(crate) fn of(connection: &Connection, path: &str, left: Option<VmId>) -> Result<ImageUsers, LibvirtError> {
    let volume = volumes::at(connection, path)?.map(|(pool, volume)| (pool, volume.name));
    let image = Image { path, volume };
    let mut users = ImageUsers::default();
    for domain in connection.list_all_domains(0)? {
        if domain::if_there(has(&domain, &image, left))? == Some(true) {
            users.here.push(format!("the VM {}", domain.name()?));
        }
    }
    for pool in own_pools::of_others(connection, sys::VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)? {
        let of_pool = volumes::unless_stopped(in_pool(&pool, &image))?.unwrap_or_default();
        users.here.extend(of_pool.here);
        users.elsewhere.extend(of_pool.elsewhere);
    }
    Ok(users)
}

/// The users of the image among a pool's volumes, and the hosts that share the pool.
fn in_pool(pool: &StoragePool, image: &Image<'_>) -> Result<ImageUsers, LibvirtError> {
    let (name, definition) = (pool.name()?, pool.xml_desc(0)?);
    let overlays = overlays_of(pool, image)?.into_iter();
    let here = overlays.map(|volume| format!("the volume {volume} of the pool {name}")).collect();
    let mut elsewhere = Vec::new();
    if image.is_in(&name, &definition)? && pool_source::is_shared(&definition)? {
        elsewhere.push(format!("other hosts that share the pool {name}"));
    }
    Ok(ImageUsers { here, elsewhere })
}

/// Whether a VM has the image in the backing chain of a disk, now or in its persistent definition.
fn has(domain: &Domain, image: &Image<'_>, left: Option<VmId>) -> Result<bool, LibvirtError> {
    let copy = domain::copies::copy(domain)?;
    let has_left = left == Some(copy.vm);
    // Nothing may be asked of an incoming copy. Its disks are its own, or shared with the host it comes from.
    if copy.incoming || (has_left && !copy.state.is_active()) {
        return Ok(false);
    }
    if copy.state.is_active() && names(&domain.xml_desc(0)?, image)? {
        return Ok(true);
    }
    Ok(copy.persistent && !has_left && names(&domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)?, image)?)
}

/// Whether a VM's definition names the image.
fn names(definition: &str, image: &Image<'_>) -> Result<bool, LibvirtError> {
    let document = xml::parse(definition)?;
    let disks = document.descendants().filter(|node| node.has_tag_name("disk"));
    let mut sources = disks.flat_map(|disk| disk.descendants()).filter(|node| node.has_tag_name("source"));
    Ok(sources.any(|source| is(source, image)))
}

fn is(source: Node<'_, '_>, image: &Image<'_>) -> bool {
    let is_path = |name| source.attribute(name) == Some(image.path);
    let by_name = || source.attribute("pool").zip(source.attribute("volume"));
    let volume = || image.volume.as_ref().map(|(pool, name)| (pool.as_str(), name.as_str()));
    is_path("file") || is_path("dev") || (volume().is_some() && by_name() == volume())
}

/// The names of a pool's volumes whose backing image it is.
fn overlays_of(pool: &StoragePool, image: &Image<'_>) -> Result<Vec<String>, LibvirtError> {
    let mut overlays = Vec::new();
    for volume in pool.list_all_volumes(0)? {
        let Some(definition) = volumes::if_there(volume.xml_desc(0).map_err(LibvirtError::from))? else { continue };
        let document = xml::parse(&definition)?;
        if xml::text(document.root_element(), &["backingStore", "path"]) == Some(image.path) {
            overlays.push(volume.name()?);
        }
    }
    Ok(overlays)
}

#[cfg(test)]
mod tests {
    use virt::storage_vol::StorageVol;

    use super::*;
    use crate::connection::testing;

    /// A VM with one disk of this XML.
    fn define(connection: &Connection, name: &str, disk: &str) -> Domain {
        let xml = format!(
            "<domain type='test'><name>{name}</name><memory>65536</memory><os><type>hvm</type></os><devices>{disk}</devices></domain>"
        );
        connection.define_domain_xml(&xml).unwrap()
    }

    #[test]
    fn vms_that_have_an_image_are_its_users_but_for_the_one_that_left() {
        let connection = testing::connection();
        let disk = |source: &str, kind: &str| format!("<disk type='{kind}'>{source}<target dev='vda'/></disk>");
        let path = "/users-of/a.qcow2";
        let by_path = define(&connection, "users-path", &disk(&format!("<source file='{path}'/>"), "file"));
        let other = define(&connection, "users-other", &disk("<source file='/users-of/a.qcow2.old'/>", "file"));
        let left = Some(VmId(by_path.uuid().unwrap()));
        for other in [None, Some(VmId(other.uuid().unwrap()))] {
            assert_eq!(of(&connection, path, other).unwrap().here, ["the VM users-path"]);
        }
        assert_eq!(of(&connection, path, left).unwrap(), ImageUsers::default());
        by_path.create().unwrap();
        assert_eq!(of(&connection, path, left).unwrap().here, ["the VM users-path"]);
    }

    #[test]
    fn backing_chains_and_volumes_of_pools_are_uses_too() {
        let image = Image { path: "/p/base", volume: Some(("p".to_owned(), "base".to_owned())) };
        let names = |source: &str| {
            names(&format!("<domain><devices><disk>{source}</disk></devices></domain>"), &image).unwrap()
        };
        assert!(names("<source file='/p/top'/><backingStore><source file='/p/base'/></backingStore>"));
        assert!(names("<source dev='/p/base'/>"));
        assert!(names("<source pool='p' volume='base'/>"));
        assert!(!names("<source pool='q' volume='base'/>"));
        assert!(!names("<source file='/p/top'/>"));
        assert!(!names(""));
    }

    #[test]
    fn an_image_may_be_in_several_pools() {
        let image = Image { path: "/mnt/vms/a", volume: Some(("vms".to_owned(), "a".to_owned())) };
        let pool = |path: &str| format!("<pool type='dir'><target><path>{path}</path></target></pool>");
        assert!(image.is_in("vms", &pool("/elsewhere")).unwrap());
        assert!(image.is_in("filer", &pool("/mnt")).unwrap());
        assert!(!image.is_in("other", &pool("/mnt/vms2")).unwrap());
    }

    #[test]
    fn volumes_with_the_image_as_backing_are_named() {
        let connection = testing::connection();
        let pool = "<pool type='dir'><name>users</name><target><path>/users</path></target></pool>";
        let pool = connection.define_storage_pool_xml(pool, 0).unwrap();
        pool.create(0).unwrap();
        let base = "<volume><name>base</name><capacity>1</capacity></volume>";
        StorageVol::create_xml(&pool, base, 0).unwrap();
        let top = "<volume><name>top</name><capacity>1</capacity><backingStore><path>/users/base</path>\
                   <format type='raw'/></backingStore></volume>";
        StorageVol::create_xml(&pool, top, 0).unwrap();
        assert_eq!(of(&connection, "/users/base", None).unwrap().here, ["the volume top of the pool users"]);
        assert_eq!(of(&connection, "/users/top", None).unwrap(), ImageUsers::default());
        pool.destroy().unwrap();
        pool.undefine().unwrap();

        let ours =
            "<pool type='dir'><name>vmferry-directory-2000000002-0</name><target><path>/users</path></target></pool>";
        let ours = connection.create_storage_pool_xml(ours, 0).unwrap();
        StorageVol::create_xml(&ours, top, 0).unwrap();
        let users = of(&connection, "/users/base", None);
        ours.destroy().unwrap();
        assert_eq!(
            users.unwrap(),
            ImageUsers::default(),
            "what is said does not depend on who looks at files just now"
        );
    }
}
