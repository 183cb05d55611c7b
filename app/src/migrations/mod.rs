//! Migrations: the form that begins one, its page, and the list of all.

#[cfg(feature = "ssr")]
pub mod ad_hoc_destination;
pub mod cancel_form;
pub mod destination_card;
pub mod destination_reports;
pub mod list_page;
pub mod migrate_form;
pub mod migrate_options;
pub mod migrate_page;
pub mod page;
pub mod progress;
pub mod report;
pub mod server_fns;
