//! Makes a plan: the planner says where VMs could go, preflights say whether they can, until nothing new is learned.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use model::{
    Code, Ending, Finding, FindingCode, HostName, MigrationOptions, Mode, Plan, PlanId, PlanRequest, PlannedMove,
    PlannedStay, Policy, Problem, Severity, Subject, Vm, VmId, Why,
};
use planner::{Fleet, Move, NoPlace, Placement, VmToMove};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::{
    Evacuations, fleet, refused, reserve,
    said::{Said, link_by_what_was_measured, pairs_of},
    subject::{self, CHOICES_RUNNING, Chosen, Split},
    wording,
};
use crate::{error::Error, inventory::Inventory, lock::lock};

/// How long hosts are asked; pairs that are not reached by then are looked at when their turn comes. With the rest it stays under the limit of an
/// answer (45 s).
const ASKING: Duration = Duration::from_secs(25);
/// How many preflights run at once: each asks two hosts.
const AT_ONCE: usize = 8;
/// How often the planner is asked anew: each time it knows more of the pairs.
const ROUNDS: usize = 12;
impl Evacuations {
    /// Makes a plan, and keeps it.
    pub(crate) async fn plan(&self, request: PlanRequest) -> Result<Plan, Error> {
        let (chosen, stays) = self.split(&request).await?;
        let mut said = Said::default();
        let deadline = Instant::now() + ASKING;
        let (mut fleet, mut placement) = self.place(&request, &chosen, &said);
        for _ in 0..ROUNDS {
            let unknown: Vec<(VmId, HostName)> = placement
                .moves
                .iter()
                .map(|planned| (planned.vm, planned.destination.clone()))
                .filter(|pair| !said.pairs.contains_key(pair))
                .collect();
            if unknown.is_empty() || !self.ask(&request, &unknown, &mut said, deadline).await {
                break;
            }
            (fleet, placement) = self.place(&request, &chosen, &said);
        }
        let plan = self.put_together(request, &chosen, stays, &fleet, placement, &said);
        lock(&self.plans).keep(&plan, self.context.now_ms());
        Ok(plan)
    }

    /// Which VMs move, and which stay whatever hosts say.
    async fn split(&self, request: &PlanRequest) -> Result<Split, Error> {
        subject::check(&self.context.inventory(), request)?;
        match &request.subject {
            Subject::Home(id) => {
                let (before, _) = self.get(*id).await?;
                Ok(subject::home(&self.context.inventory(), &before))
            }
            Subject::Hosts(_) | Subject::Vms(_) => subject::named(&self.context.inventory(), request),
        }
    }

    /// Asks the planner, with what is known of the pairs.
    fn place(&self, request: &PlanRequest, chosen: &[Chosen], said: &Said) -> (Fleet, Placement) {
        let fleet = self.fleet(request, chosen, said);
        let placement = planner::place(&fleet);
        (fleet, placement)
    }

    fn fleet(&self, request: &PlanRequest, chosen: &[Chosen], said: &Said) -> Fleet {
        let inventory = self.context.inventory();
        let home: BTreeSet<HostName> = match &request.subject {
            Subject::Home(_) => chosen.iter().filter_map(|chosen| chosen.destination.clone()).collect(),
            Subject::Hosts(_) | Subject::Vms(_) => BTreeSet::new(),
        };
        let mut hosts = fleet::rooms(&inventory, &home);
        reserve::take_all(&mut hosts, &inventory, None);
        for host in request.emptied() {
            hosts.entry(host.clone()).and_modify(|room| room.takes = false);
        }
        for (host, pools) in &said.pools {
            hosts.entry(host.clone()).and_modify(|room| room.pools.clone_from(pools));
        }
        link_by_what_was_measured(&mut hosts, chosen, said);
        let moved: BTreeSet<VmId> = chosen.iter().map(|chosen| chosen.vm.id).collect();
        let to_move = |chosen: &Chosen| {
            let Chosen { vm, mode, destination } = chosen;
            let policy = policy(&inventory, request, chosen);
            let dirty = self.preflights.curve(vm.id).map(|curve| curve.rate_bytes_s());
            let mut to_move = fleet::vm(vm, *mode, destination.clone(), policy, dirty);
            to_move.pairs = pairs_of(vm.id, hosts.keys(), request, said);
            to_move
        };
        let vms = chosen.iter().map(to_move).collect();
        Fleet { vms, others: fleet::others(&inventory, &moved), rules: self.rules(), hosts }
    }

    /// Makes the preflights of these pairs; false if the time for that is over.
    async fn ask(&self, request: &PlanRequest, pairs: &[(VmId, HostName)], said: &mut Said, deadline: Instant) -> bool {
        let options = options(request);
        let ask = async |(vm, host): &(VmId, HostName)| {
            let answer = self.preflights.run(*vm, host, &options).await;
            ((*vm, host.clone()), answer.map_err(Problem::from))
        };
        let mut answers = stream::iter(pairs).map(ask).buffer_unordered(AT_ONCE);
        while let Ok(answer) = timeout_at(deadline, answers.next()).await {
            let Some((pair, answer)) = answer else { return true };
            said.learn(pair, answer, request);
        }
        false
    }

