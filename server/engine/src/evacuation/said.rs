//! What preflights have said while a plan is made, and what the planner is told of it.

use std::collections::BTreeMap;

use model::{HostName, PlanRequest, Preflight, Problem, VmId};
use planner::HostRoom;

use super::{fleet, planning::accepted, subject::Chosen};

/// How much it speaks against a host that it has refused another VM: by what was found there it may refuse the next, too.
const REFUSED_ANOTHER: u32 = 5;

/// What preflights have said.
#[derive(Default)]
pub(super) struct Said {
    pub(super) pairs: BTreeMap<(VmId, HostName), Result<Preflight, Problem>>,
    pub(super) pools: BTreeMap<HostName, BTreeMap<String, u64>>,
    /// How many VMs each host has refused.
    refusals: BTreeMap<HostName, u32>,
}

impl Said {
    pub(super) fn learn(
        &mut self,
        (vm, host): (VmId, HostName),
        answer: Result<Preflight, Problem>,
        request: &PlanRequest,
    ) {
        let is_refused = answer.as_ref().map_or(true, |preflight| fleet::pair(preflight, &accepted(request)).refused);
        *self.refusals.entry(host.clone()).or_default() += u32::from(is_refused);
        if let Ok(preflight) = &answer {
            self.pools.entry(host.clone()).or_default().extend(fleet::pools(preflight));
        }
        self.pairs.insert((vm, host), answer);
    }
}

/// What is known of a VM's way to each of these hosts, where anything is.
pub(super) fn pairs_of<'a>(
    vm: VmId,
    hosts: impl Iterator<Item = &'a HostName>,
    request: &PlanRequest,
    said: &Said,
) -> BTreeMap<HostName, planner::Pair> {
    let pair = |host: &HostName| {
        let pair = match said.pairs.get(&(vm, host.clone())) {
            Some(Ok(preflight)) => fleet::pair(preflight, &accepted(request)),
            Some(Err(_)) => planner::Pair { refused: true, ..planner::Pair::default() },
            None => {
                let against = said.refusals.get(host).map_or(0, |refusals| REFUSED_ANOTHER * refusals);
                planner::Pair { against, ..planner::Pair::default() }
            }
        };
        (pair.refused || pair.against > 0 || !pair.disks.is_empty()).then(|| (host.clone(), pair))
    };
    hosts.filter_map(pair).collect()
}

/// Links whose budget was not set carry what earlier moves had, unless these were limited each by itself.
pub(super) fn link_by_what_was_measured(hosts: &mut BTreeMap<HostName, HostRoom>, chosen: &[Chosen], said: &Said) {
    for ((vm, _), answer) in &said.pairs {
        let prediction = answer.as_ref().ok().and_then(|preflight| preflight.prediction);
        let source = chosen.iter().find(|chosen| chosen.vm.id == *vm).map(|chosen| &chosen.vm.host);
        let (Some(prediction), Some(room)) = (prediction, source.and_then(|source| hosts.get_mut(source))) else {
            continue;
        };
        if prediction.throughput_measured && room.each_bytes_s.is_none() {
            let before = room.outgoing_bytes_s.unwrap_or_default();
            room.outgoing_bytes_s = Some(before.max(prediction.throughput_bytes_s));
        }
    }
}
