//! `/vms/{id}/migrate`: the migrate form as a page. It comes with what the hosts say, for who has no WASM, and for whoever sends the
//! form to look again instead of starting.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::live::Live;
use crate::migrations::migrate_form::MigrateForm;
use crate::migrations::server_fns::LookAround;
use crate::ui::Erased;
use crate::ui::loaded::fields_with_id;
use crate::ui::loaded::loaded;
use crate::ui::question::Question;
use crate::vms::action_page::headed;

#[component]
pub(crate) fn MigratePage() -> impl IntoView {
    let live = expect_context::<Live>();
    let (params, query) = (use_params_map(), use_query_map());
    let fields = move || fields_with_id(&params.read(), query.get());
    loaded::<LookAround>(fields, move |(vm, known, chosen)| {
        let title = Question::Migrate(vm).title(live);
        headed("/", "VMs", title, view! { <MigrateForm vm close=None known chosen /> }.erased())
    })
}
