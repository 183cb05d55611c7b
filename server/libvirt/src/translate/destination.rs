//! What the destination has or lacks, so that the VM can't run there.

use engine::HostErrorKind;
use virt::sys::{
    VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_CPU_INCOMPATIBLE, VIR_ERR_HOOK_SCRIPT_FAILED, VIR_ERR_NO_NETWORK,
    VIR_ERR_NO_SECRET,
};

use super::meaning::{Meaning, numbered, saying};

const SAME_HOST: &str = "{host} and {destination} are the same host to libvirt.";
const OWN_UUID: &str = "If they are not, give each its own host_uuid in libvirtd.conf.";

const FEATURES: &str = "The CPU of {destination} lacks features that this VM uses: {features}.";
const NO_FEATURES: &str = "The CPU of {destination} lacks features that this VM uses.";
const OTHER_CPU: &str = "Choose a host with the same CPU or a newer one, or give the VM a CPU model that both have.";

const NO_HUGE_PAGES: &str = "{destination} has no huge pages of the size this VM uses.";
const SET_UP_HUGE_PAGES: &str = "Set up huge pages there as on {host}.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("migrate guest to the same host").is(HostErrorKind::SameHost).tell(SAME_HOST, OWN_UUID),
    saying("resolved to localhost").tell(
        "The host name of {destination} resolves to localhost, which {host} can't use.",
        "Set migration_host in qemu.conf on {destination}.",
    ),
    // Names and UUIDs.
    saying("domain '{name}' already exists with uuid {uuid}").is(HostErrorKind::AlreadyThere).tell(
        "{destination} has another VM called {name}.",
        "Give this one a new name for the move, rename or remove the other, or choose another host.",
    ),
    saying("domain '{name}' is already defined with uuid").is(HostErrorKind::AlreadyThere).tell(
        "{destination} has this VM under another name: {name}.",
        "Remove or rename the definition there, if no one needs it.",
    ),
    saying("domain '{name}' is already active").is(HostErrorKind::AlreadyThere).tell(
        "{name} runs on {destination} already.",
        "Check both hosts first: a VM that runs twice destroys its disks.",
    ),
    // Networks.
    saying("no network with matching name '{network}'").tell(
        "{destination} does not have the network {network} that this VM is on.",
        "Define and start a network of this name there.",
    ),
    numbered(VIR_ERR_NO_NETWORK).tell(
        "{destination} does not have a network that this VM is on.",
        "Define and start a network of this name there.",
    ),
    saying("network '{network}' is not active").tell(
        "The network {network} that this VM is on is not started on {destination}.",
        "Start it there.",
    ),
    saying("Cannot get interface MTU on '{bridge}'").tell(
        "{destination} does not have the bridge {bridge} that this VM is on.",
        "Create a bridge of this name there.",
    ),
    saying("Unable to add bridge {bridge} port").tell(
        "{destination} can't use the bridge {bridge} that this VM is on.",
        "Create a bridge of this name there, and look whether it is one of Linux's own or Open vSwitch's, as on {host}.",
    ),
    // CPU, machine, memory.
    saying("Host CPU does not provide required features: {features}").tell(FEATURES, OTHER_CPU),
    saying("missing features: {features}").tell(FEATURES, OTHER_CPU),
    saying("guest CPU doesn't match specification").tell(NO_FEATURES, OTHER_CPU),
    numbered(VIR_ERR_CPU_INCOMPATIBLE).tell(NO_FEATURES, OTHER_CPU),
    saying("CPU mode '{mode}' for {} domain on {} host is not supported by hypervisor").tell(
        "{destination} can't give this VM its CPU, which is of mode {mode}.",
        "Check whether {destination} has KVM (/dev/kvm), or give the VM a CPU model that both hosts have.",
    ),
    saying("does not support machine type '{machine}'").tell(
        "QEMU on {destination} does not know this VM's machine type, {machine}.",
        "Install the same QEMU there as on {host}, or a newer one.",
    ),
    saying("does not support virt type '{kind}'").tell(
        "QEMU on {destination} can't run this VM with {kind}.",
        "For kvm, look whether it is switched on in the firmware there (/dev/kvm), and whether the account of QEMU may use it.",
    ),
    saying("Cannot check QEMU binary {emulator}:").tell(
        "{destination} does not have this VM's emulator, {emulator}.",
        "Install the same QEMU there as on {host}.",
    ),
    saying("Cannot allocate memory").tell(
        "{destination} does not have enough free memory.",
        "Free memory there, or choose another host.",
    ),
    saying("Unable to find any usable hugetlbfs mount").tell(NO_HUGE_PAGES, SET_UP_HUGE_PAGES),
    saying("hugetlbfs filesystem is not mounted").tell(NO_HUGE_PAGES, SET_UP_HUGE_PAGES),
    saying("unable to find any master var store for loader: {loader}").tell(
        "{destination} does not have this VM's firmware, {loader}.",
        "Install the same firmware (OVMF) there as on {host}.",
    ),
    saying("does not support the --migration option").tell(
        "swtpm on {destination} is too old to take over a TPM whose state is on shared storage.",
        "Install a newer swtpm there.",
    ),
    numbered(VIR_ERR_NO_SECRET).tell(
        "{destination} does not have a secret that a disk of this VM needs.",
        "Define the secret there with the same UUID, and set its value.",
    ),
    // The destination's state.
    saying("Unable to find an unused port in range 'migration'").tell(
        "{destination} receives too many migrations at once.",
        "Wait until some have ended.",
    ),
    numbered(VIR_ERR_HOOK_SCRIPT_FAILED).tell(
        "A hook script on {host} or {destination} refused.",
        "Check /etc/libvirt/hooks/qemu, and what the script printed (in the details).",
    ),
    // vmferry made the definition that was sent, so this is a defect of vmferry.
    numbered(VIR_ERR_CONFIG_UNSUPPORTED).and_says("Target {what} does not match source").tell(
        "The definition for {destination} changes this VM's machine ({what}).",
        "Report this to vmferry's developers, with the details.",
    ),
];

