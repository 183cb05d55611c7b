//! `/vms/{id}/{action}`: the question before something is done to a VM as a page, for browsers without WASM and for links.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::live::Live;
use crate::ui::{form_page::FormPage, not_found::Absent};
use crate::vms::action_form::{VmActionForm, action_at, action_title};

#[component]
pub(crate) fn VmActionPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    // A memo, so that the form stays while the VM changes.
    let asked = Memo::new(move |_| {
        let params = params.read();
        let (vm, action) = (params.get_str("id")?.parse().ok()?, action_at(params.get_str("action")?)?);
        live.vms.get(&vm).map(|_| (vm, action))
    });
    move || match asked.get() {
        None => view! { <Absent /> }.into_any(),
        Some((vm, action)) => untrack(|| {
            view! {
                <FormPage back="/" back_label="VMs" title=action_title(live, vm, action)>
                    <VmActionForm vm action close=None />
                </FormPage>
            }
            .into_any()
        }),
    }
}
