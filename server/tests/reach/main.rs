//! Any host can be reached, and nothing of it is left lying about: hosts with a real sshd each, logins of all kinds, where passwords
//! are not found, what crosses the network, and what becomes of a VM when the console dies. On real libvirt and QEMU; judges are virsh,
//! sshd's log, ssh-keygen and tcpdump.

#[path = "../lab/mod.rs"]
mod lab;
#[path = "../support/mod.rs"]
mod support;

mod deaths;
mod encryption;
mod guest;
mod logins;
mod obstacles;
mod remains;
mod secrets;
mod site;
