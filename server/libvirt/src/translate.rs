//! What libvirt's errors mean for a person: a sentence, what to do, and libvirt's own words under details.
//!
//! QEMU's complaints arrive as "internal error" or "operation failed" with nothing but a text, so most rows look at the text. A
//! daemon that speaks another language than English is understood where the number says enough.

use std::ffi::c_int;

use model::{Code, HostName, Problem};
use virt::sys;

use crate::{error::LibvirtError, workers::Failure};

/// How an error is recognised, and what to say. `{host}` is the host that was asked (the source of a migration) and
/// `{destination}` where a migration goes.
struct Meaning {
    /// `virErrorNumber`; none is any.
    number: Option<u32>,
    /// Parts of the words, all of which have to be there.
    words: &'static [&'static str],
    sentence: &'static str,
    fix: &'static str,
}

/// Why the console can't connect to `{host}`; here `{destination}` is `{host}` too.
#[rustfmt::skip]
const OPENING: &[Meaning] = &[
    Meaning {
        number: None, words: &["unexpected qemu URI path"],
        sentence: "The libvirt daemon of {host} is of the other kind: a user's own (session) instead of the system's, or the reverse.",
        fix: "Correct the kind of daemon in the settings of {host}.",
    },
    Meaning {
        number: None, words: &["Host key verification failed"],
        sentence: "The ssh host key of {host} is not known, or has changed.",
        fix: "As the account that vmferry runs as, log in to {host} once with ssh, and accept the key after comparing it.",
    },
    Meaning {
        number: None, words: &["Permission denied ("],
        sentence: "{host} does not accept vmferry's ssh key.",
        fix: "Add the public key of the account that vmferry runs as to the authorized keys on {host}.",
    },
    Meaning {
        number: None, words: &["Could not resolve hostname"],
        sentence: "{host} does not answer: no address is known for its name.",
        fix: "Correct the name, or the name service of the machine that vmferry runs on.",
    },
    Meaning {
        number: None, words: &["Connection refused"],
        sentence: "{host} does not answer: connection refused.",
        fix: "Start what listens on the port named in the details, or open the port in the host's firewall.",
    },
    Meaning {
        number: None, words: &["Failed to connect socket", "Permission denied"],
        sentence: "vmferry may not use the libvirt daemon of {host}.",
        fix: "Add the account that vmferry runs as to the group libvirt there, and start vmferry again.",
    },
    Meaning {
        number: None, words: &["Failed to connect socket"],
        sentence: "{host} does not answer: its libvirt daemon does not run.",
        fix: "Start the daemon there.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_AUTH_FAILED), words: &[],
        sentence: "{host} does not accept vmferry's login.",
        fix: "Look at the accounts or certificates that its libvirt daemon accepts.",
    },
    Meaning {
        number: None, words: &["certificate"],
        sentence: "The certificates of {host} and vmferry do not fit together.",
        fix: "Look at the authority that signed them, the names they are for, and their dates.",
    },
];

