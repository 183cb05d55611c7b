//! What a VM has or does, so that it can't be migrated.

use engine::HostErrorKind;
use virt::sys::{VIR_ERR_NO_DOMAIN, VIR_ERR_OPERATION_DENIED};

use super::meaning::{Meaning, numbered, saying};

const DETACH: &str = "Detach it before the migration, and attach another at the destination.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("cannot migrate domain with {count} snapshots").tell(
        "libvirt does not migrate a VM that has snapshots, and this one has {count}.",
        "If its disks are shared, or the VM is off: save each definition (`virsh snapshot-dumpxml`), let libvirt forget it (`virsh \
         snapshot-delete --metadata`), and define it again at the destination, with the disks' paths there (`virsh snapshot-create \
         --redefine`). The copy of a running VM's disk has no snapshots.",
    ),
    saying("cannot migrate a domain with <hostdev mode='{mode}' type='{kind}'>").tell(
        "A device of {host} is passed through to this VM ({kind}).",
        DETACH,
    ),
    saying("cannot migrate a domain with <interface type='{kind}'>").tell(
        "A network device of {host} is passed through to this VM ({kind}).",
        DETACH,
    ),
    saying("domain has active block job").tell(
        "A disk of this VM is being copied or committed.",
        "Wait until that has ended.",
    ),
    saying("cannot migrate domain with I/O error").tell(
        "This VM is paused because a disk failed.",
        "Repair the disk or make room on it, resume the VM, then move it.",
    ),
    saying("migration with transient disk is not supported").tell(
        "A disk of this VM is transient: what is written to it is discarded at shutdown, and can't move.",
        "Shut the VM down and remove <transient/> from the disk.",
    ),
    saying("virtiofs device is not supported").tell(
        "This VM has a folder of {host} (virtiofs) that can't move.",
        "Unmount the folder in the guest, and detach it.",
    ),
    saying("shmem device '{device}' cannot be migrated").tell(
        "This VM shares memory with programs of {host} (shmem device {device}).",
        "Detach the device, or give it the role master.",
    ),
    saying("domain has 'invtsc' CPU feature but TSC frequency is not specified").tell(
        "This VM has an invariant time stamp counter (invtsc) without a fixed frequency.",
        "Shut the VM down, and give its clock's tsc timer a frequency, or take the feature invtsc away.",
    ),
    saying("the running swtpm does not support migration with shared storage").tell(
        "swtpm on {host} is too old to hand over a TPM whose state is on shared storage.",
        "Install a newer swtpm there, then shut the VM down and start it again.",
    ),
    saying("cannot migrate domain: {reason}").tell("QEMU can't migrate this VM: {reason}.", "Detach what it names, if you can."),
    numbered(VIR_ERR_NO_DOMAIN).is(HostErrorKind::UnknownVm).tell("{host} does not have this VM any more.", "Check which host it is on now."),
    saying("Active console session exists for this domain").is(HostErrorKind::InUse).tell(
        "Another client has the serial console of this VM open.",
        "Close it there, or take it over.",
    ),
    saying("cannot find character device {device}").is(HostErrorKind::NotSupported).tell(
        "This VM has no serial console.",
        "Add <serial type='pty'/> to its definition, and start it again.",
    ),
    saying("character device {device} is not using a PTY").is(HostErrorKind::NotSupported).tell(
        "The serial console of this VM ({device}) leads elsewhere, to a file or a socket.",
        "Add <serial type='pty'/> to its definition, and start it again.",
    ),
    saying("domain is not running").is(HostErrorKind::WrongState).tell("This VM does not run.", "Start it first."),
    saying("domain is already running").is(HostErrorKind::WrongState).tell("This VM runs already.", "Nothing has to be done."),
    saying("guest is not in suspended state").is(HostErrorKind::WrongState).tell("This VM is awake.", "Nothing has to be done."),
    numbered(VIR_ERR_OPERATION_DENIED).tell(
        "{host} does not allow this.",
        "Check the access rules of the libvirt daemon there: vmferry needs an account that may make changes.",
    ),
];

