//! Any host can be reached, and no secret is left behind: hosts with a real sshd each, all kinds of logins, a search for passwords in
//! files and memory, what crosses the network, and what becomes of a VM when the console dies. On real libvirt and QEMU; the judges are
//! virsh, sshd's log, ssh-keygen and tcpdump.

#[path = "../lab/mod.rs"]
mod lab;
#[path = "../support/mod.rs"]
mod support;

mod deaths;
mod encryption;
mod guest;
mod logins;
mod obstacles;
mod secrets;
mod site;
mod traces;
