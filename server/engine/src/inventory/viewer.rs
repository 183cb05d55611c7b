//! A subscriber: what its page shows, and what of it has been sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use model::{Change, HostName, MigrationId, Scope, Snapshot, StoreOutage, Summary, Update, VmId, VmList};
use tokio::{sync::mpsc, time::sleep};

use super::Inventory;
use crate::lock::lock;

/// How long a subscriber is left alone after it was looked whether there is something to tell it: of 300 migrations something changes more
/// than a thousand times a second. What happens after a quiet moment is told at once.
const MOMENT: Duration = Duration::from_millis(100);
/// The same after an update to one that follows no single VM or migration: no reader of a list is faster.
const PACE: Duration = Duration::from_millis(500);

/// What was sent to a subscriber, by the numbers of the changes.
#[derive(Default)]
pub(crate) struct Viewer {
    /// None is everything.
    scope: Option<Scope>,
    hosts: BTreeMap<HostName, u64>,
    vms: BTreeMap<VmId, u64>,
    migrations: BTreeMap<MigrationId, u64>,
    list: Option<VmList>,
    /// When the list was made.
    listed_at: u64,
    summary: Arc<Summary>,
    store_outage: Option<StoreOutage>,
}

impl Viewer {
    pub(crate) fn new(scope: Option<Scope>) -> Self {
        Self { scope, ..Self::default() }
    }

    /// All of the scope, as if nothing had been sent.
    pub(crate) fn snapshot(&mut self, inventory: &mut Inventory) -> Snapshot {
        *self = Self::new(self.scope.take());
        let mut snapshot =
            Snapshot { scope: self.scope.clone(), sequence: inventory.feed.last(), ..Snapshot::default() };
        for change in self.changes(inventory) {
            match change {
                Change::Summary(summary) => snapshot.summary = *summary,
                Change::Host(host) => snapshot.hosts.push(*host),
                Change::Vm(vm) => snapshot.vms.push(vm),
                Change::Migration(migration) => snapshot.migrations.push(*migration),
                Change::List(list) => snapshot.list = Some(list),
                Change::StoreOutage(outage) => snapshot.store_outage = outage,
                Change::Snapshot(_) | Change::HostGone(_) | Change::VmGone(_) | Change::Progress(..) => {}
            }
        }
        snapshot.vms.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        snapshot
    }

    /// What has changed since it was last asked.
    pub(crate) fn changes(&mut self, inventory: &mut Inventory) -> Vec<Change> {
        let mut changes = Vec::new();
        let summary = inventory.summary();
        if summary != self.summary {
            changes.push(Change::Summary(Box::new((*summary).clone())));
            self.summary = summary;
        }
        if inventory.store_outage != self.store_outage {
            self.store_outage.clone_from(&inventory.store_outage);
            changes.push(Change::StoreOutage(self.store_outage.clone()));
        }
        let list = self.list_anew(inventory);
        let in_scope = inventory.in_scope(self.scope.as_ref(), self.list.as_ref());
        let feed = &inventory.feed;
        for host in &in_scope.hosts {
            let changed = feed.of_host(&host.name);
            if self.hosts.insert(host.name.clone(), changed) != Some(changed) {
                changes.push(Change::Host(Box::new((*host).clone())));
            }
        }
        for vm in &in_scope.vms {
            let changed = feed.of_vm(vm.id);
            if self.vms.insert(vm.id, changed) != Some(changed) {
                changes.push(Change::Vm((*vm).clone()));
            }
        }
        for migration in &in_scope.migrations {
            let changed = feed.of_migration(migration.id);
            match self.migrations.insert(migration.id, changed.any) {
                Some(sent) if sent == changed.any => {}
                Some(sent) if sent >= changed.whole => {
                    changes.push(Change::Progress(migration.id, Box::new(migration.progress.clone())));
                }
                _ => changes.push(Change::Migration(Box::new((*migration).clone()))),
            }
        }
        // After the VMs of its rows.
        changes.extend(list.map(Change::List));
        let hosts: BTreeSet<&HostName> = in_scope.hosts.iter().map(|host| &host.name).collect();
        let vms: BTreeSet<VmId> = in_scope.vms.iter().map(|vm| vm.id).collect();
        let migrations: BTreeSet<MigrationId> = in_scope.migrations.iter().map(|migration| migration.id).collect();
        self.vms.retain(|id, _| {
            let is_gone = !inventory.vms.contains_key(id);
            changes.extend(is_gone.then_some(Change::VmGone(*id)));
            vms.contains(id)
        });
        self.hosts.retain(|name, _| {
            let is_gone = !inventory.published_hosts.contains_key(name);
            changes.extend(is_gone.then(|| Change::HostGone(name.clone())));
            hosts.contains(name)
        });
        self.migrations.retain(|id, sent| {
            // One of a row that has ended is in no row any more; how it ended is told all the same.
            let last =
                inventory.migrations.get(id).filter(|_| !migrations.contains(id) && *sent < feed.of_migration(*id).any);
            changes.extend(last.map(|migration| Change::Migration(Box::new(migration.clone()))));
            migrations.contains(id)
        });
        changes
    }

    /// What the window lists now, if that has become different.
    fn list_anew(&mut self, inventory: &Inventory) -> Option<VmList> {
        let window = self.scope.as_ref()?.list.as_ref()?;
        let changed = inventory.feed.of_vms();
        if self.list.is_some() && self.listed_at == changed {
            return None;
        }
        self.listed_at = changed;
        let list = inventory.list(window);
        if self.list.as_ref() == Some(&list) {
            return None;
        }
        self.list = Some(list.clone());
        Some(list)
    }

    /// How long it is left alone after an update.
    fn pace(&self) -> Duration {
        let follows_one = self.scope.as_ref().is_none_or(|scope| scope.vm.is_some() || scope.migration.is_some());
        if follows_one { MOMENT } else { PACE }
    }
}

/// Subscribes to a scope; none is everything. The first update is a snapshot, unless `since` is the number of the latest change: then
/// the subscriber has everything. The task that is returned feeds it until it leaves.
pub(crate) fn subscribe(
    inventory: Arc<Mutex<Inventory>>,
    since: Option<u64>,
    scope: Option<Scope>,
) -> (mpsc::Receiver<Update>, impl Future<Output = ()> + Send + 'static) {
    // One update waits for the subscriber; later changes come together in the next.
    let (sender, receiver) = mpsc::channel(1);
    let mut viewer = Viewer::new(scope);
    let (first, last, mut changed) = {
        let mut inventory = lock(&inventory);
        let snapshot = viewer.snapshot(&mut inventory);
        let last = snapshot.sequence;
        let first = (since != Some(last)).then(|| inventory.update(vec![Change::Snapshot(Box::new(snapshot))]));
        (first, last, inventory.feed.listen())
    };
    let forward = async move {
        let mut next = first;
        let mut sent = last;
        loop {
            if let Some(update) = next.take() {
                sent = update.sequence;
                if sender.send(update).await.is_err() {
                    return;
                }
                sleep(viewer.pace()).await;
            } else {
                sleep(MOMENT).await;
            }
            tokio::select! {
                () = sender.closed() => return,
                moved = changed.wait_for(|last| *last > sent) => if moved.is_err() { return },
            }
            let mut inventory = lock(&inventory);
            sent = inventory.feed.last();
            let changes = viewer.changes(&mut inventory);
            next = (!changes.is_empty()).then(|| inventory.update(changes));
        }
    };
    (receiver, forward)
}
