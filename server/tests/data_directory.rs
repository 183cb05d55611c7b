//! The data directory: one console at a time, and disks that are full, on real processes.

mod support;

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use support::{PASSWORD, Served};

/// A directory of one test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("vmferry-data-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&path).expect("there is a place for temporary files");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Lazily, as a console that was killed may not be gone yet. It fails where nothing is mounted.
        let _ = Command::new("umount").args(["--quiet", "--lazy"]).arg(&self.0).output();
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs vmferry with the configuration that a console in this directory has.
fn vmferry(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmferry"));
    command.args(arguments).arg("--config").arg(directory.join("vmferry.toml")).output().expect("vmferry starts")
}

#[tokio::test]
async fn a_second_console_is_refused() {
    let directory = Directory::new();
    let first = Served::with_hosts(&directory.0, "");
    let second = vmferry(&directory.0, &["serve"]);
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success());
    assert!(told.contains(&format!("process {}, since 20", first.pid())), "{told}");
    // It has touched nothing, and other commands work beside the first.
    first.login().await;
    let users = vmferry(&directory.0, &["user", "list"]);
    assert_eq!(String::from_utf8_lossy(&users.stdout), "admin\n");

    // The lock ends with the process, though it was killed.
    drop(first);
    Served::with_hosts(&directory.0, "").login().await;
}

/// Of a process, of the programs that it starts, and of a core dump.
#[tokio::test]
async fn the_admins_password_does_not_stay_in_the_environment() {
    let directory = Directory::new();
    let console = Served::with_hosts(&directory.0, "");
    let environment = fs::read(format!("/proc/{}/environ", console.pid())).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("PATH=") && !environment.contains(PASSWORD), "{environment}");
    console.login().await;
    let name = fs::read_to_string(format!("/proc/{}/comm", console.pid())).unwrap();
    assert_eq!(name, "vmferry\n", "it is the same program");
}

#[tokio::test]
async fn a_damaged_database_is_told_at_the_start() {
    let directory = Directory::new();
    drop(Served::with_hosts(&directory.0, ""));
    let data = directory.0.join("console");
    fs::write(data.join("vmferry.db"), [0x5a; 8192]).unwrap();
    // SQLite could restore everything from here: the console was killed.
    fs::remove_file(data.join("vmferry.db-wal")).unwrap();
    let refused = vmferry(&directory.0, &["serve"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(told.contains("database is damaged") && told.contains("backup"), "{told}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_over_when_there_is_room() {
    let directory = Directory::new();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mount = || Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "none"]).arg(&directory.0).status();
    if !is_root || !mount().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: no file system can be mounted");
    }
    let console = Served::with_hosts(&directory.0, "");
    let api = console.login().await;
    let filler = directory.0.join("filler");
    fs::write(&filler, vec![0; 8 << 20]).unwrap_err();

    // A login is written down.
    let refused = loop {
        let login = json!({"username": "admin", "password": PASSWORD});
        let answer = console.visitor().send(Method::POST, "/login", Some(login)).await;
        // What is left of files that SQLite uses again may be enough for a few.
        if answer.status() != StatusCode::OK {
            break answer;
        }
    };
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["code"], "store-unavailable");
    assert!(body["reason"].as_str().unwrap().contains("full"), "{body}");

    // A browser gets the login page again, which says so.
    let form = [("username", "admin"), ("password", PASSWORD)];
    let page = console.visitor().send_form("/login", &form).await;
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text().await.unwrap().contains("database can't be written"));

    // Pages are still read, and say so.
    let mut stream = api.stream().await;
    stream.until(|now| now.store_outage.is_some()).await;
    let page = async || api.send(Method::GET, "/", None).await.text().await.unwrap();
    assert!(page().await.contains("vmferry can't write its database"));

    fs::remove_file(filler).unwrap();
    stream.until(|now| now.store_outage.is_none()).await;
    console.login().await;
    assert!(!page().await.contains("vmferry can't write its database"));
}
