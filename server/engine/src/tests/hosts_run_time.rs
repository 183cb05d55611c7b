//! Hosts that are registered, changed and removed at run time.

use std::time::Duration;

use model::{Change, Code, ConnectionState, HostOrigin, Mode, Phase};
use tokio::time::{sleep, timeout};

use super::*;
use crate::{HostCredentials, MachineFit};

impl Bench {
    async fn add(&self, config: &HostConfig) -> Result<(), Error> {
        self.engine.add_host(config.clone(), HostCredentials::default()).await
    }

    async fn added(name: &str) -> (Self, HostConfig) {
        let bench = Self::new().await;
        let config = bench.sim.add_host(name);
        bench.add(&config).await.unwrap();
        (bench, config)
    }

    fn names(&self) -> Vec<String> {
        self.engine.registered().into_iter().map(|(config, _)| config.name.to_string()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn an_added_host_is_there_at_once_and_after_a_restart() {
    let mut bench = Bench::new().await;
    let delta = bench.sim.add_host("delta");
    let vm = bench.sim.add_vm(&delta.name, "web", VmState::Running, IDLE);
    bench.add(&delta).await.unwrap();
    let shown = bench.engine.snapshot(None).hosts.into_iter().find(|host| host.name == delta.name).unwrap();
    assert_eq!((shown.origin, shown.connection, shown.vms), (HostOrigin::Added, ConnectionState::Connected, 1));
    assert_eq!(bench.engine.find("web", None).unwrap().id, vm);
    bench.restart().await;
    bench.until(|bench| bench.engine.find("web", None).is_ok()).await;
    assert_eq!(bench.names(), ["alpha", "beta", "delta", "gamma"]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_answer_within_ten_seconds_is_not_registered() {
    let bench = Bench::new().await;
    let down = bench.sim.add_host("down");
    bench.sim.kill(&down.name);
    assert_eq!(bench.add(&down).await.unwrap_err().code(), Code::HostUnreachable);
    let slow = bench.sim.add_ssh_host("slow", "secret");
    bench.sim.hang_logins(&slow.name, true);
    let login = HostCredentials { password: Some(model::Secret::new("secret".into())), ..HostCredentials::default() };
    let added = timeout(Duration::from_secs(10), bench.engine.add_host(slow, login)).await;
    assert_eq!(added.expect("within 10 s").unwrap_err().code(), Code::HostUnreachable);
    assert_eq!(bench.names(), ["alpha", "beta", "gamma"]);
    assert!(bench.store.hosts().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_name_an_address_and_a_machine_are_one_host_s() {
    let (bench, delta) = Bench::added("delta").await;
    bench.until(|bench| bench.engine.is_ready()).await;
    let other = bench.sim.add_host("other");
    let same_name = HostConfig { name: delta.name.clone(), ..other.clone() };
    let same_address = HostConfig { name: other.name.clone(), ..delta.clone() };
    let same_peer_address = HostConfig { peer_address: bench.hosts[0].peer_address.clone(), ..other };
    let same_machine = bench.sim.register_again(&delta.name, "clone");
    for taken in [same_name, same_address, same_peer_address, same_machine] {
        assert_eq!(bench.add(&taken).await.unwrap_err().code(), Code::HostExists, "{taken:?}");
    }
    assert_eq!(bench.names(), ["alpha", "beta", "delta", "gamma"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_that_are_added_at_once_under_one_name_one_wins() {
    let bench = Bench::new().await;
    let (one, other) = (bench.sim.add_host("one"), bench.sim.add_host("other"));
    let other = HostConfig { name: one.name.clone(), ..other };
    let (first, second) = tokio::join!(bench.add(&one), bench.add(&other));
    let lost = first.and(second).unwrap_err();
    assert_eq!(lost.code(), Code::HostExists);
    let stored = bench.store.hosts().await.unwrap();
    let registered = bench.engine.registered().into_iter().find(|(config, _)| config.name == one.name).unwrap().0;
    assert_eq!(stored, [registered.settings()]);
}

#[tokio::test(start_paused = true)]
async fn a_removed_host_leaves_nothing_behind() {
    let bench = Bench::new().await;
    bench.until(|bench| bench.engine.is_ready()).await;
    let tasks = bench.engine.running_tasks();
    let delta = bench.sim.add_host("delta");
    let only_there = bench.sim.add_vm(&delta.name, "web", VmState::Running, IDLE);
    bench.add(&delta).await.unwrap();
    let mut updates = bench.engine.subscribe(None, None);
    assert!(matches!(updates.recv().await.unwrap().changes[..], [Change::Snapshot(_)]));
    assert_eq!(bench.engine.remove_host(&delta.name).await.unwrap(), delta);
    let mut gone = Vec::new();
    while gone.len() < 2 {
        let changes = updates.recv().await.unwrap().changes;
        gone.extend(changes.into_iter().filter(|change| matches!(change, Change::VmGone(_) | Change::HostGone(_))));
    }
    assert_eq!(gone, [Change::VmGone(only_there), Change::HostGone(delta.name.clone())]);
    drop(updates);
    let ended = async {
        while bench.engine.running_tasks() > tasks || bench.sim.connections(&delta.name) > 0 {
            sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(Duration::from_secs(60), ended).await.expect("its watcher has ended");
    assert!(bench.store.hosts().await.unwrap().is_empty());
    bench.add(&delta).await.expect("it can come back");
    assert_eq!(bench.engine.find("web", None).unwrap().id, only_there);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_another_host_has_too_stays_listed() {
    let (bench, delta) = Bench::added("delta").await;
    let vm = bench.vm("web", VmState::ShutOff, IDLE).await;
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&delta.name, crate::CopyFacts { state: VmState::Running, ..copy });
    bench.until(|bench| bench.engine.find("web", None).unwrap().host == delta.name).await;
    bench.engine.remove_host(&delta.name).await.unwrap();
    let shown = bench.engine.find("web", None).unwrap();
    assert_eq!((shown.host, shown.state, shown.other_copies), (host("alpha"), VmState::ShutOff, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_host_stays_while_a_migration_needs_it() {
    let (bench, delta) = Bench::added("delta").await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "delta").await;
    let refused = bench.engine.remove_host(&delta.name).await.unwrap_err();
    assert_eq!((refused.code(), refused.told().migration), (Code::HostInUse, Some(id)));
    let refused = bench.engine.change_host(&delta.name, delta.clone(), HostCredentials::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::HostInUse);
    bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::Cancelled);
    bench.engine.remove_host(&delta.name).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_host_stays_while_a_migration_to_it_is_written_down() {
    let (bench, delta) = Bench::added("delta").await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let gate = bench.store.hold_inserts().await;
    let (engine, there) = (Arc::clone(&bench.engine), request(vm, "delta"));
    let migrating = tokio::spawn(async move { engine.migrate_to_host(there, "admin").await });
    while bench.engine.inventory().may_leave(&delta.name).is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.engine.remove_host(&delta.name).await.unwrap_err().code(), Code::HostInUse);
    drop(gate);
    let id = migrating.await.unwrap().unwrap().id;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_with_a_host_that_is_being_removed() {
    let (bench, delta) = Bench::added("delta").await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.engine.inventory().begin_leaving(&delta.name).unwrap();
    let refused = bench.engine.migrate_to_host(request(vm, "delta"), "admin").await.unwrap_err();
    assert_eq!(refused.code(), Code::UnknownHost);
    let refused = bench.engine.reach("delta", None, HostCredentials::default(), None).await.unwrap_err();
    assert_eq!(refused.code(), Code::UnknownHost);
}

#[tokio::test(start_paused = true)]
async fn what_the_configuration_names_is_changed_there() {
    let bench = Bench::new().await;
    let alpha = bench.hosts[0].clone();
    assert_eq!(bench.engine.remove_host(&alpha.name).await.unwrap_err().code(), Code::HostConfigured);
    let changed = bench.engine.change_host(&alpha.name, alpha.clone(), HostCredentials::default()).await;
    assert_eq!(changed.unwrap_err().code(), Code::HostConfigured);
    assert_eq!(bench.engine.remove_host(&host("unknown")).await.unwrap_err().code(), Code::UnknownHost);
}

#[tokio::test(start_paused = true)]
async fn a_host_changes_its_name_and_keeps_its_vms() {
    let (bench, delta) = Bench::added("delta").await;
    let vm = bench.sim.add_vm(&delta.name, "web", VmState::Running, IDLE);
    bench.until(|bench| bench.engine.find("web", None).is_ok()).await;
    let mut updates = bench.engine.subscribe(None, None);
    let renamed = HostConfig { name: host("epsilon"), bandwidth_mib_s: Some(7), ..delta.clone() };
    bench.engine.change_host(&delta.name, renamed.clone(), HostCredentials::default()).await.unwrap();
    assert_eq!(bench.engine.find("web", None).unwrap().host, renamed.name);
    assert_eq!(bench.store.hosts().await.unwrap(), [renamed.settings()]);
    let mut is_renamed = false;
    while !is_renamed {
        for change in updates.recv().await.unwrap().changes {
            match change {
                Change::VmGone(gone) => panic!("{gone} was never gone"),
                Change::HostGone(gone) => is_renamed = gone == delta.name,
                // Renamed before the first update was taken.
                Change::Snapshot(now) => is_renamed = now.hosts.iter().all(|host| host.name != delta.name),
                _ => {}
            }
        }
    }
    let id = bench.engine.migrate_to_host(request(vm, "alpha"), "admin").await.unwrap().id;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_does_not_answer_changes_nothing() {
    let (bench, delta) = Bench::added("delta").await;
    let down = bench.sim.add_host("down");
    bench.sim.kill(&down.name);
    let changed = bench.engine.change_host(&delta.name, down, HostCredentials::default()).await;
    assert_eq!(changed.unwrap_err().code(), Code::HostUnreachable);
    let gone = HostConfig { name: host("alpha"), ..delta.clone() };
    let changed = bench.engine.change_host(&delta.name, gone, HostCredentials::default()).await;
    assert_eq!(changed.unwrap_err().code(), Code::HostExists);
    assert_eq!(bench.store.hosts().await.unwrap(), [delta.settings()]);
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let id = bench.start(vm, "delta").await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_down_is_not_done() {
    let (bench, delta) = Bench::added("delta").await;
    let other = bench.sim.add_host("other");
    bench.store.set_broken(true);
    assert_eq!(bench.add(&other).await.unwrap_err().code(), Code::StoreUnavailable);
    assert_eq!(bench.engine.remove_host(&delta.name).await.unwrap_err().code(), Code::StoreUnavailable);
    let changed = bench.engine.change_host(&delta.name, other, HostCredentials::default()).await;
    assert_eq!(changed.unwrap_err().code(), Code::StoreUnavailable);
    bench.store.set_broken(false);
    assert_eq!(bench.names(), ["alpha", "beta", "delta", "gamma"]);
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let id = bench.start(vm, "delta").await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded, "it is as it was");
}

#[tokio::test(start_paused = true)]
async fn a_stored_host_that_cannot_be_used_is_left_out() {
    let mut bench = Bench::new().await;
    let good = bench.sim.add_host("good").settings();
    let of_the_configuration = model::HostSettings { name: host("alpha"), ..good.clone() };
    let hostile =
        model::HostSettings { name: host("hostile"), address: Some("-oProxyCommand=x".into()), ..good.clone() };
    for settings in [&good, &of_the_configuration, &hostile] {
        bench.store.put_host(settings, None).await.unwrap();
    }
    bench.restart().await;
    assert_eq!(bench.names(), ["alpha", "beta", "gamma", "good"]);
    let alpha = &bench.engine.registered()[0];
    assert_eq!((&alpha.0, alpha.1), (&bench.hosts[0], HostOrigin::Configured));
}

#[tokio::test(start_paused = true)]
async fn what_was_found_of_a_removed_host_says_nothing_of_the_next_one() {
    let (bench, delta) = Bench::added("delta").await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let preflight = async || bench.engine.preflight(vm, &delta.name, &MigrationOptions::default()).await.unwrap();
    assert_eq!(preflight().await.of(model::Severity::Blocker).count(), 0);
    bench.engine.remove_host(&delta.name).await.unwrap();
    bench.sim.shape_host(&delta.name, |survey| survey.machine = MachineFit::NoMachine);
    bench.add(&delta).await.unwrap();
    assert_eq!(preflight().await.of(model::Severity::Blocker).count(), 1);
    let refused =
        bench.engine.migrate_to_host(MigrationRequest { mode: Some(Mode::Live), ..request(vm, "delta") }, "admin");
    assert_eq!(refused.await.unwrap_err().code(), Code::Blocked);
}
