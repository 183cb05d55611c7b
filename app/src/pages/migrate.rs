//! `/vms/{id}/migrate`: the form of the migrate dialog as a page, for who has no WASM or came by a link.

use leptos::prelude::*;
use model::{Code, Problem, VmId};

use crate::components::{frame::Heading, migrate_form::MigrateForm, problem::ProblemPage};
use crate::live::Live;
use crate::pages::id_in_path;

#[component]
pub(crate) fn MigratePage() -> impl IntoView {
    let live = expect_context::<Live>();
    let id = id_in_path::<VmId>();
    let name = Memo::new(move |_| {
        let vm = live.vms.value(&id.get()?).ok_or_else(unknown_vm)?;
        Ok::<_, Problem>((vm.id, vm.name))
    });
    move || match name.get() {
        Ok((vm, name)) => view! {
            <div class="narrow">
                <Heading title=format!("Migrate {name}") back="/" back_label="VMs" />
                <MigrateForm vm />
            </div>
        }
        .into_any(),
        Err(problem) => view! { <ProblemPage problem /> }.into_any(),
    }
}

/// No VM has the id in the address.
pub(super) fn unknown_vm() -> Problem {
    Problem::new(Code::UnknownVm, "There is no VM with this id any more.")
}
