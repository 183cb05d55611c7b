//! The question before something is done to a VM: in the dialog, and on a page of its own.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use model::{Vm, VmAction, VmId};

use crate::live::Live;
use crate::ui::Erased;
use crate::ui::form::CancelButton;
use crate::ui::form::PostForm;
use crate::ui::post::Post;
use crate::ui::problem::Alert;
use crate::vms::server_fns::Act;

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
    close: Option<Callback<()>>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let navigate = use_navigate();
    let act = Post::to::<Act>(move |_| match close {
        Some(close) => close.run(()),
        None => navigate("/", Default::default()),
    });
    let hurts = action.needs_confirmation();
    view! {
        <PostForm post=act>
            <input type="hidden" name="vm" value=vm.to_string() />
            <input type="hidden" name="action" value=action_slug(action) />
            <p class="consequence">{move || live.vms.value(&vm).map(|vm| consequence(action, &vm))}</p>
            <div class="form-foot">
                <Alert problem=act.problem />
                <div class="buttons">
                    <CancelButton close href="/" autofocus=close.is_some() label="Cancel" />
                    <button class=if hurts { "button danger" } else { "button primary" } disabled=act.pending>
                        {action.label()}
                    </button>
                </div>
            </div>
        </PostForm>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_written_in_addresses_as_in_forms() {
        for &action in VmAction::ALL {
            let form = format!("\"{}\"", action_slug(action));
            assert_eq!(serde_json::from_str::<VmAction>(&form).unwrap(), action);
        }
    }
}