/// What stands in the way of a migration or an action. The first that fits counts.
#[rustfmt::skip]
const MEANINGS: &[Meaning] = &[
    // The way to the destination.
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: &["Host key verification failed"],
        sentence: "{host} does not know the ssh host key of {destination}.",
        fix: "On {host}, log in to {destination} once with ssh as the account that libvirt runs as (root), and accept the key after comparing it.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: &["Permission denied ("],
        sentence: "{host} may not log in to {destination} with ssh.",
        fix: "Add the public key of the account that libvirt runs as on {host} (root) to the authorized keys on {destination}.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: &["Unable to resolve address"],
        sentence: "{host} does not know the address of {destination}.",
        fix: "Correct the address under which other hosts reach {destination}, or the name service on {host}.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: &[": Connection refused"],
        sentence: "{host} can't connect to {destination}: connection refused.",
        fix: "On {destination}, let the libvirt daemon listen on the port named in the details, or open it in the firewall; ports 49152 to 49215 carry the memory.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: &["No route to host"],
        sentence: "{host} has no route to {destination}.",
        fix: "Look at the network between the two hosts, and at the address under which other hosts reach {destination}.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: &["Connection timed out"],
        sentence: "{host} gets no answer from {destination}.",
        fix: "Look whether a firewall between the two hosts drops the port named in the details; ports 49152 to 49215 carry the memory.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_AUTH_FAILED), words: &[],
        sentence: "The login at {destination} failed.",
        fix: "Look at the accounts, keys or certificates that {host} uses there.",
    },
    Meaning {
        number: None, words: &["unexpected qemu URI path"],
        sentence: "The libvirt daemon of {destination} is of the other kind: a user's own (session) instead of the system's, or the reverse.",
        fix: "Correct the kind of daemon in the settings of {destination}.",
    },
    Meaning {
        number: None, words: &["client socket is closed"],
        sentence: "The libvirt daemon of {destination} went away during the migration.",
        fix: "Look at the daemon's log on {destination}, then try again.",
    },
    Meaning {
        number: None, words: &["Lost connection to destination host"],
        sentence: "{host} lost the connection to {destination} during the migration.",
        fix: "Look at the network between the two hosts, and whether the daemon of {destination} still runs; then try again.",
    },
    // What the destination has or has not.
    Meaning {
        number: None, words: &["migrate guest to the same host"],
        sentence: "{host} and {destination} are the same host to libvirt.",
        fix: "If they are not, give each its own host_uuid in libvirtd.conf.",
    },
    Meaning {
        number: None, words: &["resolved to localhost"],
        sentence: "{destination} calls itself localhost, which is no address for {host}.",
        fix: "Set migration_host in qemu.conf on {destination}.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_FAILED), words: &["domain '", "already exists with uuid"],
        sentence: "{destination} has another VM of this name.",
        fix: "Rename or remove that VM, or choose another host.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_FAILED), words: &["is already defined with uuid"],
        sentence: "{destination} has this VM under another name.",
        fix: "Remove or rename the definition there, if no one needs it.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_INVALID), words: &["domain '", "is already active"],
        sentence: "This VM runs on {destination} already.",
        fix: "Look at both hosts before anything else: a VM that runs twice destroys its disks.",
    },
    Meaning {
        number: None, words: &["Cannot access storage file"],
        sentence: "{destination} can't open a disk of this VM.",
        fix: "Mount the shared storage on {destination} at the same path, and look whether QEMU may read it.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_MIGRATE_UNSAFE), words: &[],
        sentence: "A disk of this VM is not on storage that both hosts share.",
        fix: "Move the disk to shared storage first. If it is shared and libvirt can't see that, name its directory in shared_filesystems in qemu.conf on both hosts.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_NO_NETWORK), words: &[],
        sentence: "{destination} does not have a network that this VM is on.",
        fix: "Define and start a network of this name there.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_INVALID), words: &["network '", "is not active"],
        sentence: "A network that this VM is on is not started on {destination}.",
        fix: "Start it there.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: &["Cannot get interface MTU"],
        sentence: "{destination} does not have a bridge that this VM is on.",
        fix: "Create a bridge of this name there.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_CPU_INCOMPATIBLE), words: &[],
        sentence: "The CPU of {destination} lacks features that this VM uses.",
        fix: "Choose a host with the same CPU or a newer one, or give the VM a CPU model that both have.",
    },
    Meaning {
        number: None, words: &["guest CPU doesn't match specification"],
        sentence: "The CPU of {destination} lacks features that this VM uses.",
        fix: "Choose a host with the same CPU or a newer one, or give the VM a CPU model that both have.",
    },
    Meaning {
        number: None, words: &["does not support machine type"],
        sentence: "QEMU on {destination} is too old for this VM's machine type.",
        fix: "Install the same QEMU there as on {host}, or a newer one.",
    },
    Meaning {
        number: None, words: &["Cannot allocate memory"],
        sentence: "{destination} does not have enough free memory.",
        fix: "Free memory there, or choose another host.",
    },
    Meaning {
        number: None, words: &["Unable to find an unused port in range 'migration'"],
        sentence: "{destination} receives too many migrations at once.",
        fix: "Wait until some have ended.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_HOOK_SCRIPT_FAILED), words: &[],
        sentence: "A hook script on one of the hosts refused the migration.",
        fix: "Look at /etc/libvirt/hooks/qemu on both.",
    },
    // What the VM is or does.
    Meaning {
        number: None, words: &["another migration job is already running"],
        sentence: "A migration of this VM is under way already, or being cleared up.",
        fix: "Wait until it has ended.",
    },
    Meaning {
        number: None, words: &["cannot migrate domain with"],
        sentence: "Something this VM has or does can't be migrated.",
        fix: "The details name it; snapshots have to be deleted before, and devices of the host detached.",
    },
    Meaning {
        number: None, words: &["domain has active block job"],
        sentence: "A disk of this VM is being copied or committed.",
        fix: "Wait until that has ended.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_TIMEOUT), words: &[],
        sentence: "The VM is busy with something else.",
        fix: "Wait until that has ended, then try again.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_NO_DOMAIN), words: &[],
        sentence: "{host} does not have this VM any more.",
        fix: "Look where it is now.",
    },
    Meaning {
        number: None, words: &["domain is not running"],
        sentence: "This VM does not run.",
        fix: "Start it first.",
    },
    Meaning {
        number: None, words: &["domain is already running"],
        sentence: "This VM runs already.",
        fix: "Nothing has to be done.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_DENIED), words: &[],
        sentence: "{host} does not allow this.",
        fix: "Look at the access rules of the libvirt daemon there.",
    },
];

