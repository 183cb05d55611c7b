//! How long is waited for what, with reasons. docs/limits.md has them for people.
//!
//! Nothing limits how long a migration takes in all: a large VM over a slow link may need days, and it can be cancelled at any time.
//! libvirt's single calls have limits of their own (`server/libvirt/src/hypervisor/host/calls.rs`).

use std::time::Duration;

/// How long a host has to answer a request that waits for it, from the first packet to what it has. What else such a request does fits
/// into the rest of 10 s, which begin once the host may be tried: see `hosts/attempts.rs`.
pub(crate) const CONNECTING: Duration = Duration::from_millis(9_500);

/// How long both hosts have to answer a preflight. With the time to report it stays under 10 s.
pub(crate) const PREFLIGHT: Duration = Duration::from_secs(8);

/// How long a queued migration waits for a host that does not answer, before it fails. A reboot is over by then; nothing was begun, but
/// the VM stays claimed until then.
pub(crate) const QUEUED: Duration = Duration::from_mins(15);

/// How long preparing the destination of a live migration may take, before the migration fails: each pool that is proven to be one
/// place takes up to 65 s, each volume that is made up to 30 s.
pub(crate) const PREPARING: Duration = Duration::from_mins(10);

/// How long the figures may stay the same before that is told. libvirt's own timeouts of a lost connection (30 s) are over then.
pub(crate) const NO_PROGRESS_TOLD: Duration = Duration::from_mins(1);

/// How long the figures may stay the same before the migration is stopped and the VM stays at its source. A network or a storage that
/// fails over needs minutes, seldom more; TCP itself gives up after 15 min.
pub(crate) const NO_PROGRESS: Duration = Duration::from_mins(10);

/// How long libvirt has to begin to recover a migration by post-copy that broke off. It asks the destination first, and notices within
/// 30 s that this does not answer.
pub(crate) const RECOVERY_BEGINS: Duration = Duration::from_mins(1);

/// How long a source that does not answer is sampled before all hosts are asked where the VM is.
pub(crate) const SOURCE_SILENT: Duration = Duration::from_mins(1);

/// How long hosts have to agree where the VM is. A libvirt daemon that was killed is back within seconds and then cleans up; one that
/// has lost its console without a word notices after 30 s. A host that stays away longer is a matter for a person, and the VM must not
/// stay locked that long.
pub(crate) const AGREEING: Duration = Duration::from_mins(1);

/// The same while the source is silent and the destination does not run the VM. Peer-to-peer the source may be sending all the while,
/// and nothing could be done to a VM on a host that does not answer anyway.
pub(crate) const SILENT: Duration = Duration::from_mins(15);
