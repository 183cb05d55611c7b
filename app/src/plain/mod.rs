//! Pages that are rendered on the server only, as whole documents: forms that few need, and that cost the WASM of a first visit
//! nothing. A door of the server reads the form, calls the port, and answers with one of these.

mod document;
mod elsewhere;
mod fields;
mod host_form;
mod host_key;
mod host_pages;

pub use document::{Document, failed};
pub use elsewhere::{ElsewhereForm, elsewhere};
pub use fields::read;
pub use host_form::{HostForm, add_host, edit_host};
pub use host_pages::{KeyForm, LoginForm, host_key_login, log_in_at_host, remove_host, test_host};
