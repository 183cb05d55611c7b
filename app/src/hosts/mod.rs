//! Hosts: the list, and the pages that add a host, change it, test it and log in there. All but the list and a host's page are rendered on the
//! server only: they need no scripts.

pub mod card;
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
#[cfg(feature = "ssr")]
pub mod test_page;
