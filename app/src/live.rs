//! What the console has sent of the page's [`Scope`], as signals: filled from a snapshot, kept up to date by the stream.
//!
//! Every host, VM and migration has a signal of its own, so that a progress sample touches one bar and nothing else.

mod table;

use leptos::prelude::{Update as _, *};
use model::{
    Change, Host, HostName, Migration, MigrationId, Phase, Scope, Snapshot, StoreOutage, Summary, Update, Vm, VmId,
    VmList,
};

use table::Table;

/// The connection to the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StreamState {
    /// No WASM yet, or the first attempt is under way.
    #[default]
    Opening,
    /// Connected: the page shows the present state.
    Live,
    /// It was lost; the next attempt follows.
    Lost,
}

/// Everything the page shows, in signals. A table has what is in the scope, and may still have what was.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    /// What the page shows, with the dialog in front of it; the stream asks for it.
    pub scope: RwSignal<Scope>,
    /// What the page shows without a dialog.
    page: StoredValue<Scope>,
    /// The scope of what is here, and the number of the last update applied; none before the snapshot.
    known: StoredValue<Option<(Scope, u64)>>,
    pub summary: RwSignal<Summary>,
    /// What the list shows; none until it is here.
    pub list: RwSignal<Option<VmList>>,
    pub hosts: Table<HostName, Host>,
    pub vms: Table<VmId, Vm>,
    pub migrations: Table<MigrationId, Migration>,
    /// That the console's store can't be written, if that is so.
    pub store_outage: RwSignal<Option<StoreOutage>>,
    /// The migration that ended last while this page was open.
    pub just_ended: RwSignal<Option<MigrationId>>,
    pub stream: RwSignal<StreamState>,
    /// Whether what is here is the page's scope; not for the moment that a link to another page takes.
    pub is_here: RwSignal<bool>,
}

impl Live {
    /// Nothing known yet.
    pub fn new(scope: Scope) -> Self {
        Self {
            page: StoredValue::new(scope.clone()),
            scope: RwSignal::new(scope),
            known: StoredValue::new(None),
            summary: RwSignal::default(),
            list: RwSignal::default(),
            hosts: Table::new(),
            vms: Table::new(),
            migrations: Table::new(),
            store_outage: RwSignal::new(None),
            just_ended: RwSignal::new(None),
            stream: RwSignal::new(StreamState::default()),
            is_here: RwSignal::new(false),
        }
    }

    /// The number of the last update applied, if it is of the page's scope.
    pub fn sequence(self) -> Option<u64> {
        let (scope, sequence) = self.known.get_value()?;
        (scope == *self.scope.read_untracked()).then_some(sequence)
    }

    /// Has the page show something else: the stream brings it.
    pub fn show(self, change: impl FnOnce(&mut Scope)) {
        let mut scope = self.scope.get_untracked();
        change(&mut scope);
        if scope != *self.scope.read_untracked() {
            self.scope.set(scope);
            self.is_here.set(self.sequence().is_some());
        }
    }

    /// A VM's present name, for a heading.
    pub fn vm_name(self, id: VmId) -> String {
        self.vms.value(&id).map_or_else(|| "this VM".to_owned(), |vm| vm.name)
    }

    /// Another page is shown.
    pub fn turn_to(self, page: Scope) {
        self.page.set_value(page.clone());
        self.show(|scope| *scope = page);
    }

    /// Has a dialog that is about a VM, and the hosts that it could go to, shown for as long as the present owner lives.
    pub fn show_for_a_while(self, vm: VmId) {
        self.show(|scope| (scope.vm, scope.hosts) = (Some(vm), true));
        on_cleanup(move || {
            let page = self.page.get_value();
            self.show(|scope| (scope.vm, scope.hosts) = (page.vm, page.hosts));
        });
    }

    /// Starts again from a snapshot, whatever was known before, unless it is of what the page does not show any more.
    pub fn start_from(self, snapshot: Snapshot) {
        if snapshot.scope.as_ref().is_some_and(|scope| *scope != *self.scope.read_untracked()) {
            return;
        }
        self.known.set_value(Some((self.scope.get_untracked(), snapshot.sequence)));
        self.hosts.replace(snapshot.hosts, |host| host.name.clone());
        self.vms.replace(snapshot.vms, |vm| vm.id);
        self.migrations.replace(snapshot.migrations, |migration| migration.id);
        self.list.maybe_update(|list| put(list, snapshot.list));
        self.summary.maybe_update(|summary| put(summary, snapshot.summary));
        self.store_outage.set(snapshot.store_outage);
        self.is_here.set(true);
    }

    /// Applies an update, unless it is older than what is known: pages begin with a snapshot and the stream may overlap it.
    pub fn apply(self, Update { sequence, changes, .. }: Update) {
        for change in changes {
            match change {
                Change::Snapshot(snapshot) => self.start_from(*snapshot),
                // Older than the snapshot that the page began with, or of what it showed before.
                _ if self.sequence().is_none_or(|known| sequence <= known) => return,
                Change::Summary(summary) => self.summary.set(*summary),
                Change::Host(host) => self.hosts.put(host.name.clone(), *host),
                Change::HostGone(name) => self.hosts.retain(|known| *known != name),
                Change::Vm(vm) => self.vms.put(vm.id, vm),
                Change::VmGone(id) => self.vms.retain(|known| *known != id),
                Change::Migration(migration) => self.put_migration(*migration),
                Change::Progress(id, progress) => {
                    if let Some(known) = self.migrations.get_untracked(&id) {
                        known.update(|migration| migration.progress = *progress);
                    }
                }
                Change::List(list) => self.list.set(Some(list)),
                Change::StoreOutage(outage) => self.store_outage.set(outage),
            }
        }
        self.known.update_value(|known| {
            if let Some((_, known)) = known.as_mut().filter(|(scope, _)| *scope == *self.scope.read_untracked()) {
                *known = sequence;
            }
        });
    }

