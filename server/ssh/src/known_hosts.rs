//! The file of known hosts, in OpenSSH's form. libssh adds confirmed keys to it; this module reads it and removes keys.
//!
//! The file is the console's own, so its lines are what libssh writes: a name, a kind of key, and the key. libssh also honours
//! OpenSSH's other forms (hashed names, wildcards, markers), but this module neither shows nor removes them.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::{KnownHostsError, fingerprint};
use base64::{Engine, prelude::BASE64_STANDARD};
use engine::{Address, Fingerprint, Ssh};

/// Held while keys are removed: of two callers at once, the later would write back what the other has removed.
static CHANGES: Mutex<()> = Mutex::new(());

/// The file of known hosts.
#[derive(Clone, Debug)]
pub struct KnownHosts {
    file: PathBuf,
}

impl KnownHosts {
    /// The known hosts in this file, which need not exist.
    pub fn at(file: PathBuf) -> Self {
        Self { file }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Makes the file if there is none, readable for its owner only: libssh would make one that all users can read.
    ///
    /// # Errors
    /// If it can't be made.
    pub fn make(&self) -> Result<(), KnownHostsError> {
        let made = File::options().append(true).create(true).mode(0o600).open(&self.file);
        made.map(drop).map_err(|error| self.failed("made", error))
    }

    /// The known keys of a host, as fingerprints.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn of(&self, address: &Address, port: u16) -> Result<Vec<Fingerprint>, KnownHostsError> {
        let name = name(address, port);
        let text = self.text()?;
        let entries = text.lines().filter_map(Entry::read).filter(|entry| entry.names().any(|known| known == name));
        Ok(entries.filter_map(|entry| entry.fingerprint()).collect())
    }

    /// All known hosts, as the file has them (`192.0.2.7`, `[192.0.2.7]:2222`), and their keys as fingerprints.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn all(&self) -> Result<Vec<(String, Fingerprint)>, KnownHostsError> {
        let text = self.text()?;
        let keys = text.lines().filter_map(Entry::read).filter_map(|entry| Some((entry.names, entry.fingerprint()?)));
        Ok(keys.map(|(names, key)| (names.to_owned(), key)).collect())
    }

    /// Removes the keys of a host.
    ///
    /// # Errors
    /// If the file can't be read or written.
    pub fn forget(&self, address: &Address, port: u16) -> Result<(), KnownHostsError> {
        let name = name(address, port);
        let _changes = CHANGES.lock().unwrap_or_else(PoisonError::into_inner);
        let text = self.text()?;
        let left: String = text.split_inclusive('\n').filter_map(|line| without(line, &name)).collect();
        if left == text { Ok(()) } else { self.replace(&left).map_err(|error| self.failed("written", error)) }
    }

    fn text(&self) -> Result<String, KnownHostsError> {
        match fs::read_to_string(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            text => text.map_err(|error| self.failed("read", error)),
        }
    }

    /// A reader at any time, also after a power failure, finds all of the old text or all of the new.
    fn replace(&self, text: &str) -> io::Result<()> {
        let new = self.file.with_extension(format!("{}.new", std::process::id()));
        let write = || {
            let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.file)
        };
        write().inspect_err(|_| drop(fs::remove_file(&new)))
    }

    fn failed(&self, action: &'static str, source: io::Error) -> KnownHostsError {
        KnownHostsError { file: self.file.clone(), action, source }
    }
}

/// A line of the file.
struct Entry<'a> {
    names: &'a str,
    key: &'a str,
}

impl<'a> Entry<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let names = words.next().filter(|names| !names.starts_with(['#', '@']))?;
        let key = words.nth(1)?;
        Some(Self { names, key })
    }

    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.names.split(',').filter(|name| !name.is_empty())
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        BASE64_STANDARD.decode(self.key).ok().map(|key| fingerprint::of_key(&key))
    }
}

/// A host's name in the file, as libssh writes it.
fn name(address: &Address, port: u16) -> String {
    if port == Ssh::PORT { address.to_string() } else { format!("[{address}]:{port}") }
}

