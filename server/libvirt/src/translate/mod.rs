//! libvirt's errors for people: a sentence, what to do, and libvirt's own words as details.
//!
//! There is one table for each subject, and the first row that fits counts. QEMU's errors arrive as "internal error" or "operation
//! failed" with a text, so most rows match the text. Rows that match a number work in any language.

mod connecting;
mod destination;
mod disks;
mod encryption;
mod jobs;
mod login;
mod meaning;
mod opening;
mod post_copy;
mod starting;
mod template;
#[cfg(test)]
mod testing;
mod vm;

use std::ffi::c_int;

use engine::{HostError, HostErrorKind};
use engine::{MigrationPlan, NotMigrated};
use model::{ControlFlow, HostName};
use virt::sys;

use self::meaning::Meaning;
pub(crate) use self::post_copy::{broke_off as post_copy_broke_off, runs_there};
use crate::error::{CallFailure, LibvirtError};

/// The tables for migrations and actions. The most general one comes last.
fn meanings() -> [&'static [Meaning]; 8] {
    [
        connecting::MEANINGS,
        encryption::MEANINGS,
        post_copy::MEANINGS,
        destination::MEANINGS,
        starting::MEANINGS,
        disks::MEANINGS,
        vm::MEANINGS,
        jobs::MEANINGS,
    ]
}

/// The problem of a call on a host that failed.
pub(crate) fn failed(host: &str, failure: CallFailure) -> HostError {
    told(host, failure, |error| explain(host, host, error))
}

/// Why a migration failed according to libvirt, or that its result is not known.
pub(crate) fn not_migrated(source: &str, plan: &MigrationPlan, failure: CallFailure) -> NotMigrated {
    let destination = &plan.destination;
    match failure {
        CallFailure::Refused(error) => match not_begun(source, plan, &error) {
            Some(problem) => NotMigrated::NotBegun(problem.with_details(error.message)),
            None => NotMigrated::Failed(explain(source, destination.name.as_str(), &error).with_details(error.message)),
        },
        failure => NotMigrated::Lost(told(source, failure, |error| explain(source, destination.name.as_str(), error))),
    }
}

/// Why nothing was begun, if the error says so: the source's daemon could not log in at the destination, or a host can't do post-copy.
fn not_begun(source: &str, plan: &MigrationPlan, error: &LibvirtError) -> Option<HostError> {
    let destination = &plan.destination;
    let is_direct = plan.control_flow == ControlFlow::Direct;
    let login = login::meaning(error, &destination.peer_transport).filter(|_| !is_direct);
    let meaning = login.or_else(|| meaning::of(&[post_copy::MEANINGS], error).filter(|row| row.is_no_post_copy()))?;
    Some(meaning.told(source, destination.name.as_str(), error))
}

/// The problem of a connection that could not be opened. Its code is `host-unreachable`, unless a person has to do something about it.
pub(crate) fn not_opened(host: &str, failure: CallFailure) -> HostError {
    told(host, failure, |error| match meaning::of(&[opening::MEANINGS], error) {
        Some(meaning) => match meaning.told(host, host, error) {
            problem if problem.kind == HostErrorKind::Refused => {
                HostError { kind: HostErrorKind::Unreachable, ..problem }
            }
            problem => problem,
        },
        None => HostError::new(HostErrorKind::Unreachable, format!("{host} does not answer: {}.", quoted(error)))
            .with_fix("Check whether the libvirt daemon there runs, and read its log."),
    })
}

/// The problem of a connection that was closed, for this `virConnectCloseReason`.
pub(crate) fn closed(host: &HostName, reason: c_int) -> HostError {
    let (why, fix) = match reason as sys::virConnectCloseReason {
        sys::VIR_CONNECT_CLOSE_REASON_KEEPALIVE => (
            "it no longer replies",
            "Check whether the host is switched on, the network, and whether its libvirt daemon hangs.",
        ),
        _ => (
            "the connection was closed",
            "vmferry connects again. If that fails, start the libvirt daemon there; its log says why it ended.",
        ),
    };
    HostError::new(HostErrorKind::Unreachable, format!("{host} does not answer: {why}.")).with_fix(fix)
}

