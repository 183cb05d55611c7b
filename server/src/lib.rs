//! The console: its doors for people and programs, who may come in, and what is kept. The binary `vmferry` is a thin layer on it.

pub mod auth;
pub mod commands;
pub mod config;
pub mod console;
pub mod hooks;
mod host_name;
pub mod http;
mod network;
pub mod pki;
pub mod server;
#[cfg(test)]
mod test_directory;
