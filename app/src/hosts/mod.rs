//! Hosts: the list, and the pages that add one, change it, test it and log in there. All but the list are rendered on the server only.

#[cfg(feature = "ssr")]
pub mod host_form;
#[cfg(feature = "ssr")]
pub mod host_key;
pub mod page;
#[cfg(feature = "ssr")]
pub mod registered;
