//! What libssh makes of ssh's configuration for the account that the console runs as, and libvirt can't keep it from.
//!
//! libssh reads `~/.ssh/config` and `/etc/ssh/ssh_config` whenever it connects. Most of it is what an administrator would expect, such as
//! ciphers; a ProxyCommand is not run, as libvirt connects by itself. `UserKnownHostsFile` puts another file in the place of the console's
//! own, so that keys have to be confirmed, or count as known, there. But where `StrictHostKeyChecking no` is said, libssh takes any key of
//! any host without asking, a changed one too (0.10, tried), and the next thing sent would be a password.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// How deep files may name others; libssh's own limit.
const DEPTH: usize = 16;

/// What glob(3), which libssh uses, does not take literally.
const WILDCARDS: [char; 3] = ['*', '?', '['];

/// The file that turns the check of this host's key off, if one does.
pub(crate) fn careless(host: &str) -> Option<PathBuf> {
    let own = env::home_dir().map(|home| home.join(".ssh/config"));
    let mut reader = Reader { host: host.to_ascii_lowercase(), is_renamed: false };
    own.into_iter().chain([PathBuf::from("/etc/ssh/ssh_config")]).find_map(|file| reader.careless_below(&file, DEPTH))
}

/// Reads for one host, and rather refuses one too many than one too few: Debian 13 has sections with the check off that are for no
/// address (systemd's `Host unix/* vsock/*`), but what a `Match` depends on is not looked at.
struct Reader {
    /// In small letters.
    host: String,
    /// Whether a `HostName` was given to it: sections that follow are matched against that.
    is_renamed: bool,
}

impl Reader {
    /// The file itself, or one that it includes.
    fn careless_below(&mut self, file: &Path, depth: usize) -> Option<PathBuf> {
        // A file that can't be read can't be read by libssh either.
        let text = String::from_utf8_lossy(&fs::read(file).ok()?).into_owned();
        let mut is_meant = true;
        for (keyword, value) in text.lines().filter_map(words) {
            match keyword.as_str() {
                "host" => is_meant = self.is_renamed || self.is_among(value),
                "match" => is_meant = true,
                _ if !is_meant => {}
                "hostname" => self.is_renamed = true,
                "stricthostkeychecking" if is_no(value) => return Some(file.to_owned()),
                "include" if depth > 0 => {
                    let mut files = value.split_whitespace().flat_map(|pattern| included(file, pattern));
                    if let Some(found) = files.find_map(|file| self.careless_below(&file, depth - 1)) {
                        return Some(found);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Whether one of the patterns means the host. Those with an exclamation mark, which take hosts out again, are none of them.
    fn is_among(&self, patterns: &str) -> bool {
        let mut patterns = patterns.split(|c: char| c.is_whitespace() || c == ',' || c == '"');
        patterns.any(|pattern| is_like(self.host.as_bytes(), pattern.to_ascii_lowercase().as_bytes()))
    }
}

/// As ssh compares: `*` is any text, `?` any one character.
fn is_like(text: &[u8], pattern: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skipped| is_like(&text[skipped..], rest)),
        ([b'?', rest @ ..], [_, text @ ..]) => is_like(text, rest),
        ([wanted, rest @ ..], [letter, text @ ..]) => wanted == letter && is_like(text, rest),
        _ => false,
    }
}

/// A line's keyword in small letters, and what follows.
fn words(line: &str) -> Option<(String, &str)> {
    let (keyword, value) = line.trim().split_once(|c: char| c.is_whitespace() || c == '=')?;
    Some((keyword.to_ascii_lowercase(), value.trim_matches(|c: char| c.is_whitespace() || c == '=' || c == '"')))
}

/// As libssh reads it, which looks at the first two letters; `off` is OpenSSH's other word for it.
fn is_no(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    value.starts_with("no") || value.starts_with("off")
}

/// The files that a pattern may mean: where a part of its path has wildcards, all that there is in that place.
fn included(by: &Path, pattern: &str) -> Vec<PathBuf> {
    let pattern = pattern.trim_matches('"');
    let directory = by.parent().unwrap_or(Path::new("/"));
    let path = match (pattern.strip_prefix("~/"), env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => directory.join(pattern),
    };
    if !pattern.contains(WILDCARDS) {
        return vec![path];
    }
    let others = path.components().fold(vec![PathBuf::new()], |places, part| {
        if part.as_os_str().to_string_lossy().contains(WILDCARDS) {
            places.iter().flat_map(fs::read_dir).flatten().flatten().map(|entry| entry.path()).collect()
        } else {
            places.iter().map(|place| place.join(part)).collect()
        }
    });
    others.into_iter().filter(|path| path.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switched_off_check_is_found_wherever_it_is_said() {
        let directory = env::temp_dir().join(format!("vmferry-ssh-config-{}", std::process::id()));
        fs::create_dir_all(directory.join("more.d")).unwrap();
        let (config, more) = (directory.join("config"), directory.join("more.d/lab.conf"));
        let found_for = |host: &str, text: &str| {
            fs::write(&config, text).unwrap();
            Reader { host: host.to_owned(), is_renamed: false }.careless_below(&config, DEPTH)
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
        ] {
            assert_eq!(found(include).as_ref(), Some(&more), "{include}");
        }
        assert_eq!(found("Include config"), None, "which includes itself");
        fs::remove_dir_all(directory).unwrap();
    }
}
