//! The end of an offline migration of a domain with an emulated TPM: its definition is removed without the state of the TPM.

use virt::{domain::Domain, sys};

use crate::{connection::Connection, domain::actions, error::LibvirtError, xml};

/// Whether the host keeps the state of a TPM for the domain. An offline migration does not send it, and where libvirt removes the
/// definition as a part of the migration, it removes this state, too (seen with 11.3).
pub(super) fn is_emulated(domain: &Domain) -> Result<bool, LibvirtError> {
    let definition = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)?;
    let document = xml::parse(&definition)?;
    let Some(devices) = xml::find(document.root_element(), &["devices"]) else { return Ok(false) };
    Ok(xml::children(devices, "tpm").any(|tpm| xml::attribute(tpm, &["backend"], "type") == Some("emulator")))
}

/// Removes the definition, as the migration would have. By now libvirt has let go of the domain, and others may have started it: then it
/// stays, and its definition with it.
pub(super) fn undefine(source: &Connection, domain: &Domain) -> Result<(), LibvirtError> {
    undefine_unless_started(source, domain, |domain| actions::undefine(source, domain))
}

fn undefine_unless_started(
    source: &Connection,
    domain: &Domain,
    undefine: impl FnOnce(&Domain) -> Result<(), LibvirtError>,
) -> Result<(), LibvirtError> {
    let definition = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE | sys::VIR_DOMAIN_XML_SECURE)?;
    let autostart = domain.autostart()?;
    if domain.is_active()? {
        return Ok(());
    }
    undefine(domain)?;
    // One that was started in between has lost its definition, and would be gone when it is shut down. Of one that is gone libvirt
    // says that it does not know it.
    if matches!(domain.is_active(), Ok(true)) {
        source.define_domain_xml(&definition)?.set_autostart(autostart)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    fn undefine(domain: &Domain) -> Result<(), LibvirtError> {
        Ok(domain.undefine()?)
    }

    #[test]
    fn a_domain_that_is_off_goes() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "off");
        let domain = connection.lookup_domain_by_uuid(vm.0).unwrap();
        undefine_unless_started(&connection, &domain, undefine).unwrap();
        assert!(connection.lookup_domain_by_uuid(vm.0).is_err());
    }

    #[test]
    fn one_that_was_started_keeps_its_definition() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "started");
        let domain = connection.lookup_domain_by_uuid(vm.0).unwrap();
        domain.create().unwrap();
        undefine_unless_started(&connection, &domain, undefine).unwrap();
        assert!(domain.is_active().unwrap() && domain.is_persistent().unwrap());
        domain.destroy().unwrap();
    }

    #[test]
    fn one_that_is_started_at_that_moment_gets_its_definition_back() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "starting");
        let domain = connection.lookup_domain_by_uuid(vm.0).unwrap();
        domain.set_autostart(true).unwrap();
        let too_late = |domain: &Domain| {
            domain.create()?;
            undefine(domain)?;
            assert!(!domain.is_persistent()?);
            Ok(())
        };
        undefine_unless_started(&connection, &domain, too_late).unwrap();
        assert!(domain.is_active().unwrap() && domain.is_persistent().unwrap() && domain.autostart().unwrap());
        domain.destroy().unwrap();
    }

    #[test]
    fn any_of_its_tpms_may_be_emulated() {
        let connection = testing::connection();
        let define = |name: &str, tpms: &str| {
            let xml = format!(
                "<domain type='test'><name>{name}</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>\
                 <devices>{tpms}</devices></domain>"
            );
            connection.define_domain_xml(&xml).unwrap()
        };
        let passed =
            "<tpm model='spapr-tpm-proxy'><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>";
        let emulated = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>";
        for (name, tpms, expected) in [
            ("no-tpm", String::new(), false),
            ("passed-tpm", passed.to_owned(), false),
            ("emulated-tpm", emulated.to_owned(), true),
            ("two-tpms", format!("{passed}{emulated}"), true),
        ] {
            assert_eq!(is_emulated(&define(name, &tpms)).unwrap(), expected, "{name}");
        }
    }
}
