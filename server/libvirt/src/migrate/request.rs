//! The engine's plan as flags and parameters of libvirt's migration calls.

use std::ffi::c_uint;

use engine::MigrationPlan;
use model::{ControlFlow, Mode};
use virt::sys;

use super::{
    definitions::Definitions,
    speed::{self, SpeedFacts},
};
use crate::{connection::uri, error::LibvirtError, ffi::typed_params::TypedParams};

pub(super) fn flags(plan: &MigrationPlan) -> c_uint {
    let when = |condition, flag| if condition { flag } else { 0 };
    let mode = match plan.mode {
        Mode::Live => {
            let copies = !plan.disks.is_empty();
            sys::VIR_MIGRATE_LIVE
                | when(plan.persist_destination, sys::VIR_MIGRATE_PERSIST_DEST)
                | when(copies, sys::VIR_MIGRATE_NON_SHARED_DISK)
                | when(copies && plan.synchronous_writes, sys::VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES)
                // Switches off all of libvirt's own checks of storage, so only where the hosts' settings say that it is shared.
                | when(plan.trust_shared_directories, sys::VIR_MIGRATE_UNSAFE)
        }
        // libvirt insists on the flag: an offline migration moves nothing but the definition. The console copies the disks.
        Mode::Offline => sys::VIR_MIGRATE_OFFLINE | sys::VIR_MIGRATE_PERSIST_DEST,
    };
    let control_flow = match plan.control_flow {
        ControlFlow::PeerToPeer => sys::VIR_MIGRATE_PEER2PEER,
        ControlFlow::Tunnelled => sys::VIR_MIGRATE_PEER2PEER | sys::VIR_MIGRATE_TUNNELLED,
        ControlFlow::Direct => 0,
    };
    mode | control_flow
        | speed::flags(plan)
        | when(plan.undefine_source, sys::VIR_MIGRATE_UNDEFINE_SOURCE)
        // Encrypts disks, too. QEMU checks that the destination's certificate names the address that the data goes to.
        | when(plan.encrypted, sys::VIR_MIGRATE_TLS)
}

pub(super) fn params(
    plan: &MigrationPlan,
    definitions: &Definitions,
    speed: SpeedFacts,
) -> Result<TypedParams, LibvirtError> {
    let mut params = TypedParams::new();
    speed::add_params(&mut params, plan, speed)?;
    if plan.mode == Mode::Live {
        // Without it, libvirt uses the destination's own host name, which other hosts often can't resolve. Disks go to the same
        // address. A tunnelled migration goes through the daemons' connection, and libvirt refuses an address for it.
        if plan.control_flow != ControlFlow::Tunnelled {
            let data = uri::migration_data(&plan.destination.peer_address, plan.rdma);
            params.add_string(sys::VIR_MIGRATE_PARAM_URI, &data)?;
        }
        // Always named: otherwise libvirt copies all disks that the guest can write to, shared or not.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ffi::typed_params::string,
        migrate::testing::{copied, plan},
    };

    #[test]
    fn the_source_is_undefined_and_the_destination_persisted_only_if_asked() {
        let wanted = plan(Mode::Live);
        let base = sys::VIR_MIGRATE_LIVE | sys::VIR_MIGRATE_PEER2PEER;
        assert_eq!(flags(&wanted), base | sys::VIR_MIGRATE_PERSIST_DEST | sys::VIR_MIGRATE_UNDEFINE_SOURCE);
        let neither = MigrationPlan { undefine_source: false, persist_destination: false, ..wanted };
        assert_eq!(flags(&neither), base);
    }

    #[test]
    fn an_offline_migration_keeps_the_definition() {
        let plan = MigrationPlan { undefine_source: false, persist_destination: false, ..plan(Mode::Offline) };
        let expected = sys::VIR_MIGRATE_OFFLINE | sys::VIR_MIGRATE_PEER2PEER | sys::VIR_MIGRATE_PERSIST_DEST;
        assert_eq!(flags(&plan), expected);
        assert!(params(&plan).as_slice().is_empty());
    }

    fn params(plan: &MigrationPlan) -> TypedParams {
        super::params(plan, &Definitions::default(), SpeedFacts::default()).unwrap()
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
    fn only_the_hosts_settings_switch_libvirts_checks_off() {
        assert_eq!(flags(&plan(Mode::Live)) & sys::VIR_MIGRATE_UNSAFE, 0);
        let trusting = MigrationPlan { trust_shared_directories: true, ..plan(Mode::Live) };
        assert_ne!(flags(&trusting) & sys::VIR_MIGRATE_UNSAFE, 0);
    }

    #[test]
    fn every_disk_is_named_and_the_new_name_passed_on() {
        let plan =
            MigrationPlan { disks: copied(&["vda", "vdb"]), new_name: Some("other".to_owned()), ..plan(Mode::Live) };
        let params = params(&plan);
        let disks = params
            .as_slice()
            .iter()
            .filter_map(|parameter| string(std::slice::from_ref(parameter), sys::VIR_MIGRATE_PARAM_MIGRATE_DISKS));
        assert_eq!(disks.collect::<Vec<_>>(), ["vda", "vdb"]);
        assert_eq!(string(params.as_slice(), sys::VIR_MIGRATE_PARAM_DEST_NAME), Some("other"));
    }

    #[test]
    fn the_control_flow_decides_who_drives_and_where_the_data_goes() {
        let of = |control_flow| {
            let plan = MigrationPlan { control_flow, ..plan(Mode::Live) };
            let data = string(params(&plan).as_slice(), sys::VIR_MIGRATE_PARAM_URI).map(str::to_owned);
            (flags(&plan) & (sys::VIR_MIGRATE_PEER2PEER | sys::VIR_MIGRATE_TUNNELLED), data)
        };
        let direct_data = Some("tcp://127.0.0.3".to_owned());
        assert_eq!(of(ControlFlow::PeerToPeer), (sys::VIR_MIGRATE_PEER2PEER, direct_data.clone()));
        assert_eq!(of(ControlFlow::Direct), (0, direct_data));
        assert_eq!(of(ControlFlow::Tunnelled), (sys::VIR_MIGRATE_PEER2PEER | sys::VIR_MIGRATE_TUNNELLED, None));
    }

    #[test]
    fn encryption_and_rdma_are_asked_for() {
        let live = plan(Mode::Live);
        assert_eq!(flags(&live) & sys::VIR_MIGRATE_TLS, 0);
        assert_ne!(flags(&MigrationPlan { encrypted: true, ..live.clone() }) & sys::VIR_MIGRATE_TLS, 0);
        let rdma = params(&MigrationPlan { rdma: true, ..live });
        assert_eq!(string(rdma.as_slice(), sys::VIR_MIGRATE_PARAM_URI), Some("rdma://127.0.0.3"));
    }
}
