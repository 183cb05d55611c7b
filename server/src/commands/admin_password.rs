//! The first administrator's password, where the environment names it.
//!
//! The environment of a process can be read for as long as it runs, in `/proc/<pid>/environ` and in a core dump, and all programs that it
//! starts get a copy. So vmferry starts itself anew without the variable, in the same process, and hands the password on through a pipe,
//! from which it is read at once.

use std::{
    env,
    fs::File,
    io::{self, Read, Write, pipe},
    os::{fd::AsRawFd, unix::process::CommandExt},
    process::Command,
};

use model::Secret;
use rustix::io::{FdFlags, fcntl_setfd};

/// Names the password. It is not in any help text, log or child's environment.
pub(super) const VARIABLE: &str = "VMFERRY_ADMIN_PASSWORD";
/// The number of the pipe that it comes through.
const PIPE: &str = "VMFERRY_ADMIN_PASSWORD_PIPE";
/// What a pipe takes without a reader, in bytes (`PIPE_BUF`); more is no password.
const LONGEST: usize = 4_096;

/// The password that the environment names, if it does. Has to be called before anything else: the process may begin anew.
pub fn take() -> Option<Secret> {
    let password = env::var(VARIABLE).ok().filter(|password| !password.is_empty() && password.len() <= LONGEST);
    let Some(password) = password else { return from_pipe() };
    let Err(error) = begin_anew(&password);
    eprintln!("warning: {VARIABLE} stays in the environment, where root and this account can read it: {error}");
    Some(Secret::new(password))
}

/// Runs this program in place of itself, without the password in its environment. Returns only if that fails.
fn begin_anew(password: &str) -> io::Result<std::convert::Infallible> {
    let (reader, mut writer) = pipe()?;
    writer.write_all(password.as_bytes())?;
    fcntl_setfd(&reader, FdFlags::empty())?;
    let mut arguments = env::args_os();
    let mut again = Command::new(env::current_exe()?);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    Err(again.args(arguments).env_remove(VARIABLE).env(PIPE, reader.as_raw_fd().to_string()).exec())
}

fn from_pipe() -> Option<Secret> {
    let number: u32 = env::var(PIPE).ok()?.parse().ok()?;
    let mut password = String::new();
    File::open(format!("/proc/self/fd/{number}")).and_then(|mut pipe| pipe.read_to_string(&mut password)).ok()?;
    (!password.is_empty()).then(|| Secret::new(password))
}