/// What `refused` makes of libvirt's error, or that there was no answer.
fn told(host: &str, failure: CallFailure, refused: impl FnOnce(&LibvirtError) -> HostError) -> HostError {
    tracing::debug!(host, ?failure);
    match failure {
        CallFailure::Refused(error) => refused(&error).with_details(error.message),
        CallFailure::Lost(error) => {
            HostError::new(HostErrorKind::Unreachable, format!("The connection to {host} is gone."))
                .with_fix("vmferry keeps trying to connect again.")
                .with_details(error.message)
        }
        CallFailure::Late(limit) => {
            HostError::new(HostErrorKind::TimedOut, format!("{host} did not answer within {} s.", limit.as_secs()))
                .with_fix("The request may still take effect. Check again in a moment.")
        }
        CallFailure::Busy => {
            HostError::new(HostErrorKind::TimedOut, format!("Too many requests are waiting for {host}."))
                .with_fix("Check whether its libvirt daemon hangs.")
        }
        CallFailure::Broken(why) => {
            HostError::new(HostErrorKind::Internal, format!("vmferry could not ask {host}.")).with_details(why)
        }
    }
}

/// The error in the words of the tables, or in libvirt's own. Where the two hosts differ it is a migration's, and may be either host's:
/// the source's libvirt passes on what the destination's says, without its name.
fn explain(host: &str, destination: &str, error: &LibvirtError) -> HostError {
    if let Some(meaning) = meaning::of(&meanings(), error) {
        return meaning.told(host, destination, error);
    }
    let (says, logs) = match host == destination {
        true => (format!("libvirt on {host} says"), format!("Read libvirt's log on {host}, and QEMU's log of the VM.")),
        false => (
            format!("libvirt on {host} or {destination} says"),
            format!("Read libvirt's log on {host} and {destination}, and QEMU's log of the VM on both."),
        ),
    };
    HostError::new(HostErrorKind::Refused, format!("{says}: {}.", quoted(error))).with_fix(logs)
}

/// libvirt's text, to be quoted in a sentence.
fn quoted(error: &LibvirtError) -> &str {
    error.message.trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use model::Mode;

    use super::{testing::*, *};
    use crate::migrate::testing::plan;

    #[test]
    fn an_unknown_error_is_told_in_libvirts_words() {
        let problem = not_migrated_because(error(1, 10, 0, "internal error: the moon is full"));
        assert_eq!(problem.sentence, "libvirt on alpha or beta says: internal error: the moon is full.");
        let unknown = error(1, 10, 0, "internal error: the moon is full");
        let problem = failed("alpha", CallFailure::Refused(unknown));
        assert_eq!(problem.sentence, "libvirt on alpha says: internal error: the moon is full.");
        let problem = not_opened_because(error(1, 7, 0, "internal error: the moon is full"));
        assert_eq!(problem.sentence, "alpha does not answer: internal error: the moon is full.");
    }

    #[test]
    fn failures_have_codes_for_programs() {
        let words = "End of file while reading data: Input/output error";
        let lost = CallFailure::Lost(error(38, 7, 5, words));
        assert_eq!(not_migrated("alpha", &plan(Mode::Live), lost).error().kind, HostErrorKind::Unreachable);
        let late = failed("alpha", CallFailure::Late(Duration::from_secs(5)));
        assert_eq!(late.kind, HostErrorKind::TimedOut);
        assert_eq!(late.sentence, "alpha did not answer within 5 s.");
    }

    proptest! {
        #[test]
        fn whatever_libvirt_says_is_kept(
            number in 0..120u32,
            domain in 0..80u32,
            int1: i32,
            text in prop_oneof![
                "\\PC*",
                "(.|\n|domain '|' already exists with uuid |missing features: |: Connection refused|Permission denied \\(|\\{host\\}|é){0,8}",
            ],
        ) {
            for problem in [
                not_migrated_because(error(number, domain, int1, &text)),
                not_opened_because(error(number, domain, int1, &text)),
                failed("alpha", CallFailure::Refused(error(number, domain, int1, &text))),
            ] {
                prop_assert_eq!(problem.details.as_deref(), Some(text.as_str()));
                prop_assert!(problem.fix.is_some_and(|fix| !fix.is_empty()));
                prop_assert!(!problem.sentence.is_empty());
            }
        }
    }
}
