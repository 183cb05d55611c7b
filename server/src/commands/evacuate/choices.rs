//! What a person chooses for a plan, in the words of the API: its policy, what is done with VMs that can't move while they run, and the risks
//! that are accepted.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use model::{Choice, FindingCode, HostName, Mode, Plan, Policy, VmId};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::client::{Client, ClientError};
use crate::commands::Failure;

#[derive(Debug, Args)]
#[command(next_help_heading = "Choices")]
#[group(id = "chosen", conflicts_with = "told")]
pub(super) struct Choices {
    /// How far migrations may go to finish: gentle, balanced or certain; without it, each VM's own policy.
    #[arg(long, value_name = "POLICY", value_parser = policy)]
    pub(super) policy: Option<Policy>,
    /// The name or UUID of a VM that stays where it is. Options that name a VM may be given several times.
    #[arg(long, value_name = "VM", conflicts_with = "home")]
    leave: Vec<String>,
    /// A VM that is shut off, and whose definition and disks move.
    #[arg(long, value_name = "VM", conflicts_with = "home")]
    move_offline: Vec<String>,
    /// A VM whose guest is asked to shut down; it starts again when all come home.
    #[arg(long, value_name = "VM", conflicts_with = "home")]
    shut_down: Vec<String>,
    /// The code of a finding that puts data at risk and is accepted for all VMs; may be given several times.
    #[arg(long, value_name = "CODE", value_parser = finding_code)]
    pub(super) accept: Vec<FindingCode>,
}

fn policy(name: &str) -> Result<Policy, String> {
    by_name(name).ok_or_else(|| "the policies are gentle, balanced and certain".to_owned())
}

fn finding_code(code: &str) -> Result<FindingCode, String> {
    by_name(code).ok_or_else(|| "docs/findings.md lists the codes".to_owned())
}

/// What has this name in the API.
fn by_name<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(json!(name)).ok()
}

/// The option that chooses this for a VM.
pub(super) fn option(choice: Choice) -> &'static str {
    match choice {
        Choice::Leave => "--leave",
        Choice::MoveOffline => "--move-offline",
        Choice::ShutDown => "--shut-down",
    }
}

/// A VM as the API lists it.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) uuid: VmId,
}

impl Choices {
    /// The choices by VM. The console is asked for its names only if some are named.
    pub(super) async fn by_vm(&self, client: &Client, hosts: &[HostName]) -> Result<BTreeMap<VmId, Choice>, Failure> {
        if self.named().next().is_none() {
            return Ok(BTreeMap::new());
        }
        let mut listed: Vec<Listed> = Vec::new();
        for host in hosts {
            listed.append(&mut of_host(client, host).await?);
        }
        Ok(self.among(&listed)?)
    }

    /// The choices for these VMs.
    pub(super) fn among(&self, listed: &[Listed]) -> Result<BTreeMap<VmId, Choice>, String> {
        let mut chosen = BTreeMap::new();
        for (name, choice) in self.named() {
            let vm = find(listed.iter().map(|vm| (vm.name.as_str(), vm.uuid)), name)?;
            if let Some(other) = chosen.insert(vm, choice).filter(|other| *other != choice) {
                return Err(format!("{name} is named by both {} and {}.", option(other), option(choice)));
            }
        }
        Ok(chosen)
    }

    fn named(&self) -> impl Iterator<Item = (&str, Choice)> {
        let choices = [
            (&self.leave, Choice::Leave),
            (&self.move_offline, Choice::MoveOffline),
            (&self.shut_down, Choice::ShutDown),
        ];
        choices.into_iter().flat_map(|(names, choice)| names.iter().map(move |name| (name.as_str(), choice)))
    }
}

async fn of_host(client: &Client, host: &HostName) -> Result<Vec<Listed>, ClientError> {
    client.get(&format!("/plugins/kimchi/vms?host={host}")).await
}

/// The VM that a person names, by its name or its UUID.
pub(super) fn find<'a>(vms: impl Iterator<Item = (&'a str, VmId)>, named: &str) -> Result<VmId, String> {
    let id: Option<VmId> = named.parse().ok();
    let found: BTreeSet<VmId> = vms.filter(|(name, vm)| *name == named || Some(*vm) == id).map(|(_, vm)| vm).collect();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(vm), None) => Ok(vm),
        (None, _) => Err(format!("No VM there is called {named}.")),
        (Some(_), Some(_)) => {
            Err(format!("Several VMs there are called {named}: give the UUID of the one that is meant."))
        }
    }
}

/// The choices that the plan has no use for, e.g. to move a VM offline that runs.
pub(super) fn unused(plan: &Plan) -> Vec<String> {
    let told = |(vm, choice): (&VmId, &Choice)| {
        let moves = plan.moves.iter().find(|planned| planned.vm == *vm);
        let stays = plan.stays.iter().find(|stays| stays.vm == *vm);
        let (name, why) = match (moves, stays) {
            (Some(moves), _) if *choice == Choice::MoveOffline && moves.mode == Mode::Offline => return None,
            (Some(moves), _) => (moves.vm_name.clone(), "it moves while it runs."),
            (None, Some(stays)) if stays.choice == Some(*choice) => return None,
            (None, Some(stays)) => (stays.vm_name.clone(), "it can't be chosen for this VM."),
            (None, None) => (vm.to_string(), "the plan is not about this VM."),
        };
        Some(format!("{} {name} has no effect: {why}", option(*choice)))
    };
    plan.request.choices.iter().filter_map(told).collect()
}
