//! Obstacles for VMs of a user's own daemon (session mode), between hosts of the demo.

use std::{fs, net::Ipv4Addr, path::Path, thread::available_parallelism};

use model::{FindingCode as Code, MigrationOptions, Severity, VmId, VmState};
use uuid::Uuid;

use crate::{
    disks::{SIZE, disk, local_disk, shared_disk},
    guest::{Guest, NAME, OTHER, Parts, define},
    obstacle::{Obstacle, Outcome},
    testbed::{TestBed, text},
};

/// A port where nothing listens.
const CLOSED_PORT: u16 = 9;

pub fn all() -> Vec<Obstacle> {
    [states(), copies(), names(), jobs(), devices(), disks(), formats(), addresses()].into_iter().flatten().collect()
}

fn states() -> Vec<Obstacle> {
    vec![
        Obstacle::succeeds("no obstacle", Code::VmState, Severity::Ok),
        Obstacle::succeeds("a paused VM", Code::VmState, Severity::Ok)
            .make(|bed, _| drop(bed.source.virsh(&["suspend", NAME])))
            .state(VmState::Paused),
        Obstacle::succeeds("a shut-off VM", Code::VmState, Severity::Ok)
            .make(|bed, _| drop(bed.source.virsh(&["destroy", NAME])))
            .state(VmState::ShutOff),
        Obstacle::succeeds("a transient VM", Code::VmState, Severity::Ok)
            .make(|bed, _| drop(bed.source.virsh(&["undefine", NAME]))),
        Obstacle::succeeds("more virtual CPUs than CPUs", Code::Vcpus, Severity::Warning).parts(|_, _| Parts {
            vcpus: Some(available_parallelism().expect("a machine has CPUs").get() + 1),
            ..Parts::default()
        }),
    ]
}

fn copies() -> Vec<Obstacle> {
    vec![
        Obstacle::succeeds("an old definition at the destination", Code::StaleDefinition, Severity::Warning)
            .make(|bed, guest| define(bed, &bed.destination, &guest.xml(&Parts::default()))),
        Obstacle::blocker("the VM's UUID at the destination, under another name", Code::UuidTaken)
            .make(|bed, guest| define(bed, &bed.destination, &guest.xml_as(OTHER, guest.id, &Parts::default()))),
        Obstacle::blocker("a copy that runs at the destination", Code::RunsThere).make(|bed, guest| {
            define(bed, &bed.destination, &guest.xml(&Parts::default()));
            bed.destination.virsh(&["start", NAME]);
        }),
    ]
}

fn names() -> Vec<Obstacle> {
    let taken: crate::obstacle::Step = |bed, guest| {
        let other = VmId(Uuid::now_v7());
        define(bed, &bed.destination, &guest.xml_as(NAME, other, &Parts::default()));
    };
    vec![
        Obstacle::blocker("another VM of its name at the destination", Code::NameTaken).make(taken),
        Obstacle::succeeds("another VM of its name, and a new name", Code::NameTaken, Severity::Ok)
            .make(taken)
            .options(|| MigrationOptions { new_name: Some(OTHER.to_owned()), ..MigrationOptions::default() }),
    ]
}

fn jobs() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("a snapshot", Code::Snapshots)
            .parts(|bed, guest| Parts::devices(shared_disk(bed, guest, "")))
            .make(|bed, _| drop(bed.source.virsh(&["snapshot-create-as", NAME, "one"]))),
        Obstacle::succeeds("a checkpoint", Code::Checkpoints, Severity::Warning)
            .parts(|bed, guest| Parts::devices(shared_disk(bed, guest, "")))
            .make(|bed, _| drop(bed.source.virsh(&["checkpoint-create-as", NAME, "one"]))),
        Obstacle::blocker("a disk that is being copied", Code::BlockJob)
            .parts(|bed, guest| Parts::devices(shared_disk(bed, guest, "")))
            .make(|bed, guest| {
                let copy = text(&bed.shared.join(format!("copy-{}.qcow2", guest.number)));
                bed.source.virsh(&["blockcopy", NAME, "vda", "--dest", &copy, "--transient-job"]);
            }),
        Obstacle::blocker("a backup that is being made", Code::BusyWithJob)
            .also(&[Code::BlockJob])
            .parts(|bed, guest| Parts::devices(shared_disk(bed, guest, "")))
            .make(|bed, guest| {
                let [xml, socket] =
                    ["xml", "socket"].map(|what| text(&bed.shared.join(format!("backup-{}.{what}", guest.number))));
                let server =
                    format!("<domainbackup mode='pull'><server transport='unix' socket='{socket}'/></domainbackup>");
                fs::write(&xml, server).expect("the directory takes files");
                bed.source.virsh(&["backup-begin", NAME, &xml]);
            }),
    ]
}

