//! The facts of a VM: what its definition says, and the few that libvirt reports beside it.

pub(crate) mod details;
mod devices;
mod disks;
mod kept;
mod machine;
mod qcow2;
pub(crate) mod references;
#[cfg(test)]
mod schema;
mod sizes;
mod trial;

use engine::{Disk, DiskDevice, DiskSource, DomainFacts, ImageExtras};
use model::VmId;
use virt::{domain::Domain, sys};

use crate::{
    connection::Connection,
    domain::{activity, copies, jobs},
    error::LibvirtError,
    storage::{contents, volumes},
    xml,
};

/// libvirt's domain type of VMs whose CPU QEMU emulates. QEMU leaves out features that it can't emulate, so that the definition may
/// ask for more than the guest has; the live definition says what it has.
const EMULATION: &str = "qemu";

/// The facts of this VM. An incoming copy is not asked: that is an error.
pub(crate) fn facts(connection: &Connection, vm: VmId) -> Result<DomainFacts, LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    if copies::copy(&domain)?.incoming {
        return Err(LibvirtError::unusable("the domain is being received"));
    }
    let is_active = domain.is_active()?;
    let mut facts = read(&definition(connection, &domain, is_active)?, vm)?;
    let shown = domain.xml_desc(if is_active { 0 } else { sys::VIR_DOMAIN_XML_INACTIVE })?;
    facts.trial = Some(trial::trial(&shown, facts.cpu.as_deref())?);
    if is_active && facts.virt_type == EMULATION {
        facts.cpu = machine::cpu(xml::parse(&shown)?.root_element());
    }
    let sizes = connection.known(sizes::sizes(&domain, is_active))?.unwrap_or_default();
    let shown_disks = disks_in(&shown)?;
    let shown_document = xml::parse(&shown)?;
    let shown_devices = xml::find(shown_document.root_element(), &["devices"]);
    facts.backing_formats = shown_devices.map(disks::backing_formats).unwrap_or_default();
    for disk in &mut facts.disks {
        if let Some(size) = sizes.iter().find(|size| size.target == disk.target) {
            (disk.capacity_bytes, disk.allocation_bytes) = (size.capacity_bytes, size.allocation_bytes);
        }
        // The migratable definition has no backing chains, data files or slices: QEMU detects them anew.
        if let Some(shown) = shown_disks.iter().find(|shown| shown.target == disk.target) {
            disk.has_backing |= shown.has_backing;
            disk.has_data_file_or_slice |= shown.has_data_file_or_slice;
        }
        connection.known(add_from_pool(connection, disk, is_active))?;
    }
    facts.autostart = connection.known(domain.autostart().map_err(LibvirtError::from))?;
    facts.snapshots = connection.known(domain.num_snapshots(0).map_err(LibvirtError::from))?.unwrap_or(0);
    facts.checkpoints = connection.known(checkpoints(&domain))?.unwrap_or(0);
    facts.saved_memory = !is_active && connection.known(copies::has_saved_memory(&domain))?.unwrap_or(false);
    if is_active {
        facts.later_disks = later_disks(&domain, &shown_disks)?;
        facts.block_jobs = block_jobs(connection, &domain, &facts.disks)?;
        facts.io_error = copies::is_paused_by_io_error(&domain)?;
        facts.resident_bytes = connection.known(activity::resident_bytes(&domain))?.flatten();
        facts.other_job = connection.known(jobs::other(&domain))?.flatten();
    }
    Ok(facts)
}

/// The facts in a definition.
fn read(text: &str, vm: VmId) -> Result<DomainFacts, LibvirtError> {
    let document = xml::parse(text)?;
    let mut facts = machine::machine(document.root_element(), vm);
    facts.references = references::references(document.root_element());
    if let Some(devices) = xml::find(document.root_element(), &["devices"]) {
        facts.disks = disks::disks(devices);
        facts.interfaces = devices::interfaces(devices);
        (facts.usb_devices, facts.host_devices) = devices::host_devices(devices);
        facts.shared_memory = devices::shared_memory(devices);
        (facts.shared_folders, facts.plan9_folders) = devices::shared_folders(devices);
        facts.tpm = devices::tpm(devices);
        facts.tpm_state = devices::tpm_state(devices);
        facts.kept_files = kept::files(document.root_element());
        facts.secrets = disks::secrets(devices);
    }
    Ok(facts)
}

