//! Adds the console's own key to a host and removes it again, over an ssh session of the console's own: libvirt's connections reach
//! libvirt only.

use engine::{Networks, Ssh};

use crate::{CommandFailure, KnownHosts, PublicKey, SshError, session::Session};

/// The script that the host runs: nothing that a user typed is in it. `$0` is the task; the key comes on standard input.
const SCRIPT: &str = include_str!("install.sh");

/// The script's exit codes for failures.
mod exit {
    pub(super) const NO_HELPER: u32 = 71;
    pub(super) const NOT_WRITTEN: u32 = 72;
    pub(super) const OTHER_LINE: u32 = 73;
}

#[derive(Clone, Copy)]
enum Task {
    Add,
    Remove,
}

/// Lets the console's key log in at a host from now on, to reach libvirt only. Repeating it changes nothing. There is one login
/// attempt, with the password.
///
/// # Errors
/// If the host does not answer, shows another key than expected or refuses the password; [`SshError::Command`] if its libvirt has
/// no virt-ssh-helper, or if its file of authorized keys can't be changed.
pub async fn install_key(ssh: &Ssh, networks: &Networks, known: &KnownHosts, key: &PublicKey) -> Result<(), SshError> {
    run(ssh, networks, known, key, Task::Add).await
}

/// Removes the console's key from a host, and nothing else. It need not be there.
///
/// # Errors
/// As [`install_key`]; [`CommandFailure::OtherLine`] if the key is also in a line that vmferry did not write.
pub async fn remove_key(ssh: &Ssh, networks: &Networks, known: &KnownHosts, key: &PublicKey) -> Result<(), SshError> {
    run(ssh, networks, known, key, Task::Remove).await
}

async fn run(ssh: &Ssh, networks: &Networks, known: &KnownHosts, key: &PublicKey, task: Task) -> Result<(), SshError> {
    let session = Session::log_in(ssh, networks, known).await?;
    let outcome = session.run(&command(task), input(key).as_bytes()).await?;
    match outcome.exit {
        Some(0) => Ok(()),
        exit => Err(SshError::Command {
            address: ssh.address.clone(),
            user: ssh.user.clone(),
            reason: failure(exit),
            output: outcome.output,
        }),
    }
}

/// The line in authorized_keys. `restrict` disables terminals and forwarding; sshd runs this command regardless of what libvirt
/// asks for, which is the same program with a search for it (`virNetClientNewLibSSH`).
fn line(key: &PublicKey) -> String {
    format!("restrict,command=\"virt-ssh-helper qemu:///system\" {}", key.as_str())
}

fn input(key: &PublicKey) -> String {
    format!("{}\n{}\n", line(key), key.base64())
}

/// The script has no single quotes, which are around it, so that it is one word to the account's shell: to all but csh and tcsh,
/// where a quoted word ends with the line.
fn command(task: Task) -> String {
    let task = match task {
        Task::Add => "add",
        Task::Remove => "remove",
    };
    format!("exec sh -c '{SCRIPT}' {task}")
}

fn failure(exit: Option<u32>) -> CommandFailure {
    match exit {
        Some(exit::NO_HELPER) => CommandFailure::NoHelper,
        Some(exit::NOT_WRITTEN) => CommandFailure::NotWritten,
        Some(exit::OTHER_LINE) => CommandFailure::OtherLine,
        _ => CommandFailure::NoShell,
    }
}

#[cfg(test)]
mod tests;
