//! Migrations: the engine's plan in libvirt's flags and parameters.

use std::ffi::{CString, c_uint};

use engine::{DiskCopy, MigrationPlan};
use model::Mode;
use virt::{domain::Domain, sys};

use crate::{error::LibvirtError, link::Link, rewrite, typed_params::TypedParams, uri};

/// The first libvirt that can leave out of a copy what is zero, as the number it tells: 10.9.0.
const DETECTS_ZEROES: u32 = 10_009_000;

/// Migrates peer-to-peer: the source's daemon talks to the destination's, and goes on even if we die. Blocks until it is over.
pub(crate) fn migrate(link: &Link, plan: &MigrationPlan) -> Result<(), LibvirtError> {
    let domain = link.lookup_domain_by_uuid(plan.vm.0)?;
    let destination = CString::new(uri::daemon(&plan.destination.peer_transport)).map_err(virt::error::Error::from)?;
    let mut definitions = Definitions::rewritten(&domain, plan)?;
    if plan.mode == Mode::Live && link.lib_version()? >= DETECTS_ZEROES {
        definitions.allow_holes(&plan.disks)?;
    }
    let params = params(plan, &definitions)?;
    let (list, len) = params.as_raw();
    // SAFETY: the domain is valid; destination and list live until the call is over, and the list has `len` parameters.
    let result =
        unsafe { sys::virDomainMigrateToURI3(domain.as_ptr(), destination.as_ptr(), list, len as c_uint, flags(plan)) };
    if result < 0 { Err(LibvirtError::last()) } else { Ok(()) }
}

fn flags(plan: &MigrationPlan) -> c_uint {
    let when = |condition, flag| if condition { flag } else { 0 };
    let mode = match plan.mode {
        Mode::Live => {
            let copies = !plan.disks.is_empty();
            sys::VIR_MIGRATE_LIVE
                | when(plan.persist_destination, sys::VIR_MIGRATE_PERSIST_DEST)
                | when(copies, sys::VIR_MIGRATE_NON_SHARED_DISK)
                | when(copies && plan.synchronous_writes, sys::VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES)
                // Drops all of libvirt's own checks of storage, so only where the hosts' settings vouch for it.
                | when(plan.trust_shared_directories, sys::VIR_MIGRATE_UNSAFE)
        }
        // A definition that is not kept would be nothing: libvirt insists on the flag. Disks are none of its business here.
        Mode::Offline => sys::VIR_MIGRATE_OFFLINE | sys::VIR_MIGRATE_PERSIST_DEST,
    };
    mode | sys::VIR_MIGRATE_PEER2PEER | when(plan.undefine_source, sys::VIR_MIGRATE_UNDEFINE_SOURCE)
}

fn params(plan: &MigrationPlan, definitions: &Definitions) -> Result<TypedParams, LibvirtError> {
    let mut params = TypedParams::new();
    if plan.mode == Mode::Live {
        // Without it libvirt uses what the destination believes its own name is, which often no other host can resolve. Disks go
        // to the same address.
        let data = uri::migration_data(&plan.destination.peer_address);
        params.add_string(sys::VIR_MIGRATE_PARAM_URI, &data)?;
        if let Some(bandwidth) = plan.bandwidth_mib_s {
            params.add_u64(sys::VIR_MIGRATE_PARAM_BANDWIDTH, bandwidth.into())?;
        }
        // Always named: libvirt would copy all that the guest can write to, shared or not.
        for disk in &plan.disks {
            params.add_string(sys::VIR_MIGRATE_PARAM_MIGRATE_DISKS, &disk.target)?;
        }
    }
    for target in &definitions.with_holes {
        params.add_string(sys::VIR_MIGRATE_PARAM_MIGRATE_DISKS_DETECT_ZEROES, target)?;
    }
    if let Some(name) = &plan.new_name {
        params.add_string(sys::VIR_MIGRATE_PARAM_DEST_NAME, name)?;
    }
    if let Some(definition) = &definitions.started {
        params.add_string(sys::VIR_MIGRATE_PARAM_DEST_XML, definition)?;
    }
    if let Some(definition) = &definitions.kept {
        params.add_string(sys::VIR_MIGRATE_PARAM_PERSIST_XML, definition)?;
    }
    Ok(params)
}

/// What the destination gets in the place of the source's own definitions, where disks change their places.
#[derive(Default)]
struct Definitions {
    /// What it runs, or what it gets in an offline migration.
    started: Option<String>,
    /// What it keeps for later starts of a VM that runs.
    kept: Option<String>,
    /// Disks whose copies shall not take up space for what is zero.
    with_holes: Vec<String>,
}

