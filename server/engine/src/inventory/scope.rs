//! What of the inventory is in a scope.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use model::{Host, HostName, Migration, MigrationId, Scope, Vm, VmId, VmList, VmQuery, VmRow, Window, completions};

use super::Inventory;

/// The most migrations of a list that a scope may have.
const MOST_MIGRATIONS: usize = 200;

/// What is in a scope, by reference.
pub(super) struct InScope<'a> {
    pub(super) hosts: Vec<&'a Host>,
    pub(super) vms: Vec<&'a Vm>,
    /// Newest first.
    pub(super) migrations: Vec<&'a Migration>,
}

impl Inventory {
    /// All there is, or what is in the scope; `list` is what its window lists now.
    pub(super) fn in_scope(&self, scope: Option<&Scope>, list: Option<&VmList>) -> InScope<'_> {
        let Some(scope) = scope else {
            let (hosts, vms) = (self.published_hosts.values().collect(), self.vms.values().collect());
            return InScope { hosts, vms, migrations: self.migrations.values().rev().collect() };
        };
        let migration = scope.migration.and_then(|id| self.migrations.get(&id));
        let vm = scope.vm.and_then(|id| self.vms.get(&id));
        let mut vms: BTreeSet<VmId> = list.iter().flat_map(|list| &list.rows).map(|row| row.vm).collect();
        let listed = vms.iter().filter_map(|id| self.vms.get(id)).filter_map(|vm| vm.migration);
        let migrations: BTreeSet<MigrationId> = listed
            .chain(scope.migration)
            .chain(scope.migrations.iter().take(MOST_MIGRATIONS).copied())
            .chain(vm.and_then(|vm| vm.migration))
            .chain(scope.vm.and_then(|id| self.in_doubt(id)))
            .collect();
        vms.extend(scope.vm.iter().chain(migration.map(|migration| &migration.vm)));
        let hosts: Vec<&Host> = if scope.hosts {
            self.published_hosts.values().collect()
        } else {
            let of_migration = migration.map(|migration| [&migration.source, &migration.destination]);
            let names: BTreeSet<&HostName> =
                scope.host.iter().chain(vm.map(|vm| &vm.host)).chain(of_migration.into_iter().flatten()).collect();
            names.into_iter().filter_map(|name| self.published_hosts.get(name)).collect()
        };
        InScope {
            hosts,
            vms: vms.iter().filter_map(|id| self.vms.get(id)).collect(),
            migrations: migrations.iter().rev().filter_map(|id| self.migrations.get(id)).collect(),
        }
    }

    /// What a search that is being typed could become.
    pub(crate) fn completions(&self, typed: &str) -> Vec<String> {
        let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
        for tag in self.vms.values().flat_map(|vm| &vm.tags) {
            *tags.entry(tag).or_default() += 1;
        }
        let mut tags: Vec<(&str, usize)> = tags.into_iter().collect();
        tags.sort_by_key(|(_, count)| Reverse(*count));
        let hosts = self.published_hosts.keys().map(HostName::as_str);
        completions(typed, hosts, tags.into_iter().map(|(tag, _)| tag))
    }

    /// All VMs that a query finds, in its order. Of several with one UUID it is the one that is listed first.
    pub(crate) fn matching(&self, query: &VmQuery) -> Vec<Vm> {
        let selected = query.select(self.vms.values(), |vm, beginning| self.has_address(vm, beginning));
        selected.vms.into_iter().cloned().collect()
    }

    /// What a window lists.
    pub(super) fn list(&self, Window { query, from, count }: &Window) -> VmList {
        // Twins are rows of their own; there are hardly ever any.
        let twins: Vec<Vm> =
            self.vms.values().filter(|vm| !vm.twins.is_empty()).flat_map(|vm| vm.each().into_iter().skip(1)).collect();
        let selected = query.select(self.vms.values().chain(&twins), |vm, beginning| self.has_address(vm, beginning));
        let matching = u32::try_from(selected.vms.len()).unwrap_or(u32::MAX);
        let count = (*count).min(Window::LARGEST);
        // A window behind the end is the last one.
        let from = (*from).min(matching.saturating_sub(1) / count.max(1) * count.max(1));
        let row = |vm: &&Vm| {
            let is_twin = self.vms.get(&vm.id).is_some_and(|first| first.host != vm.host);
            VmRow { vm: vm.id, twin_on: is_twin.then(|| vm.host.clone()) }
        };
        let rows = selected.vms.iter().skip(from as usize).take(count as usize).map(row).collect();
        VmList { from, matching, letters: query.letters(&selected.vms), rows, by_state: selected.by_state }
    }
}
