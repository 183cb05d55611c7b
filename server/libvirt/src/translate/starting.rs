//! What a VM's definition names of its host, and QEMU or libvirt could not open or bind when it started the VM there: files, sockets,
//! addresses, ports and CPUs. A migration starts a QEMU at the destination, so these are the destination's.

use super::meaning::{Meaning, saying};

const ANOTHER_PORT: &str = "Let libvirt choose the port (autoport='yes'), or free it on {destination}. Both need the VM to be shut off for a change.";
const CREATE_IT: &str = "Create it on {destination}, or take it out of the VM's definition.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("Failed to reserve port {port}")
        .tell("This VM's display is to have the port {port}, which another VM on {destination} has.", ANOTHER_PORT),
    saying("-vnc {}: Failed to find an available port: Address already in use")
        .tell("A program on {destination} listens at the port that this VM's display (VNC) is to have.", ANOTHER_PORT),
    saying("-vnc {}: Failed to bind socket: Cannot assign requested address").tell(
        "This VM's display (VNC) is to listen at an address that {destination} does not have.",
        "Let it listen at 127.0.0.1 or 0.0.0.0, or at the address of a libvirt network (<listen type='network'>).",
    ),
    saying("-vnc {}: Failed to bind socket to {path}: No such file")
        .tell("{destination} does not have the directory of {path}, the socket of this VM's display (VNC).", CREATE_IT),
    saying("could not open kernel file '{path}'").tell(
        "{destination} does not have the kernel that this VM boots from, {path}.",
        "Copy it to {destination}, and the initrd with it, or choose another host.",
    ),
    saying("Failed to create file '{path}': No such file")
        .tell("{destination} does not have the directory of {path}, to which this VM writes.", CREATE_IT),
    saying("Unable to bind to UNIX socket path '{path}'").tell(
        "libvirt on {destination} can't create the socket {path} of this VM.",
        "Create its directory on {destination}, or leave the path of the socket to libvirt.",
    ),
    saying("-chardev {}: Failed to connect to '{path}'").tell(
        "Nothing on {destination} listens at the socket {path} that this VM uses.",
        "Start the program that listens there, or detach the device.",
    ),
    saying("cannot set CPU affinity on process").tell(
        "This VM is pinned to CPUs that {destination} does not have, or may not use.",
        "Change its pinning (virsh vcpupin, emulatorpin), or choose a host with as many CPUs.",
    ),
];

#[cfg(test)]
mod tests {
    use engine::HostErrorKind::Refused;

    use crate::translate::testing::check;

    #[test]
    #[rustfmt::skip]
    fn every_row_has_its_words() {
        check(super::MEANINGS, &[
            (1, 0, 0, "internal error: Failed to reserve port 5950",
                Refused, "This VM's display is to have the port 5950, which another VM on beta has.", "autoport"),
            (1, 10, 0, "internal error: QEMU unexpectedly closed the monitor (vm='web'): 2026-11-26T22:09:52.057253Z qemu-system-x86_64: \
                 -vnc 127.0.0.1:77,audiodev=audio1: Failed to find an available port: Address already in use",
                Refused, "A program on beta listens at the port that this VM's display (VNC) is to have.", "autoport"),
            (1, 10, 0, "internal error: QEMU unexpectedly closed the monitor (vm='web'): 2026-11-26T22:09:51.184819Z qemu-system-x86_64: \
                 -vnc 10.9.9.9:0,audiodev=audio1: Failed to bind socket: Cannot assign requested address",
                Refused, "This VM's display (VNC) is to listen at an address that beta does not have.", "<listen"),
            (1, 10, 0, "internal error: QEMU unexpectedly closed the monitor (vm='web'): 2026-11-26T22:09:52.528478Z qemu-system-x86_64: \
                 -vnc vnc=unix:/run/display/v,audiodev=audio1: Failed to bind socket to /run/display/v: No such file or directory",
                Refused, "beta does not have the directory of /run/display/v, the socket of this VM's display (VNC).", "Create it"),
            (1, 10, 0, "internal error: QEMU unexpectedly closed the monitor (vm='web'): qemu: could not open kernel file '/boot/web/vmlinuz': \
                 No such file or directory",
                Refused, "beta does not have the kernel that this VM boots from, /boot/web/vmlinuz.", "Copy it"),
            (38, 10, 2, "Failed to create file '/srv/logs/web.log': No such file or directory",
                Refused, "beta does not have the directory of /srv/logs/web.log, to which this VM writes.", "Create it"),
            (38, 10, 2, "Unable to bind to UNIX socket path '/srv/agent/web.sock': No such file or directory",
                Refused, "libvirt on beta can't create the socket /srv/agent/web.sock of this VM.", "directory"),
            (1, 10, 0, "internal error: process exited while connecting to monitor: 2026-11-26T22:09:49.597599Z qemu-system-x86_64: -chardev \
                 socket,id=charchannel0,path=/srv/agent/web.sock: Failed to connect to '/srv/agent/web.sock': No such file or directory",
                Refused, "Nothing on beta listens at the socket /srv/agent/web.sock that this VM uses.", "Start the program"),
            (38, 0, 22, "cannot set CPU affinity on process 7372: Invalid argument",
                Refused, "This VM is pinned to CPUs that beta does not have, or may not use.", "vcpupin"),
        ]);
    }
}
