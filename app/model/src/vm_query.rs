//! Which VMs the list shows, and in which order.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{HostName, Letter, Search, Vm, VmState};

/// A column that the list can be sorted by.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Column {
    /// The VM's name.
    #[default]
    Name,
    /// Its host.
    Host,
    /// Its state.
    State,
    /// Its virtual CPUs.
    Cpus,
    /// Its memory.
    Memory,
}

impl Column {
    /// All of them, as a table shows them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The column in addresses, e.g. `memory`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    fn compare(self, a: &Vm, b: &Vm) -> Ordering {
        match self {
            Self::Name => Ordering::Equal,
            Self::Host => a.host.cmp(&b.host),
            Self::State => a.state.as_str().cmp(b.state.as_str()),
            Self::Cpus => a.vcpus.cmp(&b.vcpus),
            Self::Memory => a.memory_bytes.cmp(&b.memory_bytes),
        }
    }
}

/// A filter by state.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum StateFilter {
    /// Any.
    #[default]
    All,
    /// Those that move.
    Migrating,
    /// Those that run.
    Running,
    /// Those that are paused.
    Paused,
    /// Those that are off.
    ShutOff,
    /// Whatever is none of these: crashed, shutting down, asleep, unknown.
    Other,
}

impl StateFilter {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The filter in addresses, e.g. `shut-off`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether it lets a VM through.
    pub fn matches(self, vm: &Vm) -> bool {
        match self {
            Self::All => true,
            Self::Migrating => vm.migration.is_some(),
            Self::Running => vm.state == VmState::Running,
            Self::Paused => vm.state == VmState::Paused,
            Self::ShutOff => vm.state == VmState::ShutOff,
            Self::Other => !matches!(vm.state, VmState::Running | VmState::Paused | VmState::ShutOff),
        }
    }
}

/// Which VMs are listed, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VmQuery {
    /// On this host only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// What they are searched for by, see [`Search`].
    pub search: String,
    /// In which states.
    pub state: StateFilter,
    /// By which column they are sorted.
    pub sort: Column,
    /// Whether the highest comes first.
    pub descending: bool,
}

/// What a query has selected.
pub struct Selected<'a> {
    /// The VMs, in order. Those that are equal in the column are in the order of their names.
    pub vms: Vec<&'a Vm>,
    /// How many VMs the search finds with each of [`StateFilter::ALL`].
    pub by_state: Vec<u32>,
}

impl VmQuery {
    /// Selects and sorts; `has_address` says whether a VM has an IP address that begins so.
    pub fn select<'a>(
        &self,
        vms: impl IntoIterator<Item = &'a Vm>,
        has_address: impl Fn(&Vm, &str) -> bool,
    ) -> Selected<'a> {
        let search = Search::of(&self.search);
        let mut by_state = vec![0; StateFilter::ALL.len()];
        let mut selected = Vec::new();
        let is_here = |vm: &&Vm| self.host.as_ref().is_none_or(|host| vm.host == *host);
        for vm in vms.into_iter().filter(is_here).filter(|vm| search.finds(vm, |sought| has_address(vm, sought))) {
            for (count, filter) in by_state.iter_mut().zip(StateFilter::ALL) {
                *count += u32::from(filter.matches(vm));
            }
            if self.state.matches(vm) {
                selected.push(vm);
            }
        }
        self.sort(&mut selected);
        Selected { vms: selected, by_state }
    }

    fn sort(&self, vms: &mut [&Vm]) {
        // By name first: the sort by column is stable.
        vms.sort_by_cached_key(|vm| (vm.name.to_ascii_lowercase(), vm.id));
        match (self.sort, self.descending) {
            (Column::Name, false) => {}
            (Column::Name, true) => vms.reverse(),
            (column, false) => vms.sort_by(|a, b| column.compare(a, b)),
            (column, true) => vms.sort_by(|a, b| column.compare(b, a)),
        }
    }

    /// Where names begin with another letter, if they are in order.
    pub fn letters(&self, selected: &[&Vm]) -> Vec<Letter> {
        let mut letters: Vec<Letter> = Vec::new();
        if self.sort == Column::Name {
            for (from, vm) in (0..).zip(selected) {
                let letter = initial(&vm.name);
                if letters.last().is_none_or(|last| last.letter != letter) {
                    letters.push(Letter { letter, from });
                }
            }
        }
        letters
    }
}

fn initial(name: &str) -> char {
    name.chars().next().filter(char::is_ascii_alphabetic).map_or('#', |letter| letter.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MigrationId, examples};
    use uuid::Uuid;

    fn vm(name: &str, host: &str, state: VmState, memory_bytes: u64) -> Vm {
        let id = name.bytes().fold(0, |id, byte| id * 256 + u128::from(byte));
        Vm { state, memory_bytes, ..examples::vm(id, name, host) }
    }

    fn some_vms() -> Vec<Vm> {
        let moving = Vm { migration: Some(MigrationId(Uuid::from_u128(1))), ..vm("db", "beta", VmState::Running, 256) };
        vec![
            vm("Web", "alpha", VmState::Running, 64),
            moving,
            vm("cache", "alpha", VmState::Paused, 128),
            vm("archive", "beta", VmState::Crashed, 64),
        ]
    }

    fn none(_: &Vm, _: &str) -> bool {
        false
    }

    fn names(query: &VmQuery) -> Vec<String> {
        query.select(&some_vms(), none).vms.into_iter().map(|vm| vm.name.clone()).collect()
    }

    #[test]
    fn the_list_is_sorted_by_name_unless_asked_otherwise() {
        let by = |sort, descending| names(&VmQuery { sort, descending, ..VmQuery::default() });
        assert_eq!(by(Column::Name, false), ["archive", "cache", "db", "Web"]);
        assert_eq!(by(Column::Name, true), ["Web", "db", "cache", "archive"]);
        assert_eq!(by(Column::Memory, false), ["archive", "Web", "cache", "db"]);
        assert_eq!(by(Column::Memory, true), ["db", "cache", "archive", "Web"]);
        assert_eq!(by(Column::Host, false), ["cache", "Web", "archive", "db"]);
    }

    #[test]
    fn states_are_filtered_and_counted() {
        let of = |state, search: &str| VmQuery { state, search: search.into(), ..VmQuery::default() };
        assert_eq!(names(&of(StateFilter::Running, "")), ["db", "Web"]);
        assert_eq!(names(&of(StateFilter::Migrating, "")), ["db"]);
        assert_eq!(names(&of(StateFilter::Other, "")), ["archive"]);
        assert!(names(&of(StateFilter::Paused, "web")).is_empty());
        assert_eq!(of(StateFilter::Paused, "alpha").select(&some_vms(), none).by_state, [2, 0, 1, 1, 0, 0]);
    }

    #[test]
    fn a_host_s_list_has_its_vms_only() {
        let on_beta = VmQuery { host: "beta".parse().ok(), ..VmQuery::default() };
        assert_eq!(names(&on_beta), ["archive", "db"]);
        assert_eq!(on_beta.select(&some_vms(), none).by_state[0], 2);
    }

    #[test]
    fn letters_say_where_names_begin() {
        let (vms, query) = (some_vms(), VmQuery::default());
        let letters = query.letters(&query.select(&vms, none).vms);
        let letters: Vec<_> = letters.into_iter().map(|Letter { letter, from }| (letter, from)).collect();
        assert_eq!(letters, [('A', 0), ('C', 1), ('D', 2), ('W', 3)]);
        let by_host = VmQuery { sort: Column::Host, ..query };
        assert!(by_host.letters(&by_host.select(&vms, none).vms).is_empty());
    }
}
