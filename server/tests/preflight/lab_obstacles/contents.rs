//! What a guest keeps in files of its host beside its disks, and whether it is at the destination afterwards.

use std::{fs, path::Path};

use model::{FindingCode as Code, Severity};

use crate::{
    guest::{Guest, NAME, Parts},
    obstacle::{Obstacle, Outcome},
    testbed::{TestBed, text},
};

/// What the guest is taken to have kept.
const CONTENTS: &[u8] = b"what the guest has written";
/// Where it is in the file, in bytes.
const AT: usize = 4096;
/// The sizes of an NVDIMM, and of a flash chip's file, in bytes.
const SIZE: usize = 4 << 20;

pub(super) fn contents() -> Vec<Obstacle> {
    [persistent_memory(), variables(), tpm_and_folders()].into_iter().flatten().collect()
}

fn persistent_memory() -> Vec<Obstacle> {
    let code = Code::PersistentMemory;
    let shared_nvdimm = |bed: &TestBed<'_>, guest: &Guest| memory("nvdimm", "access='shared'", &local(bed, guest));
    vec![
        Obstacle::unknown("an NVDIMM that is mapped shared", code, Outcome::Succeeds)
            .parts(shared_nvdimm)
            .make(write)
            .afterwards(is_there),
        Obstacle::succeeds("an NVDIMM that is mapped privately", code, Severity::Warning)
            .parts(|bed, guest| memory("nvdimm", "", &local(bed, guest)))
            .make(write)
            .afterwards(is_not_there),
        Obstacle::succeeds("virtio-pmem", code, Severity::Warning)
            .parts(|bed, guest| memory("virtio-pmem", "access='shared'", &local(bed, guest)))
            .make(write)
            .afterwards(is_not_there),
        Obstacle::unknown("a pstore", code, Outcome::Succeeds)
            .parts(|bed, guest| {
                let path = local(bed, guest);
                Parts::devices(format!(
                    "<pstore backend='acpi-erst'><path>{path}</path><size unit='KiB'>8</size></pstore>"
                ))
            })
            .make(write)
            .afterwards(is_there),
        Obstacle::succeeds("an NVDIMM, while the VM is off", code, Severity::Warning)
            .parts(shared_nvdimm)
            .shut_off()
            .afterwards(is_not_there),
        Obstacle::succeeds("an NVDIMM in a directory of both hosts, while the VM is off", code, Severity::Ok)
            .parts(|bed, guest| memory("nvdimm", "access='shared'", &shared(bed, guest)))
            .shut_off(),
    ]
}

fn variables() -> Vec<Obstacle> {
    vec![
        Obstacle::succeeds("UEFI variables with a template", Code::Nvram, Severity::Ok)
            .parts(|bed, guest| flash(bed, guest, &local(bed, guest), true))
            .afterwards(is_there),
        Obstacle::unknown("UEFI variables without a template", Code::Nvram, Outcome::Fails)
            .parts(|bed, guest| flash(bed, guest, &local(bed, guest), false)),
        Obstacle::succeeds("UEFI variables, while the VM is off", Code::Nvram, Severity::Warning)
            .parts(|bed, guest| flash(bed, guest, &local(bed, guest), true))
            .shut_off()
            .afterwards(is_not_there),
        Obstacle::succeeds(
            "UEFI variables in a directory of both hosts, while the VM is off",
            Code::Nvram,
            Severity::Ok,
        )
        .parts(|bed, guest| flash(bed, guest, &shared(bed, guest), false))
        .shut_off(),
    ]
}

fn tpm_and_folders() -> Vec<Obstacle> {
    vec![
        Obstacle::succeeds("an emulated TPM, while the VM is off", Code::Tpm, Severity::Warning)
            .parts(|_, _| Parts::devices("<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>"))
            .shut_off()
            .afterwards(|bed, guest| {
                let state = format!("/var/lib/libvirt/swtpm/{}", guest.id);
                let [here, there] = [&bed.source, &bed.destination].map(|host| host.lab().path(&state).exists());
                if here && !there { Ok(()) } else { Err(format!("the TPM's state is here: {here}, there: {there}")) }
            }),
        Obstacle::succeeds("a folder of the host's own (9p)", Code::SharedFolder, Severity::Warning)
            .parts(|bed, guest| folder(&local_folder(bed, guest))),
        Obstacle::succeeds(
            "a folder of the host's own (9p), while the VM is off",
            Code::SharedFolder,
            Severity::Warning,
        )
        .parts(|bed, guest| folder(&local_folder(bed, guest)))
        .shut_off(),
    ]
}

