//! `/vms/{id}/{action}`: the confirmation of a VM action as a page, for who has no WASM.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use model::{Problem, VmAction, VmId};

use crate::components::{
    frame::Heading,
    problem::ProblemPage,
    vm_action_form::{VmActionForm, action_question, action_slug},
};
use crate::live::Live;
use crate::pages::{id_in_path, migrate::unknown_vm, not_found::NotFoundPage};

#[component]
pub(crate) fn VmActionPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let id = id_in_path::<VmId>();
    let params = use_params_map();
    let action = Memo::new(move |_| {
        let slug = params.read().get("action").unwrap_or_default();
        VmAction::ALL.into_iter().find(|action| action_slug(*action) == slug)
    });
    let name = Memo::new(move |_| {
        let vm = live.vms.value(&id.get()?).ok_or_else(unknown_vm)?;
        Ok::<_, Problem>((vm.id, vm.name))
    });
    move || match (action.get(), name.get()) {
        (Some(action), Ok((vm, name))) => view! {
            <div class="narrow">
                <Heading title=action_question(action, &name) back="/" back_label="VMs" />
                <VmActionForm vm action />
            </div>
        }
        .into_any(),
        (Some(_), Err(problem)) => view! { <ProblemPage problem /> }.into_any(),
        (None, _) => view! { <NotFoundPage /> }.into_any(),
    }
}
