//! `/evacuations/{id}`: an evacuation, live. The server renders what it shows.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::evacuations::server_fns::EvacuationHtml;
use crate::live::Live;
use crate::ui::{
    fragment::{Fragment, prepared, version_of},
    server_form::fields,
};

#[component]
pub(crate) fn EvacuationPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let named = Signal::derive(move || fields(&[("id", &params.read().get("id").unwrap_or_default())]));
    let version = version_of(move || live.summary.read().evacuations);
    let [html] = prepared();
    view! {
        <Title text="Evacuation" />
        <Fragment path=EvacuationHtml::PATH fields=named version every=None html />
    }
}
