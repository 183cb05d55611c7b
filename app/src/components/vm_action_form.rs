//! The question before something is done to a VM: in a dialog over the list, and on a page of its own.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use model::{Vm, VmAction, VmId};

use crate::api::vms::Act;
use crate::components::{
    modal::CancelButton,
    problem::{Alert, failure_of},
};
use crate::live::Live;

/// An action as it stands in addresses and forms, e.g. `force-off`.
pub(crate) fn action_slug(action: VmAction) -> &'static str {
    match action {
        VmAction::Start => "start",
        VmAction::ShutDown => "shut-down",
        VmAction::ForceOff => "force-off",
        VmAction::Pause => "pause",
        VmAction::Resume => "resume",
    }
}

/// The question, as a heading.
pub(crate) fn action_question(action: VmAction, vm: &str) -> String {
    match action {
        VmAction::Start => format!("Start {vm}?"),
        VmAction::ShutDown => format!("Shut down {vm}?"),
        VmAction::ForceOff => format!("Force {vm} off?"),
        VmAction::Pause => format!("Pause {vm}?"),
        VmAction::Resume => format!("Resume {vm}?"),
    }
}

/// What will happen.
fn consequence(action: VmAction, vm: &Vm) -> String {
    let Vm { name, host, .. } = vm;
    match action {
        VmAction::Start => format!("{name} is powered on at {host}."),
        VmAction::ShutDown => format!("The guest is asked to power itself off. {name} may take a while, or refuse."),
        VmAction::ForceOff => format!("The plug is pulled: {name} loses whatever it has not written to its disks."),
        VmAction::Pause => format!("{name} stops where it is and answers nobody until it is resumed."),
        VmAction::Resume => format!("{name} goes on where it was paused."),
    }
}

/// Says what will happen, and does it.
#[component]
pub(crate) fn VmActionForm(
    vm: VmId,
    action: VmAction,
    /// Closes the dialog it is in.
    #[prop(optional, into)]
    close: Option<Callback<()>>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let act = ServerAction::<Act>::new();
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(())) = act.value().get() {
            match close {
                Some(close) => close.run(()),
                None => navigate("/", Default::default()),
            }
        }
    });
    view! {
        <ActionForm action=act>
            <input type="hidden" name="vm" value=vm.to_string() />
            <input type="hidden" name="action" value=action_slug(action) />
            <p>{move || live.vms.value(&vm).map(|vm| consequence(action, &vm))}</p>
            <div class="form-foot"><Alert problem=failure_of(move || act.value().get()) />
            <div class="buttons">
                <CancelButton close autofocus=close.is_some()>"Cancel"</CancelButton>
                <button
                    class="button"
                    class:danger=action.needs_confirmation()
                    class:primary=!action.needs_confirmation()
                    disabled=act.pending()
                >
                    {action.label()}
                </button>
            </div>
        </div></ActionForm>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_written_in_addresses_as_in_forms() {
        for action in VmAction::ALL {
            let form = format!("\"{}\"", action_slug(action));
            assert_eq!(serde_json::from_str::<VmAction>(&form).unwrap(), action);
        }
    }
}
