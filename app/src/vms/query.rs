//! Which VMs the list shows, and in which order. All of it is in the URL's query, so that it survives a reload, can be sent to another
//! user, and works without WASM.

use std::cmp::Ordering;

use leptos_router::params::ParamsMap;
use model::{Vm, VmState};

/// A column the list can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Column {
    #[default]
    Name,
    Host,
    State,
    Cpus,
    Memory,
}

impl Column {
    pub const ALL: [Self; 5] = [Self::Name, Self::Host, Self::State, Self::Cpus, Self::Memory];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Host => "host",
            Self::State => "state",
            Self::Cpus => "cpus",
            Self::Memory => "memory",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Host => "Host",
            Self::State => "State",
            Self::Cpus => "CPUs",
            Self::Memory => "Memory",
        }
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StateFilter {
    #[default]
    All,
    Migrating,
    Running,
    Paused,
    ShutOff,
    /// Whatever is none of these: crashed, shutting down, asleep, unknown.
    Other,
}

impl StateFilter {
    pub const ALL: [Self; 6] = [Self::All, Self::Migrating, Self::Running, Self::Paused, Self::ShutOff, Self::Other];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Migrating => "migrating",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::ShutOff => "shut-off",
            Self::Other => "other",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Migrating => "Migrating",
            Self::Running => "Running",
            Self::Paused => "Paused",
            Self::ShutOff => "Shut off",
            Self::Other => "Other",
        }
    }

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

/// What the URL's query asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VmQuery {
    /// Part of a VM's or a host's name; ASCII letters in any case.
    pub search: String,
    pub state: StateFilter,
    pub sort: Column,
    pub descending: bool,
}

impl VmQuery {
    /// Reads a query; an unknown value counts as the default.
    pub fn from_params(params: &ParamsMap) -> Self {
        let state = params.get_str("state").unwrap_or_default();
        let sort = params.get_str("sort").unwrap_or_default();
        Self {
            search: params.get_str("q").unwrap_or_default().to_owned(),
            state: StateFilter::ALL.into_iter().find(|filter| filter.as_str() == state).unwrap_or_default(),
            sort: Column::ALL.into_iter().find(|column| column.as_str() == sort).unwrap_or_default(),
            descending: params.get_str("order") == Some("descending"),
        }
    }

    /// The list's address with this query; defaults are left out.
    pub fn to_url(&self) -> String {
        let mut params = ParamsMap::new();
        if !self.search.is_empty() {
            params.insert("q", self.search.clone());
        }
        if self.state != StateFilter::default() {
            params.insert("state", self.state.as_str().to_owned());
        }
        if self.sort != Column::default() {
            params.insert("sort", self.sort.as_str().to_owned());
        }
        if self.descending {
            params.insert("order", "descending".to_owned());
        }
        format!("/{}", params.to_query_string())
    }

    /// The same list sorted by a column; the other way round if it is sorted by it already.
    pub fn sorted_by(&self, column: Column) -> Self {
        Self { sort: column, descending: self.sort == column && !self.descending, ..self.clone() }
    }

    /// Whether the search finds a VM, in whatever state it is.
    pub fn finds(&self, vm: &Vm) -> bool {
        let sought = self.search.trim().to_ascii_lowercase();
        vm.name.to_ascii_lowercase().contains(&sought) || vm.host.as_str().contains(&sought)
    }

    /// Whether the list shows a VM.
    pub fn wants(&self, vm: &Vm) -> bool {
        self.state.matches(vm) && self.finds(vm)
    }

    /// The VMs that the list shows, in order; VMs that are equal in the column are in the order of their names.
    pub fn select(&self, vms: Vec<Vm>) -> Vec<Vm> {
        let mut selected: Vec<Vm> = vms.into_iter().filter(|vm| self.wants(vm)).collect();
        selected.sort_unstable_by(|a, b| {
            let by_name = || (a.name.to_ascii_lowercase(), a.id).cmp(&(b.name.to_ascii_lowercase(), b.id));
            let ascending = self.sort.compare(a, b);
            match (self.descending, self.sort) {
                (false, _) => ascending.then_with(by_name),
                (true, Column::Name) => by_name().reverse(),
                (true, _) => ascending.reverse().then_with(by_name),
            }
        });
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{MigrationId, examples};
    use uuid::Uuid;

    fn vm(name: &str, host: &str, state: VmState, memory_bytes: u64) -> Vm {
        let id = name.bytes().fold(0, |id, byte| id * 256 + u128::from(byte));
        Vm { state, memory_bytes, ..examples::vm(id, name, host) }
    }

    fn some_vms() -> Vec<Vm> {
        let mut moving = vm("db", "beta", VmState::Running, 256);
        moving.migration = Some(MigrationId(Uuid::from_u128(1)));
        vec![
            vm("Web", "alpha", VmState::Running, 64),
            moving,
            vm("cache", "alpha", VmState::Paused, 128),
            vm("archive", "beta", VmState::Crashed, 64),
        ]
    }

    fn names(query: &str) -> Vec<String> {
        let mut params = ParamsMap::new();
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            params.insert(key.to_owned(), value.to_owned());
        }
        VmQuery::from_params(&params).select(some_vms()).into_iter().map(|vm| vm.name).collect()
    }

    #[test]
    fn the_list_is_sorted_by_name_unless_asked_otherwise() {
        assert_eq!(names(""), ["archive", "cache", "db", "Web"]);
        assert_eq!(names("order=descending"), ["Web", "db", "cache", "archive"]);
        assert_eq!(names("sort=memory"), ["archive", "Web", "cache", "db"]);
        assert_eq!(names("sort=memory&order=descending"), ["db", "cache", "archive", "Web"]);
        assert_eq!(names("sort=host"), ["cache", "Web", "archive", "db"]);
    }

    #[test]
    fn search_looks_at_names_of_vms_and_hosts() {
        assert_eq!(names("q=WE"), ["Web"]);
        assert_eq!(names("q= alpha "), ["cache", "Web"]);
        assert!(names("q=nothing").is_empty());
    }

    #[test]
    fn states_are_filtered() {
        assert_eq!(names("state=running"), ["db", "Web"]);
        assert_eq!(names("state=migrating"), ["db"]);
        assert_eq!(names("state=other"), ["archive"]);
        assert_eq!(names("state=paused&q=web"), Vec::<String>::new());
    }

    #[test]
    fn nonsense_in_the_address_is_the_whole_list() {
        assert_eq!(names("state=flying&sort=colour&order=random").len(), 4);
    }

    #[test]
    fn a_query_survives_the_address() {
        let query =
            VmQuery { search: "a b&c".into(), state: StateFilter::ShutOff, sort: Column::Host, descending: true };
        let mut params = ParamsMap::new();
        params.insert("q", "a b&c".into());
        params.insert("state", "shut-off".into());
        params.insert("sort", "host".into());
        params.insert("order", "descending".into());
        assert_eq!(VmQuery::from_params(&params), query);
        assert_eq!(query.to_url(), format!("/{}", params.to_query_string()));
        assert_eq!(VmQuery::default().to_url(), "/");
    }

    #[test]
    fn a_column_is_turned_round_by_the_second_click() {
        let once = VmQuery::default().sorted_by(Column::Memory);
        assert_eq!((once.sort, once.descending), (Column::Memory, false));
        let twice = once.sorted_by(Column::Memory);
        assert!(twice.descending && !twice.sorted_by(Column::Cpus).descending);
    }
}