    fn put_together(
        &self,
        request: PlanRequest,
        chosen: &[Chosen],
        mut stays: Vec<PlannedStay>,
        fleet: &Fleet,
        placement: Placement,
        said: &Said,
    ) -> Plan {
        let find = |vm: &VmId| chosen.iter().find(|chosen| chosen.vm.id == *vm);
        for (vm, why) in &placement.without {
            let Some(Chosen { vm, mode, .. }) = find(vm) else { continue };
            let problem = no_place(vm, why, &request, said);
            let choices = if *mode == Mode::Live { CHOICES_RUNNING.to_vec() } else { Vec::new() };
            stays.push(subject::stays(vm, Some(problem), None, choices));
        }
        let numbered: BTreeMap<VmId, (&Chosen, &VmToMove)> =
            chosen.iter().zip(&fleet.vms).map(|(chosen, to_move)| (chosen.vm.id, (chosen, to_move))).collect();
        let planned = |one: &Move| {
            let (chosen, to_move) = numbered.get(&one.vm)?;
            Some(self.planned(&request, chosen, to_move, one, said))
        };
        let moves: Vec<PlannedMove> = placement.moves.iter().filter_map(planned).collect();
        Plan {
            id: PlanId(Uuid::now_v7()),
            made_at_ms: self.context.now_ms(),
            between_ms: between(placement.total_ms, &moves),
            moves,
            shortage: shortage(chosen, &placement),
            stays,
            likely_ms: placement.total_ms,
            bound_ms: placement.bound_ms,
            request,
        }
    }

    fn planned(
        &self,
        request: &PlanRequest,
        chosen: &Chosen,
        to_move: &VmToMove,
        one: &Move,
        said: &Said,
    ) -> PlannedMove {
        let preflight = said.pairs.get(&(one.vm, one.destination.clone())).and_then(|said| said.as_ref().ok());
        let told = |finding: &&Finding| finding.severity != Severity::Ok;
        let not_yet = || {
            let text = "Not looked at yet: it is when its turn comes.";
            vec![Finding::unknown(FindingCode::DestinationReachable, text)]
        };
        let is_home = matches!(request.subject, Subject::Home(_));
        PlannedMove {
            vm: one.vm,
            vm_name: chosen.vm.name.clone(),
            source: one.source.clone(),
            destination: one.destination.clone(),
            via: None,
            mode: chosen.mode,
            policy: policy(&self.context.inventory(), request, chosen),
            memory_bytes: to_move.memory_bytes,
            bytes: one.bytes,
            at_ms: one.at_ms,
            prediction: preflight.and_then(|preflight| preflight.prediction),
            why: if is_home && !one.is_halt { Why::Home } else { one.why.clone() },
            findings: preflight
                .map_or_else(not_yet, |preflight| preflight.findings.iter().filter(told).cloned().collect()),
        }
    }
}

/// The policy that a move follows.
fn policy(inventory: &Inventory, request: &PlanRequest, Chosen { vm, .. }: &Chosen) -> Policy {
    inventory.with_policy_defaults(vm.id, options(request)).policy.unwrap_or_default()
}

/// What a move of the plan is asked for with.
pub(super) fn options(request: &PlanRequest) -> MigrationOptions {
    MigrationOptions { policy: request.policy, ..MigrationOptions::default() }
}

/// The risks that are accepted. A host is in maintenance until its VMs are home.
pub(super) fn accepted(request: &PlanRequest) -> Vec<FindingCode> {
    let home = matches!(request.subject, Subject::Home(_)).then_some(FindingCode::Maintenance);
    request.accept.iter().copied().chain(home).collect()
}

/// Why a VM has no host: in the words of the hosts, where each has refused it.
fn no_place(vm: &Vm, why: &NoPlace, request: &PlanRequest, said: &Said) -> Problem {
    let of_all = || {
        let of_this = said.pairs.iter().filter(|((of, _), _)| *of == vm.id);
        let answers: Vec<refused::Answer> = of_this.map(|((_, host), answer)| (host, answer)).collect();
        refused::everywhere(&vm.name, &answers, &accepted(request))
    };
    let in_their_words = (*why == NoPlace::Refused).then(of_all).flatten();
    in_their_words.unwrap_or_else(|| wording::no_place(&vm.name, why))
}

/// What is missing in all.
fn shortage(chosen: &[Chosen], placement: &Placement) -> Option<Problem> {
    let lacks = |why: &NoPlace| matches!(why, NoPlace::Memory { .. } | NoPlace::Space { .. });
    let without: Vec<&VmId> = placement.without.iter().filter(|(_, why)| lacks(why)).map(|(vm, _)| vm).collect();
    let bytes: u64 =
        chosen.iter().filter(|chosen| without.contains(&&chosen.vm.id)).map(|chosen| chosen.vm.memory_bytes).sum();
    let (count, bytes) = (without.len(), model::text::bytes(bytes));
    (count > 0).then(|| {
        let vms = if count == 1 { "VM".to_owned() } else { format!("{count} VMs") };
        Problem::new(Code::NoRoom, format!("There is no room for {vms}, with {bytes} of memory together."))
            .with_fix("Free memory or space on another host, add one, or choose what may be shut down.")
    })
}

/// Between what the whole takes in four of five cases, by what is known of its moves.
fn between(total_ms: u64, moves: &[PlannedMove]) -> [u64; 2] {
    /// Of moves of which nothing is known (`preflight/prediction.rs`, GUESSED).
    const UNKNOWN: (f64, f64) = (0.7, 2.0);
    let (mut low, mut likely, mut high) = (0.0, 0.0, 0.0);
    for planned in moves {
        let takes = planned.at_ms[1].saturating_sub(planned.at_ms[0]) as f64;
        let factors = match planned.prediction.map(|prediction| prediction.ending) {
            Some(Ending::After { low_ms, likely_ms, high_ms, .. }) if likely_ms > 0 => {
                (low_ms as f64 / likely_ms as f64, high_ms as f64 / likely_ms as f64)
            }
            _ => UNKNOWN,
        };
        low += takes * factors.0;
        likely += takes;
        high += takes * factors.1;
    }
    if likely == 0.0 {
        return [total_ms; 2];
    }
    [low, high].map(|sum| (total_ms as f64 * sum / likely) as u64)
}
