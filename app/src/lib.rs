//! What people see. Built twice: rendered on the server (feature `ssr`) and hydrated in the browser (feature `hydrate`).

mod api;
mod app;
mod components;
mod list;
mod live;
mod outlook;
mod pages;
#[cfg(feature = "ssr")]
pub mod plain;
mod stream;

#[cfg(feature = "ssr")]
pub use api::StatusOf;
pub use app::App;
#[cfg(feature = "ssr")]
pub use app::{Assets, shell};
