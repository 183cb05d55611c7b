//! Finding out whether the ssh configuration of the account that the console runs as turns host key checking off. libssh reads that
//! configuration, and libvirt can't stop it.
//!
//! libssh reads `~/.ssh/config` and `/etc/ssh/ssh_config` whenever it connects. `~` is the home directory that the system's user
//! database has for the account (`ssh_get_user_home_dir` asks getpwuid), whatever `$HOME` says. Most of their settings have the effect
//! that an admin expects, such as ciphers; a ProxyCommand is not run, because libvirt connects by itself.
//! `UserKnownHostsFile` replaces the console's own file, so that keys have to be confirmed, or count as known, there.
//! But with `StrictHostKeyChecking no`, libssh accepts any key of any host without asking, a changed one too (0.10,
//! tried), and sends the password next.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use nix::unistd::{Uid, User};

/// How deep `Include` may nest: libssh's own limit.
const DEPTH: usize = 16;

/// The wildcards of glob(3), which libssh uses.
const WILDCARDS: [char; 3] = ['*', '?', '['];

/// The configuration for all accounts: libssh's own choice, and what Fedora builds it with (`GLOBAL_CLIENT_CONFIG`).
const FOR_ALL: [&str; 2] = ["/etc/ssh/ssh_config", "/etc/libssh/libssh_client.config"];

/// The file that turns host key checking off for this host, if one does.
pub(crate) fn file_without_host_key_check(host: &str) -> Option<PathBuf> {
    find_without_check(host, &homes(), &FOR_ALL.map(PathBuf::from))
}

/// The same, for an account whose home directory may be one of `homes`.
fn find_without_check(host: &str, homes: &[PathBuf], for_all: &[PathBuf]) -> Option<PathBuf> {
    // libssh reads the configuration of one home directory, so that what one sets does not count for the next.
    let files = |home: &PathBuf| [home.join(".ssh/config")].into_iter().chain(for_all.iter().cloned());
    homes.iter().find_map(|home| {
        let mut reader = Reader { host: host.to_ascii_lowercase(), home: home.clone(), is_renamed: false };
        files(home).find_map(|file| reader.find_without_check(&file, DEPTH))
    })
}

/// The home directories that libssh may mean by `~`: the one in the system's user database, and `$HOME`, which it falls back to where
/// the database does not know the account. Both are looked at: the database may fail to answer now and answer libssh.
fn homes() -> Vec<PathBuf> {
    let recorded = User::from_uid(Uid::current()).ok().flatten().map(|user| user.dir);
    let mut homes: Vec<PathBuf> = recorded.into_iter().chain(env::home_dir()).collect();
    homes.dedup();
    if homes.is_empty() {
        // An account without any home has the configuration for all accounts.
        homes.push(PathBuf::from("/nonexistent"));
    }
    homes
}

/// Reads the configuration for one host. In doubt it takes a section to apply: the conditions of `Match` are not evaluated.
/// Sections for other hosts are skipped, because Debian 13 has some with the check off (systemd's `Host unix/* vsock/*`).
struct Reader {
    /// In lower case.
    host: String,
    /// What `~` is.
    home: PathBuf,
    /// Whether a `HostName` was set for it: the sections that follow are matched against that name, which is not tracked.
    is_renamed: bool,
}