fn devices() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("memory shared with programs of the host", Code::SharedMemory)
            .parts(|_, guest| {
                let kind = "<model type='ivshmem-plain'/><size unit='M'>1</size>";
                Parts::devices(format!("<shmem name='{}'>{kind}</shmem>", shared_memory(guest)))
            })
            .undo(|_, guest| {
                let file = Path::new("/dev/shm").join(shared_memory(guest));
                fs::remove_file(file).expect("QEMU makes it, and leaves it there");
            }),
        Obstacle::unknown("a folder of the host (9p)", Code::SharedFolder, Outcome::Succeeds).parts(|bed, _| {
            Parts::devices(format!(
                "<filesystem type='mount'><source dir='{}'/><target dir='folder'/></filesystem>",
                bed.shared.display()
            ))
        }),
    ]
}

/// The name of the VM's shared memory, unique on the machine.
fn shared_memory(guest: &Guest) -> String {
    format!("{NAME}-{}", guest.id)
}

fn disks() -> Vec<Obstacle> {
    vec![
        Obstacle::succeeds("a disk that both hosts share", Code::DiskShared, Severity::Ok)
            .parts(|bed, guest| Parts::devices(shared_disk(bed, guest, ""))),
        Obstacle::blocker("a local disk, and no pool at the destination", Code::Pool)
            .parts(|bed, guest| Parts::devices(local_disk(bed, guest))),
        Obstacle::succeeds("a local disk, and a pool at the destination", Code::DiskCopied, Severity::Ok)
            .parts(|bed, guest| Parts::devices(local_disk(bed, guest)))
            .make(|bed, guest| bed.destination.start_pool(guest)),
        Obstacle::blocker("an empty volume of the disk's name", Code::DiskExists)
            .parts(|bed, guest| Parts::devices(local_disk(bed, guest)))
            .make(|bed, guest| {
                bed.destination.start_pool(guest);
                bed.destination.make_volume("disk.qcow2", "qcow2", SIZE);
            }),
        Obstacle::succeeds("a disk with a backing chain", Code::BackingChain, Severity::Warning)
            .parts(|bed, guest| {
                local_disk(bed, guest);
                let [base, overlay] = ["disk.qcow2", "overlay.qcow2"];
                let backing = ["--backing-vol", base, "--backing-vol-format", "qcow2"];
                let make = ["vol-create-as", NAME, overlay, SIZE, "--format", "qcow2"];
                bed.source.virsh(&[&make[..], &backing].concat());
                Parts::devices(disk(&bed.source.pool_path(guest).join(overlay), ""))
            })
            .make(|bed, guest| bed.destination.start_pool(guest)),
        Obstacle::blocker("a transient disk", Code::DiskKind)
            .parts(|bed, guest| Parts::devices(shared_disk(bed, guest, "<transient/>"))),
        Obstacle::blocker("an encrypted disk, and no secret at the destination", Code::Secret)
            .parts(|bed, guest| Parts::devices(encrypted_disk(bed, guest)))
            .undo(|bed, guest| drop(bed.source.virsh(&["secret-undefine", &guest.id.to_string()]))),
    ]
}

