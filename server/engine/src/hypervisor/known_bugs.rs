//! Bugs of versions of libvirt and QEMU that concern migrations. vmferry works around them or warns, and the page of a host names them.

use std::ops::Range;

use model::KnownBug;

use super::recovery::{POST_COPY_CRASH, number};

/// A bug, by libvirt's numbers of the versions that have it.
struct Bug {
    program: &'static str,
    versions: Range<u64>,
    sentence: &'static str,
    mended_in: &'static str,
}

/// Sources: libvirt's NEWS of 11.4.0, 11.5.0 and 11.6.0; QEMU's of 9.0.
const BUGS: &[Bug] = &[
    Bug {
        program: "libvirt",
        versions: POST_COPY_CRASH,
        sentence: "libvirtd crashes if a post-copy migration to this host broke off and is recovered. vmferry offers no recovery to here, \
                   and warns before a migration that may use post-copy.",
        mended_in: "libvirt 11.4",
    },
    Bug {
        program: "libvirt",
        versions: 11_000_000..11_005_000,
        sentence: "Asking for the definition of a VM that is just arriving blocks for 30 s: virsh dumpxml, virt-manager. vmferry does not \
                   ask.",
        mended_in: "libvirt 11.5",
    },
    Bug {
        program: "libvirt",
        versions: 11_001_000..11_005_000,
        sentence: "Paths of shared_filesystems in qemu.conf count only if they exist: disks on them may be taken for local ones.",
        mended_in: "libvirt 11.5",
    },
    Bug {
        program: "libvirt",
        versions: 1..11_006_000,
        sentence: "A long encrypted migration over several connections may crash in GnuTLS. vmferry chooses one connection.",
        mended_in: "libvirt 11.6",
    },
    Bug {
        program: "QEMU",
        versions: 1..9_000_000,
        sentence: "It forgets on the way that a guest is asleep, which may never wake up again. vmferry warns before.",
        mended_in: "QEMU 9.0",
    },
];

/// Those of a host with these versions, as [`super::HostFacts`] has them. What is no version has none.
pub(crate) fn known_bugs(libvirt: &str, qemu: &str) -> Vec<KnownBug> {
    let of = |bug: &&Bug| {
        let version = if bug.program == "libvirt" { libvirt } else { qemu };
        number(version).is_some_and(|number| bug.versions.contains(&number))
    };
    let told = |bug: &Bug| {
        let version = if bug.program == "libvirt" { libvirt } else { qemu };
        let version = format!("{} {version}", bug.program);
        KnownBug { version, sentence: bug.sentence, mended_in: bug.mended_in }
    };
    BUGS.iter().filter(of).map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_told_of_the_versions_that_have_it() {
        let mended = |libvirt, qemu| {
            let bugs = known_bugs(libvirt, qemu);
            bugs.iter().map(|bug| bug.mended_in).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(mended("11.3.0", "10.0.2"), "libvirt 11.4, libvirt 11.5, libvirt 11.5, libvirt 11.6");
        assert_eq!(mended("9.0.0", "7.2.9"), "libvirt 11.6, QEMU 9.0");
        assert_eq!(mended("12.5.0", "11.1.0"), "");
        assert_eq!(mended("simulated", ""), "");
        assert_eq!(known_bugs("11.5.0", "9.0.0")[0].version, "libvirt 11.5.0");
    }
}
