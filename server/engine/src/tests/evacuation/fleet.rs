//! A whole fleet: the same planner and conductor with hundreds of hosts and thousands of VMs, a part of the hosts emptied at once.

use std::{env, time::Instant};

use model::EvacuationState;

use super::{random::Dice, *};

struct Size {
    hosts: u64,
    vms: u64,
    emptied: usize,
}

async fn empty_a_part(size: Size, seed: u64) {
    let mut dice = Dice(seed);
    let sim = Sim::new();
    let hosts: Vec<HostConfig> = (0..size.hosts).map(|number| sim.add_host(&format!("h{number:03}"))).collect();
    let names: Vec<HostName> = hosts.iter().map(|host| host.name.clone()).collect();
    for number in 0..size.vms {
        let memory_bytes = [256, 512, 1024, 2048][dice.roll(4) as usize] * MIB;
        let dirty_bytes_s = if dice.one_in(5) { dice.roll(8) * MIB } else { 0 };
        let at = &names[(number % size.hosts) as usize];
        sim.add_vm(at, &format!("vm-{number}"), VmState::Running, Load { memory_bytes, dirty_bytes_s });
    }
    let store = Arc::new(MemoryStore::default());
    let engine = Bench::console(&sim, &store, &hosts).await;
    let mut bench = Bench { sim, store, hosts, engine };
    bench.until(|bench| bench.engine.snapshot(None).hosts.iter().all(model::Host::is_connected)).await;
    let emptied = names[..size.emptied].to_vec();
    let planning = Instant::now();
    let plan = bench.engine.plan(PlanRequest::plain(Subject::Hosts(emptied.clone()))).await.unwrap();
    let planned = planning.elapsed();
    let carrying_out = Instant::now();
    let begun = tokio::time::Instant::now();
    let id = bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    // A host dies, and the console, too.
    tokio::time::sleep(Duration::from_secs(60)).await;
    bench.sim.kill(&names[size.emptied]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    bench.restart().await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    bench.sim.revive(&names[size.emptied]);
    let end = bench.until_evacuation(id, |now| now.left() == 0 || now.state.has_ended()).await;
    let took = begun.elapsed();
    println!(
        "{} hosts, {} VMs, {} emptied ({} VMs): planned in {planned:.1?}; {took:.0?} simulated, plan {} s, bound {} s; {:.1?} real",
        size.hosts,
        size.vms,
        size.emptied,
        end.items.len(),
        plan.likely_ms / 1_000,
        plan.bound_ms / 1_000,
        carrying_out.elapsed(),
    );
    for item in &end.items {
        let at = bench.sim.runs_on(item.vm);
        assert_eq!(at.len(), 1, "{} runs on {at:?}", item.vm_name);
        let is_settled = matches!(item.state, ItemState::Moved { .. } | ItemState::WaitsForPerson { .. });
        assert!(is_settled && (end.state == EvacuationState::Running || !emptied.contains(&at[0])), "{item:#?}");
    }
    assert_eq!(end.stuck(), 0, "{:#?}", end.items.iter().find(|item| !item.tried.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_part_of_a_fleet_is_emptied() {
    let size = match env::var("FLEET") {
        Ok(_) => Size { hosts: 200, vms: 10_000, emptied: 10 },
        Err(_) => Size { hosts: 12, vms: 60, emptied: 3 },
    };
    empty_a_part(size, 1).await;
}
