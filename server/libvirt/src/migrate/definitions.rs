//! The definitions that the destination gets instead of the source's, when disks move to other paths.

use engine::{DiskCopy, MigrationPlan};
use model::Mode;
use virt::{domain::Domain, sys};

use crate::{error::LibvirtError, xml::rewrite};

/// The definitions that the destination gets instead of the source's, when disks move to other paths.
#[derive(Default)]
pub(super) struct Definitions {
    /// The one that it runs, or the only one in an offline migration.
    pub(super) started: Option<String>,
    /// The persistent one of a VM that runs.
    pub(super) kept: Option<String>,
    /// Disks whose copies are to be sparse.
    pub(super) with_holes: Vec<String>,
}

impl Definitions {
    pub(super) fn rewritten(domain: &Domain, plan: &MigrationPlan) -> Result<Self, LibvirtError> {
        if plan.disks.is_empty() {
            return Ok(Self::default());
        }
        let persistent = || definition(domain, sys::VIR_DOMAIN_XML_INACTIVE);
        match plan.mode {
            Mode::Live => {
                let now = definition(domain, 0)?;
                let started = rewrite::move_disks(&now, &plan.disks)?;
                let kept = plan.persist_destination.then(|| kept(&now, &persistent()?, &plan.disks)).transpose()?;
                Ok(Self { started: Some(started), kept, ..Self::default() })
            }
            Mode::Offline => {
                let started = rewrite::move_disks(&persistent()?, &plan.disks)?;
                Ok(Self { started: Some(started), ..Self::default() })
            }
        }
    }

    /// Lets copies be as sparse as the disks are. QEMU needs both the permission to discard and the detection of zeroes.
    pub(super) fn allow_holes(&mut self, disks: &[DiskCopy]) -> Result<(), LibvirtError> {
        if let Some(started) = &mut self.started {
            (*started, self.with_holes) = rewrite::allow_holes(started, disks)?;
        }
        Ok(())
    }
}

/// The persistent definition of a VM that runs. It does not have disks that were hot-plugged for now only; and where it has another
/// image than the running VM, that image stays.
fn kept(live: &str, persistent: &str, disks: &[DiskCopy]) -> Result<String, LibvirtError> {
    rewrite::move_disks(persistent, &rewrite::same_disks(live, persistent, disks)?)
}

/// A definition that another host accepts, with the passwords of its displays, which would otherwise be lost.
fn definition(domain: &Domain, which: sys::virDomainXMLFlags) -> Result<String, LibvirtError> {
    Ok(domain.xml_desc(which | sys::VIR_DOMAIN_XML_MIGRATABLE | sys::VIR_DOMAIN_XML_SECURE)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connection::{Connection, testing},
        migrate::testing::{copied, plan},
    };

    /// A running VM with a disk vda; a second one, vdb, is in its live definition only.
    fn domain(connection: &Connection, name: &str) -> Domain {
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
        let domain = connection.define_domain_xml(&xml(disk("vda") + &disk("vdb"))).unwrap();
        domain.create().unwrap();
        connection.define_domain_xml(&xml(disk("vda"))).unwrap()
    }

    #[test]
    fn both_definitions_are_rewritten_together() {
        let connection = testing::connection();
        let domain = domain(&connection, "rewritten-live");
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
    fn the_definition_of_an_offline_migration_is_rewritten_too() {
        let connection = testing::connection();
        let domain = domain(&connection, "rewritten-offline");
        let offline = |disks: &[&str]| MigrationPlan { disks: copied(disks), ..plan(Mode::Offline) };
        let definitions = Definitions::rewritten(&domain, &offline(&["vda"])).unwrap();
        assert!(definitions.started.unwrap().contains("<source file='/new/vda.img'/>"));
        assert_eq!(definitions.kept, None);
        assert!(Definitions::rewritten(&domain, &offline(&["vda", "vdb"])).is_err());
        let untouched = Definitions::rewritten(&domain, &offline(&[])).unwrap();
        assert_eq!(untouched.started, None);
    }
}
