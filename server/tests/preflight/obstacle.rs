//! An obstacle, as data: what the VM is made of, how to put something in its way, and what has to come of it.

use engine::HostConfig;
use model::{FindingCode, MigrationOptions, Severity, VmState};

use crate::{
    bed::Bed,
    guest::{Guest, Parts},
};

/// A step of a trial.
pub type Step = fn(&Bed<'_>, &Guest);

/// What starting anyway does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    Goes,
    Fails,
}

impl Truth {
    /// What a migration did that was started.
    pub fn of(went: bool) -> Self {
        if went { Self::Goes } else { Self::Fails }
    }
}

/// How a migration is started regardless of the preflight report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anyway {
    /// By the engine, below its check.
    Engine,
    /// By virsh, which copies the disks to where they are: the engine has no plan for a disk that is stuck.
    Virsh,
}

/// Something that may be in a VM's way, or a VM that nothing is in the way of.
pub struct Obstacle {
    pub name: &'static str,
    /// The finding that names it.
    pub code: FindingCode,
    pub severity: Severity,
    pub truth: Truth,
    /// Blockers that come with it, because it is seen from several sides.
    pub also: &'static [FindingCode],
    /// What the VM is made of. It may make disks and pools.
    pub parts: fn(&Bed<'_>, &Guest) -> Parts,
    /// Puts the obstacle there, once the VM runs.
    pub make: Step,
    /// Takes away what cleaning up would not (VMs, pools and networks of the trial's name go by themselves).
    pub undo: Step,
    /// What the VM does in the end, at the source.
    pub state: VmState,
    pub options: fn() -> MigrationOptions,
    pub anyway: Anyway,
    /// How the destination is registered, where not as it should be.
    pub registered: fn(&Bed<'_>) -> HostConfig,
}

impl Obstacle {
    /// A preflight that names it a blocker, and then fails.
    pub fn blocker(name: &'static str, code: FindingCode) -> Self {
        Self::new(name, code, Severity::Blocker, Truth::Fails)
    }

    /// A preflight that mentions it at most, and then goes.
    pub fn goes(name: &'static str, code: FindingCode, severity: Severity) -> Self {
        Self::new(name, code, severity, Truth::Goes)
    }

    /// A preflight that says it can't know, and what comes of it here.
    pub fn unknown(name: &'static str, code: FindingCode, truth: Truth) -> Self {
        Self::new(name, code, Severity::Unknown, truth)
    }

    fn new(name: &'static str, code: FindingCode, severity: Severity, truth: Truth) -> Self {
        Self {
            name,
            code,
            severity,
            truth,
            also: &[],
            parts: |_, _| Parts::default(),
            make: |_, _| {},
            undo: |_, _| {},
            state: VmState::Running,
            options: MigrationOptions::default,
            anyway: Anyway::Engine,
            registered: |bed| bed.destination.config.clone(),
        }
    }

    pub fn also(self, also: &'static [FindingCode]) -> Self {
        Self { also, ..self }
    }

    pub fn parts(self, parts: fn(&Bed<'_>, &Guest) -> Parts) -> Self {
        Self { parts, ..self }
    }

    pub fn make(self, make: Step) -> Self {
        Self { make, ..self }
    }

    pub fn undo(self, undo: Step) -> Self {
        Self { undo, ..self }
    }

    pub fn state(self, state: VmState) -> Self {
        Self { state, ..self }
    }

    pub fn options(self, options: fn() -> MigrationOptions) -> Self {
        Self { options, ..self }
    }

    pub fn by_virsh(self) -> Self {
        Self { anyway: Anyway::Virsh, ..self }
    }

    pub fn registered(self, registered: fn(&Bed<'_>) -> HostConfig) -> Self {
        Self { registered, ..self }
    }
}