/// The definition that a migration would send. That of a running VM has passwords in it, so only [`read`] gets it. A read-only
/// connection is refused it, and gets the ordinary live definition instead, which is nearly the same.
fn definition(connection: &Connection, domain: &Domain, is_active: bool) -> Result<String, LibvirtError> {
    if !is_active {
        return Ok(domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)?);
    }
    match connection.known(domain.xml_desc(sys::VIR_DOMAIN_XML_MIGRATABLE).map_err(LibvirtError::from))? {
        Some(definition) => Ok(definition),
        None => Ok(domain.xml_desc(0)?),
    }
}

/// The XML namespace of what vmferry finds in a definition's `<metadata>`: `<tags xmlns="…"><tag>web</tag></tags>`, which
/// `virsh metadata` can set.
const METADATA: &str = "urn:vmferry:vm:1";

/// What a definition says of a VM that is only listed.
#[derive(Debug, PartialEq)]
pub(crate) struct Outline {
    /// Its title for people.
    pub(crate) title: Option<String>,
    /// Its tags, in the order of the definition.
    pub(crate) tags: Vec<String>,
    /// The most virtual CPUs that it can have.
    pub(crate) vcpus: u32,
    /// Where the contents of its disks are, without media.
    pub(crate) disks: Vec<DiskSource>,
    /// The MAC addresses of its interfaces, in lower case.
    pub(crate) macs: Vec<String>,
}

/// The outline of a VM with this definition.
pub(crate) fn outline(definition: &str) -> Result<Outline, LibvirtError> {
    let document = xml::parse(definition)?;
    let root = document.root_element();
    let devices = xml::find(root, &["devices"]);
    let interfaces = devices.into_iter().flat_map(|devices| xml::children(devices, "interface"));
    let macs = interfaces.filter_map(|interface| xml::attribute(interface, &["mac"], "address"));
    let disks = devices.map(disks::disks).unwrap_or_default();
    let disks = disks.into_iter().filter(|disk| matches!(disk.device, DiskDevice::Disk | DiskDevice::Lun));
    Ok(Outline {
        title: xml::text(root, &["title"]).map(str::to_owned),
        tags: tags(root),
        vcpus: xml::text(root, &["vcpu"]).and_then(|text| text.parse().ok()).unwrap_or(0),
        disks: disks.map(|disk| disk.source).collect(),
        macs: macs.map(str::to_ascii_lowercase).collect(),
    })
}

fn tags(root: roxmltree::Node<'_, '_>) -> Vec<String> {
    let metadata = xml::find(root, &["metadata"]).into_iter().flat_map(|metadata| metadata.descendants());
    let tags = metadata.filter(|node| node.has_tag_name((METADATA, "tag")));
    tags.filter_map(|tag| tag.text()).map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect()
}

/// The disks of a definition.
fn disks_in(definition: &str) -> Result<Vec<Disk>, LibvirtError> {
    let document = xml::parse(definition)?;
    Ok(xml::find(document.root_element(), &["devices"]).map(disks::disks).unwrap_or_default())
}

/// The disks and media in the persistent definition that the live one does not have.
fn later_disks(domain: &Domain, now: &[Disk]) -> Result<Vec<Disk>, LibvirtError> {
    let is_there = |disk: &Disk| now.iter().any(|now| (&now.target, &now.source) == (&disk.target, &disk.source));
    let mut later = disks_in(&domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)?)?;
    later.retain(|disk| disk.source != DiskSource::Empty && !is_there(disk));
    Ok(later)
}

