//! Which migrations are searched for: what doors, engine and store say to each other.

use crate::{HostName, Migration, MigrationId, Phase, VmId};

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