impl Definitions {
    fn rewritten(domain: &Domain, plan: &MigrationPlan) -> Result<Self, LibvirtError> {
        if plan.disks.is_empty() {
            return Ok(Self::default());
        }
        let later = || definition(domain, sys::VIR_DOMAIN_XML_INACTIVE);
        match plan.mode {
            Mode::Live => {
                let now = definition(domain, 0)?;
                let started = rewrite::move_disks(&now, &plan.disks)?;
                let kept = plan.persist_destination.then(|| kept(&now, &later()?, &plan.disks)).transpose()?;
                Ok(Self { started: Some(started), kept, ..Self::default() })
            }
            Mode::Offline => {
                let started = rewrite::move_disks(&later()?, &plan.disks)?;
                Ok(Self { started: Some(started), ..Self::default() })
            }
        }
    }

    /// Lets copies be as sparse as the disks are. QEMU needs both: to be told that it may, and to look for zeroes.
    fn allow_holes(&mut self, disks: &[DiskCopy]) -> Result<(), LibvirtError> {
        if let Some(started) = &mut self.started {
            (*started, self.with_holes) = rewrite::allow_holes(started, disks)?;
        }
        Ok(())
    }
}

/// What a VM that runs now has for later starts. Disks that were plugged in for now only are not in it; and where somebody has
/// chosen another image for later, perhaps of another format, that choice stays.
fn kept(now: &str, later: &str, disks: &[DiskCopy]) -> Result<String, LibvirtError> {
    rewrite::move_disks(later, &rewrite::same_disks(now, later, disks)?)
}

/// A definition as another host can take it, with the passwords of its screens: they would be gone there.
fn definition(domain: &Domain, which: sys::virDomainXMLFlags) -> Result<String, LibvirtError> {
    Ok(domain.xml_desc(which | sys::VIR_DOMAIN_XML_MIGRATABLE | sys::VIR_DOMAIN_XML_SECURE)?)
}

#[cfg(test)]
mod tests {
    use engine::{Daemon, HostConfig, Transport};
    use model::VmId;

    use super::*;
    use crate::{
        link::testing,
        typed_params::{number, string},
    };

    fn plan(mode: Mode) -> MigrationPlan {
        let address: engine::Address = "127.0.0.3".parse().unwrap();
        let transport = Transport::Tcp { address: address.clone(), port: 16509, daemon: Daemon::Session };
        let destination = HostConfig {
            name: "beta".parse().unwrap(),
            transport: transport.clone(),
            peer_address: address,
            peer_transport: transport,
            bandwidth_mib_s: None,
            shared_directories: Vec::new(),
        };
        MigrationPlan {
            vm: VmId(uuid::Uuid::nil()),
            destination,
            way: model::Way::PeerToPeer,
            encrypted: false,
            rdma: false,
            mode,
            undefine_source: true,
            persist_destination: true,
            bandwidth_mib_s: Some(32),
            new_name: None,
            disks: Vec::new(),
            synchronous_writes: false,
            trust_shared_directories: false,
        }
    }

    #[test]
    fn the_source_is_undefined_and_the_destination_persisted_only_if_asked() {
        let wanted = plan(Mode::Live);
        let base = sys::VIR_MIGRATE_LIVE | sys::VIR_MIGRATE_PEER2PEER;
        assert_eq!(flags(&wanted), base | sys::VIR_MIGRATE_PERSIST_DEST | sys::VIR_MIGRATE_UNDEFINE_SOURCE);
        let neither = MigrationPlan { undefine_source: false, persist_destination: false, ..wanted };
        assert_eq!(flags(&neither), base);
    }

    #[test]
    fn a_definition_that_moves_is_kept() {
        let plan = MigrationPlan { undefine_source: false, persist_destination: false, ..plan(Mode::Offline) };
        let expected = sys::VIR_MIGRATE_OFFLINE | sys::VIR_MIGRATE_PEER2PEER | sys::VIR_MIGRATE_PERSIST_DEST;
        assert_eq!(flags(&plan), expected);
        assert!(params(&plan, &Definitions::default()).unwrap().as_slice().is_empty());
    }

    #[test]
    fn the_bandwidth_is_passed_on() {
        let bandwidth = |plan: &MigrationPlan| {
            number(params(plan, &Definitions::default()).unwrap().as_slice(), sys::VIR_MIGRATE_PARAM_BANDWIDTH)
        };
        assert_eq!(bandwidth(&plan(Mode::Live)), Some(32));
        assert_eq!(bandwidth(&MigrationPlan { bandwidth_mib_s: None, ..plan(Mode::Live) }), None);
    }

