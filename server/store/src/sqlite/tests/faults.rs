//! Disks that are full or damaged, and files that can only be read or are locked: told apart, and over when they are over.

use std::{fs, os::unix::fs::MetadataExt, process::Command};

use super::*;
use crate::{Action, Health, StoreFault};

/// What the connections that write are opened with from now on; the one that is open is closed.
async fn reopen_writer(store: &SqliteStore, change: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions) {
    let before = store.writer.connect_options();
    store.writer.set_connect_options(change((*before).clone()));
    store.writer.acquire().await.unwrap().close().await.unwrap();
}

/// Writes what needs room; returns why that failed, if it did.
async fn write(store: &SqliteStore) -> Option<StoreFault> {
    match store.audit("ada", Action::LoggedIn(&"x".repeat(100_000))).await {
        Ok(()) => None,
        Err(StoreError::Failed { fault, .. }) => Some(fault),
        Err(other) => panic!("{other:?}"),
    }
}

/// Fails as often as there are connections and more, then no more; reading works all the while.
async fn fails_and_heals(store: &SqliteStore, fault: StoreFault, heal: impl AsyncFnOnce()) {
    let condition = store.condition();
    for _ in 0..10 {
        assert_eq!(write(store).await, Some(fault));
        assert_eq!(*condition.borrow(), Some(fault));
        store.users().await.unwrap();
        store.audit_entries(&AuditFilter::newest(1)).await.unwrap();
    }
    heal().await;
    store.try_to_write().await.unwrap();
    assert_eq!(*condition.borrow(), None);
    for _ in 0..10 {
        assert_eq!(write(store).await, None);
    }
}

#[tokio::test]
async fn a_full_file_is_written_again_when_it_may_grow() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).await.unwrap();
    let unlimited = store.writer.connect_options();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&store.readers).await.unwrap();
    reopen_writer(&store, |options| options.pragma("max_page_count", pages.to_string())).await;
    fails_and_heals(&store, StoreFault::Full, async || store.writer.set_connect_options((*unlimited).clone())).await;
}

#[tokio::test]
async fn a_file_that_could_only_be_read_is_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).await.unwrap();
    reopen_writer(&store, |options| options.read_only(true)).await;
    let writable = store.writer.connect_options().as_ref().clone().read_only(false);
    fails_and_heals(&store, StoreFault::ReadOnly, async || store.writer.set_connect_options(writable)).await;
}

#[tokio::test]
async fn a_file_that_was_locked_is_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).await.unwrap();
    reopen_writer(&store, |options| options.busy_timeout(Duration::ZERO)).await;
    let options = SqliteConnectOptions::new().filename(directory.path().join("vmferry.db"));
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    fails_and_heals(&store, StoreFault::Busy, async || other.close().await.unwrap()).await;
}

/// A file system of 2 MiB, gone at the end of the test.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None where file systems can't be mounted: without root, or in a container.
    fn mount() -> Option<Self> {
        let disk = tempfile::tempdir().unwrap();
        let root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let mount =
            |path: &Path| Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "none"]).arg(path).status();
        let mounted = root && mount(disk.path()).is_ok_and(|status| status.success());
        mounted.then_some(Self(disk))
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let filler = self.0.path().join("filler");
        let error = fs::write(filler, vec![0; 4 << 20]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: connections are closed a little later.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_written_again_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else { return eprintln!("skipped: no file system can be mounted") };
    let store = SqliteStore::open(&disk.0.path().join("data")).await.unwrap();
    disk.fill();
    fails_and_heals(&store, StoreFault::Full, async || disk.make_room()).await;
}

#[tokio::test]
async fn a_full_disk_is_told_at_the_start() {
    let Some(disk) = SmallDisk::mount() else { return eprintln!("skipped: no file system can be mounted") };
    disk.fill();
    let error = SqliteStore::open(&disk.0.path().join("data")).await.unwrap_err();
    assert!(matches!(error, StoreError::Failed { fault: StoreFault::Full, .. }), "{error:?}");
}

#[tokio::test]
async fn damage_is_told_at_the_start() {
    let damage: [fn(&mut Vec<u8>); 3] = [
        |file| file[..100].fill(0x5a),
        // The middle: only reading the whole file finds it.
        |file| {
            let middle = file.len() / 2;
            file[middle..middle + 4096].fill(0x5a);
        },
        |file| file.truncate(file.len() / 2),
    ];
    for damage in damage {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).await.unwrap();
        store.close().await;
        let path = directory.path().join("vmferry.db");
        let mut file = fs::read(&path).unwrap();
        damage(&mut file);
        fs::write(&path, file).unwrap();
        let error = SqliteStore::open(directory.path()).await.unwrap_err();
        assert!(matches!(error, StoreError::Failed { fault: StoreFault::Damaged, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn damage_is_told_while_it_runs() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).await.unwrap();
    write(&store).await;
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&store.writer).await.unwrap();
    let path = directory.path().join("vmferry.db");
    let length = fs::metadata(&path).unwrap().len();
    fs::write(&path, vec![0x5a; usize::try_from(length).unwrap()]).unwrap();
    // Connections of their own memory have the pages that they have read; new ones read the file.
    reopen_writer(&store, |options| options).await;
    assert_eq!(write(&store).await, Some(StoreFault::Damaged));
    assert_eq!(*store.condition().borrow(), Some(StoreFault::Damaged));
}