/// A device with persistent memory in a file, and what libvirt wants beside it.
fn memory(model: &str, access: &str, path: &str) -> Parts {
    let node = if model == "nvdimm" { "<node>0</node>" } else { "" };
    Parts {
        elements: "<maxMemory slots='2' unit='MiB'>256</maxMemory>\
                   <cpu><numa><cell id='0' cpus='0' memory='32' unit='MiB'/></numa></cpu>"
            .to_owned(),
        devices: format!(
            "<memory model='{model}' {access}><source><path>{path}</path></source>\
             <target><size unit='B'>{SIZE}</size>{node}</target></memory>"
        ),
        ..Parts::default()
    }
}

/// A flash chip with nothing in it for the firmware, and another for its variables in the file at `path`, which is written.
fn flash(bed: &TestBed<'_>, guest: &Guest, path: &str, has_template: bool) -> Parts {
    let [firmware, template] =
        ["firmware", "template"].map(|what| bed.shared.join(format!("{NAME}-{}.{what}", guest.number)));
    for file in [&firmware, &template] {
        fs::write(file, vec![0; SIZE]).expect("the directory takes files");
    }
    let mut contents = vec![0; SIZE];
    contents[AT..AT + CONTENTS.len()].copy_from_slice(CONTENTS);
    fs::write(seen(bed.source.lab().path(path), path), contents).expect("the host's directory takes files");
    let template = if has_template { format!("template='{}'", template.display()) } else { String::new() };
    Parts {
        os: format!(
            "<loader readonly='yes' type='pflash'>{}</loader><nvram {template}>{path}</nvram>",
            firmware.display()
        ),
        ..Parts::default()
    }
}

fn folder(path: &str) -> Parts {
    Parts::devices(format!("<filesystem type='mount'><source dir='{path}'/><target dir='folder'/></filesystem>"))
}

/// A file's path that is another file on each host.
fn local(bed: &TestBed<'_>, guest: &Guest) -> String {
    text(&bed.source.pool_path(guest).with_extension("kept"))
}

/// A folder that each host has for itself.
fn local_folder(bed: &TestBed<'_>, guest: &Guest) -> String {
    let path = text(&bed.source.pool_path(guest));
    for host in [&bed.source, &bed.destination] {
        host.lab().run("mkdir", &["-p", &path]);
    }
    path
}

/// A file's path in the directory that both hosts share.
fn shared(bed: &TestBed<'_>, guest: &Guest) -> String {
    text(&bed.shared.join(format!("{NAME}-{}.kept", guest.number)))
}

/// Where the test sees a host's file: those in the shared directory are the same everywhere.
fn seen(of_host: std::path::PathBuf, path: &str) -> std::path::PathBuf {
    if Path::new(path).starts_with("/var/lib/libvirt") { of_host } else { path.into() }
}

/// Writes what the guest keeps, into the file that its QEMU has mapped.
fn write(bed: &TestBed<'_>, guest: &Guest) {
    use std::os::unix::fs::FileExt;
    let path = bed.source.lab().path(&local(bed, guest));
    let file = fs::File::options().write(true).open(path).expect("QEMU has made it");
    file.write_all_at(CONTENTS, AT as u64).expect("it can be written to");
}

/// Whether the destination's file has what the guest keeps.
fn has_contents(bed: &TestBed<'_>, guest: &Guest) -> bool {
    let file = fs::read(bed.destination.lab().path(&local(bed, guest))).unwrap_or_default();
    file.get(AT..AT + CONTENTS.len()) == Some(CONTENTS)
}

fn is_there(bed: &TestBed<'_>, guest: &Guest) -> Result<(), String> {
    if has_contents(bed, guest) { Ok(()) } else { Err("it is not at the destination".to_owned()) }
}

fn is_not_there(bed: &TestBed<'_>, guest: &Guest) -> Result<(), String> {
    if has_contents(bed, guest) { Err("it is at the destination".to_owned()) } else { Ok(()) }
}