    fn copied(targets: &[&str]) -> Vec<DiskCopy> {
        let copy = |target: &&str| DiskCopy {
            target: (*target).to_owned(),
            path: format!("/new/{target}.img"),
            is_block: false,
        };
        targets.iter().map(copy).collect()
    }

    #[test]
    fn storage_is_copied_only_where_disks_are_named() {
        let copying = sys::VIR_MIGRATE_NON_SHARED_DISK;
        let in_step = sys::VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES;
        let chosen = |disks: &[&str], mode| {
            let plan = MigrationPlan { disks: copied(disks), synchronous_writes: true, ..plan(mode) };
            flags(&plan) & (copying | in_step | sys::VIR_MIGRATE_NON_SHARED_INC)
        };
        assert_eq!(chosen(&["vda"], Mode::Live), copying | in_step);
        assert_eq!(chosen(&[], Mode::Live), 0);
        assert_eq!(chosen(&["vda"], Mode::Offline), 0);
    }

    #[test]
    fn only_hosts_settings_switch_checks_off() {
        assert_eq!(flags(&plan(Mode::Live)) & sys::VIR_MIGRATE_UNSAFE, 0);
        let trusting = MigrationPlan { trust_shared_directories: true, ..plan(Mode::Live) };
        assert_ne!(flags(&trusting) & sys::VIR_MIGRATE_UNSAFE, 0);
    }

    #[test]
    fn every_disk_is_named_and_the_new_name_passed_on() {
        let plan =
            MigrationPlan { disks: copied(&["vda", "vdb"]), new_name: Some("other".to_owned()), ..plan(Mode::Live) };
        let params = params(&plan, &Definitions::default()).unwrap();
        let disks = params
            .as_slice()
            .iter()
            .filter_map(|parameter| string(std::slice::from_ref(parameter), sys::VIR_MIGRATE_PARAM_MIGRATE_DISKS));
        assert_eq!(disks.collect::<Vec<_>>(), ["vda", "vdb"]);
        assert_eq!(string(params.as_slice(), sys::VIR_MIGRATE_PARAM_DEST_NAME), Some("other"));
    }

    /// A running VM with a disk vda; a second one, vdb, is in what it runs only.
    fn domain(link: &Link, name: &str) -> Domain {
        let disk = |target| {
            format!(
                "<disk type='file'><driver type='raw'/><source file='/old/{target}.img'/><target dev='{target}'/></disk>"
            )
        };
        let uuid = uuid::Uuid::new_v4();
        let xml = |disks: String| {
            format!(
                "<domain type='test'><name>{name}</name><uuid>{uuid}</uuid><memory>65536</memory><os><type>hvm</type></os>\
                 <devices>{disks}<graphics type='vnc' passwd='secret'/></devices></domain>"
            )
        };
        let domain = link.define_domain_xml(&xml(disk("vda") + &disk("vdb"))).unwrap();
        domain.create().unwrap();
        link.define_domain_xml(&xml(disk("vda"))).unwrap()
    }

    #[test]
    fn both_definitions_are_rewritten_together() {
        let link = testing::link();
        let domain = domain(&link, "rewritten-live");
        let plan = MigrationPlan { disks: copied(&["vda", "vdb"]), ..plan(Mode::Live) };
        let mut definitions = Definitions::rewritten(&domain, &plan).unwrap();
        definitions.allow_holes(&plan.disks).unwrap();
        assert_eq!(definitions.with_holes, ["vda", "vdb"]);
        let (started, kept) = (definitions.started.unwrap(), definitions.kept.unwrap());
        for definition in [&started, &kept] {
            assert!(definition.contains("<source file='/new/vda.img'/>"), "{definition}");
            assert!(definition.contains("passwd='secret'"), "{definition}");
            assert!(!definition.contains("/old/"), "{definition}");
        }
        assert!(started.contains("<source file='/new/vdb.img'/>"), "{started}");
        assert!(started.contains("discard='unmap'"), "{started}");
        assert!(!kept.contains("vdb") && !kept.contains("discard"), "{kept}");
    }

    #[test]
    fn a_definition_that_moves_alone_is_rewritten_too() {
        let link = testing::link();
        let domain = domain(&link, "rewritten-offline");
        let offline = |disks: &[&str]| MigrationPlan { disks: copied(disks), ..plan(Mode::Offline) };
        let definitions = Definitions::rewritten(&domain, &offline(&["vda"])).unwrap();
        assert!(definitions.started.unwrap().contains("<source file='/new/vda.img'/>"));
        assert_eq!(definitions.kept, None);
        assert!(Definitions::rewritten(&domain, &offline(&["vda", "vdb"])).is_err());
        let untouched = Definitions::rewritten(&domain, &offline(&[])).unwrap();
        assert_eq!(untouched.started, None);
    }
}
