//! An obstacle as data: how to define the VM, how to make the obstacle, and what the preflight and the migration have to do.

use engine::HostConfig;
use model::{FindingCode, MigrationOptions, Severity, VmState};

use crate::{
    guest::{Guest, NAME, Parts},
    testbed::TestBed,
};

/// A step of a trial.
pub type Step = fn(&TestBed<'_>, &Guest);

/// What a migration does that is started regardless of the preflight report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeds,
    /// The VM, which is off, arrives and can't start.
    Arrives,
    Fails,
}

impl Outcome {
    pub fn of(succeeded: bool) -> Self {
        if succeeded { Self::Succeeds } else { Self::Fails }
    }
}

/// Who starts a migration regardless of the preflight report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartedBy {
    /// The engine, without admission.
    Engine,
    /// virsh, which copies all disks to the same paths: the engine has no plan for a disk that is stuck.
    Virsh,
}

/// Something that may keep a VM from moving; or nothing, for comparison.
pub struct Obstacle {
    pub name: &'static str,
    /// The finding that reports it.
    pub code: FindingCode,
    pub severity: Severity,
    pub outcome: Outcome,
    /// Other blockers that the same obstacle causes.
    pub also: &'static [FindingCode],
    /// Parts of the VM's definition. May make disks and pools.
    pub parts: fn(&TestBed<'_>, &Guest) -> Parts,
    /// Makes the obstacle, once the VM runs.
    pub make: Step,
    /// Whether the VM is never started at the source.
    pub is_off: bool,
    /// Removes what `Machine::clean` does not (VMs, pools and networks of the trial's name).
    pub undo: Step,
    /// What has to be so once the migration was tried; else what is wrong.
    pub afterwards: fn(&TestBed<'_>, &Guest) -> Result<(), String>,
    /// The VM's state at the source, once the obstacle is made.
    pub state: VmState,
    pub options: fn() -> MigrationOptions,
    pub started_by: StartedBy,
    /// How the destination is registered.
    pub registered: fn(&TestBed<'_>) -> HostConfig,
}

impl Obstacle {
    /// The preflight reports a blocker, and the migration fails.
    pub fn blocker(name: &'static str, code: FindingCode) -> Self {
        Self::new(name, code, Severity::Blocker, Outcome::Fails)
    }

    /// The preflight reports at most a warning, and the migration succeeds.
    pub fn succeeds(name: &'static str, code: FindingCode, severity: Severity) -> Self {
        Self::new(name, code, severity, Outcome::Succeeds)
    }

    /// The preflight reports that it can't know, and the migration has this outcome here.
    pub fn unknown(name: &'static str, code: FindingCode, outcome: Outcome) -> Self {
        Self::new(name, code, Severity::Unknown, outcome)
    }

    /// The VM is off and can move, but the preflight warns that it can't start there, and it can't.
    pub fn arrives(name: &'static str, code: FindingCode) -> Self {
        Self::new(name, code, Severity::Warning, Outcome::Arrives).off()
    }

    fn new(name: &'static str, code: FindingCode, severity: Severity, outcome: Outcome) -> Self {
        Self {
            name,
            code,
            severity,
            outcome,
            also: &[],
            parts: |_, _| Parts::default(),
            make: |_, _| {},
            is_off: false,
            undo: |_, _| {},
            afterwards: |_, _| Ok(()),
            state: VmState::Running,
            options: MigrationOptions::default,
            started_by: StartedBy::Engine,
            registered: |bed| bed.destination.config.clone(),
        }
    }

    pub fn also(self, also: &'static [FindingCode]) -> Self {
        Self { also, ..self }
    }

    pub fn parts(self, parts: fn(&TestBed<'_>, &Guest) -> Parts) -> Self {
        Self { parts, ..self }
    }

    pub fn make(self, make: Step) -> Self {
        Self { make, ..self }
    }

    pub fn off(self) -> Self {
        Self { is_off: true, state: VmState::ShutOff, ..self }
    }

    pub fn undo(self, undo: Step) -> Self {
        Self { undo, ..self }
    }

    pub fn afterwards(self, afterwards: fn(&TestBed<'_>, &Guest) -> Result<(), String>) -> Self {
        Self { afterwards, ..self }
    }

    /// The VM is shut off before it moves.
    pub fn shut_off(self) -> Self {
        self.make(|bed, _| drop(bed.source.virsh(&["destroy", NAME]))).state(VmState::ShutOff)
    }

    pub fn state(self, state: VmState) -> Self {
        Self { state, ..self }
    }

    pub fn options(self, options: fn() -> MigrationOptions) -> Self {
        Self { options, ..self }
    }

    pub fn by_virsh(self) -> Self {
        Self { started_by: StartedBy::Virsh, ..self }
    }

    pub fn registered(self, registered: fn(&TestBed<'_>) -> HostConfig) -> Self {
        Self { registered, ..self }
    }
}
