//! Files, directories and sockets that a definition names, and that only the source has.

use std::{mem, os::unix::net::UnixListener};

use model::{FindingCode as Code, Severity};

use crate::{
    guest::{Guest, Parts},
    obstacle::{Obstacle, Outcome},
    testbed::{Machine, TestBed},
};

/// A directory that the hosts do not share.
const OWN: &str = "/var/lib/libvirt/trial";
/// A file that both have, and that QEMU takes for a kernel.
const ANY: &str = "/usr/share/seabios/bios-256k.bin";
const KERNEL: &str = "<kernel>/var/lib/libvirt/trial/kernel</kernel>";
const SOCKET: &str = "/var/lib/libvirt/trial/agent";

/// What makes a part of a definition, with what it needs at the source.
type MakeParts = fn(&TestBed<'_>, &Guest) -> Parts;

pub(super) fn files() -> Vec<Obstacle> {
    let all = [read(), made(), served()].into_iter().flatten();
    all.map(|obstacle| obstacle.undo(remove)).collect()
}

fn read() -> Vec<Obstacle> {
    let kernel: MakeParts = |bed, _| {
        give(&bed.source, "kernel");
        Parts { os: KERNEL.to_owned(), ..Parts::default() }
    };
    vec![
        Obstacle::blocker("a kernel that the destination lacks", Code::HostFile).parts(kernel),
        Obstacle::blocker("a kernel that is not in the destination's directory", Code::HostFile)
            .parts(kernel)
            .make(|bed, _| give(&bed.destination, "another")),
        Obstacle::succeeds("a kernel that both hosts have", Code::HostFile, Severity::Ok)
            .parts(kernel)
            .make(|bed, _| give(&bed.destination, "kernel")),
        Obstacle::arrives("a kernel that the destination lacks, and the VM is off", Code::HostFile).parts(kernel),
        Obstacle::blocker("a network card's ROM that the destination lacks", Code::HostFile).parts(|bed, _| {
            give(&bed.source, "rom");
            Parts::devices(format!("<interface type='user'><rom file='{OWN}/rom'/></interface>"))
        }),
        Obstacle::unknown("a device file by another name", Code::DeviceFile, Outcome::Fails).parts(|bed, _| {
            bed.source.lab().run("ln", &["-s", "/dev/urandom", "/run/trial-random"]);
            bed.source.lab().run("test", &["-e", "/run/trial-random"]);
            Parts::devices("<rng model='virtio'><backend model='random'>/run/trial-random</backend></rng>")
        }),
    ]
}

fn made() -> Vec<Obstacle> {
    fn at_source_only(bed: &TestBed<'_>, devices: String) -> Parts {
        give(&bed.source, "anything");
        Parts::devices(devices)
    }
    vec![
        Obstacle::blocker("a serial port's file, and no directory for it", Code::HostFile)
            .parts(|bed, _| at_source_only(bed, format!("<serial type='file'><source path='{OWN}/out'/></serial>"))),
        Obstacle::blocker("a serial port's log, and no directory for it", Code::HostFile)
            .parts(|bed, _| at_source_only(bed, format!("<serial type='pty'><log file='{OWN}/log'/></serial>"))),
        Obstacle::succeeds("a serial port's log, and a directory for it", Code::HostFile, Severity::Ok)
            .parts(|bed, _| at_source_only(bed, format!("<serial type='pty'><log file='{OWN}/log'/></serial>")))
            .make(|bed, _| give(&bed.destination, "anything")),
        Obstacle::blocker("a channel's socket, and no directory for it", Code::HostFile).parts(|bed, _| {
            let target = "<target type='virtio' name='trial'/>";
            at_source_only(bed, format!("<channel type='unix'><source mode='bind' path='{OWN}/s'/>{target}</channel>"))
        }),
        Obstacle::blocker("a VNC socket, and no directory for it", Code::HostFile)
            .parts(|bed, _| at_source_only(bed, format!("<graphics type='vnc' socket='{OWN}/vnc'/>"))),
        Obstacle::arrives("a serial port's file, no directory, and the VM is off", Code::HostFile)
            .parts(|bed, _| at_source_only(bed, format!("<serial type='file'><source path='{OWN}/out'/></serial>"))),
    ]
}

fn served() -> Vec<Obstacle> {
    let channel: MakeParts = |bed, _| {
        give(&bed.source, "anything");
        let listener = UnixListener::bind(bed.source.lab().path(SOCKET)).expect("the directory is there");
        // It listens until the test ends; QEMU does not wait to be accepted.
        mem::forget(listener);
        Parts::devices(format!(
            "<channel type='unix'><source mode='connect' path='{SOCKET}'/><target type='virtio' name='trial'/></channel>"
        ))
    };
    vec![
        Obstacle::blocker("a program's socket, and no directory for it", Code::HostSocket).parts(channel),
        Obstacle::unknown("a program's socket, where the program does not run", Code::HostSocket, Outcome::Fails)
            .parts(channel)
            .make(|bed, _| give(&bed.destination, "anything")),
    ]
}

/// Gives a host the directory with a file in it.
fn give(machine: &Machine<'_>, name: &str) {
    machine.lab().run("mkdir", &["-p", OWN]);
    machine.lab().run("cp", &[ANY, &format!("{OWN}/{name}")]);
}

fn remove(bed: &TestBed<'_>, _: &Guest) {
    for machine in [&bed.source, &bed.destination] {
        machine.lab().run("rm", &["-rf", OWN, "/run/trial-random"]);
    }
}
