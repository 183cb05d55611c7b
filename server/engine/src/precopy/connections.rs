//! Over how many connections QEMU sends the memory (its multifd).

use model::Policy;

const MIB: u64 = 1 << 20;
/// One connection is one thread at each end, which is busy with so much, in bytes a second: openEuler's QEMU team measured 300 MiB/s with
/// TLS, and QEMU's own 10 GbE benches fill the link only with several (reference: `docs/devel/migration/qatzip-compression.rst`). What earlier
/// moves had at least this much of is limited by the thread, and not by the link.
const ONE_IS_BUSY: u64 = 500 * MIB;
/// The same with TLS.
const ONE_IS_BUSY_ENCRYPTED: u64 = 200 * MIB;
/// So many CPUs a connection are left to the guests.
const CPUS_A_CONNECTION: u32 = 8;
/// More than 8 gain nothing below 100 Gbit/s (oVirt's page on parallel connections), and KubeVirt takes as many.
const MOST: u32 = 8;
/// The first libvirt of which TLS with several connections does not crash in GnuTLS: 11.6.0, as libvirt writes it.
const TLS_IS_SOUND: u64 = 11_006_000;

/// The first libvirt that compresses with zstd: 9.4.0.
const KNOWS_ZSTD: u64 = 9_004_000;

/// What the choice depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// What was asked for; none lets this decide.
    pub(crate) asked: Option<u8>,
    /// Whether the memory is to be compressed (zstd), which QEMU does only in such connections.
    pub(crate) compress: bool,
    /// Whether QEMU connects to QEMU by TCP: live, not tunnelled, not by RDMA.
    pub(crate) is_native: bool,
    /// Whether a bandwidth limit holds: QEMU does not observe it with several connections (its work item 3364).
    pub(crate) is_limited: bool,
    pub(crate) policy: Policy,
    pub(crate) encrypted: bool,
    /// The older libvirt's version, as libvirt writes it; none if it is not known.
    pub(crate) libvirt: Option<u64>,
    /// Logical CPUs of the host that has fewer.
    pub(crate) cpus: u32,
    /// Whether the VM is pinned to CPUs: the connections' threads would take them from the guest (KubeVirt issue 17879).
    pub(crate) is_pinned: bool,
    /// What earlier moves between the hosts had, in bytes a second; none if there were none.
    pub(crate) link_bytes_s: Option<u64>,
}

/// The connections that a migration takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connections {
    pub(crate) count: u8,
    /// With zstd.
    pub(crate) compressed: bool,
}

/// So many connections; none is the ordinary one. Several are never taken beside a bandwidth limit, or with post-copy, which QEMU before 10.1
/// does not do together.
pub(crate) fn connections(facts: &Facts) -> Option<Connections> {
    if !facts.is_native || facts.is_limited || facts.policy == Policy::Certain {
        return None;
    }
    let compressed = facts.compress && facts.libvirt.is_some_and(|version| version >= KNOWS_ZSTD);
    let of = |count| Some(Connections { count, compressed });
    match facts.asked {
        Some(count) => return of(count),
        None if compressed => return of(2),
        None => {}
    }
    let busy = if facts.encrypted { ONE_IS_BUSY_ENCRYPTED } else { ONE_IS_BUSY };
    let is_sound = !facts.encrypted || facts.libvirt.is_some_and(|version| version >= TLS_IS_SOUND);
    let count = (facts.cpus / CPUS_A_CONNECTION).min(MOST);
    let gains = facts.link_bytes_s.is_some_and(|link| link >= busy);
    let count = u8::try_from(count).ok().filter(|count| gains && is_sound && !facts.is_pinned && *count >= 2)?;
    of(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Facts = Facts {
        asked: None,
        compress: false,
        is_native: true,
        is_limited: false,
        policy: Policy::Balanced,
        encrypted: false,
        libvirt: Some(11_003_000),
        cpus: 32,
        is_pinned: false,
        link_bytes_s: Some(1_100 * MIB),
    };

    fn count(facts: &Facts) -> Option<u8> {
        connections(facts).map(|connections| connections.count)
    }

    #[test]
    fn several_are_taken_where_one_is_not_enough() {
        assert_eq!(count(&FAST), Some(4));
        assert_eq!(count(&Facts { cpus: 256, ..FAST }), Some(8));
        for facts in [
            Facts { cpus: 15, ..FAST },
            Facts { is_pinned: true, ..FAST },
            Facts { link_bytes_s: None, ..FAST },
            Facts { link_bytes_s: Some(110 * MIB), ..FAST },
        ] {
            assert_eq!(count(&facts), None, "{facts:?}");
        }
    }

    #[test]
    fn one_is_not_enough_sooner_with_tls() {
        let encrypted = Facts { encrypted: true, link_bytes_s: Some(250 * MIB), ..FAST };
        assert_eq!(count(&encrypted), None, "it may crash");
        assert_eq!(count(&Facts { libvirt: Some(11_006_000), ..encrypted }), Some(4));
        assert_eq!(count(&Facts { encrypted: false, ..encrypted }), None);
    }

    #[test]
    fn what_qemu_can_not_do_together_is_never_taken() {
        let asked = Facts { asked: Some(4), compress: true, ..FAST };
        for facts in [
            Facts { is_limited: true, ..asked },
            Facts { policy: Policy::Certain, ..asked },
            Facts { is_native: false, ..asked },
        ] {
            assert_eq!(count(&facts), None, "{facts:?}");
        }
    }

    #[test]
    fn what_is_asked_for_counts() {
        let slow = Facts { cpus: 2, link_bytes_s: None, ..FAST };
        assert_eq!(count(&Facts { asked: Some(3), ..slow }), Some(3));
        let compressed = Facts { compress: true, ..slow };
        assert_eq!(connections(&compressed), Some(Connections { count: 2, compressed: true }));
        assert_eq!(connections(&Facts { libvirt: Some(9_003_000), ..compressed }), None, "it does not know zstd");
        assert_eq!(count(&Facts { asked: Some(1), ..FAST }), Some(1));
    }
}
