//! What a running VM has from its next start on only: it stays behind, for libvirt moves what the VM has now.

use model::{Finding, FindingCode};

use super::{
    plan::{PlanInput, location},
    shared,
};

/// What the next start at the destination would miss.
pub(super) fn findings(input: PlanInput<'_>) -> Vec<Finding> {
    let (name, destination) = (&input.domain.name, input.destination.name());
    let needed = input.domain.later_disks.iter().filter(|disk| !disk.optional);
    let located = needed.map(|disk| (disk, location(input, disk)));
    let missing = located.filter(|(disk, path)| !matches!(shared::evidence(input, disk, path), Ok(Some(_))));
    let told = missing.map(|(disk, path)| {
        let text = format!(
            "{name} has {} ({path}) from its next start on only. It stays behind, so {name} may not start on {destination}.",
            disk.target
        );
        let fix = format!("Put it to the same place on {destination}, or take it out of the definition of {name}.");
        Finding::warning(FindingCode::LaterDisks, text).with_fix(fix)
    });
    told.collect()
}
