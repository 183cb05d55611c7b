//! The query of the list of VMs in addresses, and in words. It survives a reload there, can be sent to another user, and works without
//! WASM.

use leptos_router::params::ParamsMap;
use model::{Column, StateFilter, VmQuery};

/// The address of the list, or of its host, with this query; defaults are left out.
pub(crate) fn to_url(query: &VmQuery) -> String {
    at(query, 0)
}

/// The same, from a row on.
pub(crate) fn at(query: &VmQuery, from: u32) -> String {
    let VmQuery { host, search, state, sort, descending } = query;
    let mut params = ParamsMap::new();
    if !search.is_empty() {
        params.insert("q", search.clone());
    }
    if *state != StateFilter::default() {
        params.insert("state", state.as_str().to_owned());
    }
    if *sort != Column::default() {
        params.insert("sort", sort.as_str().to_owned());
    }
    if *descending {
        params.insert("order", "descending".to_owned());
    }
    if from > 0 {
        params.insert("from", from.to_string());
    }
    let path = host.as_ref().map_or("/".to_owned(), |host| format!("/hosts/{host}"));
    path + &params.to_query_string()
}

/// The same list sorted by a column; the other way round if it is sorted by it already.
pub(crate) fn sorted_by(query: &VmQuery, column: Column) -> VmQuery {
    VmQuery { sort: column, descending: query.sort == column && !query.descending, ..query.clone() }
}

/// A column's heading.
pub(crate) fn heading(column: Column) -> &'static str {
    match column {
        Column::Name => "Name",
        Column::Host => "Host",
        Column::State => "State",
        Column::Cpus => "CPUs",
        Column::Memory => "Memory",
    }
}

/// A filter in words.
pub(crate) fn label(filter: StateFilter) -> &'static str {
    match filter {
        StateFilter::All => "All",
        StateFilter::Migrating => "Migrating",
        StateFilter::Running => "Running",
        StateFilter::Paused => "Paused",
        StateFilter::ShutOff => "Shut off",
        StateFilter::Other => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::vm_query;

    #[test]
    fn a_query_survives_the_address() {
        let query = VmQuery {
            host: None,
            search: "a b&c".into(),
            state: StateFilter::ShutOff,
            sort: Column::Host,
            descending: true,
        };
        let mut params = ParamsMap::new();
        params.insert("q", "a b&c".into());
        params.insert("state", "shut-off".into());
        params.insert("sort", "host".into());
        params.insert("order", "descending".into());
        assert_eq!(vm_query(&params), query);
        assert_eq!(to_url(&query), format!("/{}", params.to_query_string()));
        assert_eq!(to_url(&VmQuery::default()), "/");
        assert_eq!(at(&VmQuery::default(), 60), "/?from=60");
        assert_eq!(at(&VmQuery { host: "gamma".parse().ok(), ..VmQuery::default() }, 60), "/hosts/gamma?from=60");
    }

    #[test]
    fn a_column_is_turned_round_by_the_second_click() {
        let once = sorted_by(&VmQuery::default(), Column::Memory);
        assert_eq!((once.sort, once.descending), (Column::Memory, false));
        let twice = sorted_by(&once, Column::Memory);
        assert!(twice.descending && !sorted_by(&twice, Column::Cpus).descending);
    }
}
