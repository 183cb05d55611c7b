//! libvirt's C structures that the `virt` crate lacks or leaks.

pub(crate) mod guest_info;
pub(crate) mod job_statistics;
pub(crate) mod stats;
pub(crate) mod typed_params;
