//! What pages of all subjects share.

pub mod dialog;
#[cfg(feature = "ssr")]
pub mod document;
pub mod fact;
#[cfg(feature = "ssr")]
pub mod fields;
pub mod form;
pub mod form_page;
pub mod fragment;
pub mod frame;
pub mod icon;
pub mod loaded;
#[cfg(feature = "ssr")]
pub mod markup;
pub mod not_found;
pub mod problem;
pub mod question_form;
pub mod search_box;
pub mod server_form;
#[cfg(feature = "ssr")]
pub mod table;
pub mod time;
pub mod title;
pub mod wrong_field;
