//! The stream of updates, from the subscriber's side.

use std::collections::BTreeMap;

use model::{Scope, Snapshot, VmQuery, VmState, Window};

use super::*;

/// What a page shows that applies updates as they come.
#[derive(Default)]
struct Page {
    now: Snapshot,
    snapshots: u32,
}

impl Page {
    fn apply(&mut self, update: Update) {
        assert!(update.sequence >= self.now.sequence, "never back");
        for change in update.changes {
            match change {
                Change::Snapshot(now) => {
                    self.now = *now;
                    self.snapshots += 1;
                }
                Change::Summary(summary) => self.now.summary = *summary,
                Change::Host(host) => {
                    self.now.hosts.retain(|known| known.name != host.name);
                    self.now.hosts.push(*host);
                }
                Change::HostGone(name) => self.now.hosts.retain(|known| known.name != name),
                Change::Vm(vm) => {
                    self.now.vms.retain(|known| known.id != vm.id);
                    self.now.vms.push(vm);
                }
                Change::VmGone(id) => self.now.vms.retain(|known| known.id != id),
                Change::Migration(migration) => {
                    self.now.migrations.retain(|known| known.id != migration.id);
                    self.now.migrations.push(*migration);
                }
                Change::Progress(id, progress) => {
                    let known = self.now.migrations.iter_mut().find(|known| known.id == id).unwrap();
                    known.progress = *progress;
                }
                Change::List(list) => self.now.list = Some(list),
                Change::StoreOutage(outage) => self.now.store_outage = outage,
            }
        }
        self.now.sequence = update.sequence;
    }

    /// The names in the rows of its list.
    fn names(&self) -> Vec<&str> {
        let by_id: BTreeMap<VmId, &str> = self.now.vms.iter().map(|vm| (vm.id, vm.name.as_str())).collect();
        self.now.list.iter().flat_map(|list| &list.rows).map(|row| by_id[&row.vm]).collect()
    }
}

