//! Options that can't be chosen, whatever the hosts say.

use model::{ControlFlow, MigrationOptions, Policy, PolicyDefaults};

use crate::hypervisor::{DomainFacts, InvalidInput, Survey, check_bandwidth, check_limits};

/// The longest name a VM may be given.
const LONGEST_NAME: usize = 63;
/// The most connections: more are of doubtful value (oVirt's page on parallel connections).
const MOST_CONNECTIONS: u8 = 16;

/// Checks options that need no host to be asked.
///
/// # Errors
/// `invalid-input`
pub(super) fn check(options: &MigrationOptions) -> Result<(), InvalidInput> {
    options.bandwidth_mib_s.map_or(Ok(()), check_bandwidth)?;
    check_limits(PolicyDefaults::chosen(options))?;
    check_connections(options)?;
    if options.new_name.as_ref().is_some_and(|name| !is_name(name)) {
        let fix = format!(
            "Give 1 to {LONGEST_NAME} of the characters A-Z a-z 0-9 . _ + -, the first of them no dot or hyphen."
        );
        return Err(InvalidInput::new("The new name can't be a VM's name.").with_fix(fix).with_field("new_name"));
    }
    Ok(())
}

/// What QEMU can't do together with several connections can't be chosen.
fn check_connections(options: &MigrationOptions) -> Result<(), InvalidInput> {
    if options.connections.is_some_and(|count| !(1..=MOST_CONNECTIONS).contains(&count)) {
        return Err(InvalidInput::new(format!("The memory goes over 1 to {MOST_CONNECTIONS} connections."))
            .with_fix("Choose another number, or none."));
    }
    if options.connections.is_none() && !options.compress {
        return Ok(());
    }
    let beside = if options.bandwidth_mib_s.is_some() {
        "a bandwidth limit, which QEMU does not observe with several connections"
    } else if options.policy == Some(Policy::Certain) {
        "the policy certain, as QEMU before 10.1 does no post-copy over several connections"
    } else if options.control_flow == Some(ControlFlow::Tunnelled) {
        "a tunnel, which is the one connection between the libvirt daemons"
    } else if options.rdma {
        "RDMA, which has its own connection"
    } else {
        return Ok(());
    };
    Err(InvalidInput::new(format!("Several connections, and compression, can't be chosen together with {beside}."))
        .with_fix("Choose one of both."))
}

/// A name that is harmless wherever libvirt puts it: in a path, in XML, in a command line.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with(['-', '.'])
}

/// Pools are chosen for disks the VM has, from those the destination has.
pub(super) fn check_pools(
    options: &MigrationOptions,
    domain: &DomainFacts,
    survey: &Survey,
) -> Result<(), InvalidInput> {
    for (target, name) in &options.pools {
        if !domain.disks.iter().any(|disk| disk.target == *target) {
            return Err(InvalidInput::new(format!("{} has no disk {target:?}.", domain.name))
                .with_fix("Name disks as the guest does, e.g. vda."));
        }
        if survey.pools.as_ref().is_some_and(|pools| !pools.iter().any(|pool| pool.name == *name)) {
            return Err(InvalidInput::new(format!("The destination has no storage pool {name:?}."))
                .with_fix("Choose one of its pools."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_qemu_can_not_do_together_can_not_be_chosen() {
        let several = MigrationOptions { connections: Some(4), ..MigrationOptions::default() };
        assert!(check(&several).is_ok() && check(&MigrationOptions { compress: true, ..several.clone() }).is_ok());
        for refused in [
            MigrationOptions { connections: Some(0), ..several.clone() },
            MigrationOptions { connections: Some(17), ..several.clone() },
            MigrationOptions { bandwidth_mib_s: Some(32), ..several.clone() },
            MigrationOptions { policy: Some(Policy::Certain), ..several.clone() },
            MigrationOptions { control_flow: Some(ControlFlow::Tunnelled), ..several.clone() },
            MigrationOptions { connections: None, compress: true, rdma: true, ..several },
        ] {
            assert!(check(&refused).is_err(), "{refused:?}");
        }
    }
}