/// What Linux's error numbers say, whatever the language of the words.
const ERRNOS: [(i32, &str); 3] =
    [(111, ": Connection refused"), (113, "No route to host"), (110, "Connection timed out")];

/// A call on a host that failed.
pub(crate) fn failed(host: &HostName, failure: Failure) -> Problem {
    told(host, failure, |error| explain(host, host, error))
}

/// A migration that libvirt says did not happen.
pub(crate) fn not_migrated(source: &HostName, destination: &HostName, failure: Failure) -> Problem {
    told(source, failure, |error| match error.number {
        sys::VIR_ERR_OPERATION_ABORTED => Problem::new(Code::Cancelled, "The migration was cancelled."),
        _ => explain(source, destination, error),
    })
}

/// A connection that could not be opened.
pub(crate) fn not_opened(host: &HostName, failure: Failure) -> Problem {
    told(host, failure, |error| match meaning(OPENING, error) {
        Some(meaning) => meaning.told(Code::HostUnreachable, host, host),
        None => Problem::new(Code::HostUnreachable, format!("{host} does not answer: {}.", quoted(error))),
    })
}

/// A connection that ended by itself, for this `virConnectCloseReason`.
pub(crate) fn closed(host: &HostName, reason: c_int) -> Problem {
    let (why, fix) = match reason as sys::virConnectCloseReason {
        sys::VIR_CONNECT_CLOSE_REASON_KEEPALIVE => (
            "nothing comes back any more",
            "Look whether the host is switched on, at the network, and whether its libvirt daemon hangs.",
        ),
        _ => (
            "the connection was closed",
            "If it does not come back by itself, start the libvirt daemon there; its log says why it ended.",
        ),
    };
    Problem::new(Code::HostUnreachable, format!("{host} does not answer: {why}.")).with_fix(fix)
}

/// What `refused` makes of libvirt's answer, or that there was none.
fn told(host: &HostName, failure: Failure, refused: impl FnOnce(&LibvirtError) -> Problem) -> Problem {
    tracing::debug!(%host, ?failure);
    match failure {
        Failure::Refused(error) => refused(&error).with_details(error.message),
        Failure::Lost(error) => Problem::new(Code::HostUnreachable, format!("The connection to {host} is gone."))
            .with_fix("vmferry keeps trying to connect again.")
            .with_details(error.message),
        Failure::Late(limit) => {
            Problem::new(Code::TimedOut, format!("{host} did not answer within {} s.", limit.as_secs()))
                .with_fix("What was asked may still happen. Look again in a moment.")
        }
        Failure::Busy => Problem::new(Code::TimedOut, format!("Too many questions wait for {host} already."))
            .with_fix("Look whether its libvirt daemon hangs."),
        Failure::Broken(why) => {
            Problem::new(Code::Internal, format!("vmferry could not ask {host}.")).with_details(why)
        }
    }
}

/// The error in the words of the table, else in libvirt's.
fn explain(host: &HostName, destination: &HostName, error: &LibvirtError) -> Problem {
    let by_errno = || {
        let (_, words) = ERRNOS.iter().find(|(errno, _)| Some(*errno) == error.errno)?;
        MEANINGS.iter().find(|meaning| meaning.words == [*words])
    };
    match meaning(MEANINGS, error).or_else(by_errno) {
        Some(meaning) => meaning.told(Code::Hypervisor, host, destination),
        None => Problem::new(Code::Hypervisor, format!("libvirt on {host} says: {}.", quoted(error))),
    }
}

