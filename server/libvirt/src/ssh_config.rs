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

/// The file that turns the check of host keys off, if one does. For which hosts is not looked at: rather too many are refused than one too
/// few.
pub(crate) fn careless() -> Option<PathBuf> {
    let own = env::home_dir().map(|home| home.join(".ssh/config"));
    own.into_iter().chain([PathBuf::from("/etc/ssh/ssh_config")]).find_map(|file| careless_below(&file, DEPTH))
}

/// The file itself, or one that it includes.
fn careless_below(file: &Path, depth: usize) -> Option<PathBuf> {
    // A file that can't be read can't be read by libssh either.
    let text = String::from_utf8_lossy(&fs::read(file).ok()?).into_owned();
    text.lines().filter_map(words).find_map(|(keyword, value)| match keyword.as_str() {
        "stricthostkeychecking" if is_no(value) => Some(file.to_owned()),
        "include" if depth > 0 => {
            let files = value.split_whitespace().flat_map(|pattern| included(file, pattern));
            files.into_iter().find_map(|file| careless_below(&file, depth - 1))
        }
        _ => None,
    })
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
        let found = |text: &str| {
            fs::write(&config, text).unwrap();
            careless_below(&config, DEPTH)
        };
        for no in ["StrictHostKeyChecking no", "Host lab*\n\tstricthostkeychecking=NO", "StrictHostKeyChecking \"off\""]
        {
            assert_eq!(found(no).as_ref(), Some(&config), "{no}");
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
