//! Parts of pages. Each ends in `into_any()`: else a page's type would hold the types of all views in it, and the compiler
//! gives up on types so deep.

pub mod banners;

pub mod cancel_form;
pub mod frame;
pub mod icon;
pub mod migrate_form;
pub mod modal;
pub mod problem;
pub mod progress;
pub mod time;
pub mod vm_action_form;
pub mod vm_table;
