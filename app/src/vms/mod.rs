//! VMs: the list of all of them, and what can be done to one.

pub mod action_form;
#[cfg(feature = "ssr")]
pub mod action_page;
pub mod banners;
mod completions;
#[cfg(feature = "ssr")]
mod facts;
mod filters;
#[cfg(feature = "ssr")]
mod graphs;
#[cfg(feature = "ssr")]
mod host_facts;
pub mod host_page;
mod menu;
#[cfg(feature = "ssr")]
mod moves;
pub mod page;
pub mod query;
mod section;
pub mod selection;
pub mod server_fns;
pub mod table;
#[cfg(feature = "ssr")]
pub mod terminal_page;
pub mod vm_page;
#[cfg(feature = "ssr")]
pub mod xml_page;