#[cfg(test)]
mod tests {
    use engine::HostErrorKind::{AlreadyThere, Refused, SameHost};

    use crate::translate::testing::check;

    #[test]
    #[rustfmt::skip]
    fn every_row_has_its_words() {
        check(super::MEANINGS, &[
            // same host
            (1, 10, 0, "internal error: Attempt to migrate guest to the same host 00000002-1111-4222-8333-555566667777",
                SameHost, "alpha and beta are the same host to libvirt.", "host_uuid"),
            (8, 20, 0, "invalid argument: Attempt to migrate guest to the same host",
                SameHost, "alpha and beta are the same host to libvirt.", "host_uuid"),
            // localhost name
            (1, 10, 0, "internal error: hostname on destination resolved to localhost, but migration requires an FQDN",
                Refused, "The host name of beta resolves to localhost, which alpha can't use.", "migration_host"),
            // name taken / uuid taken / already running there
            (9, 20, 0, "operation failed: domain 'web' already exists with uuid 766d6665-7272-4901-8000-000000000009",
                AlreadyThere, "beta has another VM called web.", "new name"),
            (9, 20, 0, "operation failed: domain 'other' is already defined with uuid 766d6665-7272-4901-8000-000000000001",
                AlreadyThere, "beta has this VM under another name: other.", "Remove or rename"),
            (55, 20, 0, "Requested operation is not valid: domain 'web' is already active",
                AlreadyThere, "web runs on beta already.", "Check both hosts"),
            // network missing / inactive
            (43, 19, 0, "Network not found: no network with matching name 'lan'",
                Refused, "beta does not have the network lan that this VM is on.", "Define and start"),
            (43, 19, 0, "Netzwerk nicht gefunden",
                Refused, "beta does not have a network that this VM is on.", "Define and start"),
            (55, 19, 0, "Requested operation is not valid: network 'lan' is not active",
                Refused, "The network lan that this VM is on is not started on beta.", "Start it there"),
            // bridge missing
            (38, 0, 19, "Cannot get interface MTU on 'br0': No such device",
                Refused, "beta does not have the bridge br0 that this VM is on.", "Create a bridge"),
            (38, 0, 19, "Unable to add bridge br0 port vnet1: No such device",
                Refused, "beta can't use the bridge br0 that this VM is on.", "Create a bridge"),
            // TPM
            (74, 10, 0, "argument unsupported: swtpm (on destination side) does not support the --migration option needed for migration \
                 with shared storage",
                Refused, "swtpm on beta is too old to take over a TPM whose state is on shared storage.", "newer swtpm"),
            // NVRAM
            (9, 10, 0, "operation failed: unable to find any master var store for loader: /usr/share/OVMF/OVMF_CODE_4M.fd",
                Refused, "beta does not have this VM's firmware, /usr/share/OVMF/OVMF_CODE_4M.fd.", "OVMF"),
            // CPU
            (91, 31, 0, "the CPU is incompatible with host CPU: Host CPU does not provide required features: avx512f, pku",
                Refused, "The CPU of beta lacks features that this VM uses: avx512f, pku.", "same CPU"),
            (9, 31, 0, "operation failed: guest CPU doesn't match specification: missing features: avx512f",
                Refused, "The CPU of beta lacks features that this VM uses: avx512f.", "same CPU"),
            (9, 31, 0, "operation failed: guest CPU doesn't match specification: extra features: hypervisor,npt, missing features: vme,avx512f",
                Refused, "The CPU of beta lacks features that this VM uses: vme,avx512f.", "same CPU"),
            (9, 31, 0, "operation failed: guest CPU doesn't match specification: extra features: svm",
                Refused, "The CPU of beta lacks features that this VM uses.", "same CPU"),
            (91, 31, 0, "the CPU is incompatible with host CPU",
                Refused, "The CPU of beta lacks features that this VM uses.", "same CPU"),
            (67, 10, 0, "unsupported configuration: CPU mode 'host-passthrough' for x86_64 qemu domain on x86_64 host is not supported by \
                 hypervisor",
                Refused, "beta can't give this VM its CPU, which is of mode host-passthrough.", "/dev/kvm"),
            // machine type / emulator
            (67, 10, 0, "unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does not support machine type 'pc-i440fx-9.9'",
                Refused, "QEMU on beta does not know this VM's machine type, pc-i440fx-9.9.", "as on alpha"),
            (38, 10, 2, "Cannot check QEMU binary /opt/qemu/bin/qemu-system-x86_64: No such file or directory",
                Refused, "beta does not have this VM's emulator, /opt/qemu/bin/qemu-system-x86_64.", "Install"),
            // dest XML changes ABI
            (67, 20, 0, "unsupported configuration: Target domain max memory 32768 does not match source 65536",
                Refused, "The definition for beta changes this VM's machine (domain max memory 32768).", "Report this"),
            (67, 20, 0, "unsupported configuration: Target domain net card count 1 does not match source 0",
                Refused, "The definition for beta changes this VM's machine (domain net card count 1).", "Report this"),
            (67, 10, 0, "unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does not support virt type 'kvm'",
                Refused, "QEMU on beta can't run this VM with kvm.", "/dev/kvm"),
            // no memory on dst
            (1, 10, 0, "internal error: process exited while connecting to monitor: 2026-11-23T07:00:00.000000Z qemu-system-x86_64: cannot \
                 set up guest memory 'pc.ram': Cannot allocate memory",
                Refused, "beta does not have enough free memory.", "Free memory there"),
            // Also: huge pages, secrets.
            (1, 10, 0, "internal error: Unable to find any usable hugetlbfs mount for 2048 KiB",
                Refused, "beta has no huge pages of the size this VM uses.", "huge pages"),
            (1, 10, 0, "internal error: hugetlbfs filesystem is not mounted or disabled by administrator config",
                Refused, "beta has no huge pages of the size this VM uses.", "huge pages"),
            (66, 30, 0, "Secret not found: no secret with matching uuid '766d6665-7272-4901-8000-000000000009'",
                Refused, "beta does not have a secret that a disk of this VM needs.", "same UUID"),
            // ports exhausted
            (1, 0, 0, "internal error: Unable to find an unused port in range 'migration' (49152-49215)",
                Refused, "beta receives too many migrations at once.", "Wait"),
            // hook refused
            (70, 0, 0, "Hook script execution failed: internal error: Child process (LC_ALL=C /etc/libvirt/hooks/qemu web migrate begin -) \
                 unexpected exit status 1: not today",
                Refused, "A hook script on alpha or beta refused.", "hooks/qemu"),
        ]);
    }
}