/// Adds what a pool knows of a disk: what a qcow2 image holds beside what the guest sees; and while the VM is off its size if that is
/// not known yet, whether it has a backing image, and whether it has a data file.
fn add_from_pool(connection: &Connection, disk: &mut Disk, is_active: bool) -> Result<(), LibvirtError> {
    if disk.format != qcow2::FORMAT {
        disk.extras = Some(ImageExtras::default());
        if is_active {
            return Ok(());
        }
    }
    let volume = match &disk.source {
        DiskSource::File { path } | DiskSource::Block { path } => volumes::known_at(connection, path)?,
        DiskSource::Volume { pool, volume } => {
            connection.lookup_storage_pool_by_name(pool)?.lookup_storage_vol_by_name(volume)?
        }
        _ => return Ok(()),
    };
    let header = if disk.format == qcow2::FORMAT {
        let header = contents::part(connection, &volume, 0, qcow2::HEADER)?;
        disk.extras = qcow2::extras(&header, |at, len| contents::part(connection, &volume, at, len))?;
        header
    } else {
        Vec::new()
    };
    if is_active {
        return Ok(());
    }
    if disk.capacity_bytes == 0 {
        let info = volume.info()?;
        (disk.capacity_bytes, disk.allocation_bytes) = (info.capacity, info.allocation);
    }
    let text = volume.xml_desc(0)?;
    let document = xml::parse(&text)?;
    disk.has_backing |= xml::text(document.root_element(), &["backingStore", "path"]).is_some();
    disk.has_data_file_or_slice |= qcow2::has_data_file(&header);
    Ok(())
}

/// How many checkpoints libvirt keeps of the domain.
fn checkpoints(domain: &Domain) -> Result<u32, LibvirtError> {
    // SAFETY: the domain is valid; with NULL for the list, libvirt only counts.
    let count = unsafe { sys::virDomainListAllCheckpoints(domain.as_ptr(), std::ptr::null_mut(), 0) };
    u32::try_from(count).map_err(|_| LibvirtError::last())
}

/// The disks with a block job, by target.
fn block_jobs(connection: &Connection, domain: &Domain, disks: &[Disk]) -> Result<Vec<String>, LibvirtError> {
    let mut busy = Vec::new();
    for disk in disks {
        if connection.known(jobs::has_block_job(domain, &disk.target))? == Some(true) {
            busy.push(disk.target.clone());
        }
    }
    Ok(busy)
}

#[cfg(test)]
mod tests {
    use engine::{DiskDevice, Folder, Interface, KeptFile, KeptIn, Tpm};

    use super::*;
    use crate::{connection::testing, domain};

    /// A desktop as virt-manager defines it, with a bit of everything.
    const SAMPLE: &str = include_str!("sample.xml");

