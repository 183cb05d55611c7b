//! Storage pools and their volumes: finding, making and deleting volumes, and transferring their contents.

pub(crate) mod contents;
pub(crate) mod own_pools;
pub(crate) mod pool_source;
mod space;
mod streams;
pub(crate) mod users;
pub(crate) mod volumes;
