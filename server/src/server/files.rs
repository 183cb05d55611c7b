//! How many files the process may have open. Each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as are ever needed. Programs that vmferry starts get the same, and some go through all of them one by one.
const ENOUGH: u64 = 65_536;

/// Raises the limit to what the system allows: 1,024, systemd's default, is for programs that still use `select`.
pub fn allow_many_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH));
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
        Ok(()) => tracing::debug!(files = wanted, "the limit of open files was raised"),
        Err(error) => tracing::warn!(%error, "the limit of open files can't be raised"),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, process::Command};

    use super::*;

    /// The limit is one of the whole process, which other tests need.
    #[test]
    fn the_limit_is_raised_to_what_is_allowed() {
        let test = ["--exact", "server::files::tests::the_limit_of_this_process_is_raised", "--ignored"];
        let output = Command::new(env::current_exe().unwrap()).args(test).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    #[ignore = "it lowers the limit of its process: the test above gives it one of its own"]
    fn the_limit_of_this_process_is_raised() {
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: before.maximum.map(|maximum| maximum.min(512)), ..before })
            .unwrap();
        allow_many_files();
        let after = getrlimit(Resource::Nofile);
        assert_eq!(after.maximum, before.maximum);
        assert_eq!(after.current, Some(after.maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH))));
    }
}
