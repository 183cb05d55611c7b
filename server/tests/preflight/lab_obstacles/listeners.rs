//! Addresses and ports that a VM listens on: those of the source, and those that are in use at the destination.

use model::{FindingCode as Code, Severity};

use crate::{
    guest::{Guest, Parts, run_other},
    obstacle::{Obstacle, Outcome},
    testbed::TestBed,
};

/// An address that the source has beside the one that it is registered with.
const SECOND_ADDRESS: &str = "192.0.2.77";
const PORT: &str = "<graphics type='vnc' port='5950' autoport='no' listen='127.0.0.1'/>";
const SERIAL_PORT: &str = "<serial type='tcp'><source mode='bind' host='127.0.0.1' service='4666'/></serial>";

/// VNC on an address.
fn vnc(address: &str) -> Parts {
    Parts::devices(format!("<graphics type='vnc' listen='{address}'/>"))
}

fn vnc_at_source(bed: &TestBed<'_>, _: &Guest) -> Parts {
    vnc(&bed.source.lab().address)
}

pub(super) fn addresses() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("VNC on the source's address", Code::ListenAddress).parts(vnc_at_source),
        Obstacle::arrives("VNC on the source's address, and the VM is off", Code::ListenAddress).parts(vnc_at_source),
        Obstacle::unknown("VNC on an address that only the source has", Code::ListenAddress, Outcome::Fails)
            .parts(|bed, _| {
                bed.source.lab().run("ip", &["address", "add", &format!("{SECOND_ADDRESS}/24"), "dev", "eth0"]);
                vnc(SECOND_ADDRESS)
            })
            .undo(|bed, _| {
                bed.source.lab().run("ip", &["address", "delete", &format!("{SECOND_ADDRESS}/24"), "dev", "eth0"]);
            }),
        Obstacle::blocker("a serial port on the source's address", Code::ListenAddress).parts(|bed, _| {
            let address = &bed.source.lab().address;
            let source = format!("<source mode='bind' host='{address}' service='4667'/>");
            Parts::devices(format!("<serial type='tcp'>{source}</serial>"))
        }),
        Obstacle::blocker("a serial port over UDP on the source's address", Code::ListenAddress).parts(|bed, _| {
            let address = &bed.source.lab().address;
            let bind = format!("<source mode='bind' host='{address}' service='4668'/>");
            let connect = "<source mode='connect' host='127.0.0.1' service='9'/>";
            Parts::devices(format!("<serial type='udp'>{connect}{bind}</serial>"))
        }),
        Obstacle::blocker("an interface that listens on the source's address", Code::ListenAddress).parts(|bed, _| {
            let address = &bed.source.lab().address;
            Parts::devices(format!("<interface type='server'><source address='{address}' port='4669'/></interface>"))
        }),
    ]
}

pub(super) fn ports() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("a VNC port that another VM has", Code::ListenPort)
            .parts(|_, _| Parts::devices(PORT))
            .make(|bed, guest| run_other(bed, guest, &PORT.replace("127.0.0.1", "0.0.0.0"))),
        Obstacle::arrives("a VNC port that another VM has, and the VM is off", Code::ListenPort)
            .parts(|_, _| Parts::devices(PORT))
            .make(|bed, guest| run_other(bed, guest, PORT)),
        Obstacle::unknown("a VNC port that another program has", Code::ListenPort, Outcome::Fails)
            .parts(|_, _| Parts::devices(PORT))
            .make(|bed, _| {
                let vnc = ["-machine", "none", "-display", "none", "-vnc", "127.0.0.1:50", "-daemonize"];
                let pid = ["-pidfile", "/run/trial.pid"];
                bed.destination.lab().run("qemu-system-x86_64", &[&vnc[..], &pid].concat());
            })
            .undo(|bed, _| drop(bed.destination.lab().run("sh", &["-c", "kill $(cat /run/trial.pid)"]))),
        Obstacle::unknown("a VNC port that is free", Code::ListenPort, Outcome::Succeeds)
            .parts(|_, _| Parts::devices(PORT)),
        Obstacle::succeeds("a VNC port that libvirt chooses, as another VM's", Code::VmState, Severity::Ok)
            .parts(|_, _| vnc("127.0.0.1"))
            .make(|bed, guest| run_other(bed, guest, "<graphics type='vnc' listen='127.0.0.1'/>")),
        Obstacle::blocker("a serial port over TCP that another VM has", Code::ListenPort)
            .parts(|_, _| Parts::devices(SERIAL_PORT))
            .make(|bed, guest| run_other(bed, guest, SERIAL_PORT)),
    ]
}
