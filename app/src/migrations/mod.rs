//! Migrations: the form that starts one, its page, and the list of all.

#[cfg(feature = "ssr")]
pub mod ad_hoc_destination;
pub mod attention;
pub mod cancel_form;
#[cfg(feature = "ssr")]
pub mod cancel_page;
mod checked_destination;
mod destination_card;
mod destination_reports;
#[cfg(feature = "ssr")]
mod filled_in;
mod host_choice;
#[cfg(feature = "ssr")]
mod kept;
#[cfg(feature = "ssr")]
mod list;
pub mod list_page;
pub mod looked;
pub mod migrate_form;
mod migrate_options;
pub mod migrate_page;
#[cfg(feature = "ssr")]
mod more_options;
pub mod page;
mod pause_limit;
#[cfg(feature = "ssr")]
mod picture;
mod policy_fields;
pub mod predicted;
#[cfg(feature = "ssr")]
pub mod predictions_page;
pub mod progress;
mod report;
mod result;
mod running;
pub mod server_fns;
pub mod steer;
pub mod step_form;
#[cfg(feature = "ssr")]
pub mod step_page;
