//! The pages, one file each.

pub mod account;
pub mod hosts;
pub mod login;
pub mod migrate;
pub mod migration;
pub mod migrations;
pub mod not_found;
pub mod question;
pub mod vms;
