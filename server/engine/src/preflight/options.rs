//! Options that can't be chosen, whatever the hosts say.

use model::{MigrationOptions, PolicyDefaults};

use crate::hypervisor::{DomainFacts, InvalidInput, Survey, check_bandwidth, check_limits};

/// The longest name a VM may be given.
const LONGEST_NAME: usize = 63;

/// Checks options that need no host to be asked.
///
/// # Errors
/// `invalid-input`
pub(super) fn check(options: &MigrationOptions) -> Result<(), InvalidInput> {
    options.bandwidth_mib_s.map_or(Ok(()), check_bandwidth)?;
    check_limits(PolicyDefaults::chosen(options))?;
    if options.new_name.as_ref().is_some_and(|name| !is_name(name)) {
        return Err(InvalidInput::new("The new name can't be a VM's name.").with_fix(format!(
            "Give 1 to {LONGEST_NAME} of the characters A-Z a-z 0-9 . _ + -, the first of them no dot or hyphen."
        )));
    }
    Ok(())
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
