//! What happens to each disk: decided by evidence, never because a file of that name exists there.

use model::{DiskPlan, Finding, MigrationOptions, Mode};

use crate::{DomainFacts, HostConfig, Survey};

/// One of the two hosts, as far as disks go.
pub(crate) struct Side<'a> {
    pub(crate) config: &'a HostConfig,
    pub(crate) survey: &'a Survey,
}

/// What happens to each disk, and what was found about each. Pure: asks nobody.
pub(crate) fn plan(
    _domain: &DomainFacts,
    _source: &Side<'_>,
    _destination: &Side<'_>,
    _mode: Mode,
    _options: &MigrationOptions,
) -> (Vec<DiskPlan>, Vec<Finding>) {
    (Vec::new(), Vec::new())
}
