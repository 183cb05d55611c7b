//! What the forms of a selection say.

use axum::extract::Query;
use model::{Chosen, Code, Problem, StateFilter, VmAction, VmId, VmQuery};

/// The fields of a form, in order; a name may come several times.
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn get(&self, name: &'static str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Which VMs are chosen. Ticked ones come as `vm`; with WASM those that are not in the page any more, too, in `vms`. With `all` they
    /// are all that the query of the address `list` finds, but those in `vms`.
    ///
    /// # Errors
    /// `invalid-input` for what is no id, and what is no query of the list.
    pub fn chosen(&self) -> Result<Chosen, Problem> {
        if let Some(again) = self.all("again").next() {
            return Ok(Chosen::Again(again.parse()?));
        }
        let listed = self.get("vms").split_whitespace();
        if self.get("all").is_empty() {
            return Ok(Chosen::Vms(ids(listed.chain(self.all("vm")))?));
        }
        Ok(Chosen::Matching { query: query_of(self.list())?, except: ids(listed)? })
    }

    /// What is to be done.
    ///
    /// # Errors
    /// `invalid-input`.
    pub fn action(&self) -> Result<VmAction, Problem> {
        let sent = self.get("action");
        VmAction::ALL.iter().copied().find(|action| action.as_str() == sent).ok_or_else(unreadable)
    }

    /// When what the user has looked at was found out, in ms since 1970.
    ///
    /// # Errors
    /// `invalid-input`.
    pub fn seen_ms(&self) -> Result<u64, Problem> {
        self.get("seen").parse().map_err(|_| unreadable())
    }

    /// The address of the list that the VMs were chosen in.
    pub fn list(&self) -> &str {
        self.get("list")
    }
}

/// The query of a list's address. What is unknown in it is refused: it would mean all VMs.
pub(crate) fn query_of(list: &str) -> Result<VmQuery, Problem> {
    let (path, query) = list.split_once('?').unwrap_or((list, ""));
    let host = match path.strip_prefix("/hosts/") {
        Some(host) => Some(host.parse()?),
        None if path == "/" => None,
        None => return Err(unreadable()),
    };
    let mut asked = VmQuery { host, ..VmQuery::default() };
    for (name, value) in pairs(query)? {
        match name.as_str() {
            "q" => asked.search = value,
            "state" => asked.state = filter(&value)?,
            "sort" | "order" | "from" => {}
            _ => return Err(unreadable()),
        }
    }
    Ok(asked)
}

fn filter(state: &str) -> Result<StateFilter, Problem> {
    StateFilter::ALL.iter().copied().find(|filter| filter.as_str() == state).ok_or_else(unreadable)
}

fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let uri = format!("/?{query}").parse().map_err(|_| unreadable())?;
    Ok(Query::try_from_uri(&uri).map_err(|_| unreadable())?.0)
}

fn ids<'a>(ids: impl Iterator<Item = &'a str>) -> Result<Vec<VmId>, Problem> {
    ids.map(str::parse).collect()
}

fn unreadable() -> Problem {
    Problem::new(Code::InvalidInput, "Some fields are not valid.").with_fix("Select the VMs again.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ONE: &str = "00000000-0000-0000-0000-000000000001";
    const TWO: &str = "00000000-0000-0000-0000-000000000002";

    fn fields(fields: &[(&str, &str)]) -> Fields {
        Fields(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn vm(id: u128) -> VmId {
        VmId(Uuid::from_u128(id))
    }

    #[test]
    fn ticked_vms_are_chosen_with_those_out_of_view() {
        let both = format!("{TWO} {ONE}");
        let chosen = fields(&[("vms", &both), ("vm", ONE), ("action", "shut-down")]);
        assert_eq!(chosen.chosen(), Ok(Chosen::Vms(vec![vm(2), vm(1), vm(1)])));
        assert_eq!(chosen.action(), Ok(VmAction::ShutDown));
        assert_eq!(fields(&[("vm", ONE), ("vm", TWO)]).chosen(), Ok(Chosen::Vms(vec![vm(1), vm(2)])));
        assert_eq!(fields(&[]).chosen(), Ok(Chosen::Vms(Vec::new())));
        assert!(fields(&[("vm", "web")]).chosen().is_err() && fields(&[("vms", "1 2")]).chosen().is_err());
    }

    #[test]
    fn all_that_match_are_those_of_the_list_s_query() {
        let list = "/hosts/beta?q=web%20tag%3Ax&state=shut-off&sort=memory&order=descending";
        let all = [("all", "on"), ("vms", TWO), ("vm", ONE), ("list", list)];
        let query = VmQuery {
            host: "beta".parse().ok(),
            search: "web tag:x".into(),
            state: StateFilter::ShutOff,
            ..VmQuery::default()
        };
        assert_eq!(fields(&all).chosen(), Ok(Chosen::Matching { query, except: vec![vm(2)] }));
    }

    #[test]
    fn what_is_not_understood_does_not_mean_all_vms() {
        let of = |list, vms| fields(&[("all", "on"), ("list", list), ("vms", vms)]).chosen();
        let every = VmQuery::default();
        assert_eq!(of("/", ""), Ok(Chosen::Matching { query: every, except: Vec::new() }));
        for list in ["", "x", "/hosts/a%20b", "/hosts", "/?state=flying", "/?colour=red", "/vms?q=web"] {
            assert_eq!(of(list, "").unwrap_err().code, Code::InvalidInput, "{list}");
        }
        assert_eq!(of("/", "x").unwrap_err().code, Code::InvalidInput);
    }
}
