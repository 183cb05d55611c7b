//! Plans, evacuations, hosts in maintenance, and the rules that plans keep. The server renders all of it.

#[cfg(feature = "ssr")]
mod card;
#[cfg(feature = "ssr")]
mod host_part;
#[cfg(feature = "ssr")]
pub mod list_page;
#[cfg(feature = "ssr")]
mod moves;
#[cfg(feature = "ssr")]
mod open_lines;
pub mod page;
#[cfg(feature = "ssr")]
pub mod placement_form;
#[cfg(feature = "ssr")]
pub mod placement_page;
#[cfg(feature = "ssr")]
pub mod plan_form;
#[cfg(feature = "ssr")]
pub mod plan_form_page;
#[cfg(feature = "ssr")]
pub mod plan_page;
#[cfg(feature = "ssr")]
mod queue;
pub mod server_fns;
#[cfg(feature = "ssr")]
mod shown;
#[cfg(feature = "ssr")]
mod stays;
#[cfg(feature = "ssr")]
pub mod stop_page;
#[cfg(feature = "ssr")]
mod words;
