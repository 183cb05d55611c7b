//! What other consoles do: so many at once away from a host, in the order of their names, which share the links fairly.

use std::collections::BTreeMap;

use planner::{END_MS, Fleet, HostRoom, Placement, READY_MS, VmToMove};

/// A move under way.
struct Flow<'a> {
    vm: &'a VmToMove,
    from: &'a HostRoom,
    to: &'a HostRoom,
    destination: &'a model::HostName,
    /// It sends from then on, in ms.
    ready: f64,
    /// What is left of its memory, in bytes.
    left: f64,
    /// When it is over, in ms; infinite while it sends.
    ends: f64,
}

/// How long a plan's moves take, in ms, with that many at once away from each host.
pub fn total_ms(fleet: &Fleet, placement: &Placement, at_once: usize) -> u64 {
    let vms: BTreeMap<_, _> = fleet.vms.iter().map(|one| (one.vm, one)).collect();
    let mut waiting: Vec<_> = placement.moves.iter().collect();
    waiting.sort_by_key(|one| one.vm);
    let (mut now, mut flows) = (0.0, Vec::<Flow>::new());
    loop {
        waiting.retain(|one| {
            let begins = flows.iter().filter(|flow| flow.vm.source == one.source).count() < at_once;
            if begins {
                let vm = vms[&one.vm];
                let [from, to] = [&one.source, &one.destination].map(|host| &fleet.hosts[host]);
                let (ready, left) = (now + READY_MS as f64, vm.sends_bytes as f64);
                flows.push(Flow { vm, from, to, destination: &one.destination, ready, left, ends: f64::INFINITY });
            }
            !begins
        });
        if flows.is_empty() {
            return now as u64;
        }
        let rates: Vec<f64> = flows.iter().map(|flow| gained(flow, &flows, now)).collect();
        let until = |(flow, rate): (&Flow, &f64)| {
            let next = if flow.ends.is_finite() {
                flow.ends
            } else if flow.ready > now {
                flow.ready
            } else {
                now + flow.left / rate
            };
            next - now
        };
        let step = flows.iter().zip(&rates).map(until).fold(f64::INFINITY, f64::min);
        now += step;
        for (flow, rate) in flows.iter_mut().zip(&rates) {
            if flow.ends.is_infinite() && flow.ready < now {
                flow.left -= rate * step;
                if flow.left < 1.0 {
                    flow.ends = now + END_MS as f64;
                }
            }
        }
        flows.retain(|flow| flow.ends > now + 0.01);
    }
}

/// By how much what is left of a move's memory shrinks, in bytes a ms: by no less than a third of what is sent, as the planner assumes.
fn gained(flow: &Flow, flows: &[Flow], now: f64) -> f64 {
    let sends = |other: &&Flow| other.ready <= now && other.ends.is_infinite();
    let away = flows.iter().filter(sends).filter(|other| other.vm.source == flow.vm.source).count().max(1) as f64;
    let there = flows.iter().filter(sends).filter(|other| other.destination == flow.destination).count().max(1) as f64;
    let share = |budget: Option<u64>, moves: f64| budget.map_or(f64::INFINITY, |budget| budget as f64 / moves);
    let rate = share(flow.from.outgoing_bytes_s, away)
        .min(share(flow.to.incoming_bytes_s, there))
        .min(share(flow.from.each_bytes_s, 1.0));
    if flow.ready > now { 0.0 } else { (rate - flow.vm.dirty_bytes_s as f64).max(rate / 3.0) / 1000.0 }
}
