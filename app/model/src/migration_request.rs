//! A migration asked for, and what can be chosen for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Destination, FindingCode, HostName, Policy, VmId};

/// Whether memory moves, or a definition only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The VM goes on while its memory moves.
    Live,
    /// The VM is shut off; only its definition moves.
    Offline,
}

/// Who drives a migration (libvirt's control flow), and with [`Self::Tunnelled`] also how the memory travels (libvirt's transport).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlFlow {
    /// The source's libvirt logs in at the destination and drives it, even if the console dies. Data goes from host to host.
    PeerToPeer,
    /// The console is logged in at both hosts and drives it, so the source needs no login. Data goes from host to host.
    Direct,
    /// Peer-to-peer with libvirt's tunnelled transport: the memory goes through the two daemons. One port, slow, no disks.
    Tunnelled,
}

impl ControlFlow {
    /// Whether a migration may switch to post-copy: not through the daemons, which can't do it, nor while the console drives it, with
    /// which post-copy would break off.
    pub fn allows_post_copy(self) -> bool {
        self == Self::PeerToPeer
    }
}

/// What can be chosen for a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationOptions {
    /// Keep the VM's definition at the source. Off by default, so that the VM is not started a second time there.
    #[serde(default)]
    pub keep_source_definition: bool,
    /// Use at most this much of the network, in MiB/s (1 to 1,000,000); none is the source host's own setting.
    #[serde(default)]
    pub bandwidth_mib_s: Option<u32>,
    /// What the VM shall be called at the destination; none keeps its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_name: Option<String>,
    /// Pools for disks that are copied, by the disk's name in the guest (`vda`); the others go where the preflight says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<String, String>,
    /// Take media out of the VM's drives first, where the destination does not have them.
    #[serde(default)]
    pub eject_media: bool,
    /// Remove the old images of disks that were copied, after everything else; never on shared storage.
    #[serde(default)]
    pub remove_source_disks: bool,
    /// The control flow; none lets the preflight choose between peer-to-peer and direct. Tunnelled needs consent.
    #[serde(rename = "way", default, skip_serializing_if = "Option::is_none")]
    pub control_flow: Option<ControlFlow>,
    /// Whether memory and disks are encrypted in transit (TLS); none encrypts where both hosts have certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypt: Option<bool>,
    /// Send the memory by RDMA.
    #[serde(default)]
    pub rdma: bool,
    /// How far it may go to finish; none is the default, balanced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The longest pause that the policy may allow, in ms (1 to 2,000,000); none is the policy's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_pause_ms: Option<u32>,
    /// How long it may go on without converging, in s (1 to 604,800), before gentle or balanced gives up; none is 150 s for each GiB of
    /// memory, and at least 300 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_s: Option<u32>,
    /// Send the memory over so many connections at once (1 to 16); none lets vmferry decide. Not together with a bandwidth limit, which
    /// QEMU does not observe then, nor with the policy certain, whose post-copy QEMU before 10.1 does not do then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u8>,
    /// Compress the memory on its way (zstd). Under the same conditions, and both hosts need libvirt 9.4.
    #[serde(default, skip_serializing_if = "is_false")]
    pub compress: bool,
    /// Make the policy and its limits the VM's defaults.
    #[serde(default, skip_serializing_if = "is_false")]
    pub policy_as_default: bool,
}

/// For fields that are left out then.
fn is_false(field: &bool) -> bool {
    !field
}

/// A migration asked for.
///
/// `D` is what its destination is called by: port and engine take a [`Destination`], which may be an address; pages send, and a
/// migration begins with, the name of a host that the console has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MigrationRequest<D = HostName> {
    /// The VM.
    pub vm: VmId,
    /// Where it shall go.
    pub destination: D,
    /// Live or offline; none lets the VM's state decide.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// What else was chosen.
    #[serde(default)]
    pub options: MigrationOptions,
    /// Warnings that need consent and have it.
    #[serde(default)]
    pub accept: Vec<FindingCode>,
}

impl<D> MigrationRequest<D> {
    /// To move a VM to `destination`, with nothing else chosen.
    pub fn plain(vm: VmId, destination: D) -> Self {
        Self { vm, destination, mode: None, options: MigrationOptions::default(), accept: Vec::new() }
    }
}

impl<A> From<MigrationRequest> for MigrationRequest<Destination<A>> {
    fn from(MigrationRequest { vm, destination, mode, options, accept }: MigrationRequest) -> Self {
        Self { vm, destination: Destination::Registered(destination), mode, options, accept }
    }
}
