//! What a VM is made of, as a preflight needs it.

use model::VmId;
use uuid::Uuid;

use super::HostReferences;

/// What a VM is made of: its live definition if it runs, else the one it would start with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainFacts {
    /// The UUID.
    pub vm: VmId,
    /// The name.
    pub name: String,
    /// E.g. `x86_64`.
    pub arch: String,
    /// `kvm`, `qemu` (emulation) and the like; libvirt's domain type.
    pub virt_type: String,
    /// The path of the emulator.
    pub emulator: String,
    /// The machine type, with its version if it has one, e.g. `pc-i440fx-10.0`.
    pub machine: String,
    /// The path of the firmware; none if QEMU brings it along (SeaBIOS).
    pub firmware: Option<String>,
    /// The path of the UEFI variables.
    pub nvram: Option<String>,
    /// Whether the definition names a template for them. libvirt looks for one before it makes their file, also for a VM that arrives.
    pub nvram_has_template: bool,
    /// The `<cpu>` element that the destination has to provide, as libvirt wrote it (migratable); none if there is none.
    pub cpu: Option<String>,
    /// Whether the CPU is passed through as it is (`host-passthrough`).
    pub cpu_passthrough: bool,
    /// Whether the guest has an invariant time stamp counter without a fixed frequency.
    pub invtsc_without_frequency: bool,
    /// The most memory it can have, in bytes.
    pub memory_bytes: u64,
    /// What its QEMU has of the host's memory now, in bytes; none if that is not known, as of one that is off. Huge pages do not count.
    pub resident_bytes: Option<u64>,
    /// Whether a hard limit is set for it (memtune): libvirt sends memory by RDMA only then.
    pub memory_has_hard_limit: bool,
    /// The size of its huge pages, in bytes; `Some(0)` is the host's default size, none is no huge pages.
    pub huge_page_bytes: Option<u64>,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Disks, CD-ROM and floppy drives.
    pub disks: Vec<Disk>,
    /// Formats of the images below the disks (backing chains): a disk's target, and a format.
    pub backing_formats: Vec<(String, String)>,
    /// Of a running VM, what it has from its next start on and not now: disks and media that only its kept definition names.
    pub later_disks: Vec<Disk>,
    /// Network interfaces.
    pub interfaces: Vec<Interface>,
    /// Host devices passed through, in words, e.g. `PCI 0000:03:00.0`; but for those on USB.
    pub host_devices: Vec<String>,
    /// USB devices of the host passed through, in words: libvirt moves the VM if the destination has the same.
    pub usb_devices: Vec<String>,
    /// Names of shared memory devices (shmem) that libvirt would not migrate: all but those that only the VM itself uses.
    pub shared_memory: Vec<String>,
    /// Folders of the host that it has by virtiofs.
    pub shared_folders: Vec<Folder>,
    /// Folders of the host that it has by 9p: QEMU moves the VM while the guest has none of them mounted.
    pub plan9_folders: Vec<Folder>,
    /// Files of the host, beside its disks, that the guest keeps contents in.
    pub kept_files: Vec<KeptFile>,
    /// Its TPM.
    pub tpm: Option<Tpm>,
    /// Where an emulated TPM keeps its state, if the definition says so; else it is libvirt's own directory.
    pub tpm_state: Option<String>,
    /// Whether its host starts it when it boots; none if that can't be told.
    pub autostart: Option<bool>,
    /// Snapshots that libvirt keeps.
    pub snapshots: u32,
    /// Checkpoints that libvirt keeps.
    pub checkpoints: u32,
    /// Disks with a block job, by target.
    pub block_jobs: Vec<String>,
    /// Whether it is paused because of an I/O error.
    pub io_error: bool,
    /// Whether it is off, and its host keeps its memory in a file to go on from at the next start (managed save).
    pub saved_memory: bool,
    /// What libvirt does to it now other than migrating it, in libvirt's words, e.g. `Dump`; none if nothing.
    pub other_job: Option<String>,
    /// What else its definition names of the host.
    pub references: HostReferences,
    /// Secrets its disks need.
    pub secrets: Vec<SecretUse>,
    /// The definition for a try at another host ([`Survey::definition`](super::Survey::definition)): without passwords, and without
    /// what only a real start can try. None where there is no such thing.
    pub trial: Option<String>,
}

