//! Something that is to be done to several VMs: what is chosen in the list, and the pages on which it is looked at and done.

pub mod bar;
#[cfg(feature = "ssr")]
pub mod form;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
mod parts;
#[cfg(feature = "ssr")]
mod words;
