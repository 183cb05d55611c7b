//! The account of the user who is logged in: the login page, the password and the sessions.

#[cfg(feature = "ssr")]
pub mod login_page;
#[cfg(feature = "ssr")]
pub mod page;
pub mod server_fns;
