//! The migrate form as the server gets it: in the body of a start, or in its page's address when it was sent to be checked again.

use std::collections::BTreeMap;

use model::{HostName, MigrationRequest};
use serde::Deserialize;

/// What the form said when it was sent to be checked again.
#[derive(Default, Deserialize)]
#[serde(default)]
struct FilledIn {
    request: Option<MigrationRequest>,
    looked_at: Option<HostName>,
}

/// The request in the query of the form's page; none where the form was not sent yet.
///
/// # Errors
/// What can't be read.
pub(super) fn from_query(query: &str) -> Result<Option<MigrationRequest>, serde_qs::Error> {
    let FilledIn { request, looked_at } = serde_qs::Config::new(5, false).deserialize_str(query)?;
    Ok(request.map(|request| without_stale_choices(request, looked_at.as_ref())))
}

/// The query that brings the form back as it was filled in.
pub(super) fn to_query(request: &MigrationRequest) -> Result<String, serde_qs::Error> {
    serde_qs::to_string(&BTreeMap::from([("request", request)]))
}

/// Drops ticks and pools that were chosen for another host than the one the form is sent for.
///
/// Without WASM the form goes on showing the findings and disks of one host, `looked_at`, while the user chooses another. This only
/// keeps the form's fields together with their host; which findings need consent is decided by the engine.
pub(super) fn without_stale_choices(mut request: MigrationRequest, looked_at: Option<&HostName>) -> MigrationRequest {
    if looked_at.is_some_and(|host| *host != request.destination) {
        request.accept.clear();
        request.options.pools.clear();
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{FindingCode, Policy, VmId};
    use uuid::Uuid;

    fn request() -> MigrationRequest {
        let mut request = MigrationRequest::plain(VmId(Uuid::from_u128(1)), "beta".parse().unwrap());
        request.options.new_name = Some("a b&c".to_owned());
        request.options.policy = Some(Policy::Certain);
        request.options.budget_s = Some(60);
        request.options.pools.insert("vda".to_owned(), "images".to_owned());
        request.accept.push(FindingCode::Nvram);
        request
    }

    #[test]
    fn a_form_survives_the_address() {
        assert_eq!(from_query("").unwrap(), None);
        assert_eq!(from_query(&to_query(&request()).unwrap()).unwrap(), Some(request()));
    }

    #[test]
    fn a_limit_that_is_left_empty_is_none() {
        let query = to_query(&request()).unwrap();
        let empty = "&request[options][longest_pause_ms]=&request[options][bandwidth_mib_s]=";
        assert_eq!(from_query(&format!("{query}{empty}")).unwrap(), Some(request()));
    }

    #[test]
    fn what_was_ticked_for_one_host_is_not_sent_to_another() {
        let query = to_query(&request()).unwrap();
        assert_eq!(from_query(&format!("{query}&looked_at=beta")).unwrap(), Some(request()));
        let other = from_query(&format!("{query}&looked_at=gamma")).unwrap().unwrap();
        assert!(other.accept.is_empty() && other.options.pools.is_empty());
        assert_eq!(other.options.new_name, request().options.new_name);
    }
}
