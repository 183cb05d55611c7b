//! Puts the console's own key on a host and takes it away again, over a connection of our own: libvirt's can only talk to libvirt.

use engine::Ssh;
use model::{Code, Problem};

use crate::{KnownHosts, PublicKey, session::Session};

/// What the host is told to run: never anything that somebody typed. `$0` says what to do, the rest comes on standard input.
const SCRIPT: &str = include_str!("install.sh");

/// What the script ends with where it could not do it.
mod exit {
    pub(super) const NO_HELPER: u32 = 71;
    pub(super) const NOT_WRITTEN: u32 = 72;
    pub(super) const ANOTHER_LINE: u32 = 73;
}

#[derive(Clone, Copy)]
enum Task {
    Add,
    Remove,
}

/// Lets the console's key log in at a host from now on, to do nothing but talk to libvirt. Again changes nothing. There is one attempt
/// to log in, with the password.
///
/// # Errors
/// `host-unreachable`, `host-key-unknown`, `host-key-changed`, `needs-login` without a password, `login-refused`; `not-supported` if the
/// host's libvirt is too old to be talked to that way; `not-permitted` if its file of authorized keys can't be changed.
pub async fn install_key(ssh: &Ssh, known: &KnownHosts, key: &PublicKey) -> Result<(), Problem> {
    run(ssh, known, key, Task::Add).await
}

/// Takes the console's key away from a host, and nothing else. Where it is not, that is fine.
///
/// # Errors
/// As [`install_key`]; `not-permitted` also if somebody put the key there in another way, too.
pub async fn remove_key(ssh: &Ssh, known: &KnownHosts, key: &PublicKey) -> Result<(), Problem> {
    run(ssh, known, key, Task::Remove).await
}

async fn run(ssh: &Ssh, known: &KnownHosts, key: &PublicKey, task: Task) -> Result<(), Problem> {
    let session = Session::log_in(ssh, known).await?;
    let outcome = session.run(&command(task), input(key).as_bytes()).await?;
    match outcome.exit {
        Some(0) => Ok(()),
        exit => Err(refusal(ssh, exit).with_details(outcome.words)),
    }
}

/// The line in authorized_keys. `restrict` takes everything away (terminals, forwarding); the command is run whatever libvirt asks for,
/// which is this same one with a search for it around (`virNetClientNewLibSSH`).
fn line(key: &PublicKey) -> String {
    format!("restrict,command=\"virt-ssh-helper qemu:///system\" {}", key.as_str())
}

fn input(key: &PublicKey) -> String {
    format!("{}\n{}\n", line(key), key.base64())
}

/// The script has no quotes of the kind that stand around it, so that it is one word to the account's shell: all but csh and tcsh, which
/// end a word in quotes at the end of the line.
fn command(task: Task) -> String {
    let task = match task {
        Task::Add => "add",
        Task::Remove => "remove",
    };
    format!("exec sh -c '{SCRIPT}' {task}")
}

fn refusal(ssh: &Ssh, exit: Option<u32>) -> Problem {
    let (address, user) = (&ssh.address, ssh.user.as_str());
    match exit {
        Some(exit::NO_HELPER) => Problem::new(
            Code::NotSupported,
            format!("{address} has no virt-ssh-helper, the one program that vmferry's key may run there."),
        )
        .with_fix("Install libvirt 6.8 or newer there, or log in with a password."),
        Some(exit::NOT_WRITTEN) => Problem::new(
            Code::NotPermitted,
            format!("The file of authorized keys of {user} on {address} can't be changed."),
        )
        .with_fix(format!(
            "Look at the owner and the permissions of ~{user}/.ssh/authorized_keys there, and at the space left."
        )),
        Some(exit::ANOTHER_LINE) => Problem::new(
            Code::NotPermitted,
            format!(
                "vmferry's key is in the authorized keys of {user} on {address} in a line that vmferry did not write."
            ),
        )
        .with_fix(format!(
            "Look for the lines that end in vmferry in ~{user}/.ssh/authorized_keys there, and remove them by hand."
        )),
        _ => Problem::new(
            Code::NotPermitted,
            format!("{user} may not run a shell on {address}, or it is none that vmferry can use (csh)."),
        )
        .with_fix("Log in as another account, or with a password."),
    }
}

#[cfg(test)]
mod tests;