    #[test]
    fn the_definition_of_a_desktop_is_read() {
        let vm = VmId("4dea22b3-1d52-d8f3-2516-782e98ab3fa0".parse().unwrap());
        let mut facts = read(SAMPLE, vm).unwrap();
        let cpu = facts.cpu.take().unwrap();
        assert!(cpu.starts_with("<cpu mode='custom'") && cpu.ends_with("</cpu>"), "{cpu}");
        let disks: Vec<_> = facts.disks.drain(..).map(|disk| (disk.target, disk.device, disk.source)).collect();
        let file = |path: &str| DiskSource::File { path: path.to_owned() };
        let rbd = DiskSource::Network {
            protocol: "rbd".to_owned(),
            name: "mon1.example.org:6789/vms/desktop".to_owned(),
            is_local: false,
        };
        let expected = [
            ("vda".to_owned(), DiskDevice::Disk, file("/var/lib/libvirt/images/desktop.qcow2")),
            ("vdb".to_owned(), DiskDevice::Disk, DiskSource::Block { path: "/dev/vg0/data".to_owned() }),
            ("vdc".to_owned(), DiskDevice::Disk, rbd),
            ("sda".to_owned(), DiskDevice::Cdrom, file("/srv/iso/debian.iso")),
            ("fda".to_owned(), DiskDevice::Floppy, DiskSource::Empty),
        ];
        assert_eq!(disks, expected);
        let references = std::mem::take(&mut facts.references);
        let files: Vec<_> = references.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(files, ["/srv/share", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"]);
        assert_eq!(references.macs.len(), 2);
        assert_eq!(references.qemu_drivers.into_iter().collect::<Vec<_>>(), ["disks by rbd"]);
        let secret = facts.secrets.pop().unwrap();
        assert_eq!((secret.target.as_str(), secret.uuid.is_some()), ("vdc", true));
        let expected = DomainFacts {
            vm,
            name: "desktop".to_owned(),
            arch: "x86_64".to_owned(),
            virt_type: "kvm".to_owned(),
            emulator: "/usr/bin/qemu-system-x86_64".to_owned(),
            machine: "pc-q35-9.2".to_owned(),
            firmware: Some("/usr/share/OVMF/OVMF_CODE_4M.ms.fd".to_owned()),
            nvram: Some("/var/lib/libvirt/qemu/nvram/desktop_VARS.fd".to_owned()),
            nvram_has_template: true,
            invtsc_without_frequency: true,
            memory_bytes: 4 << 30,
            huge_page_bytes: Some(2 << 20),
            vcpus: 2,
            interfaces: vec![
                Interface::Network { name: "default".to_owned() },
                Interface::Bridge { name: "br0".to_owned() },
            ],
            host_devices: vec!["PCI 0000:03:00.1".to_owned()],
            shared_memory: vec!["looking-glass".to_owned()],
            shared_folders: vec![Folder { name: "share".to_owned(), path: Some("/srv/share".to_owned()) }],
            kept_files: vec![KeptFile { path: "/dev/shm/looking-glass".to_owned(), kind: KeptIn::SharedMemory }],
            tpm: Some(Tpm::Emulator),
            ..DomainFacts::default()
        };
        assert_eq!(facts, expected);
        let backing: Vec<_> = disks_in(SAMPLE).unwrap().into_iter().filter(|disk| disk.has_backing).collect();
        assert_eq!(backing.iter().map(|disk| disk.target.as_str()).collect::<Vec<_>>(), ["vda"]);
    }

    #[test]
    fn a_vm_has_facts_whether_it_runs_or_not() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "asked");
        let domain = domain::find(&connection, vm).unwrap().unwrap();
        for is_running in [false, true] {
            if is_running {
                domain.create().unwrap();
            }
            let found = facts(&connection, vm).unwrap();
            assert_eq!((found.vm, found.name.as_str(), found.memory_bytes, found.vcpus), (vm, "asked", 64 << 20, 2));
            assert!(found.trial.is_some() && !found.io_error && found.other_job.is_none());
        }
        domain.destroy().unwrap();
    }

    #[test]
    fn disks_in_the_persistent_definition_only_are_found() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "plans");
        let domain = domain::find(&connection, vm).unwrap().unwrap();
        let disk = |target: &str, path: &str| {
            format!("<disk type='file'><source file='{path}'/><target dev='{target}'/></disk>")
        };
        let define = |disks: &[String]| {
            let xml = format!(
                "<domain type='test'><name>plans</name><uuid>{vm}</uuid><memory unit='MiB'>64</memory><os><type>hvm</type></os>\
                 <devices>{}<disk type='file' device='cdrom'><target dev='hdc'/></disk></devices></domain>",
                disks.concat()
            );
            connection.define_domain_xml(&xml).unwrap();
        };
        define(&[disk("hda", "/a"), disk("hdb", "/b")]);
        assert_eq!(facts(&connection, vm).unwrap().later_disks, []);
        domain.create().unwrap();
        assert_eq!(facts(&connection, vm).unwrap().later_disks, []);
        define(&[disk("hda", "/a"), disk("hdb", "/new"), disk("hdd", "/d")]);
        let found = facts(&connection, vm).unwrap();
        domain.destroy().unwrap();
        let later: Vec<_> = found.later_disks.into_iter().map(|disk| (disk.target, disk.source)).collect();
        let file = |path: &str| DiskSource::File { path: path.to_owned() };
        assert_eq!(later, [("hdb".to_owned(), file("/new")), ("hdd".to_owned(), file("/d"))]);
        assert_eq!(found.disks.len(), 3, "the present disks are unchanged");
    }
}
