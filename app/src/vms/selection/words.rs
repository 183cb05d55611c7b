//! What is done to several VMs, in words.

use model::{Selection, Stage, VmAction};

/// `1 VM`, `12 VMs`.
pub(super) fn vms(count: usize) -> String {
    if count == 1 { "1 VM".to_owned() } else { format!("{count} VMs") }
}

/// A page's title.
pub(super) fn title(selection: &Selection) -> String {
    let all = vms(selection.vms.len());
    match (selection.stage, selection.action) {
        (Stage::Ready, action) => question(action, &all),
        (Stage::Running, action) => format!("{}: in progress", noun(action)),
        (Stage::Done, action) => format!("{}: results", noun(action)),
    }
}

/// The question before it is done, of `vms`.
fn question(action: VmAction, vms: &str) -> String {
    match action {
        VmAction::ForceOff => format!("Force {vms} off?"),
        VmAction::WakeUp => format!("Wake {vms} up?"),
        action => format!("{} {vms}?", action.label()),
    }
}

/// The button that does it.
pub(super) fn button(action: VmAction, count: usize) -> String {
    question(action, &vms(count)).trim_end_matches('?').to_owned()
}

fn noun(action: VmAction) -> &'static str {
    match action {
        VmAction::Start => "Start",
        VmAction::Resume => "Resume",
        VmAction::WakeUp => "Wake-up",
        VmAction::Pause => "Pause",
        VmAction::ShutDown => "Shutdown",
        VmAction::ForceOff => "Force off",
    }
}

/// The heading over the VMs that it will be done to.
pub(super) fn will_be(action: VmAction) -> &'static str {
    match action {
        VmAction::Start => "Will be started",
        VmAction::Resume => "Will be resumed",
        VmAction::WakeUp => "Will be woken up",
        VmAction::Pause => "Will be paused",
        VmAction::ShutDown => "Will be asked to shut down",
        VmAction::ForceOff => "Will be forced off",
    }
}

/// The heading over the VMs that it was done to.
pub(super) fn was(action: VmAction) -> &'static str {
    match action {
        VmAction::Start => "Started",
        VmAction::Resume => "Resumed",
        VmAction::WakeUp => "Woken up",
        VmAction::Pause => "Paused",
        VmAction::ShutDown => "Asked to shut down",
        VmAction::ForceOff => "Forced off",
    }
}

/// What will happen, in a sentence or two.
pub(super) fn consequence(action: VmAction) -> &'static str {
    match action {
        VmAction::Start => "Starts each VM on the host that it is on.",
        VmAction::Resume => "Each VM continues where it was paused.",
        VmAction::WakeUp => "Each guest continues where it went to sleep.",
        VmAction::Pause => "Each VM stops running where it is, and answers no requests until it is resumed.",
        VmAction::ShutDown => "Asks each guest to shut down. It may take a while, or ignore the request.",
        VmAction::ForceOff => {
            "Forces each VM off, like pulling the power cord. What it has not written to its disks is lost."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_says_what_it_does_to_how_many() {
        assert_eq!(button(VmAction::ShutDown, 12), "Shut down 12 VMs");
        assert_eq!(button(VmAction::ForceOff, 1), "Force 1 VM off");
    }
}
