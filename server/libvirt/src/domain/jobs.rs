//! Migration jobs: their figures, how to abort one, and what other jobs there are.

use std::{
    ffi::{CString, c_int, c_uint},
    ptr,
};

use engine::Statistics;
use virt::{domain::Domain, sys};

use crate::{
    error::LibvirtError,
    ffi::{
        job_statistics::{is_migration, statistics},
        typed_params::{TypedParams, number},
    },
};

/// Where a domain stands in a migration.
pub(crate) enum Role {
    /// It is being received.
    Incoming,
    /// It is being sent; its figures.
    Outgoing(Statistics),
    /// Neither.
    None,
}

/// Where a domain stands in a migration. Answers at once of a domain that is being received, unlike most calls.
pub(crate) fn role(domain: &Domain) -> Result<Role, LibvirtError> {
    match job_stats(domain, 0) {
        // A job that was cancelled or failed is a job until libvirt has cleared up.
        Ok((sys::VIR_DOMAIN_JOB_NONE | sys::VIR_DOMAIN_JOB_COMPLETED, _)) => Ok(Role::None),
        Ok((_, list)) if is_migration(list.as_slice()) => Ok(Role::Outgoing(statistics(list.as_slice()))),
        Ok(_) => Ok(Role::None),
        Err(error) => match error.number {
            // "migration statistics are available only on the source host"
            sys::VIR_ERR_OPERATION_UNSUPPORTED => Ok(Role::Incoming),
            // "domain is not running"
            sys::VIR_ERR_OPERATION_INVALID => Ok(Role::None),
            _ => Err(error),
        },
    }
}

/// The figures of the last migration that succeeded.
pub(crate) fn completed(domain: &Domain) -> Result<Option<Statistics>, LibvirtError> {
    let (kind, list) =
        job_stats(domain, sys::VIR_DOMAIN_JOB_STATS_COMPLETED | sys::VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED)?;
    let is_there = kind == sys::VIR_DOMAIN_JOB_COMPLETED && is_migration(list.as_slice());
    Ok(is_there.then(|| statistics(list.as_slice())))
}

/// Aborts the migration of a domain from here; false if there is none. Other jobs (a backup, say) are not ours to abort, and
/// asking libvirt to abort an incoming one would block for 30 s.
pub(crate) fn abort(domain: &Domain) -> Result<bool, LibvirtError> {
    let Role::Outgoing(_) = role(domain)? else { return Ok(false) };
    // SAFETY: the domain is valid.
    if unsafe { sys::virDomainAbortJob(domain.as_ptr()) } == 0 {
        return Ok(true);
    }
    match LibvirtError::last() {
        // "no job is active on the domain": it has ended since we looked.
        error if error.number == sys::VIR_ERR_OPERATION_INVALID => Ok(false),
        error => Err(error),
    }
}

/// What libvirt does to a domain now other than migrating it, in its own words.
pub(crate) fn other(domain: &Domain) -> Result<Option<String>, LibvirtError> {
    match job_stats(domain, 0)? {
        (sys::VIR_DOMAIN_JOB_NONE | sys::VIR_DOMAIN_JOB_COMPLETED, _) => Ok(None),
        (_, list) if is_migration(list.as_slice()) => Ok(None),
        (_, list) => Ok(Some(operation(list.as_slice()).to_owned())),
    }
}

/// Whether a job of a running domain is under way, of whatever kind. Until it is over most calls that change something block.
pub(crate) fn is_under_way(domain: &Domain) -> Result<bool, LibvirtError> {
    Ok(!matches!(role(domain)?, Role::None) || other(domain)?.is_some())
}

/// What a job does, as libvirt's tools call it.
fn operation(list: &[sys::virTypedParameter]) -> &'static str {
    let operation = number(list, sys::VIR_DOMAIN_JOB_OPERATION).and_then(|operation| operation.try_into().ok());
    match operation.unwrap_or(sys::VIR_DOMAIN_JOB_OPERATION_UNKNOWN) {
        sys::VIR_DOMAIN_JOB_OPERATION_START => "Start",
        sys::VIR_DOMAIN_JOB_OPERATION_SAVE => "Save",
        sys::VIR_DOMAIN_JOB_OPERATION_RESTORE => "Restore",
        sys::VIR_DOMAIN_JOB_OPERATION_SNAPSHOT => "Snapshot",
        sys::VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT => "Snapshot revert",
        sys::VIR_DOMAIN_JOB_OPERATION_DUMP => "Dump",
        sys::VIR_DOMAIN_JOB_OPERATION_BACKUP => "Backup",
        sys::VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_DELETE => "Snapshot delete",
        _ => "Unknown",
    }
}

/// Whether something is done to a disk of a running domain: copied, committed and the like.
pub(crate) fn has_block_job(domain: &Domain, target: &str) -> Result<bool, LibvirtError> {
    let target = CString::new(target).map_err(virt::error::Error::from)?;
    let mut info = sys::virDomainBlockJobInfo { type_: 0, bandwidth: 0, cur: 0, end: 0 };
    // SAFETY: the domain is valid, and `info` is a place for the result.
    match unsafe { sys::virDomainGetBlockJobInfo(domain.as_ptr(), target.as_ptr(), &mut info, 0) } {
        0 => Ok(false),
        1.. => Ok(true),
        _ => Err(LibvirtError::last()),
    }
}

/// `virDomainGetJobStats`; the `virt` crate's own aborts the process when there is no job.
fn job_stats(
    domain: &Domain,
    flags: sys::virDomainGetJobStatsFlags,
) -> Result<(sys::virDomainJobType, TypedParams), LibvirtError> {
    let (mut kind, mut list, mut len): (c_int, _, c_int) = (0, ptr::null_mut(), 0);
    // SAFETY: the domain is valid, and the rest are places for results.
    let result = unsafe { sys::virDomainGetJobStats(domain.as_ptr(), &mut kind, &mut list, &mut len, flags as c_uint) };
    if result < 0 {
        return Err(LibvirtError::last());
    }
    // SAFETY: libvirt made this list and leaves it to us; NULL with 0 when there is no job.
    Ok((kind as sys::virDomainJobType, unsafe { TypedParams::from_raw(list, len) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_the_name_that_libvirts_tools_give_it() {
        let mut list = TypedParams::new();
        list.add_u64(sys::VIR_DOMAIN_JOB_OPERATION, sys::VIR_DOMAIN_JOB_OPERATION_DUMP.into()).unwrap();
        assert_eq!(operation(list.as_slice()), "Dump");
        assert_eq!(operation(&[]), "Unknown");
    }
}
