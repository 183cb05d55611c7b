//! Storage pools and their volumes: looking at them, making and deleting them, moving what is in them.

pub(crate) mod contents;
pub(crate) mod pool_source;
mod space;
mod streams;
pub(crate) mod users;
pub(crate) mod volumes;
