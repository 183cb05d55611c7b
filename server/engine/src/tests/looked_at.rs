//! What is shown of a VM that is looked at.

use std::time::Duration;

use model::{Change, Code, Phase, Scope, VmAction, VmQuery, Window};
use tokio::time::sleep;
use uuid::Uuid;

use super::*;
use crate::hypervisor::CopyFacts;

#[tokio::test(start_paused = true)]
async fn an_agent_that_never_answers_holds_nothing_up_twice() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let begun = tokio::time::Instant::now();
    let details = bench.engine.details(vm).await.unwrap();
    assert_eq!((details.host.as_str(), details.facts.name.as_str(), details.guest), ("alpha", "web", None));
    let first = begun.elapsed();
    sleep(Duration::from_secs(2)).await;
    let begun = tokio::time::Instant::now();
    bench.engine.details(vm).await.unwrap();
    assert!(first <= Duration::from_millis(1_010) && begun.elapsed() < first, "the agent is not asked again at once");
    let unknown = bench.engine.details(VmId(Uuid::from_u128(7))).await.unwrap_err();
    assert_eq!(unknown.code(), Code::UnknownVm);
}

#[tokio::test(start_paused = true)]
async fn figures_are_taken_while_they_are_looked_at_and_follow_the_vm() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    assert_eq!(bench.engine.usage(vm).unwrap(), [], "nothing was asked before");
    sleep(Duration::from_secs(11)).await;
    let points = bench.engine.usage(vm).unwrap();
    let cpus: Vec<_> = points.iter().map(|point| point.cpus).collect();
    assert_eq!(cpus, [None, Some(1.0), Some(1.0)], "one CPU is busy all the time");
    let id = bench.start(vm, "beta").await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    let before = bench.engine.usage(vm).unwrap().len();
    sleep(Duration::from_secs(11)).await;
    let after = bench.engine.usage(vm).unwrap();
    assert!(after.len() > before, "its new host is asked");
    assert_eq!(after.last().unwrap().cpus, Some(1.0));
    let tasks = bench.engine.running_tasks();
    sleep(Duration::from_secs(70)).await;
    assert!(bench.engine.running_tasks() < tasks, "a minute later no host is asked");
    assert_eq!(bench.engine.usage(vm).unwrap()[..after.len()], after, "what was seen is kept");
}

#[tokio::test(start_paused = true)]
async fn a_host_says_what_it_has_and_the_console_what_went_wrong_with_it() {
    let bench = Bench::new().await;
    bench.vm("web", VmState::Running, IDLE).await;
    let alpha: HostName = "alpha".parse().unwrap();
    let details = bench.engine.host_details(&alpha).await.unwrap();
    let resources = details.resources.unwrap();
    assert_eq!((resources.cpus_busy, resources.cpus), (Some(4.0), 16));
    assert_eq!(resources.memory_bytes - resources.memory_free_bytes, IDLE.memory_bytes);
    assert_eq!((details.problem, details.errors), (None, Vec::new()));
    bench.sim.kill(&alpha);
    // Attempts to connect again fail for the same reason.
    sleep(Duration::from_mins(1)).await;
    let details = bench.engine.host_details(&alpha).await.unwrap();
    assert_eq!(details.resources, None);
    let told: Vec<_> = details.errors.iter().map(|error| error.problem.sentence.as_str()).collect();
    assert_eq!(told, ["alpha does not answer (simulated).", "The daemon was killed (simulated)."]);
    assert_eq!(details.problem.as_ref(), Some(&details.errors[0].problem));
    bench.sim.revive(&alpha);
    sleep(Duration::from_mins(1)).await;
    let details = bench.engine.host_details(&alpha).await.unwrap();
    assert!(details.resources.is_some() && details.errors.len() == 2, "what went wrong is still told");
    let unknown = bench.engine.host_details(&"nowhere".parse().unwrap()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::UnknownHost);
}

#[tokio::test(start_paused = true)]
async fn a_vm_is_found_by_the_address_that_a_network_of_its_host_gave_it() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let other = bench.vm("db", VmState::ShutOff, IDLE).await;
    let list = |search: &str| {
        let query = VmQuery { search: search.to_owned(), ..VmQuery::default() };
        Scope { list: Some(Window { query, from: 0, count: 10 }), ..Scope::default() }
    };
    let found = |search: &str| -> Vec<VmId> {
        let list = bench.engine.snapshot(Some(list(search))).list.unwrap();
        list.rows.into_iter().map(|row| row.vm).collect()
    };
    let mut watching = bench.engine.subscribe(None, Some(list("ip:192.0.2.7")));
    watching.recv().await.unwrap();
    let alpha: HostName = "alpha".parse().unwrap();
    bench.sim.lease(&alpha, vm, "192.0.2.7");
    bench.sim.lease(&alpha, vm, "2001:db8::7");
    bench.sim.lease(&alpha, other, "192.0.2.8");
    let told = watching.recv().await.unwrap().changes;
    assert!(told.iter().any(|change| matches!(change, Change::List(list) if list.matching == 1)), "{told:?}");
    for search in ["ip:192.0.2.7", "192.0.2.", "web 2001:DB8::7"] {
        assert_eq!(found(search), [vm], "{search}");
    }
    assert_eq!(found("ip:192.0.2.8"), [], "what is off has no address");
    assert_eq!(found("192"), [], "a number is no address");
}

#[tokio::test(start_paused = true)]
async fn a_search_is_completed_by_hosts_and_by_the_most_frequent_tags() {
    let bench = Bench::new().await;
    let alpha: HostName = "alpha".parse().unwrap();
    for (name, tags) in [("one", ["cold", "web"]), ("two", ["web", "audit"])] {
        let vm = bench.vm(name, VmState::Running, IDLE).await;
        let copy = bench.sim.copy(&alpha, vm).unwrap();
        bench.sim.put(&alpha, CopyFacts { tags: tags.map(str::to_owned).into(), ..copy });
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.engine.completions("tag:"), ["tag:web", "tag:audit", "tag:cold"]);
    assert_eq!(bench.engine.completions("web host:al"), ["web host:alpha"]);
}

#[tokio::test(start_paused = true)]
async fn since_when_a_vm_runs_is_what_the_console_has_seen() {
    let bench = Bench::new().await;
    let (vm, off) = (bench.vm("web", VmState::Running, IDLE).await, bench.vm("db", VmState::ShutOff, IDLE).await);
    let started = async |vm| bench.engine.details(vm).await.unwrap().started;
    let found = started(vm).await.unwrap();
    assert!(!found.seen && started(off).await.is_none(), "it ran before the console saw it");
    sleep(Duration::from_mins(5)).await;
    bench.engine.act(off, None, VmAction::Start).await.unwrap();
    let seen = started(off).await.unwrap();
    assert!(seen.seen && seen.at_ms >= found.at_ms + 300_000, "{seen:?} after {found:?}");
    let id = bench.start(vm, "beta").await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(started(vm).await, Some(found), "it has moved, and not stopped");
    bench.engine.act(vm, None, VmAction::ForceOff).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(started(vm).await, None);
}
