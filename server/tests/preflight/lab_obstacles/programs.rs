//! Programs and files that a VM needs on its host: a TPM, a firmware, an emulator, virtiofsd.

use std::path::PathBuf;

use model::FindingCode as Code;

use crate::{
    guest::Parts,
    lab,
    obstacle::{Obstacle, Outcome},
};

/// Where virtiofsd may be: from Debian 13's package, and from Debian 12's QEMU.
const VIRTIOFSD: [&str; 2] = [
    "/usr/libexec/virtiofsd",
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/older-qemu/usr/lib/qemu/virtiofsd"),
];

pub(super) fn programs() -> Vec<Obstacle> {
    vec![
        Obstacle::unknown("an emulated TPM", Code::Tpm, Outcome::Succeeds)
            .parts(|_, _| Parts::devices("<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>")),
        Obstacle::blocker("a firmware that the destination lacks", Code::Firmware).parts(|bed, _| {
            let firmware = "/var/lib/libvirt/bios.bin";
            bed.source.lab().run("cp", &["/usr/share/seabios/bios-256k.bin", firmware]);
            Parts { os: format!("<loader type='rom'>{firmware}</loader>"), ..Parts::default() }
        }),
        Obstacle::blocker("an emulator that the destination lacks", Code::Emulator).parts(|bed, _| {
            let emulator = "/var/lib/libvirt/qemu-system-x86_64";
            bed.source.lab().run("cp", &["/usr/bin/qemu-system-x86_64", emulator]);
            Parts::devices(format!("<emulator>{emulator}</emulator>"))
        }),
    ]
}

/// None where virtiofsd is not installed.
pub(super) fn virtiofs() -> Option<Obstacle> {
    if virtiofsd().is_none() {
        lab::pass_over("a folder of the host (virtiofs): there is no virtiofsd here");
        return None;
    }
    Some(Obstacle::blocker("a folder of the host (virtiofs)", Code::SharedFolder).parts(|bed, _| Parts {
        elements: "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>".to_owned(),
        devices: format!(
            "<filesystem type='mount'><driver type='virtiofs'/><binary path='{}'/>
               <source dir='{}'/><target dir='folder'/></filesystem>",
            virtiofsd().expect("it is there").display(),
            bed.shared.display()
        ),
        ..Parts::default()
    }))
}

fn virtiofsd() -> Option<PathBuf> {
    VIRTIOFSD.into_iter().map(PathBuf::from).find(|path| path.exists())
}
