//! Which migrations are searched for: what doors, engine and store say to each other.

use serde::{Deserialize, Serialize};

use crate::{Code, HostName, Migration, MigrationId, Phase, Problem, VmId};

/// Which migrations are wanted. What is not set lets everything through.
///
/// ```
/// # use model::MigrationFilter;
/// let away_from_alpha = MigrationFilter { source: "alpha".parse().ok(), ..MigrationFilter::newest(50) };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationFilter {
    /// Of this VM.
    pub vm: Option<VmId>,
    /// Of VMs that had exactly this name when the migration began.
    pub vm_name: Option<String>,
    /// Away from this host.
    pub source: Option<HostName>,
    /// To this host.
    pub destination: Option<HostName>,
    /// Away from this host or to it.
    pub host: Option<HostName>,
    /// In one of these phases. Ended ones are results: `Succeeded`, `Failed`, `Cancelled`, `MovedElsewhere`, `NeedsAttention`.
    pub phases: Option<Vec<Phase>>,
    /// Asked for by this user.
    pub requested_by: Option<String>,
    /// Asked for at this time or later, in ms since 1970.
    pub created_from_ms: Option<u64>,
    /// Asked for before this time, in ms since 1970.
    pub created_before_ms: Option<u64>,
    /// Older than this migration: the next page after the one that ends with it.
    pub before: Option<MigrationId>,
    /// At most so many.
    pub limit: u32,
}

impl MigrationFilter {
    /// The newest migrations, at most `limit`.
    pub fn newest(limit: u32) -> Self {
        Self {
            vm: None,
            vm_name: None,
            source: None,
            destination: None,
            host: None,
            phases: None,
            requested_by: None,
            created_from_ms: None,
            created_before_ms: None,
            before: None,
            limit,
        }
    }

    /// Those of them that succeeded.
    #[must_use]
    pub fn succeeded(self) -> Self {
        Self { phases: Some(vec![Phase::Succeeded]), ..self }
    }

    /// Whether this filter lets a migration through. Its `limit` is about the list, not about one of it.
    pub fn lets_through(&self, migration: &Migration) -> bool {
        /// Nothing is wanted, or this.
        fn is<T: PartialEq>(wanted: &Option<T>, found: &T) -> bool {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        }
        let Self {
            vm,
            vm_name,
            source,
            destination,
            host,
            phases,
            requested_by,
            created_from_ms,
            created_before_ms,
            before,
            limit: _,
        } = self;
        is(vm, &migration.vm)
            && is(vm_name, &migration.vm_name)
            && is(source, &migration.source)
            && is(destination, &migration.destination)
            && (is(host, &migration.source) || is(host, &migration.destination))
            && phases.as_ref().is_none_or(|phases| phases.contains(&migration.phase))
            && is(requested_by, &migration.requested_by)
            && created_from_ms.is_none_or(|from| migration.created_at_ms >= from)
            && created_before_ms.is_none_or(|before| migration.created_at_ms < before)
            && before.is_none_or(|before| migration.id < before)
    }
}

/// Which migrations are searched for, as addresses and forms say it. An empty field lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MigrationQuery {
    /// A VM's UUID, or the exact name that it had.
    pub vm: String,
    /// Away from this host or to it.
    pub host: String,
    /// `running`, or a result such as `failed`: a phase as in JSON.
    pub result: String,
    /// Who asked for it.
    pub by: String,
    /// Asked for within so many hours.
    pub hours: String,
    /// Older than this migration.
    pub before: String,
}

impl MigrationQuery {
    /// The results that a list can be filtered by, and what they are called.
    pub const RESULTS: [(&str, &str); 6] = [
        ("running", "Running"),
        ("succeeded", "Succeeded"),
        ("failed", "Failed"),
        ("cancelled", "Cancelled"),
        ("needs-attention", "Needs attention"),
        ("moved-elsewhere", "Moved elsewhere"),
    ];

    /// The filter, at a time in ms since 1970.
    ///
    /// # Errors
    /// `invalid-input` for a host, result, number of hours or id that can't be one.
    pub fn filter(&self, now_ms: u64, limit: u32) -> Result<MigrationFilter, Problem> {
        let invalid =
            |what: &str| Problem::new(Code::InvalidInput, format!("This is no {what} to search migrations by."));
        let given = |field: &str| Some(field.trim().to_owned()).filter(|field| !field.is_empty());
        let vm = given(&self.vm).map(|vm| vm.parse::<VmId>().map_err(|_| vm));
        let hours = given(&self.hours).map(|hours| hours.parse::<u32>().map_err(|_| invalid("number of hours")));
        Ok(MigrationFilter {
            vm: vm.as_ref().and_then(|vm| vm.as_ref().ok()).copied(),
            vm_name: vm.and_then(Result::err),
            host: given(&self.host).map(|host| host.parse().map_err(|_| invalid("host"))).transpose()?,
            phases: given(&self.result).map(|result| phases(&result).ok_or_else(|| invalid("result"))).transpose()?,
            requested_by: given(&self.by),
            created_from_ms: hours.transpose()?.map(|hours| now_ms.saturating_sub(u64::from(hours) * 3_600_000)),
            before: given(&self.before).map(|id| id.parse().map_err(|_| invalid("id"))).transpose()?,
            ..MigrationFilter::newest(limit)
        })
    }

    /// The query of an address, `before` left out.
    pub fn pairs(&self) -> [(&'static str, &str); 5] {
        let Self { vm, host, result, by, hours, before: _ } = self;
        [("vm", vm), ("host", host), ("result", result), ("by", by), ("hours", hours)]
    }
}

fn phases(result: &str) -> Option<Vec<Phase>> {
    if result == "running" {
        return Some(Phase::ALL.iter().copied().filter(|phase| !phase.has_ended()).collect());
    }
    Phase::ALL.iter().copied().find(|phase| phase.has_ended() && phase.as_str() == result).map(|phase| vec![phase])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(change: impl FnOnce(&mut MigrationQuery)) -> Result<MigrationFilter, Problem> {
        let mut query = MigrationQuery::default();
        change(&mut query);
        query.filter(10_000_000, 50)
    }

    #[test]
    fn an_empty_query_lets_everything_through() {
        assert_eq!(query(|_| {}), Ok(MigrationFilter::newest(50)));
    }

    #[test]
    fn a_vm_is_named_by_its_uuid_or_its_name() {
        let id = "00000000-0000-0000-0000-000000000007";
        assert_eq!(query(|query| query.vm = id.into()).unwrap().vm, id.parse().ok());
        assert_eq!(query(|query| query.vm = " db ".into()).unwrap().vm_name, Some("db".to_owned()));
    }

    #[test]
    fn every_result_that_is_offered_is_one() {
        for (result, _) in MigrationQuery::RESULTS {
            let phases = query(|query| query.result = result.into()).unwrap().phases.unwrap();
            assert!(phases.iter().all(|phase| phase.has_ended() != (result == "running")), "{result}");
        }
        assert_eq!(query(|query| query.hours = "2".into()).unwrap().created_from_ms, Some(2_800_000));
    }

    #[test]
    fn nonsense_is_refused() {
        for spoil in [
            (|query: &mut MigrationQuery| query.host = "no host".into()) as fn(&mut MigrationQuery),
            |query| query.result = "queued".into(),
            |query| query.hours = "-1".into(),
            |query| query.before = "1".into(),
        ] {
            assert_eq!(query(spoil).unwrap_err().code, Code::InvalidInput);
        }
    }
}
