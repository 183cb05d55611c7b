//! What can be in the way of VMs of the machine's own daemon, beyond the demo's: networks, mounts, firewalls, a dead daemon,
//! another QEMU. Between hosts of the lab.

use std::{fs, net::Ipv4Addr, path::PathBuf};

use model::{ControlFlow, FindingCode as Code, MigrationOptions, Severity, VmState};
use tokio::{runtime::Handle, task::block_in_place};

use crate::{
    bed::{Bed, Machine, text},
    disks::{drive, image_at_source_only, own_disk, shared_disk},
    guest::{Guest, NAME, Parts},
    lab,
    obstacle::{Obstacle, Step, Truth},
};

/// Where programs that share folders with VMs are: Debian 13's own, and the one of Debian 12's QEMU.
const VIRTIOFSD: [&str; 2] = [
    "/usr/libexec/virtiofsd",
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/older-qemu/usr/lib/qemu/virtiofsd"),
];
/// An address of the lab's network that no host has.
const UNUSED_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 99);

/// Between two hosts that are alike.
pub fn between_equals() -> Vec<Obstacle> {
    let mut all: Vec<_> =
        [networks(), media(), pools(), firewalls(), jobs(), programs()].into_iter().flatten().collect();
    all.extend(virtiofs());
    all
}

/// To a host with an older QEMU.
pub fn to_older() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("a machine type of a newer QEMU", Code::MachineType).also(&[Code::Definition]),
        Obstacle::goes("a machine type that the older QEMU knows", Code::QemuVersion, Severity::Warning)
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

/// From there.
pub fn from_older() -> Vec<Obstacle> {
    vec![Obstacle::goes("a machine type of an older QEMU", Code::QemuVersion, Severity::Ok)]
}

fn networks() -> Vec<Obstacle> {
    let on_network: fn(&Bed<'_>, &Guest) -> Parts = |bed, _| {
        define_network(bed, &bed.source);
        bed.source.virsh(&["net-start", NAME]);
        Parts::devices(format!("<interface type='network'><source network='{NAME}'/></interface>"))
    };
    let on_bridge: fn(&Bed<'_>, &Guest) -> Parts = |bed, _| {
        make_bridge(&bed.source);
        Parts::devices(format!("<interface type='bridge'><source bridge='{NAME}'/></interface>"))
    };
    let remove_bridges: Step = |bed, _| [&bed.source, &bed.destination].into_iter().for_each(remove_bridge);
    vec![
        Obstacle::blocker("a network that is not there", Code::Network).parts(on_network),
        Obstacle::blocker("a network that is not active there", Code::Network)
            .parts(on_network)
            .make(|bed, _| define_network(bed, &bed.destination)),
        Obstacle::goes("a network that both hosts have", Code::Network, Severity::Ok).parts(on_network).make(
            |bed, _| {
                define_network(bed, &bed.destination);
                bed.destination.virsh(&["net-start", NAME]);
            },
        ),
        Obstacle::blocker("a bridge that is not there", Code::Bridge).parts(on_bridge).undo(remove_bridges),
        Obstacle::goes("a bridge that both hosts have", Code::Bridge, Severity::Ok)
            .parts(on_bridge)
            .make(|bed, _| make_bridge(&bed.destination))
            .undo(remove_bridges),
    ]
}

fn define_network(bed: &Bed<'_>, machine: &Machine<'_>) {
    let file = bed.dir.join("network.xml");
    // Without rules for the firewall, which need more of the kernel than some have.
    let xml = format!("<network><name>{NAME}</name><forward mode='open'/><bridge name='{NAME}-net'/></network>");
    fs::write(&file, xml).expect("the directory takes files");
    machine.virsh(&["net-define", &text(&file)]);
}

fn make_bridge(machine: &Machine<'_>) {
    machine.lab().run("ip", &["link", "add", NAME, "up", "type", "bridge"]);
}

fn remove_bridge(machine: &Machine<'_>) {
    machine.lab().run("sh", &["-c", &format!("if ip link show {NAME}; then ip link delete {NAME}; fi 2>/dev/null")]);
}

