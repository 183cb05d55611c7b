//! The pages, one file each.

pub mod account;
pub mod cancel;
pub mod hosts;
pub mod login;
pub mod migrate;
pub mod migration;
pub mod migrations;
pub mod not_found;
pub mod vm_action;
pub mod vms;

use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use model::Problem;

/// The `:id` in the page's address.
fn id_in_path<T>() -> Memo<Result<T, Problem>>
where
    T: FromStr<Err = Problem> + PartialEq + Send + Sync + 'static,
{
    let params = use_params_map();
    Memo::new(move |_| params.read().get_str("id").unwrap_or_default().parse())
}
