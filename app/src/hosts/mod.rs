//! Hosts: the list, what a host's page says of it, and the pages that add a host, change it, test it and log in there. The server renders them.

#[cfg(feature = "ssr")]
mod card;
#[cfg(feature = "ssr")]
pub mod edit_page;
#[cfg(feature = "ssr")]
pub mod host_form;
#[cfg(feature = "ssr")]
pub mod host_key;
#[cfg(feature = "ssr")]
pub mod key_page;
#[cfg(feature = "ssr")]
pub mod login_page;
pub mod page;
#[cfg(feature = "ssr")]
pub mod remove_page;
pub mod server_fns;
#[cfg(feature = "ssr")]
pub mod settings;
#[cfg(feature = "ssr")]
mod table;
#[cfg(feature = "ssr")]
pub mod test_page;
