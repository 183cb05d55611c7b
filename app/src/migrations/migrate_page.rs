//! `/vms/{id}/migrate`: the migrate form as a page. It comes with the reports of the hosts, for browsers without WASM, which send the
//! form to check again.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_params_map};
use model::{Destinations, MigrationRequest};

use crate::live::Live;
use crate::migrations::{
    destination_reports::DestinationReports,
    migrate_form::{MigrateForm, migrate_title},
    server_fns::load_destinations,
};
use crate::ui::{
    form_page::FormPage,
    loaded::{Loaded, page_data},
};

#[component]
pub(crate) fn MigratePage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let query = use_location().search;
    let loaded = page_data(
        move || (params.read().get("id").unwrap_or_default(), query.get()),
        |(id, query)| load_destinations(id, query.trim_start_matches('?').to_owned()),
    );
    let show = move |(destinations, request): (Destinations, Option<MigrationRequest>)| {
        let vm = destinations.vm.id;
        let reports = DestinationReports::of_page(destinations, request.as_ref());
        view! {
            <FormPage back="/" back_label="VMs" title=migrate_title(live, vm)>
                <MigrateForm vm close=None reports />
            </FormPage>
        }
        .into_any()
    };
    view! { <Loaded resource=loaded show /> }
}
