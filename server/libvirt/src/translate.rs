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
    /// Part of the words; empty is any.
    words: &'static str,
    sentence: &'static str,
    fix: &'static str,
}

/// The first that fits counts.
#[rustfmt::skip]
const MEANINGS: &[Meaning] = &[
    // The way to the destination.
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: "Host key verification failed",
        sentence: "{host} does not know the ssh host key of {destination}.",
        fix: "On {host}, log in to {destination} once with ssh as the account that libvirt runs as (root), and accept the key after comparing it.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: "Permission denied (",
        sentence: "{host} may not log in to {destination} with ssh.",
        fix: "Add the public key of the account that libvirt runs as on {host} (root) to the authorized keys on {destination}.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: "Unable to resolve address",
        sentence: "{host} does not know the address of {destination}.",
        fix: "Correct the address under which other hosts reach {destination}, or the name service on {host}.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: ": Connection refused",
        sentence: "{host} can't connect to {destination}: connection refused.",
        fix: "On {destination}, let the libvirt daemon listen on the port named in the details, or open it in the firewall; ports 49152 to 49215 carry the memory.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: "No route to host",
        sentence: "{host} has no route to {destination}.",
        fix: "Look at the network between the two hosts, and at the address under which other hosts reach {destination}.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: "Connection timed out",
        sentence: "{host} gets no answer from {destination}.",
        fix: "Look whether a firewall between the two hosts drops the port named in the details; ports 49152 to 49215 carry the memory.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_AUTH_FAILED), words: "",
        sentence: "The login at {destination} failed.",
        fix: "Look at the accounts, keys or certificates that {host} uses there.",
    },
    Meaning {
        number: None, words: "unexpected qemu URI path",
        sentence: "The libvirt daemon is of the other kind: a user's own (session) instead of the system's, or the reverse.",
        fix: "Correct the kind of daemon in the host's settings.",
    },
    Meaning {
        number: None, words: "client socket is closed",
        sentence: "The libvirt daemon of {destination} went away during the migration.",
        fix: "Look at the daemon's log on {destination}, then try again.",
    },
    Meaning {
        number: None, words: "Lost connection to destination host",
        sentence: "{host} lost the connection to {destination} during the migration.",
        fix: "Look at the network between the two hosts, and whether the daemon of {destination} still runs; then try again.",
    },
    // What the destination has or has not.
    Meaning {
        number: None, words: "migrate guest to the same host",
        sentence: "{host} and {destination} are the same host to libvirt.",
        fix: "If they are not, give each its own host_uuid in libvirtd.conf.",
    },
    Meaning {
        number: None, words: "resolved to localhost",
        sentence: "{destination} calls itself localhost, which is no address for {host}.",
        fix: "Set migration_host in qemu.conf on {destination}.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_FAILED), words: "already exists with uuid",
        sentence: "{destination} has another VM of this name.",
        fix: "Rename or remove that VM, or choose another host.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_FAILED), words: "is already defined with uuid",
        sentence: "{destination} has this VM under another name.",
        fix: "Remove or rename the definition there, if no one needs it.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_INVALID), words: "is already active",
        sentence: "This VM runs on {destination} already.",
        fix: "Look at both hosts before anything else: a VM that runs twice destroys its disks.",
    },
    Meaning {
        number: None, words: "Cannot access storage file",
        sentence: "{destination} can't open a disk of this VM.",
        fix: "Mount the shared storage on {destination} at the same path, and look whether QEMU may read it.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_MIGRATE_UNSAFE), words: "",
        sentence: "A disk of this VM is not on storage that both hosts share.",
        fix: "Move the disk to shared storage first. If it is shared and libvirt can't see that, name its directory in shared_filesystems in qemu.conf on both hosts.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_NO_NETWORK), words: "",
        sentence: "{destination} does not have a network that this VM is on.",
        fix: "Define and start a network of this name there.",
    },
    Meaning {
        number: None, words: "is not active",
        sentence: "A network that this VM is on is not started on {destination}.",
        fix: "Start it there.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_SYSTEM_ERROR), words: "Cannot get interface MTU",
        sentence: "{destination} does not have a bridge that this VM is on.",
        fix: "Create a bridge of this name there.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_CPU_INCOMPATIBLE), words: "",
        sentence: "The CPU of {destination} lacks features that this VM uses.",
        fix: "Choose a host with the same CPU or a newer one, or give the VM a CPU model that both have.",
    },
    Meaning {
        number: None, words: "guest CPU doesn't match specification",
        sentence: "The CPU of {destination} lacks features that this VM uses.",
        fix: "Choose a host with the same CPU or a newer one, or give the VM a CPU model that both have.",
    },
    Meaning {
        number: None, words: "does not support machine type",
        sentence: "QEMU on {destination} is too old for this VM's machine type.",
        fix: "Install the same QEMU there as on {host}, or a newer one.",
    },
    Meaning {
        number: None, words: "Cannot allocate memory",
        sentence: "{destination} does not have enough free memory.",
        fix: "Free memory there, or choose another host.",
    },
    Meaning {
        number: None, words: "Unable to find an unused port in range 'migration'",
        sentence: "{destination} receives too many migrations at once.",
        fix: "Wait until some have ended.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_HOOK_SCRIPT_FAILED), words: "",
        sentence: "A hook script on one of the hosts refused the migration.",
        fix: "Look at /etc/libvirt/hooks/qemu on both.",
    },
    // What the VM is or does.
    Meaning {
        number: None, words: "another migration job is already running",
        sentence: "A migration of this VM is under way already, or being cleared up.",
        fix: "Wait until it has ended.",
    },
    Meaning {
        number: None, words: "cannot migrate domain with",
        sentence: "Something this VM has or does can't be migrated.",
        fix: "The details name it; snapshots have to be deleted before, and devices of the host detached.",
    },
    Meaning {
        number: None, words: "domain has active block job",
        sentence: "A disk of this VM is being copied or committed.",
        fix: "Wait until that has ended.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_TIMEOUT), words: "",
        sentence: "The VM is busy with something else.",
        fix: "Wait until that has ended, then try again.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_NO_DOMAIN), words: "",
        sentence: "{host} does not have this VM any more.",
        fix: "Look where it is now.",
    },
    Meaning {
        number: None, words: "domain is not running",
        sentence: "This VM does not run.",
        fix: "Start it first.",
    },
    Meaning {
        number: None, words: "is already running",
        sentence: "This VM runs already.",
        fix: "Nothing has to be done.",
    },
    Meaning {
        number: Some(sys::VIR_ERR_OPERATION_DENIED), words: "",
        sentence: "{host} does not allow this.",
        fix: "Look at the access rules of the libvirt daemon there.",
    },
];

