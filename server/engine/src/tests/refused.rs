//! What is refused at once, without changing anything.

use model::{Code, MigrationOptions, MigrationRequest, Mode, VmAction, VmState};
use uuid::Uuid;

use super::*;

async fn refused(bench: &Bench, request: MigrationRequest) -> Code {
    let problem = bench.engine.migrate_to_host(request, "admin").await.unwrap_err();
    let failures = [Code::Internal, Code::ReasonLost, Code::Hypervisor, Code::TimedOut];
    assert!(!failures.contains(&problem.code()), "the caller can change it: {problem:?}");
    assert!(bench.store.migrations(&MigrationFilter::newest(10)).await.unwrap().is_empty(), "nothing is written down");
    problem.code()
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense() {
    let bench = Bench::new().await;
    let running = bench.vm("web", VmState::Running, IDLE).await;
    let off = bench.vm("off", VmState::ShutOff, IDLE).await;
    assert_eq!(refused(&bench, request(running, "alpha")).await, Code::SameHost);
    assert_eq!(refused(&bench, request(running, "delta")).await, Code::UnknownHost);
    assert_eq!(refused(&bench, request(VmId(Uuid::from_u128(9)), "beta")).await, Code::UnknownVm);
    let live = MigrationRequest { mode: Some(Mode::Live), ..request(off, "beta") };
    assert_eq!(refused(&bench, live).await, Code::WrongState);
    let offline = MigrationRequest { mode: Some(Mode::Offline), ..request(running, "beta") };
    assert_eq!(refused(&bench, offline).await, Code::WrongState);
    for bandwidth_mib_s in [0, 1_000_001] {
        let options = MigrationOptions { bandwidth_mib_s: Some(bandwidth_mib_s), ..MigrationOptions::default() };
        assert_eq!(refused(&bench, MigrationRequest { options, ..request(running, "beta") }).await, Code::InvalidInput);
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_does_not_answer() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.kill(&host("beta"));
    // Whether the console has noticed yet or not.
    assert_eq!(refused(&bench, request(vm, "beta")).await, Code::HostUnreachable);
    bench.until(|bench| !bench.engine.snapshot(None).hosts[1].is_connected()).await;
    assert_eq!(refused(&bench, request(vm, "beta")).await, Code::HostUnreachable);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_there_already() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let mut twin = bench.sim.copy(&host("alpha"), vm).unwrap();
    twin.state = VmState::Paused;
    bench.sim.put(&host("beta"), twin);
    assert_eq!(refused(&bench, request(vm, "beta")).await, Code::AlreadyThere);
}

#[tokio::test(start_paused = true)]
async fn another_vm_of_the_same_name_there() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.add_vm(&host("beta"), "web", VmState::ShutOff, IDLE);
    bench.until(|bench| bench.engine.snapshot(None).vms.len() == 2).await;
    assert_eq!(refused(&bench, request(vm, "beta")).await, Code::AlreadyThere);
    assert_eq!(bench.engine.find("web", None).unwrap_err().code(), Code::AmbiguousName);
    assert_eq!(bench.engine.find("web", Some(&host("alpha"))).unwrap().id, vm);
    assert_eq!(bench.engine.find("web", Some(&host("gamma"))).unwrap_err().code(), Code::UnknownVm);
}

#[tokio::test(start_paused = true)]
async fn a_host_registered_twice_is_one_host() {
    let mut bench = Bench::new().await;
    let again = bench.sim.register_again(&host("alpha"), "alias");
    bench.hosts.push(again);
    bench.restart().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let shown = bench.engine.snapshot(None).vms[0].host.clone();
    let other = if shown == host("alpha") { "alias" } else { "alpha" };
    assert_eq!(refused(&bench, request(vm, other)).await, Code::SameHost);
}

#[tokio::test(start_paused = true)]
async fn a_second_migration_names_the_first() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let (first, second) = tokio::join!(
        bench.engine.migrate_to_host(request(vm, "beta"), "a"),
        bench.engine.migrate_to_host(request(vm, "gamma"), "b")
    );
    let (id, refused) = match (first, second) {
        (Ok(migration), Err(problem)) | (Err(problem), Ok(migration)) => (migration.id, problem),
        other => panic!("exactly one may begin: {other:?}"),
    };
    assert_eq!((refused.code(), refused.told().migration), (Code::AlreadyMigrating, Some(id)));
    let act = bench.engine.act(vm, None, VmAction::ForceOff).await.unwrap_err();
    assert_eq!((act.code(), act.told().migration), (Code::AlreadyMigrating, Some(id)));
}

#[tokio::test(start_paused = true)]
async fn destinations_by_name_and_address() {
    let bench = Bench::new().await;
    assert_eq!(bench.engine.host("beta").unwrap(), host("beta"));
    assert_eq!(bench.engine.host("beta.simulated").unwrap(), host("beta"));
    for (text, code) in [
        ("delta", Code::UnknownHost),
        ("192.0.2.1", Code::UnknownHost),
        ("localhost", Code::SameHost),
        ("127.0.0.1", Code::SameHost),
        ("::1", Code::SameHost),
        ("::ffff:127.0.0.1", Code::SameHost),
        ("0.0.0.0", Code::SameHost),
        ("127.1", Code::InvalidInput),
        ("0x7f.1", Code::InvalidInput),
        ("2130706433", Code::InvalidInput),
        ("beta;id", Code::InvalidInput),
        ("", Code::InvalidInput),
    ] {
        assert_eq!(bench.engine.host(text).unwrap_err().code(), code, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn actions_that_make_no_sense() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    assert_eq!(bench.engine.act(vm, None, VmAction::Start).await.unwrap_err().code(), Code::WrongState);
    bench.engine.act(vm, None, VmAction::Pause).await.unwrap();
    assert_eq!(bench.engine.find("web", None).unwrap().state, VmState::Paused, "seen before the call returns");
    assert_eq!(bench.engine.act(vm, None, VmAction::ShutDown).await.unwrap_err().code(), Code::WrongState);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_another_program_moves() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    bench.sim.migrate_behind_everybodys_back(vm, &host("alpha"), &bench.hosts[1]);
    bench.until(|bench| bench.sim.copy(&host("beta"), vm).is_some()).await;
    assert_eq!(refused(&bench, request(vm, "gamma")).await, Code::WrongState);
}

#[tokio::test(start_paused = true)]
async fn a_vm_on_a_host_that_does_not_answer() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.kill(&host("alpha"));
    bench.until(|bench| !bench.engine.snapshot(None).hosts[0].is_connected()).await;
    assert_eq!(refused(&bench, request(vm, "beta")).await, Code::HostUnreachable);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_has_crashed() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Crashed, IDLE).await;
    assert_eq!(refused(&bench, request(vm, "beta")).await, Code::WrongState);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_one_copy_is_not_done_to_another() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let refused = bench.engine.act(vm, Some(&host("beta")), VmAction::Pause).await.unwrap_err();
    assert_eq!(refused.code(), Code::WrongState);
    assert_eq!(bench.sim.copy(&host("alpha"), vm).unwrap().state, VmState::Running);
    bench.engine.act(vm, Some(&host("alpha")), VmAction::Pause).await.unwrap();
    assert_eq!(bench.sim.copy(&host("alpha"), vm).unwrap().state, VmState::Paused);
}
