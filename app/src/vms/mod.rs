//! VMs: the list of all of them, and what can be done to one.

pub mod action_form;
pub mod action_page;
pub mod banners;
mod filters;
pub mod host_page;
mod menu;
pub mod page;
pub mod query;
mod section;
pub mod server_fns;
pub mod table;