#[cfg(test)]
mod tests {
    use engine::HostErrorKind::{InUse, NotSupported, Refused, UnknownVm, WrongState};

    use crate::translate::testing::check;

    #[test]
    #[rustfmt::skip]
    fn every_row_has_its_words() {
        check(super::MEANINGS, &[
            // terminals
            (9, 10, 0, "operation failed: Active console session exists for this domain",
                InUse, "Another client has the serial console of this VM open.", "take it over"),
            (1, 10, 0, "internal error: cannot find character device <null>",
                NotSupported, "This VM has no serial console.", "<serial type='pty'/>"),
            (1, 10, 0, "internal error: character device serial0 is not using a PTY",
                NotSupported, "The serial console of this VM (serial0) leads elsewhere, to a file or a socket.", "<serial type='pty'/>"),
            // hostdev / blockers
            (55, 10, 0, "Requested operation is not valid: cannot migrate domain: VFIO device doesn't support migration",
                Refused, "QEMU can't migrate this VM: VFIO device doesn't support migration.", "Detach"),
            (55, 10, 0, "Requested operation is not valid: cannot migrate a domain with <hostdev mode='subsystem' type='pci'>",
                Refused, "A device of alpha is passed through to this VM (pci).", "Detach"),
            (55, 10, 0, "Requested operation is not valid: cannot migrate a domain with <interface type='vdpa'>",
                Refused, "A network device of alpha is passed through to this VM (vdpa).", "Detach"),
            // snapshots
            (55, 10, 0, "Requested operation is not valid: cannot migrate domain with 2 snapshots",
                Refused, "libvirt does not migrate a VM that has snapshots, and this one has 2.", "--metadata"),
            // block job / IO error / transient disk / virtiofs / shmem / invtsc
            (55, 10, 0, "Requested operation is not valid: domain has active block job",
                Refused, "A disk of this VM is being copied or committed.", "Wait"),
            (55, 10, 0, "Requested operation is not valid: cannot migrate domain with I/O error",
                Refused, "This VM is paused because a disk failed.", "Repair"),
            (84, 10, 0, "Operation not supported: migration with transient disk is not supported",
                Refused, "A disk of this VM is transient: what is written to it is discarded at shutdown, and can't move.", "<transient/>"),
            (84, 10, 0, "Operation not supported: migration with this virtiofs device is not supported",
                Refused, "This VM has a folder of alpha (virtiofs) that can't move.", "Unmount"),
            (84, 10, 0, "Operation not supported: migration with virtiofs device is not supported",
                Refused, "This VM has a folder of alpha (virtiofs) that can't move.", "Unmount"),
            (55, 10, 0, "Requested operation is not valid: shmem device 'ring' cannot be migrated, only shmem with role='master' can be \
                 migrated",
                Refused, "This VM shares memory with programs of alpha (shmem device ring).", "Detach"),
            (55, 10, 0, "Requested operation is not valid: domain has 'invtsc' CPU feature but TSC frequency is not specified",
                Refused, "This VM has an invariant time stamp counter (invtsc) without a fixed frequency.", "frequency"),
            // TPM
            (3, 10, 0, "this function is not supported by the connection driver: the running swtpm does not support migration with shared \
                 storage",
                Refused, "swtpm on alpha is too old to hand over a TPM whose state is on shared storage.", "newer swtpm"),
            // Also: what actions run into.
            (42, 10, 0, "Domain not found: no domain with matching uuid '766d6665-7272-4901-8000-000000000001' (web)",
                UnknownVm, "alpha does not have this VM any more.", "which host"),
            (55, 10, 0, "Requested operation is not valid: domain is not running",
                WrongState, "This VM does not run.", "Start it"),
            (55, 10, 0, "Requested operation is not valid: domain is already running",
                WrongState, "This VM runs already.", "Nothing"),
            (1, 10, 0, "internal error: unable to execute QEMU command 'system_wakeup': Unable to wake up: guest is not in suspended state",
                WrongState, "This VM is awake.", "Nothing"),
            (29, 0, 0, "operation virDomainMigrateToURI3 forbidden for read only access",
                Refused, "alpha does not allow this.", "access rules"),
        ]);
    }
}
