//! What the console knows without asking a host: that a VM can't be moved to a host, and why.

use crate::{Code, FindingCode, Host, Mode, Problem, Vm, VmState};

/// Why a VM can't be moved to a host, and the check of a preflight that this belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The check.
    pub check: FindingCode,
    /// Why not.
    pub problem: Problem,
}

/// Why `vm` can't be moved to `destination`, as far as the console can tell without asking a host.
///
/// The engine refuses by it, and the pages grey out cards by it, so that both say the same.
pub fn refusal(vm: &Vm, destination: &Host, mode: Option<Mode>) -> Option<Refusal> {
    let (name, host, state) = (&vm.name, &destination.name, vm.state.as_str());
    let refused = |check, code, sentence: String, fix: &str| {
        Some(Refusal { check, problem: Problem::new(code, sentence).with_fix(fix) })
    };
    if let Some(migration) = vm.migration {
        let sentence = format!("{name} is already being migrated (migration {migration}).");
        let problem = Problem::new(Code::AlreadyMigrating, sentence)
            .with_fix("Wait for it to end, or cancel it.")
            .with_migration(migration);
        return Some(Refusal { check: FindingCode::AlreadyMigrating, problem });
    }
    if let Some(problem) = vm.shares_uuid().filter(|_| vm.is_mistakable()) {
        return Some(Refusal { check: FindingCode::UuidTaken, problem });
    }
    if vm.host == destination.name {
        let sentence = match vm.state {
            VmState::Running => format!("{name} already runs on {host}."),
            VmState::ShutOff => format!("{name} is already defined on {host}."),
            _ => format!("{name} is already on {host}."),
        };
        return refused(FindingCode::SameHost, Code::SameHost, sentence, "Choose another host.");
    }
    if mode == Some(Mode::Live) && !vm.state.is_active() {
        let sentence = format!("{name} is {state}, so it can't move live.");
        let fix = "Start it first, or move its definition only (offline).";
        return refused(FindingCode::VmState, Code::WrongState, sentence, fix);
    }
    if mode == Some(Mode::Offline) && vm.state.is_active() {
        let sentence = format!("{name} is {state}, so it can't move offline.");
        return refused(FindingCode::VmState, Code::WrongState, sentence, "Shut it down first, or move it live.");
    }
    if vm.state == VmState::Unknown {
        let sentence = format!("{} does not say what {name} does now.", vm.host);
        let fix = "See that the host answers, then try again.";
        return refused(FindingCode::VmState, Code::HostUnreachable, sentence, fix);
    }
    if vm.state == VmState::Crashed {
        let sentence = format!("{name} has crashed, and its memory may still be held.");
        let fix = "Force it off, and start it or move it then. To keep its memory for a look, dump it first (virsh dump --memory-only).";
        return refused(FindingCode::VmState, Code::WrongState, sentence, fix);
    }
    if vm.runs_twice() {
        let sentence = format!("{name} runs on more than one host.");
        let fix = "To pause one of the copies stops further damage to its disks, and can be undone. Only one may run before it can move.";
        return refused(FindingCode::RunsThere, Code::NeedsAttention, sentence, fix);
    }
    if !destination.is_connected() {
        let sentence = format!("{host} does not answer.");
        let fix = "Check that the host is up and its libvirt daemon runs, or choose another host.";
        return refused(FindingCode::DestinationReachable, Code::HostUnreachable, sentence, fix);
    }
    let there = vm.other_copies.iter().find(|copy| &copy.host == host && copy.state.has_process())?;
    let sentence = format!("{host} already has a copy of {name}; it is {}.", there.state.as_str());
    let fix = "Only one copy may run. Find out what this one is for before anything else.";
    refused(FindingCode::RunsThere, Code::AlreadyThere, sentence, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ConnectionState, Copy, MigrationId,
        examples::{self, host},
    };
    use uuid::Uuid;

    fn vm(state: VmState) -> Vm {
        Vm { state, ..examples::vm(1, "web", "alpha") }
    }

    fn code(vm: &Vm, host: &Host, mode: Option<Mode>) -> Option<Code> {
        refusal(vm, host, mode).map(|refusal| refusal.problem.code)
    }

    #[test]
    fn what_can_go() {
        assert_eq!(code(&vm(VmState::Running), &host("beta"), None), None);
        assert_eq!(code(&vm(VmState::Paused), &host("beta"), Some(Mode::Live)), None);
        assert_eq!(code(&vm(VmState::ShutOff), &host("beta"), None), None);
        let mut left_behind = vm(VmState::Running);
        left_behind.other_copies.push(Copy { host: "beta".parse().unwrap(), state: VmState::ShutOff });
        assert_eq!(code(&left_behind, &host("beta"), None), None);
    }

    #[test]
    fn only_a_running_vm_is_said_to_run() {
        let sentence = |state| refusal(&vm(state), &host("alpha"), None).unwrap().problem.sentence;
        assert_eq!(sentence(VmState::Running), "web already runs on alpha.");
        assert_eq!(sentence(VmState::ShutOff), "web is already defined on alpha.");
        assert_eq!(sentence(VmState::Paused), "web is already on alpha.");
    }

    #[test]
    fn what_can_not_go() {
        assert_eq!(code(&vm(VmState::Running), &host("alpha"), None), Some(Code::SameHost));
        assert_eq!(code(&vm(VmState::ShutOff), &host("beta"), Some(Mode::Live)), Some(Code::WrongState));
        assert_eq!(code(&vm(VmState::Running), &host("beta"), Some(Mode::Offline)), Some(Code::WrongState));
        let mut gone = host("beta");
        gone.connection = ConnectionState::Connecting;
        assert_eq!(code(&vm(VmState::Running), &gone, None), Some(Code::HostUnreachable));
        let mut migrating = vm(VmState::Running);
        let id = MigrationId(Uuid::from_u128(7));
        migrating.migration = Some(id);
        let Refusal { problem, .. } = refusal(&migrating, &host("beta"), None).unwrap();
        assert_eq!((problem.code, problem.migration), (Code::AlreadyMigrating, Some(id)));
        let mut twice = vm(VmState::Running);
        twice.other_copies.push(Copy { host: "gamma".parse().unwrap(), state: VmState::Running });
        assert_eq!(code(&twice, &host("beta"), None), Some(Code::NeedsAttention));
        let mut there = vm(VmState::ShutOff);
        there.other_copies.push(Copy { host: "beta".parse().unwrap(), state: VmState::Paused });
        assert_eq!(code(&there, &host("beta"), None), Some(Code::AlreadyThere));
        let mut crashed = vm(VmState::Running);
        crashed.other_copies.push(Copy { host: "beta".parse().unwrap(), state: VmState::Crashed });
        assert_eq!(code(&crashed, &host("beta"), None), Some(Code::AlreadyThere), "its QEMU is still there");
    }
}