fn media() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("a CD that is not there", Code::Medium)
            .parts(|bed, guest| Parts::devices(drive("cdrom", &image_at_source_only(bed, guest, "cd.iso"), ""))),
        Obstacle::unknown("a CD in a directory of no pool there", Code::Medium, Truth::Fails).parts(|bed, guest| {
            bed.source.start_pool(guest);
            Parts::devices(drive("cdrom", &bed.source.make_volume("cd.iso", "raw", "1M"), ""))
        }),
        Obstacle::goes("a CD that is not there, and may be ejected", Code::Medium, Severity::Ok)
            .parts(|bed, guest| Parts::devices(drive("cdrom", &image_at_source_only(bed, guest, "cd.iso"), "")))
            .options(|| MigrationOptions { eject_media: true, ..MigrationOptions::default() }),
        Obstacle::goes("a CD that is not there, and may be missing", Code::Medium, Severity::Warning).parts(
            |bed, guest| {
                let image = image_at_source_only(bed, guest, "cd.iso");
                Parts::devices(drive("cdrom", &image, "startupPolicy='optional'"))
            },
        ),
        Obstacle::goes("a CD that both hosts have", Code::Medium, Severity::Ok).parts(|bed, guest| {
            let image = image_at_source_only(bed, guest, "cd.iso");
            bed.destination.make_volume("cd.iso", "raw", "1M");
            Parts::devices(drive("cdrom", &image, ""))
        }),
        Obstacle::blocker("a floppy that is not there", Code::Medium)
            .parts(|bed, guest| Parts::devices(drive("floppy", &image_at_source_only(bed, guest, "disk.img"), ""))),
        Obstacle::blocker("a read-only disk that is not there", Code::DiskKind).parts(|bed, guest| {
            let image = image_at_source_only(bed, guest, "disk.img");
            let disk = "<disk type='file' device='disk'><driver name='qemu' type='raw'/>";
            Parts::devices(format!(
                "{disk}<source file='{}'/><target dev='vda' bus='virtio'/><readonly/></disk>",
                image.display()
            ))
        }),
    ]
}