/// A disk, CD-ROM or floppy drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Its name in the guest, e.g. `vda`.
    pub target: String,
    /// What it is.
    pub device: DiskDevice,
    /// Where its contents are.
    pub source: DiskSource,
    /// `raw`, `qcow2`, …
    pub format: String,
    /// The guest can't write to it.
    pub read_only: bool,
    /// Several VMs may use it (`<shareable/>`).
    pub shareable: bool,
    /// What is written to it is thrown away (`<transient/>`).
    pub transient: bool,
    /// Its size as the guest sees it, in bytes; 0 if it can't be told.
    pub capacity_bytes: u64,
    /// What it takes up at the source, in bytes; 0 if it can't be told.
    pub allocation_bytes: u64,
    /// Whether its image has a backing chain.
    pub has_backing: bool,
    /// Whether its image is not a single file: its contents are in another (`<dataStore>`, qcow2's data file), or it is a part of
    /// one (`<slices>`).
    pub has_data_file_or_slice: bool,
    /// What its image holds beside what the guest sees; none if that can't be read.
    pub extras: Option<ImageExtras>,
    /// libvirt leaves the medium out where it is missing (`startupPolicy` requisite or optional).
    pub optional: bool,
}

/// What a qcow2 image can hold beside what the guest sees. Images of other formats that vmferry copies hold nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageExtras {
    /// Internal snapshots, whoever made them.
    pub snapshots: u32,
    /// Persistent dirty bitmaps in which QEMU records what the guest writes, which libvirt copies while the VM runs.
    pub recording_bitmaps: u32,
    /// Other persistent dirty bitmaps, which libvirt does not.
    pub other_bitmaps: u32,
}

/// What a disk is to the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskDevice {
    /// A hard disk.
    Disk,
    /// A CD-ROM drive.
    Cdrom,
    /// A floppy drive.
    Floppy,
    /// A disk of the host passed through with its SCSI commands.
    Lun,
}

/// Where a disk's contents are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskSource {
    /// Nothing in the drive.
    Empty,
    /// A file.
    File {
        /// Its path.
        path: String,
    },
    /// A block device.
    Block {
        /// Its path.
        path: String,
    },
    /// Over the network, by QEMU itself: `nbd`, `rbd`, `iscsi`, `nfs`, …
    Network {
        /// The protocol.
        protocol: String,
        /// What it is called, for people.
        name: String,
        /// Whether the server is wherever QEMU runs: a socket, or an address that means the host itself.
        is_local: bool,
    },
    /// A volume of a pool, by name (`<disk type='volume'>`).
    Volume {
        /// The pool.
        pool: String,
        /// The volume.
        volume: String,
    },
    /// Anything else, e.g. `nvme` or `vhostuser`: by libvirt's name of the type.
    Other {
        /// The type.
        kind: String,
    },
}

/// A network interface, by what the host has to have for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interface {
    /// A libvirt network, by name.
    Network {
        /// The name.
        name: String,
    },
    /// A bridge.
    Bridge {
        /// The name.
        name: String,
    },
    /// A device of the host (macvtap).
    Direct {
        /// The name.
        device: String,
    },
    /// A device of the host that goes into the VM (SR-IOV), vDPA or vhost-user: by libvirt's name of the type.
    HostDevice {
        /// The type.
        kind: String,
    },
    /// Nothing of the host (user-mode).
    Independent,
}

/// A folder of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// What the guest calls it.
    pub name: String,
    /// Its path; none if a program of the host provides it that libvirt does not start.
    pub path: Option<String>,
}

/// A file of the host, beside disks, that a guest keeps contents in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFile {
    /// Its path.
    pub path: String,
    /// By what the guest has it.
    pub kind: KeptIn,
}

/// What a guest keeps contents in, beside disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptIn {
    /// An NVDIMM whose file QEMU maps shared: what the guest writes reaches it.
    Nvdimm,
    /// An NVDIMM whose file QEMU maps privately: what the guest writes never reaches it.
    PrivateNvdimm,
    /// virtio-pmem.
    VirtioPmem,
    /// The store for its kernel's last messages (ACPI ERST).
    Pstore,
    /// Memory that it shares with other programs of the host (shmem).
    SharedMemory,
}

/// A VM's TPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tpm {
    /// swtpm keeps its state in a directory of the host.
    Emulator,
    /// The host's own.
    Passthrough,
    /// A TPM elsewhere.
    External,
}

impl DomainFacts {
    /// The VM without the files, addresses and CPUs of its host. To survey a host for it takes less long, and is enough where they are
    /// not looked for.
    pub(crate) fn without_references(&self) -> Self {
        Self { references: HostReferences::default(), firmware: None, ..self.clone() }
    }
}

/// A secret that a disk needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUse {
    /// The disk.
    pub target: String,
    /// The secret's UUID, if that is how it is named.
    pub uuid: Option<Uuid>,
    /// Its usage, e.g. a Ceph client's name, if that is how it is named.
    pub usage: Option<String>,
}
