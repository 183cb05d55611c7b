//! Parts of pages.

pub mod banners;
pub mod bar;
pub mod cancel_form;
pub mod frame;
pub mod icon;
pub mod migrate_form;
pub mod modal;
pub mod problem;
pub mod time;
pub mod vm_action_form;
pub mod vm_table;
