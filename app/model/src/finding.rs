//! What a preflight finds: one sentence each about whether a VM can go to a host.

use serde::{Deserialize, Serialize};
use strum::{EnumMessage, IntoStaticStr, VariantArray};

/// How much a finding weighs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "kebab-case", try_from = "String")]
#[strum(serialize_all = "kebab-case")]
pub enum Severity {
    /// Looked at, and in order.
    Ok,
    /// Can't be known before the migration runs.
    Unknown,
    /// It will work, but the user should know this.
    Warning,
    /// It would fail, or destroy data afterwards.
    Blocker,
}

impl Severity {
    /// All of them, the mildest first.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The severity as in JSON, e.g. `blocker`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What was looked at. The code of a finding stays the same for ever; its sentence may get better.
///
/// In the order findings are told. What a variant's comment says is what docs/findings.md says.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumMessage,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case", try_from = "String")]
#[strum(serialize_all = "kebab-case")]
pub enum FindingCode {
    /// Whether the destination's libvirt daemon answers.
    DestinationReachable,
    /// Whether the console may change anything there.
    DestinationWritable,
    /// Whether the destination is another machine, by libvirt's host UUID.
    SameHost,
    /// Whether the VM is being migrated already, by this console or from outside it.
    AlreadyMigrating,
    /// Whether libvirt does something else to the VM: saves, dumps or backs it up.
    BusyWithJob,
    /// Whether a VM in this state can move.
    VmState,
    /// Whether the VM is paused because a disk failed.
    IoError,
    /// Whether a host keeps saved memory of the VM (managed save), which would be older than its disks one day.
    SavedMemory,
    /// Whether the VM starts when its host boots, and so will at the destination.
    Autostart,
    /// Whether the destination, or another host, runs a copy of this VM already.
    RunsThere,
    /// Whether the destination is in ordinary use: not being emptied, nor worked on.
    Maintenance,
    /// Whether the destination keeps a shut-off definition of this VM, which would be replaced.
    StaleDefinition,
    /// Whether another VM at the destination has this VM's name.
    NameTaken,
    /// Whether another VM has this VM's UUID, or the destination knows it under another name.
    UuidTaken,
    /// Whether the destination can run the VM's architecture, by KVM or emulation as the VM wants it.
    Architecture,
    /// Whether the destination has the VM's emulator.
    Emulator,
    /// Whether the destination's QEMU knows the VM's machine type.
    MachineType,
    /// Whether the destination has the VM's firmware.
    Firmware,
    /// Whether the VM's UEFI variables go along.
    Nvram,
    /// Whether the destination's CPU has the features that the VM uses.
    Cpu,
    /// Whether the VM's invariant time stamp counter can move: only with a fixed frequency.
    Invtsc,
    /// Whether the destination has as many CPUs as the VM.
    Vcpus,
    /// Whether the destination has enough memory that is free or can be freed at once, and not reserved by an evacuation.
    Memory,
    /// Whether the destination has enough free huge pages of the VM's size.
    HugePages,
    /// Whether the destination has the CPUs that the VM's threads are pinned to.
    PinnedCpus,
    /// Whether the destination has the NUMA nodes that the VM's memory is taken from.
    NumaNodes,
    /// Whether the destination has the VM's networks, and they are active.
    Network,
    /// Whether the destination's network gives the guest the address that it has.
    DhcpAddress,
    /// Whether the destination has the bridges and devices that the VM's interfaces are attached to.
    Bridge,
    /// Whether the destination has the network filters of the VM's interfaces.
    NetworkFilter,
    /// Whether the fixed names of the VM's tap devices are free at the destination.
    InterfaceName,
    /// Whether another VM at the destination has a MAC address of this VM.
    MacAddress,
    /// Whether the destination has the addresses that the VM listens on (VNC, SPICE, serial ports over TCP).
    ListenAddress,
    /// Whether the fixed ports that the VM listens on are free at the destination.
    ListenPort,
    /// Whether the destination has the files and directories that the definition names: kernel, serial output, logs.
    HostFile,
    /// Whether programs listen at the destination on the sockets that the VM connects to.
    HostSocket,
    /// Whether the destination has the device files that the definition names.
    DeviceFile,
    /// Whether the destination has the security driver that the VM's label is for.
    SecurityLabel,
    /// Whether the VM has arguments for QEMU of its own, which libvirt does not check.
    QemuArguments,
    /// Whether the fixed context ID of the VM's vsock is free at the destination.
    VsockCid,
    /// Whether a device of the source host is passed through to the VM.
    HostDevice,
    /// Whether the VM shares memory with programs of the source host (shmem).
    SharedMemory,
    /// Whether the VM has a folder of the source host (virtiofs, 9p).
    SharedFolder,
    /// Whether what the guest keeps in NVDIMMs, virtio-pmem or pstore goes along.
    PersistentMemory,
    /// Whether the state of the VM's TPM goes along.
    Tpm,
    /// Whether the destination has the secrets of the VM's encrypted or authenticated disks.
    Secret,
    /// Whether libvirt keeps snapshots of the VM; it moves none that has.
    Snapshots,
    /// Whether libvirt keeps checkpoints of the VM's disks.
    Checkpoints,
    /// Whether an image to be copied has internal snapshots, which the copy of a running VM's disk lacks.
    InternalSnapshots,
    /// Whether an image to be copied has dirty bitmaps that the copy would lack, or that keep a running VM from moving.
    Bitmaps,
    /// Whether a disk is being copied or committed.
    BlockJob,
    /// Whether the destination has the image in the VM's CD-ROM or floppy drive; it can be ejected.
    Medium,
    /// Whether both hosts see the very same disk, and how that is known.
    DiskShared,
    /// Whether a disk that is not shared can be copied, and to which pool.
    DiskCopied,
    /// Whether the destination pool has a volume of this name already.
    DiskExists,
    /// Whether the destination pool has enough free space.
    DiskSpace,
    /// Whether a disk is of a kind that can move at all.
    DiskKind,
    /// Whether QEMU can move a running VM with a disk of this format.
    DiskFormat,
    /// Whether the destination's QEMU has the drivers for disks over the network, displays and sound that are packaged separately.
    QemuDriver,
    /// Whether a disk has a backing chain; its copy will have none.
    BackingChain,
    /// Whether the destination has the disks that the VM gets only at its next start.
    LaterDisks,
    /// Whether the destination has a storage pool for a disk, and it is active.
    Pool,
    /// Whether the destination's libvirt is as new as the source's.
    LibvirtVersion,
    /// Whether the destination's QEMU is as new as the source's.
    QemuVersion,
    /// Whether the destination's libvirt (11.2 to 11.3) dies when a broken post-copy is resumed.
    PostCopyWindow,
    /// Whether other hosts can reach the destination by the address it is registered with.
    DataAddress,
    /// Whether the ports for the memory are open, as seen from the console.
    DataPort,
    /// The control flow, and why: peer-to-peer where the source may log in at the destination, else direct.
    PeerLogin,
    /// Whether the memory can go through the libvirt daemons, and what that costs.
    Tunnelled,
    /// Whether memory and disks are encrypted in transit, or what is missing for it.
    Encryption,
    /// Whether both hosts can send memory by RDMA, where that was asked for.
    Rdma,
    /// Whether the destination's libvirt can read the VM's definition and make a command line of it. Nothing is started, so files,
    /// ports and devices are not tried.
    Definition,
}

impl FindingCode {
    /// All of them, in the order findings are told.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The code as in JSON, e.g. `same-host`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What it says, in a sentence for the documentation.
    pub fn meaning(self) -> &'static str {
        self.get_documentation().unwrap_or_default()
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub code: FindingCode,
    /// What it means for the migration.
    pub severity: Severity,
    /// A warning that data may be at risk: the migration starts only if the request accepts this code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub consent: bool,
    /// One sentence for the person in front of the screen.
    pub text: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The words of libvirt, QEMU or the system, unchanged; or the names of what is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

impl Finding {
    /// A finding, told in one sentence.
    pub fn new(code: FindingCode, severity: Severity, text: impl Into<String>) -> Self {
        Self { code, severity, consent: false, text: text.into(), fix: None, details: None }
    }