fn window(search: &str, from: u32, count: u32) -> Scope {
    let query = VmQuery { search: search.to_owned(), ..VmQuery::default() };
    Scope { list: Some(Window { query, from, count }), ..Scope::default() }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_knows_all_is_told_what_comes_next() {
    let bench = Bench::new().await;
    bench.vm("web", VmState::Running, IDLE).await;
    let seen = bench.engine.snapshot(None).sequence;
    let mut updates = bench.engine.subscribe(Some(seen), None);
    let db = bench.vm("db", VmState::Running, IDLE).await;
    let is_db = |change: &Change| matches!(change, Change::Vm(vm) if vm.id == db);
    let mut changes = Vec::new();
    while !changes.iter().any(is_db) {
        let update = updates.recv().await.unwrap();
        assert!(update.sequence > seen);
        changes.extend(update.changes);
    }
    assert!(!changes.iter().any(|change| matches!(change, Change::Snapshot(_))));
}

#[tokio::test(start_paused = true)]
async fn one_that_missed_something_gets_a_snapshot_also_after_a_restart() {
    let mut bench = Bench::new().await;
    bench.vm("web", VmState::Running, IDLE).await;
    let seen = bench.engine.snapshot(None).sequence;
    let evacuations = bench.engine.snapshot(None).summary.evacuations;
    bench.vm("db", VmState::Running, IDLE).await;
    let first = bench.engine.subscribe(Some(seen), None).recv().await.unwrap();
    assert!(matches!(&first.changes[..], [Change::Snapshot(now)] if now.vms.len() == 2));
    bench.restart().await;
    let first = bench.engine.subscribe(Some(seen), None).recv().await.unwrap();
    let [Change::Snapshot(now)] = &first.changes[..] else { panic!("{first:?}") };
    assert!(now.summary.evacuations > evacuations, "one may have changed without being told");
    assert!(first.sequence > seen);
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_gets_the_present_and_delays_no_other() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let mut slow = bench.engine.subscribe(None, None);
    let id = bench.start(vm, "beta").await;
    // Ten minutes of samples, none of them read.
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    bench.engine.cancel(id, "admin").await.unwrap();
    bench.ended(id).await;
    let (mut page, mut taken) = (Page::default(), 0);
    while !page.now.migrations.iter().any(|migration| migration.id == id && migration.phase.has_ended()) {
        page.apply(slow.recv().await.unwrap());
        taken += 1;
    }
    assert_eq!(page.snapshots, 1);
    assert!(taken <= 4, "{taken} updates for what can be said in a few");
    let now = bench.engine.snapshot(None);
    assert_eq!((page.now.vms, page.now.migrations), (now.vms, now.migrations));
}

#[tokio::test(start_paused = true)]
async fn a_page_is_told_of_its_window_only_and_of_all_that_changes_there() {
    let bench = Bench::new().await;
    for name in ["a1", "b1", "b2", "b3", "c1"] {
        bench.vm(name, VmState::Running, BUSY).await;
    }
    let mut updates = bench.engine.subscribe(None, Some(window("", 1, 2)));
    let mut page = Page::default();
    page.apply(updates.recv().await.unwrap());
    assert_eq!(page.names(), ["b1", "b2"]);
    let list = page.now.list.clone().unwrap();
    assert_eq!((list.matching, list.from, list.by_state[0]), (5, 1, 5));
    assert!(page.now.hosts.is_empty() && page.now.vms.len() == 2, "nothing but the window");
    assert_eq!(page.now.summary.vms, 5);

    // One comes before it, and one in it moves.
    bench.vm("b0", VmState::Running, IDLE).await;
    let b1 = page.now.vms.iter().find(|vm| vm.name == "b1").unwrap().id;
    let id = bench.start(b1, "beta").await;
    let mut has_told_progress = false;
    while !page.now.vms.iter().any(|vm| vm.id == b1 && vm.host == host("beta") && vm.migration.is_none()) {
        let update = updates.recv().await.unwrap();
        has_told_progress |= update.changes.iter().any(|change| matches!(change, Change::Progress(of, _) if *of == id));
        page.apply(update);
    }
    assert_eq!(page.names(), ["b0", "b1"]);
    assert!(has_told_progress);
    let ended = |migration: &Migration| migration.id == id && migration.phase.has_ended();
    assert!(page.now.migrations.iter().any(ended), "how it ended is told, though it is in no row any more");
    // Outside it nothing is worth an update but the summary.
    let c1 = bench.engine.find("c1", None).unwrap().id;
    bench.ended(bench.start(c1, "beta").await).await;
    while page.now.summary.newest.is_none_or(|newest| newest == id) || page.now.summary.running > 0 {
        let update = updates.recv().await.unwrap();
        let other = |change: &Change| !matches!(change, Change::Summary(_) | Change::List(_));
        assert!(!update.changes.iter().any(other), "{update:?}");
        page.apply(update);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_migration_page_shows_comes_with_its_vm_and_hosts() {
    let bench = Bench::new().await;
    let vm = bench.vm("db", VmState::Running, BUSY).await;
    bench.vm("web", VmState::Running, IDLE).await;
    let id = bench.start(vm, "beta").await;
    let now = bench.engine.snapshot(Some(Scope { migration: Some(id), ..Scope::default() }));
    assert_eq!(now.migrations.iter().map(|migration| migration.id).collect::<Vec<_>>(), [id]);
    assert_eq!(now.vms.iter().map(|vm| vm.name.as_str()).collect::<Vec<_>>(), ["db"]);
    assert_eq!(now.hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>(), ["alpha", "beta"]);
    let now = bench.engine.snapshot(Some(Scope { vm: Some(vm), ..Scope::default() }));
    assert_eq!((now.vms.len(), now.hosts.len(), now.migrations[0].id), (1, 1, id));
    bench.ended(id).await;
}

#[tokio::test(start_paused = true)]
async fn a_window_behind_the_end_is_the_last_one() {
    let bench = Bench::new().await;
    for number in 0..5 {
        bench.vm(&format!("vm{number}"), VmState::Running, IDLE).await;
    }
    for (from, count, first, rows) in
        [(0, 2, 0, 2), (4, 2, 4, 1), (5, 2, 4, 1), (u32::MAX, 2, 4, 1), (3, 0, 3, 0), (0, 900, 0, 5)]
    {
        let list = bench.engine.snapshot(Some(window("vm", from, count))).list.unwrap();
        assert_eq!((list.from, list.rows.len()), (first, rows), "{from} {count}");
    }
    let none = bench.engine.snapshot(Some(window("nothing", 7, 2))).list.unwrap();
    assert_eq!((none.from, none.matching, none.rows.len()), (0, 0, 0));
}
