//! Obstacles for VMs of the system's daemon that the demo does not have, between hosts of the lab: networks, mounts, firewalls, a
//! stopped daemon, another QEMU.

mod contents;
mod files;
mod listeners;
mod networks;
mod programs;
mod storage;

use model::{FindingCode as Code, Severity};

use self::{
    contents::contents,
    files::files,
    listeners::{addresses, ports},
    networks::{filters, firewalls, names, networks},
    programs::{drivers, programs, virtiofs},
    storage::{jobs, media, pools},
};
use crate::{guest::Parts, obstacle::Obstacle};

/// Between two equal hosts.
pub fn between_equals() -> Vec<Obstacle> {
    let of_definitions = [files(), addresses(), ports(), names(), filters()];
    let others = [networks(), media(), pools(), firewalls(), jobs(), programs(), drivers(), contents()];
    let mut all: Vec<_> = of_definitions.into_iter().chain(others).flatten().collect();
    all.extend(virtiofs());
    all
}

/// To a host with an older QEMU.
pub fn to_older() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("a machine type of a newer QEMU", Code::MachineType).also(&[Code::Definition]),
        Obstacle::succeeds("a machine type that the older QEMU knows", Code::QemuVersion, Severity::Warning)
            .parts(|_, _| Parts { machine: Some("pc-i440fx-7.2"), ..Parts::default() }),
        Obstacle::blocker("a CPU feature that the older QEMU can't emulate", Code::Cpu)
            .also(&[Code::Definition])
            .parts(|_, _| Parts {
                machine: Some("pc-i440fx-7.2"),
                elements: "<cpu mode='custom' match='exact'><model>qemu64</model>\
                       <feature policy='require' name='sha-ni'/></cpu>"
                    .to_owned(),
                ..Parts::default()
            }),
    ]
}

/// From a host with an older QEMU.
pub fn from_older() -> Vec<Obstacle> {
    vec![Obstacle::succeeds("a machine type of an older QEMU", Code::QemuVersion, Severity::Ok)]
}