/// The line without this name; none if that was its only one.
fn without(line: &str, name: &str) -> Option<String> {
    let Some(entry) = Entry::read(line).filter(|entry| entry.names().any(|known| known == name)) else {
        return Some(line.to_owned());
    };
    let others: Vec<_> = entry.names().filter(|known| *known != name).collect();
    (!others.is_empty()).then(|| line.replacen(entry.names, &others.join(","), 1))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;

    use super::*;

    /// A key, and what `ssh-keygen -lf` says of it.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFNYQxGo4KRRGXrYP8+6G1bRNV1ep9QVL2VU5Hw+Ou9m";
    const FINGERPRINT: &str = "SHA256:ZGrlJ9+KUjSNHeRSaKyy6zGjmVNUszPCaS8x0Dzs75c";

    struct Directory(PathBuf);

    impl Directory {
        fn new(test: &str) -> Self {
            let directory = std::env::temp_dir().join(format!("vmferry-known-hosts-{test}-{}", std::process::id()));
            fs::create_dir(&directory).unwrap();
            Self(directory)
        }

        fn with(&self, text: &str) -> KnownHosts {
            let file = self.0.join("known_hosts");
            fs::write(&file, text).unwrap();
            KnownHosts::at(file)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn a_host_is_known_by_its_address_and_port() {
        let directory = Directory::new("of");
        let known = directory
            .with(&format!("# ours\n192.0.2.7 {KEY}\n[beta.example]:2222 {KEY}\n@revoked 192.0.2.8 {KEY}\n::1 junk\n"));
        let of =
            |name, port| known.of(&address(name), port).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = known.all().unwrap().into_iter().map(|(names, key)| format!("{names} {key}")).collect::<Vec<_>>();
        assert_eq!(all, ["192.0.2.7", "[beta.example]:2222"].map(|name| format!("{name} {FINGERPRINT}")));
        assert_eq!(of("192.0.2.7", 22), [FINGERPRINT]);
        assert_eq!(of("beta.example", 2222), [FINGERPRINT]);
        for (name, port) in
            [("192.0.2.7", 2222), ("beta.example", 22), ("192.0.2.8", 22), ("::1", 22), ("192.0.2.70", 22)]
        {
            assert!(of(name, port).is_empty(), "{name} {port}");
        }
    }

    #[test]
    fn a_host_is_forgotten_and_the_others_are_not() {
        let directory = Directory::new("forget");
        let known =
            directory.with(&format!("192.0.2.7,beta.example {KEY}\n192.0.2.7 {KEY}\n[192.0.2.7]:2222 {KEY}\n# end"));
        known.forget(&address("192.0.2.7"), 22).unwrap();
        let left = format!("beta.example {KEY}\n[192.0.2.7]:2222 {KEY}\n# end");
        assert_eq!(fs::read_to_string(known.file()).unwrap(), left);
        assert_eq!(fs::metadata(known.file()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1, "nothing else is left in the directory");
    }

    #[test]
    fn hosts_that_are_forgotten_at_once_are_all_forgotten() {
        let directory = Directory::new("at-once");
        let hosts: Vec<String> = (1..=16).map(|number| format!("192.0.2.{number}")).collect();
        let lines: String = hosts.iter().map(|host| format!("{host} {KEY}\n")).collect();
        let known = directory.with(&format!("{lines}alpha {KEY}\n"));
        std::thread::scope(|scope| {
            for host in &hosts {
                scope.spawn(|| known.forget(&address(host), 22).unwrap());
            }
        });
        assert_eq!(fs::read_to_string(known.file()).unwrap(), format!("alpha {KEY}\n"));
    }

    #[test]
    fn the_file_is_readable_for_its_owner_only_and_made_once() {
        let directory = Directory::new("make");
        let known = KnownHosts::at(directory.0.join("known_hosts"));
        known.make().unwrap();
        assert_eq!(fs::metadata(known.file()).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(known.file(), KEY).unwrap();
        known.make().unwrap();
        assert_eq!(fs::read_to_string(known.file()).unwrap(), KEY);
    }

    #[test]
    fn without_a_file_no_host_is_known() {
        let directory = Directory::new("none");
        let known = KnownHosts::at(directory.0.join("known_hosts"));
        assert_eq!(known.of(&address("::1"), 22).unwrap(), []);
        known.forget(&address("::1"), 22).unwrap();
        assert!(!known.file().exists());
    }

    #[test]
    fn a_file_that_can_t_be_read_is_an_error() {
        let directory = Directory::new("unreadable");
        let known = KnownHosts::at(directory.0.clone());
        assert_eq!(known.of(&address("::1"), 22).unwrap_err().action, "read");
    }

    proptest! {
        #[test]
        fn forgetting_takes_one_name_and_nothing_else(
            lines in prop::collection::vec("(#|# |@revoked )?((alpha|beta|\\[beta\\]:7|\\*)(,|, | |  )?){1,3} (x y z|x|)", 0..6),
        ) {
            let text = lines.join("\n");
            let left: Vec<_> = text.split_inclusive('\n').filter_map(|line| without(line, "beta")).collect();
            let names = |line: &str| Entry::read(line).map(|entry| entry.names().map(str::to_owned).collect::<Vec<_>>());
            let all = |lines: &[&str]| lines.iter().filter_map(|line| names(line)).flatten().filter(|name| name != "beta").collect::<Vec<_>>();
            let before: Vec<_> = text.split_inclusive('\n').collect();
            let after: Vec<_> = left.iter().map(String::as_str).collect();
            prop_assert!(after.iter().filter_map(|line| names(line)).flatten().all(|name| name != "beta"));
            prop_assert_eq!(all(&before), all(&after));
        }
    }
}
