//! Media, disks, pools, and jobs on disks.

use std::fs;

use model::{FindingCode as Code, MigrationOptions, Severity, VmState};

use crate::{
    disks::{drive, image_at_source_only, local_disk, shared_disk},
    guest::{Guest, NAME, Parts},
    obstacle::{Obstacle, Outcome},
    testbed::{TestBed, text},
};

pub(super) fn media() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("a CD that the destination lacks", Code::Medium)
            .parts(|bed, guest| Parts::devices(drive("cdrom", &image_at_source_only(bed, guest, "cd.iso"), ""))),
        Obstacle::unknown("a CD that is in no pool of the destination", Code::Medium, Outcome::Fails).parts(
            |bed, guest| {
                bed.source.start_pool(guest);
                Parts::devices(drive("cdrom", &bed.source.make_volume("cd.iso", "raw", "1M"), ""))
            },
        ),
        Obstacle::succeeds("a CD that the destination lacks, to be ejected", Code::Medium, Severity::Ok)
            .parts(|bed, guest| Parts::devices(drive("cdrom", &image_at_source_only(bed, guest, "cd.iso"), "")))
            .options(|| MigrationOptions { eject_media: true, ..MigrationOptions::default() }),
        Obstacle::succeeds("an optional CD that the destination lacks", Code::Medium, Severity::Warning).parts(
            |bed, guest| {
                let image = image_at_source_only(bed, guest, "cd.iso");
                Parts::devices(drive("cdrom", &image, "startupPolicy='optional'"))
            },
        ),
        Obstacle::succeeds("a CD that both hosts have", Code::Medium, Severity::Ok).parts(|bed, guest| {
            let image = image_at_source_only(bed, guest, "cd.iso");
            bed.destination.make_volume("cd.iso", "raw", "1M");
            Parts::devices(drive("cdrom", &image, ""))
        }),
        Obstacle::blocker("a floppy that the destination lacks", Code::Medium)
            .parts(|bed, guest| Parts::devices(drive("floppy", &image_at_source_only(bed, guest, "disk.img"), ""))),
        Obstacle::blocker("a read-only disk that the destination lacks", Code::DiskKind).parts(|bed, guest| {
            let image = image_at_source_only(bed, guest, "disk.img");
            let disk = "<disk type='file' device='disk'><driver name='qemu' type='raw'/>";
            Parts::devices(format!(
                "{disk}<source file='{}'/><target dev='vda' bus='virtio'/><readonly/></disk>",
                image.display()
            ))
        }),
    ]
}

pub(super) fn pools() -> Vec<Obstacle> {
    vec![
        Obstacle::succeeds("a disk in a directory of both hosts", Code::DiskShared, Severity::Ok)
            .parts(|bed, guest| Parts::devices(shared_disk(bed, guest, ""))),
        Obstacle::succeeds("a local disk, and a pool at the same path", Code::DiskCopied, Severity::Ok)
            .parts(|bed, guest| Parts::devices(local_disk(bed, guest)))
            .make(|bed, guest| bed.destination.start_pool(guest)),
        Obstacle::blocker("a local disk, and no pool at the destination", Code::Pool)
            .parts(|bed, guest| Parts::devices(local_disk(bed, guest)))
            .by_virsh(),
        Obstacle::blocker("a pool that is not active at the destination", Code::Pool)
            .parts(|bed, guest| Parts::devices(local_disk(bed, guest)))
            .make(|bed, guest| {
                bed.destination.start_pool(guest);
                bed.destination.virsh(&["pool-destroy", NAME]);
            })
            .by_virsh(),
        Obstacle::blocker("a volume of the disk's name and another size", Code::DiskExists)
            .parts(|bed, guest| Parts::devices(local_disk(bed, guest)))
            .make(|bed, guest| {
                bed.destination.start_pool(guest);
                bed.destination.make_volume("disk.qcow2", "qcow2", "8M");
            })
            .by_virsh(),
        Obstacle::blocker("a pool with too little space", Code::DiskSpace)
            .parts(|bed, guest| Parts::devices(full_disk(bed, guest, 8)))
            .make(|bed, guest| {
                let path = text(&bed.destination.pool_path(guest));
                let host = bed.destination.lab();
                host.run("mkdir", &["-p", &path]);
                host.run("mount", &["-t", "tmpfs", "-o", "size=2m", "tmpfs", &path]);
                bed.destination.start_pool(guest);
            })
            .by_virsh(),
    ]
}

/// A raw disk of so many MiB, all of them written.
fn full_disk(bed: &TestBed<'_>, guest: &Guest, mib: usize) -> String {
    bed.source.start_pool(guest);
    let image = bed.source.make_volume("disk.img", "raw", &format!("{mib}M"));
    let contents = bed.dir.join("disk.contents");
    fs::write(&contents, vec![0x55; mib << 20]).expect("the directory takes files");
    bed.source.virsh(&["vol-upload", "disk.img", &text(&contents), "--pool", NAME]);
    format!(
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{}'/>\
         <target dev='vda' bus='virtio'/></disk>",
        image.display()
    )
}

pub(super) fn jobs() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("a migration by another program", Code::AlreadyMigrating)
            .parts(|bed, guest| Parts::devices(full_disk(bed, guest, 64)))
            .make(|bed, guest| {
                bed.destination.start_pool(guest);
                begin_slow_migration(bed, guest);
            })
            .by_virsh()
            .undo(|bed, _| drop(bed.source.virsh(&["domjobabort", NAME]))),
        Obstacle::succeeds("a disk that failed", Code::IoError, Severity::Warning)
            .parts(|bed, guest| Parts::devices(failing_disk(bed, guest)))
            .state(VmState::Paused),
    ]
}

/// Lets virsh migrate the VM slowly; returns once the destination has it.
fn begin_slow_migration(bed: &TestBed<'_>, guest: &Guest) {
    let (from, to) = (&bed.source.lab().uri(), &bed.destination.lab());
    let begin = "virsh -c $0 migrate --live --p2p --copy-storage-all --bandwidth 1 trial $1 $2 >/dev/null 2>&1 &";
    bed.source.lab().run("sh", &["-c", begin, from, &to.uri(), &format!("tcp://{}", to.address)]);
    let is_seen = (0..1000).any(|_| bed.destination.state(guest).is_some());
    assert!(is_seen, "virsh migrates nothing");
}

/// A disk whose every read fails, so that the VM is paused as soon as its firmware looks for something to boot.
fn failing_disk(bed: &TestBed<'_>, guest: &Guest) -> String {
    let image = bed.dir.join(format!("failing-{}", guest.number));
    fs::write(&image, vec![0; 1 << 20]).expect("the directory takes files");
    let failing = format!(
        "driver=blkdebug,inject-error.0.event=none,inject-error.0.iotype=read,image.driver=file,image.filename={}",
        image.display()
    );
    let socket = bed.dir.join(format!("failing-{}.socket", guest.number));
    let serve = ["--fork", "--persistent", "--shared", "4", "--socket", &text(&socket), "--image-opts", &failing];
    bed.source.lab().run("qemu-nbd", &serve);
    format!(
        "<disk type='network' device='disk'>
           <driver name='qemu' type='raw' error_policy='stop' rerror_policy='stop'/>
           <source protocol='nbd'><host transport='unix' socket='{}'/></source><target dev='vda' bus='virtio'/>
         </disk>",
        socket.display()
    )
}
