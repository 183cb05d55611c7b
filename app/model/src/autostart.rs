//! Whether a VM starts with its host, and where a migration has still to set that.

use serde::{Deserialize, Serialize};

use crate::HostName;

/// Whether a VM starts when its host boots (libvirt's autostart), as the source said when the migration began.
///
/// libvirt keeps it beside the definition and moves it nowhere. It is in the record before the VM moves, so that the next console knows
/// it, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Autostart {
    /// What the source said, or was still to be told after the migration before. False if it said nothing and keeps the definition: then
    /// only the source is pending.
    pub enabled: bool,
    /// Hosts where it is still to be set once the VM has moved: off at the source, which may keep the definition; at the destination
    /// as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<HostName>,
}
