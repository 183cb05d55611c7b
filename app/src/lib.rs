//! What people see. Built twice: rendered on the server (feature `ssr`) and hydrated in the browser (feature `hydrate`).
//!
//! A folder is a subject, with its pages, their parts and its server functions: [`vms`], [`evacuations`], [`migrations`], [`hosts`],
//! [`account`]; `ui` is what they share. Imports go one way: `app` → `vms` → `evacuations` → `migrations` → `hosts` → `ui`, and from all of
//! them to `live` and `scope`.

mod account;
mod app;
#[cfg(feature = "ssr")]
mod console;
mod evacuations;
mod failure;
#[cfg(feature = "ssr")]
mod help;
mod hosts;
mod json;
mod live;
mod migrations;
mod scope;
mod snapshot;
mod stream;
mod ui;
mod vms;

#[cfg(feature = "ssr")]
pub use account::{
    login_page::{LoginRefusal, login},
    page::account,
};
pub use app::App;
#[cfg(feature = "ssr")]
pub use app::shell;
#[cfg(feature = "ssr")]
pub use console::StatusOf;
#[cfg(feature = "ssr")]
pub use evacuations::{
    list_page::evacuations,
    placement_form::PlacementForm,
    placement_page::placement,
    plan_form::PlanForm,
    plan_form_page::plan_form,
    plan_page::plan,
    server_fns::{evacuation_now, host_stage, open_evacuations},
    stop_page::{evacuation_refused, maintenance_refused, stop_evacuation},
};
#[cfg(feature = "ssr")]
pub use help::{help, help_document};
#[cfg(feature = "ssr")]
pub use hosts::{
    edit_page::{add_host, edit_host},
    host_form::HostForm,
    key_page::{KeyForm, key_login},
    login_page::{HostLoginForm, log_in_at_host},
    remove_page::remove_host,
    test_page::test_host,
};
#[cfg(feature = "ssr")]
pub use migrations::{
    ad_hoc_destination::{AdHocForm, Came, ad_hoc_destination},
    predictions_page::predictions,
    server_fns::{migration_kept, migration_list},
};
#[cfg(feature = "ssr")]
pub use ui::{
    document::{Assets, Document, failed},
    fields::read,
    fragment::{Prepared, refused},
};
#[cfg(feature = "ssr")]
pub use vms::{
    selection::{
        form::Fields,
        page::{selection, selection_refused},
    },
    server_fns::{VmPart, host_facts, vm_part},
    terminal_page::terminal,
    xml_page::vm_xml,
};