fn meaning(meanings: &'static [Meaning], error: &LibvirtError) -> Option<&'static Meaning> {
    meanings.iter().find(|meaning| {
        meaning.number.is_none_or(|number| number == error.number)
            && meaning.words.iter().all(|words| error.message.contains(words))
    })
}

impl Meaning {
    fn told(&self, code: Code, host: &HostName, destination: &HostName) -> Problem {
        let name = |text: &str| text.replace("{host}", host.as_str()).replace("{destination}", destination.as_str());
        Problem::new(code, name(self.sentence)).with_fix(name(self.fix))
    }
}

/// The words as they can stand in a sentence.
fn quoted(error: &LibvirtError) -> &str {
    error.message.trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn host(name: &str) -> HostName {
        name.parse().unwrap()
    }

    fn error(number: u32, message: &str) -> LibvirtError {
        LibvirtError { number, errno: None, message: message.to_owned() }
    }

    fn not_migrated_because(number: u32, message: &str) -> Problem {
        not_migrated(&host("alpha"), &host("beta"), Failure::Refused(error(number, message)))
    }

    /// Texts of libvirt 11.3.0 and QEMU 10.0.2, as they came.
    #[test]
    fn what_libvirt_says_becomes_a_sentence() {
        let cases = [
            (
                sys::VIR_ERR_SYSTEM_ERROR,
                "unable to connect to server at '127.0.0.9:16509': Connection refused",
                "alpha can't connect to beta: connection refused.",
            ),
            (
                sys::VIR_ERR_SYSTEM_ERROR,
                "Cannot recv data: root@beta: Permission denied (publickey,password).: Connection reset by peer",
                "alpha may not log in to beta with ssh.",
            ),
            (
                sys::VIR_ERR_SYSTEM_ERROR,
                "Cannot access storage file '/srv/web.img': No such file or directory",
                "beta can't open a disk of this VM.",
            ),
            (
                sys::VIR_ERR_INTERNAL_ERROR,
                "internal error: Attempt to migrate guest to the same host 00000002-1111-4222-8333-555566667777",
                "alpha and beta are the same host to libvirt.",
            ),
            (
                sys::VIR_ERR_OPERATION_INVALID,
                "Requested operation is not valid: network 'lan' is not active",
                "A network that this VM is on is not started on beta.",
            ),
            (
                sys::VIR_ERR_MIGRATE_UNSAFE,
                "Unsafe migration: Migration without shared storage is unsafe",
                "A disk of this VM is not on storage that both hosts share.",
            ),
            (
                sys::VIR_ERR_INTERNAL_ERROR,
                "internal error: client socket is closed",
                "The libvirt daemon of beta went away during the migration.",
            ),
            (
                sys::VIR_ERR_OPERATION_INVALID,
                "Requested operation is not valid: cannot migrate domain with 2 snapshots",
                "Something this VM has or does can't be migrated.",
            ),
        ];
        for (number, message, sentence) in cases {
            let problem = not_migrated_because(number, message);
            assert_eq!(problem.sentence, sentence);
            assert_eq!(problem.code, Code::Hypervisor);
            assert_eq!(problem.details.as_deref(), Some(message));
            assert!(problem.fix.is_some());
        }
    }

    #[test]
    fn what_nobody_foresaw_is_told_as_it_is() {
        let problem = not_migrated_because(sys::VIR_ERR_INTERNAL_ERROR, "internal error: the moon is full");
        assert_eq!(problem.sentence, "libvirt on alpha says: internal error: the moon is full.");
    }

    #[test]
    fn numbers_are_understood_in_any_language() {
        let german = LibvirtError {
            number: sys::VIR_ERR_SYSTEM_ERROR,
            errno: Some(111),
            message: "Verbindung zum Server fehlgeschlagen: Verbindungsaufbau abgelehnt".to_owned(),
        };
        let problem = not_migrated(&host("alpha"), &host("beta"), Failure::Refused(german));
        assert_eq!(problem.sentence, "alpha can't connect to beta: connection refused.");
        for (_, words) in ERRNOS {
            assert!(MEANINGS.iter().any(|meaning| meaning.words == [words]), "{words}");
        }
    }

    #[test]
    fn codes_tell_programs_what_happened() {
        let words = "operation aborted: job 'migration out' canceled by client";
        assert_eq!(not_migrated_because(sys::VIR_ERR_OPERATION_ABORTED, words).code, Code::Cancelled);
        let lost =
            Failure::Lost(error(sys::VIR_ERR_SYSTEM_ERROR, "End of file while reading data: Input/output error"));
        assert_eq!(not_migrated(&host("alpha"), &host("beta"), lost).code, Code::HostUnreachable);
        let late = failed(&host("alpha"), Failure::Late(Duration::from_secs(5)));
        assert_eq!(late.code, Code::TimedOut);
        assert_eq!(late.sentence, "alpha did not answer within 5 s.");
        let refused = error(sys::VIR_ERR_AUTH_FAILED, "authentication failed: no such account");
        assert_eq!(not_opened(&host("alpha"), Failure::Refused(refused)).code, Code::HostUnreachable);
    }

    #[test]
    fn every_placeholder_is_filled_in() {
        for meaning in MEANINGS.iter().chain(OPENING) {
            let problem = meaning.told(Code::Hypervisor, &host("alpha"), &host("beta"));
            assert!(!format!("{}{:?}", problem.sentence, problem.fix).contains(['{', '}']), "{}", meaning.sentence);
        }
    }
}