    /// Takes in a migration that an answer of the server brought before the stream did.
    pub fn learn(self, migration: Migration) {
        if self.migrations.get_untracked(&migration.id).is_none() {
            self.migrations.put(migration.id, migration);
        }
    }

    fn put_migration(self, migration: Migration) {
        let id = migration.id;
        let known = self.migrations.get_untracked(&id);
        let was_running = known.is_some_and(|known| !known.read_untracked().phase.has_ended());
        let has_ended = migration.phase.has_ended();
        self.migrations.put(id, migration);
        if was_running && has_ended {
            self.just_ended.set(Some(id));
        }
    }
}

/// Whether the value was another one before.
fn put<T: PartialEq>(place: &mut T, value: T) -> bool {
    let is_other = *place != value;
    *place = value;
    is_other
}

/// How far a bar is, in percent: 100 only once the VM was seen to run at the destination.
pub(crate) fn bar_percent(phase: Phase, percent: f64) -> f64 {
    if phase == Phase::Succeeded { 100.0 } else { percent.clamp(0.0, 99.9) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{VmState, examples};
    use uuid::Uuid;

    fn vm(id: u128, state: VmState) -> Vm {
        Vm { state, ..examples::vm(id, &format!("vm-{id}"), "alpha") }
    }

    fn migration(id: u128, phase: Phase) -> Migration {
        Migration { phase, ..examples::migration(id) }
    }

    fn update(sequence: u64, change: Change) -> Update {
        Update { sequence, at_ms: 0, changes: vec![change] }
    }

    fn live_with(vms: Vec<Vm>) -> (Owner, Live) {
        let owner = Owner::new();
        owner.set();
        let live = Live::new(Scope::default());
        live.start_from(Snapshot { sequence: 10, vms, ..Snapshot::default() });
        (owner, live)
    }

    #[test]
    fn updates_change_what_they_name() {
        let (_owner, live) = live_with(vec![vm(1, VmState::Running), vm(2, VmState::Running)]);
        live.apply(update(11, Change::Vm(vm(1, VmState::Paused))));
        live.apply(update(12, Change::VmGone(VmId(Uuid::from_u128(2)))));
        live.apply(update(13, Change::Vm(vm(3, VmState::ShutOff))));
        let states: Vec<_> = live.vms.values().into_iter().map(|vm| (vm.name, vm.state)).collect();
        assert_eq!(states, [("vm-1".into(), VmState::Paused), ("vm-3".into(), VmState::ShutOff)]);
        assert_eq!(live.sequence(), Some(13));
    }

    #[test]
    fn what_the_snapshot_has_is_not_applied_again() {
        let (_owner, live) = live_with(vec![vm(1, VmState::Paused)]);
        live.apply(update(9, Change::Vm(vm(1, VmState::Running))));
        live.apply(update(10, Change::VmGone(VmId(Uuid::from_u128(1)))));
        assert_eq!(live.vms.values(), [vm(1, VmState::Paused)]);
        assert_eq!(live.sequence(), Some(10));
    }

    #[test]
    fn a_snapshot_always_counts() {
        let (_owner, live) = live_with(vec![vm(1, VmState::Running)]);
        let kept = live.vms.get(&VmId(Uuid::from_u128(1))).unwrap();
        let snapshot = Snapshot {
            sequence: 3,
            vms: vec![vm(1, VmState::ShutOff), vm(2, VmState::Running)],
            ..Snapshot::default()
        };
        live.apply(update(3, Change::Snapshot(Box::new(snapshot))));
        assert_eq!(live.sequence(), Some(3));
        assert_eq!(live.vms.keys().len(), 2);
        assert_eq!(kept.get_untracked().state, VmState::ShutOff, "rows on the screen go on with the signal they have");
    }

    #[test]
    fn only_a_migration_seen_running_has_just_ended() {
        let (_owner, live) = live_with(Vec::new());
        live.apply(update(11, Change::Migration(Box::new(migration(1, Phase::Failed)))));
        assert_eq!(live.just_ended.get_untracked(), None);
        live.apply(update(12, Change::Migration(Box::new(migration(2, Phase::CopyingMemory)))));
        live.apply(update(13, Change::Migration(Box::new(migration(2, Phase::Succeeded)))));
        assert_eq!(live.just_ended.get_untracked(), Some(migration(2, Phase::Succeeded).id));
    }

    #[test]
    fn an_answer_never_overwrites_the_stream() {
        let (_owner, live) = live_with(Vec::new());
        live.apply(update(11, Change::Migration(Box::new(migration(1, Phase::Converging)))));
        live.learn(migration(1, Phase::Queued));
        live.learn(migration(2, Phase::Queued));
        let phases: Vec<_> = live.migrations.values().into_iter().map(|migration| migration.phase).collect();
        assert_eq!(phases, [Phase::Converging, Phase::Queued]);
    }

    #[test]
    fn a_bar_is_full_only_after_success() {
        assert_eq!(bar_percent(Phase::Verifying, 99.99), 99.9);
        assert_eq!(bar_percent(Phase::Succeeded, 99.99), 100.0);
        assert_eq!(bar_percent(Phase::Queued, -1.0), 0.0);
    }
}
