//! Preflight: whether a VM can go to a host, known before anything begins.

use model::{HostName, MigrationOptions, Preflight, Problem, VmId};

use crate::Engine;

/// Looks whether a VM can go to a host.
pub(crate) async fn run(
    _engine: &Engine,
    _vm: VmId,
    destination: &HostName,
    _options: &MigrationOptions,
) -> Result<Preflight, Problem> {
    Ok(Preflight { destination: destination.clone(), findings: Vec::new(), disks: Vec::new(), prediction: None })
}

/// Looks at all hosts but the VM's own.
pub(crate) async fn run_all(_engine: &Engine, _vm: VmId) -> Result<Vec<Preflight>, Problem> {
    Ok(Vec::new())
}

/// Measures what a guest writes to its memory.
pub(crate) async fn measure(_engine: &Engine, _vm: VmId) -> Result<u64, Problem> {
    Ok(0)
}