/// What errno says, whatever the language of the words.
const ERRNOS: &[(c_int, &str)] =
    &[(111, ": Connection refused"), (113, "No route to host"), (110, "Connection timed out")];

/// A call on a host that failed.
pub(crate) fn failed(host: &HostName, failure: Failure) -> Problem {
    match failure {
        Failure::Refused(error) => explain(Code::Hypervisor, host, host, &error),
        other => no_answer(host, other),
    }
}

/// A migration that libvirt says did not happen.
pub(crate) fn not_migrated(source: &HostName, destination: &HostName, failure: Failure) -> Problem {
    match failure {
        Failure::Refused(error) if error.number == sys::VIR_ERR_OPERATION_ABORTED => {
            Problem::new(Code::Cancelled, "The migration was cancelled.").with_details(error.message)
        }
        Failure::Refused(error) => explain(Code::Hypervisor, source, destination, &error),
        other => no_answer(source, other),
    }
}

/// A connection that libvirt refused to open.
pub(crate) fn not_opened(host: &HostName, error: &LibvirtError) -> Problem {
    let us = "vmferry".parse().unwrap_or_else(|_| host.clone());
    explain(Code::HostUnreachable, &us, host, error)
}

/// A connection that ended by itself, for this `virConnectCloseReason`.
pub(crate) fn closed(host: &HostName, reason: c_int) -> Problem {
    let (why, fix) = match reason as sys::virConnectCloseReason {
        sys::VIR_CONNECT_CLOSE_REASON_EOF => (
            "its libvirt daemon ended or was restarted",
            "If it does not come back by itself, start the daemon there; its log says why it ended.",
        ),
        sys::VIR_CONNECT_CLOSE_REASON_KEEPALIVE => (
            "nothing comes back any more",
            "Look whether the host is switched on, at the network, and whether its libvirt daemon hangs.",
        ),
        _ => ("the connection broke", "Look at the network between here and there."),
    };
    Problem::new(Code::HostUnreachable, format!("{host} does not answer: {why}.")).with_fix(fix)
}

/// A call that was not answered.
fn no_answer(host: &HostName, failure: Failure) -> Problem {
    match failure {
        Failure::Lost(error) | Failure::Refused(error) => {
            Problem::new(Code::HostUnreachable, format!("The connection to {host} is gone."))
                .with_fix("vmferry keeps trying to connect again.")
                .with_details(error.message)
        }
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
fn explain(code: Code, host: &HostName, destination: &HostName, error: &LibvirtError) -> Problem {
    let problem = match meaning(error) {
        Some(meaning) => {
            let name = |text: &str| {
                text.replace("{host}", host.as_str()).replace("{destination}", destination.as_str())
            };
            Problem::new(code, name(meaning.sentence)).with_fix(name(meaning.fix))
        }
        None => Problem::new(code, format!("{host} says: {}.", error.message.trim_end_matches('.'))),
    };
    problem.with_details(error.message.clone())
}

fn meaning(error: &LibvirtError) -> Option<&'static Meaning> {
    let fits = |meaning: &&Meaning| {
        meaning.number.is_none_or(|number| number == error.number) && error.message.contains(meaning.words)
    };
    let by_errno = || {
        let (_, words) = ERRNOS.iter().find(|(errno, _)| Some(*errno) == error.errno)?;
        MEANINGS.iter().find(|meaning| meaning.words == *words)
    };
    MEANINGS.iter().find(fits).or_else(by_errno)
}
