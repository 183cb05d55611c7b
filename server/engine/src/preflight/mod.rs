//! Preflight: whether a VM can go to a host, known before anything begins.
//!
//! `gather.rs` and `ask.rs` ask both hosts and change nothing. What they say becomes a [`PreflightInput`], and everything else is
//! pure: one file a topic makes findings from it, and [`conclude`] puts them together. Callers are `Engine::preflight`, for pages and
//! programs, and `migration/admission.rs`, for what a migration is refused for.

mod ask;
mod control_flow;
mod destination;
mod devices;
mod dhcp;
mod drivers;
mod encryption;
mod files;
mod gather;
mod history;
mod input;
mod kept;
mod listeners;
mod machine;
mod measure;
mod network;
mod options;
mod pinning;
mod prediction;
mod rdma;
mod reach;
mod recent;
mod refusal;
mod resources;
mod tunnelled;
mod versions;
mod vm;

use std::{cmp::Reverse, sync::Arc};

use model::{ControlFlow, DiskPlan, HostName, MigrationOptions, Preflight, Treatment, VmId};

use crate::{context::Context, error::Error, storage};
pub(crate) use gather::{Gathered, PreflightRequest};
pub(crate) use history::{carried, unlimited_mib_s};
pub(crate) use input::PreflightInput;
use input::Route;
use recent::Recent;
pub(crate) use refusal::FailedCheck;
pub(crate) use resources::memory_needed;

/// Makes preflights.
pub(crate) struct Preflights {
    context: Arc<Context>,
    recent: Arc<Recent>,
}

impl Preflights {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context, recent: Arc::default() }
    }

    /// The preflight for one VM and one destination.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, `invalid-input`; `host-unreachable` if the VM's own host does not answer.
    pub(crate) async fn run(
        self: &Arc<Self>,
        vm: VmId,
        destination: &HostName,
        options: &MigrationOptions,
    ) -> Result<Preflight, Error> {
        let options = &self.context.inventory().with_policy_defaults(vm, options.clone());
        let request = PreflightRequest { vm, destination, mode: None, options, may_share: true };
        Ok(match self.gather(request).await? {
            Gathered::Refused(refusal) => refused(destination, &refusal),
            Gathered::Input(input) => {
                self.measure_unasked(&input.vm);
                conclude(&input)
            }
        })
    }
}

/// Everything that follows from what both hosts said.
pub(crate) fn conclude(input: &PreflightInput) -> Preflight {
    let (disks, about_disks) =
        storage::plan(&input.domain, &input.source.side(), &input.destination.side(), input.mode, &input.options);
    let (control_flow, about_control_flow) = control_flow::of(input);
    let copies_disks = disks.iter().any(|disk| matches!(disk.treatment, Treatment::Copy { .. }));
    let route = Route { control_flow, copies_disks };
    let (encrypted, about_encryption) = encryption::of(input, &route);
    let topics = [
        destination::findings(input),
        vm::findings(input, &route),
        devices::findings(input),
        kept::findings(input),
        machine::findings(input),
        resources::findings(input),
        pinning::findings(input),
        network::findings(input),
        dhcp::findings(input),
        listeners::findings(input),
        files::findings(input),
        drivers::findings(input),
        versions::findings(input),
        reach::findings(input, &route),
        vec![about_control_flow],
        tunnelled::finding(input, &route).into_iter().collect(),
        about_encryption.into_iter().collect(),
        rdma::finding(input, &route).into_iter().collect(),
        about_disks,
    ];
    let mut findings = topics.concat();
    findings.sort_by_key(|finding| (Reverse(finding.severity), finding.code));
    let mut preflight = Preflight {
        destination: input.destination_name().clone(),
        findings,
        control_flow,
        encrypted,
        disks,
        prediction: None,
    };
    preflight.prediction = prediction::of(input, to_copy(input, &preflight.disks));
    preflight
}

/// What there is to send of disks, in bytes: what they take up at the source, where that is known.
fn to_copy(input: &PreflightInput, disks: &[DiskPlan]) -> u64 {
    let takes_up = |plan: &DiskPlan| {
        let disk = input.domain.disks.iter().find(|disk| disk.target == plan.target);
        let allocated = disk.map_or(0, |disk| disk.allocation_bytes);
        if allocated > 0 { allocated.min(plan.capacity_bytes) } else { plan.capacity_bytes }
    };
    disks.iter().filter(|disk| matches!(disk.treatment, Treatment::Copy { .. })).map(takes_up).sum()
}

/// The one thing that is wrong, as a preflight.
pub(crate) fn refused(destination: &HostName, failed: &FailedCheck) -> Preflight {
    let findings = vec![failed.finding()];
    Preflight {
        destination: destination.clone(),
        findings,
        control_flow: ControlFlow::PeerToPeer,
        encrypted: false,
        disks: Vec::new(),
        prediction: None,
    }
}

#[cfg(test)]
mod tests;