fn pools() -> Vec<Obstacle> {
    vec![
        Obstacle::goes("a disk in a directory of both hosts", Code::DiskShared, Severity::Ok)
            .parts(|bed, guest| Parts::devices(shared_disk(bed, guest, ""))),
        Obstacle::goes("a disk of its own, and a pool at the same path", Code::DiskCopied, Severity::Ok)
            .parts(|bed, guest| Parts::devices(own_disk(bed, guest)))
            .make(|bed, guest| bed.destination.start_pool(guest)),
        Obstacle::blocker("a disk that goes nowhere, for want of a pool", Code::Pool)
            .parts(|bed, guest| Parts::devices(own_disk(bed, guest)))
            .by_virsh(),
        Obstacle::blocker("a pool that is not active there", Code::Pool)
            .parts(|bed, guest| Parts::devices(own_disk(bed, guest)))
            .make(|bed, guest| {
                bed.destination.start_pool(guest);
                bed.destination.virsh(&["pool-destroy", NAME]);
            })
            .by_virsh(),
        Obstacle::blocker("a disk of its name and another size there", Code::DiskExists)
            .parts(|bed, guest| Parts::devices(own_disk(bed, guest)))
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
fn full_disk(bed: &Bed<'_>, guest: &Guest, mib: usize) -> String {
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

fn firewalls() -> Vec<Obstacle> {
    let open: Step = |bed, _| drop(bed.destination.lab().run("nft", &["delete", "table", "inet", NAME]));
    vec![
        Obstacle::unknown("a firewall in front of the data ports", Code::DataPort, Truth::Fails)
            .make(|bed, _| block(&bed.destination, "tcp dport 49152-49215 drop"))
            .undo(open),
        Obstacle::goes("the same, and memory through the daemons", Code::Tunnelled, Severity::Warning)
            .options(|| by(ControlFlow::Tunnelled))
            .make(|bed, _| block(&bed.destination, "tcp dport 49152-49215 drop"))
            .undo(open),
        Obstacle::unknown("a firewall that lets the console in, not the source", Code::PeerLogin, Truth::Goes)
            .make(keep_source_out)
            .undo(open),
        Obstacle::unknown("the same, and peer-to-peer by all means", Code::PeerLogin, Truth::Fails)
            .options(|| by(ControlFlow::PeerToPeer))
            .make(keep_source_out)
            .undo(open),
        Obstacle::blocker("a daemon that is stopped", Code::DestinationReachable)
            .make(|bed, _| bed.destination.lab().stop_daemon())
            .undo(|bed, _| block_in_place(|| Handle::current().block_on(bed.destination.lab().start_daemon()))),
        Obstacle::blocker("an address that no host has", Code::DestinationReachable)
            .registered(|bed| bed.destination.config_at((UNUSED_ADDRESS, 16509).into())),
        Obstacle::blocker("a daemon that lets itself be looked at only", Code::DestinationWritable)
            .registered(|bed| bed.destination.config_at(bed.destination.lab().serve_read_only())),
    ]
}

fn by(control_flow: ControlFlow) -> MigrationOptions {
    MigrationOptions { control_flow: Some(control_flow), ..MigrationOptions::default() }
}

fn keep_source_out(bed: &Bed<'_>, _: &Guest) {
    let source = &bed.source.lab().address;
    block(&bed.destination, &format!("ip saddr {source} tcp dport 16509 reject"));
}

fn block(machine: &Machine<'_>, rule: &str) {
    for command in ["add table inet trial", "add chain inet trial input { type filter hook input priority 0; }"] {
        machine.lab().run("nft", &[command]);
    }
    machine.lab().run("nft", &[&format!("add rule inet trial input {rule}")]);
}

fn jobs() -> Vec<Obstacle> {
    vec![
        Obstacle::blocker("a migration by another program", Code::AlreadyMigrating)
            .parts(|bed, guest| Parts::devices(full_disk(bed, guest, 64)))
            .make(|bed, guest| {
                bed.destination.start_pool(guest);
                begin_slow_migration(bed, guest);
            })
            .by_virsh()
            .undo(|bed, _| drop(bed.source.virsh(&["domjobabort", NAME]))),
        Obstacle::goes("a disk that failed", Code::IoError, Severity::Warning)
            .parts(|bed, guest| Parts::devices(failing_disk(bed, guest)))
            .state(VmState::Paused),
    ]
}

/// Lets virsh migrate the VM, so slowly that it will not be done soon; returns once it is seen at the destination.
fn begin_slow_migration(bed: &Bed<'_>, guest: &Guest) {
    let (from, to) = (&bed.source.lab().uri(), &bed.destination.lab());
    let begin = "virsh -c $0 migrate --live --p2p --copy-storage-all --bandwidth 1 trial $1 $2 >/dev/null 2>&1 &";
    bed.source.lab().run("sh", &["-c", begin, from, &to.uri(), &format!("tcp://{}", to.address)]);
    let is_seen = (0..1000).any(|_| bed.destination.state(guest).is_some());
    assert!(is_seen, "virsh migrates nothing");
}

/// A disk whose every read fails, so that the VM is paused as soon as its firmware looks for something to boot.
fn failing_disk(bed: &Bed<'_>, guest: &Guest) -> String {
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

fn programs() -> Vec<Obstacle> {
    vec![
        Obstacle::unknown("a TPM in software", Code::Tpm, Truth::Goes)
            .parts(|_, _| Parts::devices("<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>")),
        Obstacle::unknown("a firmware that is not there", Code::Firmware, Truth::Fails).parts(|bed, _| {
            let firmware = "/var/lib/libvirt/bios.bin";
            bed.source.lab().run("cp", &["/usr/share/seabios/bios-256k.bin", firmware]);
            Parts { os: format!("<loader type='rom'>{firmware}</loader>"), ..Parts::default() }
        }),
        Obstacle::blocker("an emulator that is not there", Code::Emulator).parts(|bed, _| {
            let emulator = "/var/lib/libvirt/qemu-system-x86_64";
            bed.source.lab().run("cp", &["/usr/bin/qemu-system-x86_64", emulator]);
            Parts::devices(format!("<emulator>{emulator}</emulator>"))
        }),
    ]
}

/// None where there is no virtiofsd.
fn virtiofs() -> Option<Obstacle> {
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
