//! What people see. Built twice: rendered on the server (feature `ssr`) and hydrated in the browser (feature `hydrate`).

#[cfg(feature = "ssr")]
pub mod console;