impl Reader {
    /// This file, or one that it includes, if it turns the check off.
    fn find_without_check(&mut self, file: &Path, depth: usize) -> Option<PathBuf> {
        // libssh can't read a file either that this process can't read.
        let text = String::from_utf8_lossy(&fs::read(file).ok()?).into_owned();
        let mut applies = true;
        for (keyword, value) in text.lines().filter_map(words) {
            match keyword.as_str() {
                "host" => applies = self.is_renamed || self.matches_any(value),
                "match" => applies = true,
                _ if !applies => {}
                "hostname" => self.is_renamed = true,
                "stricthostkeychecking" if is_no(value) => return Some(file.to_owned()),
                "include" if depth > 0 => {
                    let files = value.split_whitespace().flat_map(|pattern| included(&self.home, file, pattern));
                    let files: Vec<PathBuf> = files.collect();
                    if let Some(found) = files.iter().find_map(|file| self.find_without_check(file, depth - 1)) {
                        return Some(found);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Whether one of the patterns matches the host. Negated ones (`!`) are ignored.
    fn matches_any(&self, patterns: &str) -> bool {
        let mut patterns = patterns.split(|c: char| c.is_whitespace() || c == ',' || c == '"');
        patterns.any(|pattern| matches_pattern(self.host.as_bytes(), pattern.to_ascii_lowercase().as_bytes()))
    }
}

/// ssh's patterns: `*` matches any text, `?` any one character.
fn matches_pattern(text: &[u8], pattern: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skipped| matches_pattern(&text[skipped..], rest)),
        ([b'?', rest @ ..], [_, text @ ..]) => matches_pattern(text, rest),
        ([wanted, rest @ ..], [letter, text @ ..]) => wanted == letter && matches_pattern(text, rest),
        _ => false,
    }
}

/// A line's keyword in lower case, and what follows.
fn words(line: &str) -> Option<(String, &str)> {
    let (keyword, value) = line.trim().split_once(|c: char| c.is_whitespace() || c == '=')?;
    Some((keyword.to_ascii_lowercase(), value.trim_matches(|c: char| c.is_whitespace() || c == '=' || c == '"')))
}

/// libssh compares the first two letters; `off` is OpenSSH's other word for it.
fn is_no(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    value.starts_with("no") || value.starts_with("off")
}

/// The files that a pattern may match: for a part of its path with wildcards, all entries of the directory.
fn included(home: &Path, by: &Path, pattern: &str) -> Vec<PathBuf> {
    let pattern = pattern.trim_matches('"');
    let directory = by.parent().unwrap_or(Path::new("/"));
    let path = pattern.strip_prefix("~/").map_or_else(|| directory.join(pattern), |rest| home.join(rest));
    if !pattern.contains(WILDCARDS) {
        return vec![path];
    }
    let matches = path.components().fold(vec![PathBuf::new()], |places, part| {
        if part.as_os_str().to_string_lossy().contains(WILDCARDS) {
            places.iter().flat_map(fs::read_dir).flatten().flatten().map(|entry| entry.path()).collect()
        } else {
            places.iter().map(|place| place.join(part)).collect()
        }
    });
    matches.into_iter().filter(|path| path.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_switched_off_host_key_check_is_found_in_every_place() {
        let directory = env::temp_dir().join(format!("vmferry-ssh-config-{}", std::process::id()));
        fs::create_dir_all(directory.join("more.d")).unwrap();
        let (config, more) = (directory.join("config"), directory.join("more.d/lab.conf"));
        let found_for = |host: &str, text: &str| {
            fs::write(&config, text).unwrap();
            Reader { host: host.to_owned(), home: directory.clone(), is_renamed: false }
                .find_without_check(&config, DEPTH)
        };
        let found = |text: &str| found_for("lab7.example", text);
        for no in [
            "StrictHostKeyChecking no",
            "Host lab*\n\tstricthostkeychecking=NO",
            "StrictHostKeyChecking \"off\"",
            "Host other LAB?.EXAMPLE\nStrictHostKeyChecking no",
            "Host * !lab7.example\nStrictHostKeyChecking no",
            "Host x,*.example\nStrictHostKeyChecking no",
            "Host other\nMatch host other\nStrictHostKeyChecking no",
            "HostName other\nHost other\nStrictHostKeyChecking no",
        ] {
            assert_eq!(found(no).as_ref(), Some(&config), "{no}");
        }
        for (host, elsewhere) in [
            (
                "192.0.2.7",
                "Host .host machine/.host\nStrictHostKeyChecking no\nHost unix/* vsock/*\nStrictHostKeyChecking no",
            ),
            ("192.0.2.7", "Host 192.0.2.70 192.0.2.? !192.0.2.7 lab\nUser x\nHost lab\nStrictHostKeyChecking no"),
            ("lab70", "Host lab7\nHostName other\nHost other lab?\nStrictHostKeyChecking no"),
        ] {
            assert_eq!(found_for(host, elsewhere), None, "{elsewhere}");
        }
        for harmless in
            ["", "Host *", "# StrictHostKeyChecking no", "StrictHostKeyChecking yes", "StrictHostKeyChecking ask"]
        {
            assert_eq!(found(harmless), None, "{harmless}");
        }
        fs::write(&more, "StrictHostKeyChecking no").unwrap();
        for include in [
            "Include more.d/*.conf",
            "include \"more.d/lab.conf\"",
            &format!("Include x {}", more.display()),
            "Include */lab.conf",
            "Include m?re.d/*",
            &format!("Include {}/*/[lm]ab.conf", directory.display()),
            "Include ~/more.d/lab.conf",
        ] {
            assert_eq!(found(include).as_ref(), Some(&more), "{include}");
        }
        assert_eq!(found("Include config"), None, "it includes itself");
        fs::remove_dir_all(directory).unwrap();
    }

    /// Tells [`the_recorded_home_is_looked_at_whatever_the_environment_says`] which home directories a process looks at.
    #[test]
    fn print_homes() {
        for home in homes() {
            println!("home: {}", home.display());
        }
    }

    #[test]
    fn the_recorded_home_is_looked_at_whatever_the_environment_says() {
        let output = |command: &mut Command| String::from_utf8(command.output().unwrap().stdout).unwrap();
        let passwd = output(Command::new("getent").args(["passwd", &Uid::current().to_string()]));
        let Some(recorded) = passwd.trim().split(':').nth(5) else {
            return eprintln!("skipped: this account is not in the system's user database");
        };
        let print = ["--exact", "connection::ssh_config::tests::print_homes", "--nocapture"];
        let printed = output(Command::new(env::current_exe().unwrap()).args(print).env("HOME", "/another/home"));
        let homes: Vec<_> =
            printed.lines().filter_map(|line| line.split_once("home: ")).map(|(_, home)| home).collect();
        assert_eq!(homes, [recorded, "/another/home"], "{printed}");
    }

    #[test]
    fn every_home_is_read_and_settings_of_one_do_not_count_in_the_next() {
        let directory = env::temp_dir().join(format!("vmferry-ssh-homes-{}", std::process::id()));
        let homes = ["recorded", "environment"].map(|home| directory.join(home));
        let configs = homes.each_ref().map(|home| home.join(".ssh/config"));
        for (off, other) in [(0, 1), (1, 0)] {
            for home in &homes {
                fs::create_dir_all(home.join(".ssh")).unwrap();
            }
            fs::write(&configs[other], "HostName lab7").unwrap();
            fs::write(&configs[off], "Host lab7\nStrictHostKeyChecking no").unwrap();
            assert_eq!(find_without_check("lab7", &homes, &[]).as_ref(), Some(&configs[off]));
            assert_eq!(find_without_check("lab8", &homes, &[]), None);
        }
        fs::write(directory.join("all"), "StrictHostKeyChecking no").unwrap();
        assert_eq!(find_without_check("lab8", &homes, &[directory.join("all")]), Some(directory.join("all")));
        fs::remove_dir_all(directory).unwrap();
    }
}