/// Formats that QEMU can't migrate.
fn formats() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("a disk in VMware's format", Code::DiskFormat)
            .parts(|bed, guest| Parts::devices(disk_of_format(bed, guest, "vmdk"))),
        Obstacle::blocker("a disk in VirtualBox's format", Code::DiskFormat)
            .parts(|bed, guest| Parts::devices(disk_of_format(bed, guest, "vdi"))),
        Obstacle::blocker("a disk in Hyper-V's old format", Code::DiskFormat)
            .parts(|bed, guest| Parts::devices(disk_of_format(bed, guest, "vpc"))),
        Obstacle::blocker("a disk in QEMU's first format", Code::DiskFormat)
            .parts(|bed, guest| Parts::devices(disk_of_format(bed, guest, "qcow"))),
        Obstacle::blocker("a disk whose backing image is in VMware's format", Code::DiskFormat).parts(|bed, guest| {
            bed.source.start_pool_at(&bed.shared.join(format!("{NAME}-{}", guest.number)));
            let base = bed.source.make_volume("base", "vmdk", SIZE);
            let backing = ["--backing-vol", "base", "--backing-vol-format", "vmdk"];
            let make = ["vol-create-as", NAME, "overlay", SIZE, "--format", "qcow2"];
            bed.source.virsh(&[&make[..], &backing].concat());
            Parts::devices(disk(&base.with_file_name("overlay"), ""))
        }),
        Obstacle::succeeds("a disk in VMware's format, and the VM is off", Code::DiskShared, Severity::Ok)
            .parts(|bed, guest| Parts::devices(disk_of_format(bed, guest, "vmdk")))
            .off(),
    ]
}

/// A disk in the shared directory, in another format than qcow2.
fn disk_of_format(bed: &TestBed<'_>, guest: &Guest, format: &str) -> String {
    bed.source.start_pool_at(&bed.shared.join(format!("{NAME}-{}", guest.number)));
    disk(&bed.source.make_volume("disk", format, SIZE), "").replace("qcow2", format)
}

/// A disk in the shared directory, encrypted with a secret that only the source has.
fn encrypted_disk(bed: &TestBed<'_>, guest: &Guest) -> String {
    let (id, file) = (guest.id, bed.dir.join("encryption.xml"));
    let write = |xml: String| fs::write(&file, xml).expect("the directory takes files");
    write(format!("<secret ephemeral='no' private='yes'><uuid>{id}</uuid></secret>"));
    bed.source.virsh(&["secret-define", &text(&file)]);
    bed.source.virsh(&["secret-set-value", &id.to_string(), "--base64", "YSBwYXNzcGhyYXNl"]);
    let encryption = format!("<encryption format='luks'><secret type='passphrase' uuid='{id}'/></encryption>");
    write(format!(
        "<volume><name>disk.luks</name><capacity unit='MiB'>1</capacity>\
         <target><format type='raw'/>{encryption}</target></volume>"
    ));
    bed.source.start_pool_at(&bed.shared.join(format!("{NAME}-{}", guest.number)));
    bed.source.virsh(&["vol-create", NAME, &text(&file)]);
    let image = bed.source.virsh(&["vol-path", "disk.luks", "--pool", NAME]);
    format!(
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{image}'>{encryption}</source>\
         <target dev='vda' bus='virtio'/></disk>"
    )
}

fn addresses() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("the same host under another name", Code::SameHost)
            .registered(|bed| bed.source.config_with(|config| config.name = "again".parse().expect("it is a name"))),
        Obstacle::blocker("a destination registered as localhost", Code::DataAddress).registered(|bed| {
            bed.destination.config_with(|config| config.peer_address = "localhost".parse().expect("it is an address"))
        }),
        Obstacle::blocker("encryption required, and no certificates", Code::Encryption)
            .options(|| MigrationOptions { encrypt: Some(true), ..MigrationOptions::default() }),
        Obstacle::blocker("a destination registered with a closed port", Code::DestinationReachable)
            .registered(|bed| bed.destination.config_at((Ipv4Addr::LOCALHOST, CLOSED_PORT).into())),
    ]
}
