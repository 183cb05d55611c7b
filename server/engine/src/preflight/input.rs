//! The preflight input: a move that a user considers, and everything that both hosts said about it. All findings are made from it.

use std::sync::Arc;

use model::{
    ControlFlow, Finding, FindingCode, HostName, HostOrigin, Maintenance, Migration, MigrationOptions, Mode, Vm,
};

use crate::{
    hypervisor::{CopyFacts, DirtyCurve, DomainFacts, HostConfig, Probe, Survey},
    storage::{self, Side},
};

/// One of the two hosts.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    pub(crate) config: HostConfig,
    /// Where it was registered.
    pub(crate) origin: HostOrigin,
    /// All of its memory, in bytes; 0 if it never said.
    pub(crate) memory_bytes: u64,
    pub(crate) survey: Arc<Survey>,
    /// That it is emptied or worked on.
    pub(crate) maintenance: Option<Maintenance>,
    /// Volumes, by pool and name, that migrations have left there and vmferry is removing.
    pub(crate) left_volumes: Vec<(String, String)>,
}

impl Party {
    pub(crate) fn side(&self) -> Side<'_> {
        Side { config: &self.config, survey: &self.survey, left_volumes: &self.left_volumes }
    }
}

/// How what moves gets there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) control_flow: ControlFlow,
    /// Whether the contents of disks go along.
    pub(super) copies_disks: bool,
}

/// A move that a user considers.
#[derive(Clone, Debug)]
pub(crate) struct PreflightInput {
    pub(crate) vm: Vm,
    pub(crate) mode: Mode,
    pub(crate) options: MigrationOptions,
    pub(crate) domain: Arc<DomainFacts>,
    pub(crate) source: Party,
    pub(crate) destination: Party,
    /// What the destination has of the VM.
    pub(crate) copy_there: Option<CopyFacts>,
    /// Whether that has other disks, and no migration of this console says why.
    pub(crate) may_be_another_there: bool,
    /// Whether the destination's first port for memory answers; none if it was not probed.
    pub(crate) probe: Option<Probe>,
    /// Moves from this source to this destination that succeeded, newest first.
    pub(crate) earlier: Vec<Migration>,
    /// When the source last tried to log in at the destination and was refused, in ms since 1970, if this console saw that.
    pub(crate) refused_login_ms: Option<u64>,
    /// Moves of this VM that succeeded, between whatever hosts, newest first.
    pub(crate) own: Vec<Migration>,
    /// Memory of the destination that is reserved for other VMs by evacuations, in bytes.
    pub(crate) reserved_bytes: u64,
    /// What the guest changes of its memory, if it was measured lately.
    pub(crate) curve: Option<Arc<DirtyCurve>>,
    /// Now, in ms since 1970.
    pub(crate) now_ms: u64,
}

impl PreflightInput {
    /// The destination's name.
    pub(super) fn destination_name(&self) -> &HostName {
        &self.destination.config.name
    }

    /// What the VM shall be called at the destination.
    pub(super) fn wanted_name(&self) -> &str {
        self.options.new_name.as_deref().unwrap_or(&self.vm.name)
    }

    pub(super) fn is_live(&self) -> bool {
        self.mode == Mode::Live
    }

    /// How it is known that both hosts have the same at a path, in words; none if that is not known.
    pub(super) fn same_file(&self, path: &str) -> Option<String> {
        storage::same_path(self.source.side(), self.destination.side(), path)
    }

    /// The destination lacks what the VM needs to run: one that runs can't move, and one that is off arrives and can't start.
    pub(super) fn lacking(&self, code: FindingCode, text: String) -> Finding {
        if self.is_live() {
            return Finding::blocker(code, text);
        }
        Finding::warning(code, format!("{text} {} can move, but not start there.", self.vm.name))
    }
}
