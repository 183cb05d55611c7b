//! The copies of VMs that a host has: libvirt's domains in the engine's form.

use std::ffi::c_int;

use engine::{CopyFacts, StateReason};
use model::{VmId, VmState};
use virt::{domain::Domain, sys};

use super::{
    if_there,
    jobs::{self, Role},
    reasons,
};
use crate::{connection::Connection, definition, error::LibvirtError};

/// All copies on a host. Those that are removed meanwhile are left out.
pub(crate) fn copies(connection: &Connection) -> Result<Vec<CopyFacts>, LibvirtError> {
    let domains = connection.list_all_domains(0)?;
    domains.iter().filter_map(|domain| if_there(copy(domain)).transpose()).collect()
}

/// The facts of a copy. An incoming one is asked for state, name and UUID only; one in post-copy not for its definition.
pub(crate) fn copy(domain: &Domain) -> Result<CopyFacts, LibvirtError> {
    let (state, reason) = state(domain)?;
    let mut facts = CopyFacts {
        vm: VmId(domain.uuid()?),
        name: domain.name()?,
        title: None,
        tags: Vec::new(),
        state: vm_state(state, reason),
        reason: reasons::reason(state, reason),
        incoming: false,
        outgoing: false,
        abandoned: false,
        persistent: false,
        vcpus: 0,
        vcpus_max: 0,
        memory_bytes: 0,
        memory_now_bytes: 0,
        disks: None,
        macs: Vec::new(),
        cpu_time_ns: None,
    };
    if may_be_switching_over(state, reason) {
        match jobs::role(domain)? {
            // No other call on it: libvirt 11.0 to 11.4 would block for 30 s.
            Role::Incoming => return Ok(CopyFacts { incoming: true, ..facts }),
            Role::Outgoing(_) => facts.outgoing = true,
            Role::None => facts.abandoned = true,
        }
    }
    let receives = may_be_fetching(state, reason) && matches!(jobs::role(domain)?, Role::Incoming);
    let info = domain.info()?;
    facts.persistent = domain.is_persistent()?;
    facts.vcpus = info.nr_virt_cpu;
    facts.memory_bytes = info.max_mem * 1024;
    facts.memory_now_bytes = info.memory * 1024;
    facts.vcpus_max = facts.vcpus;
    // One that is starting may be starting to receive a migration, and the question would block until that has ended. So it would for one
    // that runs while the rest of its memory follows, for 30 s if that broke off (seen with libvirt 11.3).
    if facts.reason != StateReason::StartingUp && !receives {
        let outline = definition::outline(&domain.xml_desc(0)?)?;
        facts.vcpus_max = outline.vcpus.max(facts.vcpus);
        facts.title = outline.title;
        facts.tags = outline.tags;
        facts.disks = Some(outline.disks);
        facts.macs = outline.macs;
    }
    facts.cpu_time_ns = Some(info.cpu_time).filter(|_| facts.state.is_active());
    Ok(facts)
}

/// State and reason. The `virt` crate's own call returns a failure as an unknown state.
fn state(domain: &Domain) -> Result<(sys::virDomainState, c_int), LibvirtError> {
    let (mut state, mut reason) = (0, 0);
    // SAFETY: the domain is valid, and the other pointers are to variables for the results.
    if unsafe { sys::virDomainGetState(domain.as_ptr(), &mut state, &mut reason, 0) } < 0 {
        return Err(LibvirtError::last());
    }
    Ok((state as sys::virDomainState, reason))
}

/// Why the domain is in its state.
pub(super) fn reason(domain: &Domain) -> Result<StateReason, LibvirtError> {
    let (state, reason) = state(domain)?;
    Ok(reasons::reason(state, reason))
}

/// Whether the domain is paused because QEMU could not read or write a disk.
pub(crate) fn is_paused_by_io_error(domain: &Domain) -> Result<bool, LibvirtError> {
    Ok(state(domain)? == (sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_IOERROR as c_int))
}

/// Whether a domain that is off has a managed save image: saved memory, from which its next start resumes.
pub(crate) fn has_saved_memory(domain: &Domain) -> Result<bool, LibvirtError> {
    // SAFETY: the domain is valid.
    match unsafe { sys::virDomainHasManagedSaveImage(domain.as_ptr(), 0) } {
        answer if answer < 0 => Err(LibvirtError::last()),
        answer => Ok(answer > 0),
    }
}

/// Whether these are the state and reason of a domain that is being received, or that was sent and is switching over.
fn may_be_switching_over(state: sys::virDomainState, reason: c_int) -> bool {
    state == sys::VIR_DOMAIN_PAUSED && reason == sys::VIR_DOMAIN_PAUSED_MIGRATION as c_int
}

