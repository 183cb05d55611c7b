//! What is done to several VMs, in words.

use model::{BulkAction, Selection, Stage, VmAction};

/// `1 VM`, `12 VMs`.
pub(super) fn vms(count: usize) -> String {
    if count == 1 { "1 VM".to_owned() } else { format!("{count} VMs") }
}

/// A page's title.
pub(super) fn title(selection: &Selection) -> String {
    let all = vms(selection.vms.len());
    match (selection.stage, selection.action) {
        (Stage::Placement, _) => format!("Migrate {all}: where to?"),
        (Stage::Checking, _) => format!("Checking where {all} can go"),
        (Stage::Ready, action) => question(action, &all),
        (Stage::Running, action) => format!("{}: in progress", noun(action)),
        (Stage::Done, action) => format!("{}: results", noun(action)),
    }
}

/// The question before it is done, of `vms`.
fn question(action: BulkAction, vms: &str) -> String {
    match action {
        BulkAction::Act(VmAction::ForceOff) => format!("Force {vms} off?"),
        BulkAction::Act(VmAction::WakeUp) => format!("Wake {vms} up?"),
        action => format!("{} {vms}?", action.label()),
    }
}

/// The button that does it.
pub(super) fn button(action: BulkAction, count: usize) -> String {
    question(action, &vms(count)).trim_end_matches('?').to_owned()
}

fn noun(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Migrate => "Migrations",
        BulkAction::Act(VmAction::Start) => "Start",
        BulkAction::Act(VmAction::Resume) => "Resume",
        BulkAction::Act(VmAction::WakeUp) => "Wake-up",
        BulkAction::Act(VmAction::Pause) => "Pause",
        BulkAction::Act(VmAction::ShutDown) => "Shutdown",
        BulkAction::Act(VmAction::ForceOff) => "Force off",
    }
}

/// The heading over the VMs that it will be done to.
pub(super) fn will_be(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Migrate => "Will migrate",
        BulkAction::Act(VmAction::Start) => "Will be started",
        BulkAction::Act(VmAction::Resume) => "Will be resumed",
        BulkAction::Act(VmAction::WakeUp) => "Will be woken up",
        BulkAction::Act(VmAction::Pause) => "Will be paused",
        BulkAction::Act(VmAction::ShutDown) => "Will be asked to shut down",
        BulkAction::Act(VmAction::ForceOff) => "Will be forced off",
    }
}

/// The heading over the VMs that it was done to.
pub(super) fn was(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Migrate => "Migrations begun",
        BulkAction::Act(VmAction::Start) => "Started",
        BulkAction::Act(VmAction::Resume) => "Resumed",
        BulkAction::Act(VmAction::WakeUp) => "Woken up",
        BulkAction::Act(VmAction::Pause) => "Paused",
        BulkAction::Act(VmAction::ShutDown) => "Asked to shut down",
        BulkAction::Act(VmAction::ForceOff) => "Forced off",
    }
}

/// What will happen, in a sentence or two.
pub(super) fn consequence(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Migrate => {
            "Each VM keeps doing what it does while it moves. A few move at once, the others wait. Each is checked once more as it begins."
        }
        BulkAction::Act(VmAction::Start) => "Starts each VM on the host that it is on.",
        BulkAction::Act(VmAction::Resume) => "Each VM continues where it was paused.",
        BulkAction::Act(VmAction::WakeUp) => "Each guest continues where it went to sleep.",
        BulkAction::Act(VmAction::Pause) => {
            "Each VM stops running where it is, and answers no requests until it is resumed."
        }
        BulkAction::Act(VmAction::ShutDown) => {
            "Asks each guest to shut down. It may take a while, or ignore the request."
        }
        BulkAction::Act(VmAction::ForceOff) => {
            "Forces each VM off, like pulling the power cord. What it has not written to its disks is lost."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_says_what_it_does_to_how_many() {
        let button = |action, count| button(BulkAction::Act(action), count);
        assert_eq!(button(VmAction::ShutDown, 12), "Shut down 12 VMs");
        assert_eq!(button(VmAction::ForceOff, 1), "Force 1 VM off");
        assert_eq!(super::button(BulkAction::Migrate, 2), "Migrate 2 VMs");
    }
}
