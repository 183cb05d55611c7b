//! Errors of the data connection between source and destination. Logging in: `login.rs`.

use virt::sys::VIR_FROM_RPC;

use super::meaning::{Meaning, errno, saying, system};

const NO_DATA: &str = "{host} can't send the memory to {destination}: {address}, port {port}: {reason}.";
const REFUSED: &str = "{host} can't send the memory to {destination}: connection refused.";
const NO_ROUTE: &str = "{host} has no route to {destination}.";
const NO_ANSWER: &str = "{host} gets no answer from {destination} when it sends the memory.";
const OPEN_PORTS: &str = "Open the ports 49152 to 49215 (or those that its qemu.conf names) in the firewall of {destination}: they carry \
                          memory and disks.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("Unable to resolve address '{address}' service").tell(
        "{host} can't resolve {address}, where {destination} receives memory and disks.",
        "Correct the address under which other hosts reach {destination}, or the name resolution on {host}.",
    ),
    saying("unable to connect to server at '{address}:{port}': {reason}").tell(NO_DATA, OPEN_PORTS),
    system(VIR_FROM_RPC, errno::REFUSED).tell(REFUSED, OPEN_PORTS),
    system(VIR_FROM_RPC, errno::NO_ROUTE).tell(
        NO_ROUTE,
        "Check the network between the two hosts, and the address under which other hosts reach {destination}.",
    ),
    system(VIR_FROM_RPC, errno::TIMED_OUT).tell(NO_ANSWER, OPEN_PORTS),
    saying("cannot start RDMA migration with no memory hard limit set").tell(
        "libvirt moves memory by RDMA only if the VM has a hard limit for its memory: all of it is locked meanwhile.",
        "Set one above what the guest has (virsh memtune --hard-limit), or move the VM without RDMA.",
    ),
    saying("RDMA migration is not supported").tell(
        "QEMU on {host} or {destination} can't do RDMA.",
        "Install QEMU with RDMA there, or move the VM without it.",
    ),
    saying("RDMA ERROR: {reason}").tell(
        "RDMA between {host} and {destination} does not work: {reason}.",
        "Check whether the address under which other hosts reach {destination} is that of its RDMA network, or move the VM without RDMA.",
    ),
    saying("client socket is closed").tell(
        "The libvirt daemon of {destination} closed the connection during the migration.",
        "Read the daemon's log on {destination}, then try again.",
    ),
    saying("Lost connection to destination host").tell(
        "{host} lost the connection to {destination} during the migration.",
        "Check the network between the two hosts, and whether the daemon of {destination} still runs; then try again.",
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
            // DNS, of the data
            (38, 7, 0, "Unable to resolve address 'rack7' service '49152': Name or service not known",
                Refused, "alpha can't resolve rack7, where beta receives memory and disks.", "name resolution on alpha"),
            // migration data port blocked; the ports may be others by qemu.conf, and the words of another language
            (38, 7, 111, "unable to connect to server at '127.0.0.3:49152': Connection refused",
                Refused, "alpha can't send the memory to beta: 127.0.0.3, port 49152: Connection refused.", "49152 to 49215"),
            (38, 7, 110, "unable to connect to server at '127.0.0.3:50215': Connection timed out",
                Refused, "alpha can't send the memory to beta: 127.0.0.3, port 50215: Connection timed out.", "firewall of beta"),
            (38, 7, 111, "Verbindung zum Server unter '127.0.0.3:49152' nicht möglich: Verbindungsaufbau abgelehnt",
                Refused, "alpha can't send the memory to beta: connection refused.", "49152 to 49215"),
            (38, 7, 113, "Verbindung zum Server unter '127.0.0.3:49152' nicht möglich: Keine Route zum Zielrechner",
                Refused, "alpha has no route to beta.", "network between the two hosts"),
            (38, 7, 110, "Verbindung zum Server unter '127.0.0.3:49152' nicht möglich: Die Wartezeit für die Verbindung ist abgelaufen",
                Refused, "alpha gets no answer from beta when it sends the memory.", "firewall of beta"),
            // RDMA
            (55, 10, 0, "Requested operation is not valid: cannot start RDMA migration with no memory hard limit set",
                Refused, "libvirt moves memory by RDMA only if the VM has a hard limit for its memory: all of it is locked meanwhile.",
                "memtune"),
            (84, 10, 0, "Operation not supported: outgoing RDMA migration is not supported with this QEMU binary",
                Refused, "QEMU on alpha or beta can't do RDMA.", "without it"),
            (1, 10, 0, "internal error: unable to execute QEMU command 'migrate-incoming': RDMA ERROR: could not create rdma event channel",
                Refused, "RDMA between alpha and beta does not work: could not create rdma event channel.", "RDMA network"),
            // dst died
            (1, 7, 0, "internal error: client socket is closed",
                Refused, "The libvirt daemon of beta closed the connection during the migration.", "log on beta"),
            (9, 10, 0, "operation failed: Lost connection to destination host",
                Refused, "alpha lost the connection to beta during the migration.", "try again"),
        ]);
    }
}
