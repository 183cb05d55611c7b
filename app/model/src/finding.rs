//! What a preflight finds: one sentence each about whether a VM can go to a host.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Looked at, and in order.
    Ok,
    /// Can't be known before the migration runs.
    Unknown,
    /// It will go, but somebody should know.
    Warning,
    /// It would fail.
    Blocker,
}

impl Severity {
    /// The severity in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Blocker => "blocker",
        }
    }
}

/// Makes the codes, their names and the table of what they mean from one list.
macro_rules! finding_codes {
    ($($variant:ident $name:literal $meaning:literal)*) => {
        /// What was looked at. The code of a finding stays the same for ever; its sentence may get better.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl FindingCode {
            /// All of them, in the order findings are told.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as in JSON, e.g. `same-host`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it says, in a sentence for the documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

finding_codes! {
    DestinationReachable "destination-reachable" "Whether the destination's libvirt daemon answers."
    DestinationWritable "destination-writable" "Whether the console may change anything there."
    SameHost "same-host" "Whether the destination is another machine, by libvirt's host UUID."
    AlreadyMigrating "already-migrating" "Whether the VM is being migrated already, by this console or by somebody else."
    BusyWithJob "busy-with-job" "Whether libvirt does something else to the VM: saves, dumps or backs it up."
    VmState "vm-state" "Whether a VM in this state can move."
    IoError "io-error" "Whether the VM is paused because a disk failed."
    RunsThere "runs-there" "Whether the destination, or another host, runs a copy of this VM already."
    StaleDefinition "stale-definition" "Whether the destination keeps a shut-off definition of this VM, which would be replaced."
    NameTaken "name-taken" "Whether another VM at the destination has this VM's name."
    UuidTaken "uuid-taken" "Whether the destination knows this VM's UUID under another name."
    Architecture "architecture" "Whether the destination can run the VM's architecture, by KVM or emulation as the VM wants it."
    Emulator "emulator" "Whether the destination has the VM's emulator."
    MachineType "machine-type" "Whether the destination's QEMU knows the VM's machine type."
    Firmware "firmware" "Whether the destination has the VM's firmware."
    Nvram "nvram" "Whether the VM's UEFI variables go along."
    Cpu "cpu" "Whether the destination's CPU has the features that the VM uses."
    Invtsc "invtsc" "Whether the VM's invariant time stamp counter can move: only with a fixed frequency."
    Vcpus "vcpus" "Whether the destination has as many CPUs as the VM."
    Memory "memory" "Whether the destination has enough memory that is free or can be freed at once."
    HugePages "huge-pages" "Whether the destination has enough free huge pages of the VM's size."
    Network "network" "Whether the destination has the VM's networks, and they are active."
    Bridge "bridge" "Whether the destination has the bridges and devices that the VM's interfaces are attached to."
    HostDevice "host-device" "Whether a device of the source host is passed through to the VM."
    SharedMemory "shared-memory" "Whether the VM shares memory with programs of the source host (shmem)."
    SharedFolder "shared-folder" "Whether the VM has a folder of the source host (virtiofs, 9p)."
    Tpm "tpm" "Whether the state of the VM's TPM goes along."
    Secret "secret" "Whether the destination has the secrets of the VM's encrypted or authenticated disks."
    Snapshots "snapshots" "Whether libvirt keeps snapshots of the VM; it moves none that has."
    Checkpoints "checkpoints" "Whether libvirt keeps checkpoints of the VM's disks."
    BlockJob "block-job" "Whether a disk is being copied or committed."
    Medium "medium" "Whether the destination has the image in the VM's CD-ROM or floppy drive; it can be ejected."
    DiskShared "disk-shared" "Whether both hosts see the very same disk, and how that is known."
    DiskCopied "disk-copied" "Whether a disk that is not shared can be copied, and to which pool."
    DiskExists "disk-exists" "Whether the destination pool has a volume of this name already."
    DiskSpace "disk-space" "Whether the destination pool has enough free space."
    DiskKind "disk-kind" "Whether a disk is of a kind that can move at all."
    BackingChain "backing-chain" "Whether a disk stands on other images; its copy will stand alone."
    LaterDisks "later-disks" "Whether the destination has the disks that the VM gets only at its next start."
    Pool "pool" "Whether the destination has a storage pool for a disk, and it is active."
    LibvirtVersion "libvirt-version" "Whether the destination's libvirt is as new as the source's."
    QemuVersion "qemu-version" "Whether the destination's QEMU is as new as the source's."
    PostCopyWindow "post-copy-window" "Whether the destination's libvirt (11.2 to 11.3) dies when a broken post-copy is resumed."
    DataAddress "data-address" "Whether other hosts can reach the destination by the address it is registered with."
    DataPort "data-port" "Whether the ports for the memory are open, as seen from the console."
    PeerLogin "peer-login" "Which way the migration goes, and why: peer-to-peer where the source may log in at the destination, else direct."
    Tunnelled "tunnelled" "Whether the memory can go through the libvirt daemons, and what that costs."
    Encryption "encryption" "Whether memory and disks are encrypted on their way, or what is missing for it."
    Rdma "rdma" "Whether both hosts can send memory by RDMA, where that was asked for."
    Definition "definition" "Whether the destination's libvirt accepts the VM's definition, tried without starting anything."
}

impl Serialize for FindingCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FindingCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|code| code.as_str() == text);
        known.copied().ok_or_else(|| serde::de::Error::custom("there is no such finding"))
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

    /// Somebody should know.
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

    /// Says that data may be at risk, so that somebody has to accept it.
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
            writeln!(table, "| `{}` | {} |", code.as_str(), code.meaning()).unwrap();
        }
        table
    }

    #[test]
    fn findings_table_is_up_to_date() {
        if env::var_os("UPDATE").is_some() {
            fs::write(TABLE, table()).unwrap();
        }
        let now = fs::read_to_string(TABLE).unwrap_or_default();
        assert!(now == table(), "docs/findings.md is out of date: run `UPDATE=1 cargo test -p model findings_table`");
    }

    #[test]
    fn a_code_reads_the_same_everywhere() {
        for code in FindingCode::ALL {
            let json = serde_json::to_value(code).unwrap();
            assert_eq!(json, code.as_str());
            assert_eq!(serde_json::from_value::<FindingCode>(json).unwrap(), *code);
        }
        assert!(serde_json::from_str::<FindingCode>("\"no-such-thing\"").is_err());
    }
}
