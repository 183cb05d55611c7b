use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Stdio,
};

use super::*;

const OTHERS: &str = "# mine\nssh-ed25519 AAAAother me@home\n";

/// A home directory of an account with a shell, and with virt-ssh-helper if it has one.
struct Home(PathBuf);

impl Home {
    fn new(test: &str) -> Self {
        let home = Self(std::env::temp_dir().join(format!("vmferry-install-{test}-{}", std::process::id())));
        fs::create_dir_all(home.0.join("bin")).unwrap();
        for program in ["cat", "cp", "grep", "mkdir", "mv", "readlink", "rm", "sh", "tail"] {
            let found = ["/usr/bin", "/bin"].map(|directory| Path::new(directory).join(program));
            symlink(found.iter().find(|path| path.exists()).unwrap(), home.0.join("bin").join(program)).unwrap();
        }
        home
    }

    fn with_helper(test: &str) -> Self {
        let home = Self::new(test);
        symlink("/bin/true", home.0.join("bin/virt-ssh-helper")).unwrap();
        home
    }

    fn file(&self) -> PathBuf {
        self.0.join(".ssh/authorized_keys")
    }

    fn keys(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn write(&self, keys: &str) {
        fs::create_dir_all(self.0.join(".ssh")).unwrap();
        fs::write(self.file(), keys).unwrap();
    }

    /// What sshd does with the command: gives it to the account's shell.
    fn run(&self, task: Task, key: &PublicKey) -> i32 {
        let mut shell = std::process::Command::new("/bin/sh")
            .args(["-c", &command(task)])
            .env_clear()
            .env("HOME", &self.0)
            .env("PATH", self.0.join("bin"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut shell.stdin.take().unwrap(), input(key).as_bytes()).unwrap();
        shell.wait().unwrap().code().unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn key() -> PublicKey {
    PublicKey::of("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFNYQxGo4KRRGXrYP8+6G1bRNV1ep9QVL2VU5Hw+Ou9m vmferry")
}

#[test]
fn the_script_is_one_word_to_any_shell() {
    assert!(!SCRIPT.contains('\''));
}

#[test]
fn one_line_is_added_and_removed_and_nothing_else_changes() {
    let home = Home::with_helper("comes");
    home.write(OTHERS);
    fs::set_permissions(home.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let with = format!("{OTHERS}{}\n", line(&key()));
    for _ in 0..2 {
        assert_eq!(home.run(Task::Add, &key()), 0);
        assert_eq!(home.keys(), with);
    }
    assert_eq!(fs::metadata(home.file()).unwrap().permissions().mode() & 0o777, 0o640);
    for _ in 0..2 {
        assert_eq!(home.run(Task::Remove, &key()), 0);
        assert_eq!(home.keys(), OTHERS);
    }
    assert_eq!(fs::read_dir(home.0.join(".ssh")).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn the_first_key_of_an_account_is_in_a_file_for_its_owner_only() {
    let home = Home::with_helper("first");
    assert_eq!(home.run(Task::Add, &key()), 0);
    assert_eq!(home.keys(), format!("{}\n", line(&key())));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&home.0.join(".ssh")), mode(&home.file())), (0o700, 0o600));
    assert_eq!(home.run(Task::Remove, &key()), 0);
    assert_eq!(home.keys(), "");
}

#[test]
fn a_last_line_without_an_end_and_a_link_are_kept() {
    let home = Home::with_helper("link");
    fs::create_dir_all(home.0.join(".ssh")).unwrap();
    fs::write(home.0.join("elsewhere"), OTHERS.trim_end()).unwrap();
    symlink("../elsewhere", home.file()).unwrap();
    assert_eq!(home.run(Task::Add, &key()), 0);
    assert_eq!(home.keys(), format!("{OTHERS}{}\n", line(&key())));
    assert!(home.file().is_symlink());
    assert_eq!(home.run(Task::Remove, &key()), 0);
    assert_eq!(fs::read_to_string(home.0.join("elsewhere")).unwrap(), OTHERS);
}

#[test]
fn the_key_in_a_line_that_vmferry_did_not_write_is_reported() {
    let home = Home::with_helper("other-line");
    let other = format!("{}\n", key().as_str());
    home.write(&other);
    for task in [Task::Add, Task::Remove] {
        assert_eq!(home.run(task, &key()), exit::OTHER_LINE as i32);
        assert_eq!(home.keys(), other);
    }
}

#[test]
fn without_the_helper_nothing_is_written_and_without_a_file_nothing_removed() {
    let home = Home::new("nothing");
    assert_eq!(home.run(Task::Add, &key()), exit::NO_HELPER as i32);
    assert_eq!(home.run(Task::Remove, &key()), 0);
    assert!(!home.0.join(".ssh").exists());
}
