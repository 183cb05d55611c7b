//! A VM's terminals: its serial console through a stream of libvirt's, its screen through QEMU's VNC server.

pub(crate) mod screen;
pub(crate) mod serial;
mod stream;
