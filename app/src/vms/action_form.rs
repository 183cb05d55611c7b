//! The question before something is done to a VM: in the dialog, and on a page of its own.

use leptos::prelude::*;
use model::{Vm, VmAction, VmId, VmState};

use crate::live::Live;
use crate::ui::{dialog::Question, question_form::QuestionForm, server_form::FormAction};
use crate::vms::server_fns::Act;

/// The action at `/vms/{id}/{slug}`.
#[cfg(any(feature = "ssr", test))]
pub(crate) fn action_at(slug: &str) -> Option<VmAction> {
    VmAction::ALL.iter().copied().find(|action| action.as_str() == slug)
}

/// Where the question is a page.
pub(crate) fn action_path(vm: VmId, action: VmAction) -> String {
    format!("/vms/{vm}/{}", action.as_str())
}

/// The question, for the dialog.
pub(crate) fn action_question(live: Live, vm: VmId, action: VmAction) -> Question {
    Question {
        href: action_path(vm, action),
        title: action_title(live, vm, action),
        form: Callback::new(move |close| view! { <VmActionForm vm action close=Some(close) /> }.into_any()),
    }
}

/// The question in a line.
pub(crate) fn action_title(live: Live, vm: VmId, action: VmAction) -> String {
    let vm = live.vm_name(vm);
    match action {
        VmAction::Start => format!("Start {vm}?"),
        VmAction::ShutDown => format!("Shut down {vm}?"),
        VmAction::ForceOff => format!("Force {vm} off?"),
        VmAction::Pause => format!("Pause {vm}?"),
        VmAction::Resume => format!("Resume {vm}?"),
        VmAction::WakeUp => format!("Wake {vm} up?"),
    }
}

/// What will happen.
fn consequence(action: VmAction, vm: &Vm) -> String {
    let Vm { name, host, .. } = vm;
    match action {
        VmAction::Start => format!("Starts {name} on {host}."),
        VmAction::ShutDown => "Asks the guest to shut down. It may take a while, or ignore the request.".to_owned(),
        VmAction::ForceOff if vm.state == VmState::Crashed => {
            format!(
                "Turns {name} off; then it can be started again. What it had in memory is lost, unless you dump it first (virsh dump --memory-only)."
            )
        }
        VmAction::ForceOff => {
            format!(
                "Forces the VM off, like pulling the power cord. {name} loses what it has not written to its disks."
            )
        }
        VmAction::Pause => {
            format!("Pauses {name} on {host}: it stops running and answers no requests until it is resumed.")
        }
        VmAction::Resume => format!("{name} continues where it was paused."),
        VmAction::WakeUp => format!("The guest of {name} continues where it went to sleep."),
    }
}

/// Says what will happen, and does it.
#[component]
pub(crate) fn VmActionForm(
    vm: VmId,
    action: VmAction,
    /// Closes the dialog it is in.
    close: Option<Callback<()>>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    // What is asked about is the copy that is shown now, though another may be listed by the time of the answer.
    let host = untrack(|| live.vms.value(&vm)).map(|vm| vm.host.to_string()).unwrap_or_default();
    let fields = vec![("vm", vm.to_string()), ("host", host), ("action", action.as_str().to_owned())];
    let act = FormAction::of::<Act>();
    view! {
        <QuestionForm
            action=act
            fields
            consequence=Signal::derive(move || live.vms.value(&vm).map(|vm| consequence(action, &vm)))
            label=action.label()
            is_harmless=!action.needs_confirmation()
            page="/"
            close
        />
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_action_is_written_in_addresses_as_in_forms() {
        for &action in VmAction::ALL {
            let form = format!("\"{}\"", action.as_str());
            assert_eq!(serde_json::from_str::<VmAction>(&form).unwrap(), action);
        }
    }

    #[test]
    fn an_action_is_found_again_at_its_address() {
        let vm = VmId(Uuid::from_u128(1));
        for action in VmAction::ALL.iter().copied() {
            let path = action_path(vm, action);
            assert_eq!(action_at(path.rsplit('/').next().unwrap()), Some(action));
        }
        assert_eq!(action_at("migrate"), None, "it has a page of its own");
        assert_eq!(action_at("delete"), None);
    }
}
