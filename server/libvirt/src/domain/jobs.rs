//! A domain's jobs: the role and statistics of a migration, aborting it, and what else libvirt does to the domain.

use std::{
    ffi::{CString, c_int, c_uint},
    ptr,
};

use engine::{StateReason, Statistics, Tuning};
use virt::{domain::Domain, sys};

use super::copies;
use crate::{
    error::LibvirtError,
    ffi::{
        job_statistics::{is_migration, statistics},
        typed_params::{TypedParams, number},
    },
};

/// The role of a domain in a migration.
pub(crate) enum Role {
    /// It is being received.
    Incoming,
    /// It is being sent, with these statistics.
    Outgoing(Statistics),
    /// Neither.
    None,
}

/// The role of a domain in a migration. Unlike most calls, this one does not block for a domain that is being received.
pub(crate) fn role(domain: &Domain) -> Result<Role, LibvirtError> {
    match job_stats(domain, 0) {
        // A cancelled or failed job remains a job until libvirt has cleaned up.
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

/// The statistics of the last migration that succeeded.
pub(crate) fn completed(domain: &Domain) -> Result<Option<Statistics>, LibvirtError> {
    let (kind, list) =
        job_stats(domain, sys::VIR_DOMAIN_JOB_STATS_COMPLETED | sys::VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED)?;
    let is_there = kind == sys::VIR_DOMAIN_JOB_COMPLETED && is_migration(list.as_slice());
    Ok(is_there.then(|| statistics(list.as_slice())))
}

/// Aborts the migration of a domain away from this host; false if there is none. Other jobs, such as a backup, are left alone, and
/// a call to abort an incoming migration would block for 30 s.
pub(crate) fn abort(domain: &Domain) -> Result<bool, LibvirtError> {
    let Role::Outgoing(_) = role(domain)? else { return Ok(false) };
    // SAFETY: the domain is valid.
    if unsafe { sys::virDomainAbortJob(domain.as_ptr()) } == 0 {
        return Ok(true);
    }
    match LibvirtError::last() {
        // "no job is active on the domain": it has ended meanwhile. With the same number libvirt refuses to abort one in post-copy.
        error if error.number == sys::VIR_ERR_OPERATION_INVALID && !is_sent(domain)? => Ok(false),
        error => Err(error),
    }
}

/// What came of a change to a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is as was asked for.
    Done,
    /// Nothing is sent from this host, or not any more.
    NoMigration,
    /// It is in post-copy, where only the bandwidth can be changed: libvirt accepts other changes, and nothing comes of them.
    RunsThere,
    /// It was in post-copy, and broke off.
    BrokeOff,
}

/// Changes the migration of a domain away from this host. Calls to one that is received would block for 30 s.
pub(crate) fn tune(domain: &Domain, tuning: Tuning) -> Result<Told, LibvirtError> {
    if !is_sent(domain)? {
        return Ok(Told::NoMigration);
    }
    let changed = match (copies::reason(domain)?, tuning) {
        (StateReason::PostCopyFailed, _) => return Ok(Told::BrokeOff),
        (StateReason::PostCopy, Tuning::Bandwidth { mib_s }) => set_bandwidth(domain, mib_s, POST_COPY),
        (StateReason::PostCopy, _) => return Ok(Told::RunsThere),
        // Both limits, so that it also holds after a switch to post-copy.
        (_, Tuning::Bandwidth { mib_s }) => {
            set_bandwidth(domain, mib_s, 0).and_then(|()| set_bandwidth(domain, mib_s, POST_COPY))
        }
        (_, Tuning::PauseLimit { ms }) => set_pause_limit(domain, ms),
        (_, Tuning::PostCopy) => start_post_copy(domain),
        (_, Tuning::PauseGuest) => domain.suspend().map_err(LibvirtError::from),
    };
    match changed {
        Ok(()) => Ok(Told::Done),
        // It may have ended meanwhile.
        Err(error) if error.number == sys::VIR_ERR_OPERATION_INVALID && !is_sent(domain)? => Ok(Told::NoMigration),
        Err(error) => Err(error),
    }
}

/// The bandwidth of a migration in post-copy, as a flag.
const POST_COPY: c_uint = sys::VIR_DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY;

fn set_bandwidth(domain: &Domain, mib_s: u32, flags: c_uint) -> Result<(), LibvirtError> {
    Ok(domain.migrate_set_max_speed(mib_s.into(), flags)?)
}

fn is_sent(domain: &Domain) -> Result<bool, LibvirtError> {
    Ok(matches!(role(domain)?, Role::Outgoing(_)))
}

fn set_pause_limit(domain: &Domain, ms: u32) -> Result<(), LibvirtError> {
    // SAFETY: the domain is valid.
    let result = unsafe { sys::virDomainMigrateSetMaxDowntime(domain.as_ptr(), ms.into(), 0) };
    if result < 0 { Err(LibvirtError::last()) } else { Ok(()) }
}

fn start_post_copy(domain: &Domain) -> Result<(), LibvirtError> {
    // SAFETY: the domain is valid.
    let result = unsafe { sys::virDomainMigrateStartPostCopy(domain.as_ptr(), 0) };
    if result < 0 { Err(LibvirtError::last()) } else { Ok(()) }
}

/// The job of a domain other than a migration, as libvirt's tools call it.
pub(crate) fn other(domain: &Domain) -> Result<Option<String>, LibvirtError> {
    match job_stats(domain, 0)? {
        (sys::VIR_DOMAIN_JOB_NONE | sys::VIR_DOMAIN_JOB_COMPLETED, _) => Ok(None),
        (_, list) if is_migration(list.as_slice()) => Ok(None),
        (_, list) => Ok(Some(operation(list.as_slice()).to_owned())),
    }
}

/// Whether a running domain has a job of any kind. Until it has ended, most calls that change the domain block.
pub(crate) fn is_under_way(domain: &Domain) -> Result<bool, LibvirtError> {
    Ok(!matches!(role(domain)?, Role::None) || other(domain)?.is_some())
}

/// A job's operation, as libvirt's tools call it.
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

/// Whether a disk of a running domain has a block job: a copy, a commit or the like.
pub(crate) fn has_block_job(domain: &Domain, target: &str) -> Result<bool, LibvirtError> {
    let target = CString::new(target).map_err(virt::error::Error::from)?;
    let mut info = sys::virDomainBlockJobInfo { type_: 0, bandwidth: 0, cur: 0, end: 0 };
    // SAFETY: the domain is valid, and `info` is a variable for the result.
    match unsafe { sys::virDomainGetBlockJobInfo(domain.as_ptr(), target.as_ptr(), &mut info, 0) } {
        0 => Ok(false),
        1.. => Ok(true),
        _ => Err(LibvirtError::last()),
    }
}

/// `virDomainGetJobStats`. The `virt` crate's own aborts the process when there is no job.
fn job_stats(
    domain: &Domain,
    flags: sys::virDomainGetJobStatsFlags,
) -> Result<(sys::virDomainJobType, TypedParams), LibvirtError> {
    let (mut kind, mut list, mut len): (c_int, _, c_int) = (0, ptr::null_mut(), 0);
    // SAFETY: the domain is valid, and the other pointers are to variables for the results.
    let result = unsafe { sys::virDomainGetJobStats(domain.as_ptr(), &mut kind, &mut list, &mut len, flags as c_uint) };
    if result < 0 {
        return Err(LibvirtError::last());
    }
    // SAFETY: libvirt allocated this list for the caller; it is NULL with length 0 when there is no job.
    Ok((kind as sys::virDomainJobType, unsafe { TypedParams::from_raw(list, len) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::testing, domain::find};

    /// The `test` driver has no jobs at all; a daemon without one says none.
    #[test]
    fn a_domain_that_is_not_sent_is_not_changed() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "not-sent");
        let domain = find(&connection, vm).unwrap().unwrap();
        let changes = [Tuning::Bandwidth { mib_s: 8 }, Tuning::PauseLimit { ms: 500 }, Tuning::PostCopy];
        for tuning in changes {
            assert_ne!(tune(&domain, tuning).ok(), Some(Told::Done), "{tuning:?}");
        }
        domain.create().unwrap();
        assert_ne!(tune(&domain, Tuning::PauseGuest).ok(), Some(Told::Done));
        assert_eq!(copies::copy(&domain).unwrap().state, model::VmState::Running);
    }

    #[test]
    fn an_operation_has_the_name_that_libvirts_tools_give_it() {
        let mut list = TypedParams::new();
        list.add_u64(sys::VIR_DOMAIN_JOB_OPERATION, sys::VIR_DOMAIN_JOB_OPERATION_DUMP.into()).unwrap();
        assert_eq!(operation(list.as_slice()), "Dump");
        assert_eq!(operation(&[]), "Unknown");
    }
}