    /// Looked at, and in order.
    pub fn ok(code: FindingCode, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Ok, text)
    }

    /// Can't be known beforehand.
    pub fn unknown(code: FindingCode, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Unknown, text)
    }

    /// The user should know this.
    pub fn warning(code: FindingCode, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, text)
    }

    /// It would fail.
    pub fn blocker(code: FindingCode, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Blocker, text)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    /// Adds the raw words.
    #[must_use]
    pub fn with_details(self, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()), ..self }
    }

    /// Says that data may be at risk, so that the user has to accept it.
    #[must_use]
    pub fn needs_consent(self) -> Self {
        Self { consent: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fmt::Write, fs};

    use super::*;

    const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/findings.md");

    fn table() -> String {
        let mut table = "# What a preflight looks at\n\n\
            The codes of findings, in the order they are told. A code stays the same for ever. Each finding also has a severity \
            (`ok`, `unknown`, `warning`, `blocker`), a sentence, and where there is one a fix; a warning marked `consent` puts \
            data at risk, and the migration starts only with its code in `accept`.\n\n\
            (Made from `app/model/src/finding.rs` by `UPDATE=1 cargo test -p model findings_table`.)\n\n\
            | code | what it says |\n|---|---|\n"
            .to_owned();
        for code in FindingCode::ALL {
            // A row of a table is one line, a comment may be several.
            let meaning: Vec<&str> = code.meaning().lines().map(str::trim).collect();
            writeln!(table, "| `{}` | {} |", code.as_str(), meaning.join(" ").trim()).unwrap();
        }
        table
    }

    #[test]
    fn findings_table_is_up_to_date() {
        if env::var_os("UPDATE").is_some() {
            fs::write(TABLE, table()).unwrap();
        }
        let table_now = table();
        let rows = table_now.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
        let broken: Vec<&str> = rows.filter(|row| !(row.starts_with("| `") && row.ends_with(" |"))).collect();
        assert!(broken.is_empty(), "{broken:?}");
        let now = fs::read_to_string(TABLE).unwrap_or_default();
        assert!(now == table(), "docs/findings.md is out of date: run `UPDATE=1 cargo test -p model findings_table`");
    }
}