/// Whether these are the state and reason of a domain that runs while the rest of its memory follows (post-copy), or does not any more.
fn may_be_fetching(state: sys::virDomainState, reason: c_int) -> bool {
    state == sys::VIR_DOMAIN_RUNNING
        && [sys::VIR_DOMAIN_RUNNING_POSTCOPY, sys::VIR_DOMAIN_RUNNING_POSTCOPY_FAILED]
            .iter()
            .any(|fetching| reason == *fetching as c_int)
}

fn vm_state(state: sys::virDomainState, reason: c_int) -> VmState {
    match state {
        // Its QEMU is starting, with nothing in memory yet: for an ordinary start, or to receive a migration. libvirt does not say
        // which without blocking until that has ended.
        sys::VIR_DOMAIN_PAUSED if reason == sys::VIR_DOMAIN_PAUSED_STARTING_UP as c_int => VmState::ShutOff,
        // "Blocked" means running and waiting for a device. libvirt's QEMU driver does not report it.
        sys::VIR_DOMAIN_RUNNING | sys::VIR_DOMAIN_BLOCKED => VmState::Running,
        sys::VIR_DOMAIN_PAUSED => VmState::Paused,
        sys::VIR_DOMAIN_SHUTDOWN => VmState::ShuttingDown,
        sys::VIR_DOMAIN_SHUTOFF => VmState::ShutOff,
        sys::VIR_DOMAIN_CRASHED => VmState::Crashed,
        sys::VIR_DOMAIN_PMSUSPENDED => VmState::Suspended,
        _ => VmState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use model::VmAction;

    use super::{
        super::{actions::act, find},
        *,
    };
    use crate::connection::testing;

    #[test]
    fn a_copy_is_found_described_and_acted_on() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "acted-on");
        let domain = find(&connection, vm).unwrap().unwrap();
        let expected = CopyFacts {
            vm,
            name: "acted-on".to_owned(),
            title: None,
            tags: Vec::new(),
            state: VmState::ShutOff,
            reason: StateReason::Other,
            incoming: false,
            outgoing: false,
            abandoned: false,
            persistent: true,
            vcpus: 2,
            vcpus_max: 2,
            memory_bytes: 64 << 20,
            memory_now_bytes: 64 << 20,
            disks: Some(Vec::new()),
            macs: Vec::new(),
            cpu_time_ns: None,
        };
        assert_eq!(copy(&domain).unwrap(), expected);
        assert!(copies(&connection).unwrap().contains(&expected));
        for (action, state) in [
            (VmAction::Start, VmState::Running),
            (VmAction::Pause, VmState::Paused),
            (VmAction::Resume, VmState::Running),
            (VmAction::ForceOff, VmState::ShutOff),
        ] {
            act(&domain, action).unwrap();
            assert_eq!(copy(&domain).unwrap().state, state);
        }
        assert!(act(&domain, VmAction::Pause).is_err());
    }

    #[test]
    fn a_managed_save_image_is_noticed() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "saved");
        let domain = find(&connection, vm).unwrap().unwrap();
        domain.create().unwrap();
        assert!(!has_saved_memory(&domain).unwrap());
        domain.managed_save(0).unwrap();
        assert!(has_saved_memory(&domain).unwrap());
    }

    #[test]
    fn a_copy_that_is_gone_is_none() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "gone");
        let domain = find(&connection, vm).unwrap().unwrap();
        domain.undefine().unwrap();
        assert!(find(&connection, vm).unwrap().is_none());
        assert_eq!(if_there(copy(&domain)).unwrap(), None);
    }

    #[test]
    fn libvirts_states_are_the_models() {
        assert_eq!(vm_state(sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_USER as c_int), VmState::Paused);
        assert_eq!(vm_state(sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_STARTING_UP as c_int), VmState::ShutOff);
        assert_eq!(vm_state(sys::VIR_DOMAIN_PMSUSPENDED, 0), VmState::Suspended);
        assert_eq!(vm_state(99, 0), VmState::Unknown);
        assert!(may_be_switching_over(sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_MIGRATION as c_int));
        assert!(!may_be_switching_over(sys::VIR_DOMAIN_RUNNING, sys::VIR_DOMAIN_RUNNING_MIGRATED as c_int));
        assert!(may_be_fetching(sys::VIR_DOMAIN_RUNNING, sys::VIR_DOMAIN_RUNNING_POSTCOPY as c_int));
        assert!(may_be_fetching(sys::VIR_DOMAIN_RUNNING, sys::VIR_DOMAIN_RUNNING_POSTCOPY_FAILED as c_int));
        assert!(!may_be_fetching(sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_POSTCOPY as c_int));
    }
}
