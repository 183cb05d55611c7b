//! Which page shows what of the fleet.

use leptos_router::params::ParamsMap;
use model::{Column, Scope, StateFilter, VmQuery, Window};

/// The rows of a list that a page has at first, and without WASM: as many as a tall screen shows, and then some.
pub(crate) const FIRST_ROWS: u32 = 60;

/// What the page at an address shows.
pub(crate) fn of_page(path: &str, params: &ParamsMap) -> Scope {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (noun, id, page) = (parts.next(), parts.next(), parts.next());
    let mut scope = Scope::default();
    match (noun, id) {
        (None, _) => {
            scope.list = Some(window(vm_query(params), params));
        }
        (Some("vms"), Some(id)) => {
            scope.vm = id.parse().ok();
            scope.hosts = page == Some("migrate");
        }
        (Some("hosts"), Some(name)) => {
            scope.host = name.parse().ok();
            scope.list =
                scope.host.clone().map(|host| window(VmQuery { host: Some(host), ..vm_query(params) }, params));
        }
        (Some("migrations"), Some(id)) => scope.migration = id.parse().ok(),
        _ => {}
    }
    scope
}

fn window(query: VmQuery, params: &ParamsMap) -> Window {
    Window { query, from: first_row(params), count: FIRST_ROWS }
}

/// The row that a page of a list begins with.
pub(crate) fn first_row(params: &ParamsMap) -> u32 {
    params.get_str("from").and_then(|from| from.parse().ok()).unwrap_or_default()
}

/// Reads the query of the list of VMs; an unknown value counts as the default.
pub(crate) fn vm_query(params: &ParamsMap) -> VmQuery {
    let state = params.get_str("state").unwrap_or_default();
    let sort = params.get_str("sort").unwrap_or_default();
    VmQuery {
        host: None,
        search: params.get_str("q").unwrap_or_default().to_owned(),
        state: StateFilter::ALL.iter().copied().find(|filter| filter.as_str() == state).unwrap_or_default(),
        sort: Column::ALL.iter().copied().find(|column| column.as_str() == sort).unwrap_or_default(),
        descending: params.get_str("order") == Some("descending"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Scope {
        of_page(path, &ParamsMap::new())
    }

    #[test]
    fn nonsense_in_the_address_is_the_whole_list() {
        let mut params = ParamsMap::new();
        params.insert("state", "flying".into());
        params.insert("sort", "colour".into());
        params.insert("from", "-1".into());
        assert_eq!(of_page("/", &params), of("/"));
    }

    #[test]
    fn each_page_gets_what_it_shows() {
        let id = "00000000-0000-0000-0000-000000000001";
        let list = Window { query: VmQuery::default(), from: 0, count: FIRST_ROWS };
        assert_eq!(of("/"), Scope { list: Some(list), ..Scope::default() });
        assert_eq!(of("/hosts"), Scope::default(), "the server renders its table");
        assert_eq!(of(&format!("/vms/{id}/migrate")), Scope { vm: id.parse().ok(), hosts: true, ..Scope::default() });
        assert_eq!(of(&format!("/vms/{id}/pause")), Scope { vm: id.parse().ok(), ..Scope::default() });
        assert_eq!(of(&format!("/migrations/{id}/cancel")).migration, id.parse().ok());
        let host = "gamma".parse().ok();
        let its_vms =
            Window { query: VmQuery { host: host.clone(), ..VmQuery::default() }, from: 0, count: FIRST_ROWS };
        assert_eq!(of("/hosts/gamma"), Scope { host, list: Some(its_vms), ..Scope::default() });
        assert_eq!(of("/vms/nonsense"), Scope::default());
        assert_eq!(of("/migrations"), Scope::default());
    }
}
