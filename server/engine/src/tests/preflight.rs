//! Preflights over simulated hosts, and what they refuse.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use model::{
    Code, DestinationReport, Destinations, Ending, Finding, FindingCode, MigrationOptions, MigrationRequest, Phase,
    Policy, Preflight, Problem, Severity, VmState,
};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::*;
use crate::{MachineFit, Tpm};

fn code_of(preflight: &Preflight) -> (FindingCode, Severity) {
    (preflight.findings[0].code, preflight.findings[0].severity)
}

impl Bench {
    async fn preflight(&self, vm: VmId, destination: &str) -> Preflight {
        self.engine.preflight(vm, &host(destination), &MigrationOptions::default()).await.unwrap()
    }

    /// All preflights, the best destination first.
    async fn preflights(&self, vm: VmId) -> Result<Vec<Preflight>, Problem> {
        let vm = self.engine.vm(vm).unwrap();
        let options = MigrationOptions::default();
        let reports = self.engine.destinations(&vm.host).into_iter().map(|host| async {
            let preflight = self.engine.preflight(vm.id, &host.name, &options).await;
            DestinationReport { host, preflight: preflight.map_err(Problem::from) }
        });
        let reports = futures::future::join_all(reports).await;
        Destinations::ranked(vm, reports).preflights().map(|all| all.into_iter().cloned().collect())
    }

    async fn refused(&self, request: MigrationRequest) -> Error {
        let problem = self.engine.migrate_to_host(request, "admin").await.unwrap_err();
        assert!(
            self.store.migrations(&MigrationFilter::newest(10)).await.unwrap().is_empty(),
            "nothing is written down"
        );
        problem
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_hosts_of_which_three_hang() {
    let mut bench = Bench::new().await;
    for number in 4..=21 {
        bench.hosts.push(bench.sim.add_host(&format!("host{number}")));
    }
    bench.restart().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let hanging = ["host11", "host21", "host5"].map(host);
    for host in &hanging {
        bench.sim.hang(host);
    }
    let begun = Instant::now();
    let mut asked = JoinSet::new();
    for config in &bench.hosts[1..] {
        let (engine, destination) = (Arc::clone(&bench.engine), config.name.clone());
        asked.spawn(async move {
            let preflight = engine.preflight(vm, &destination, &MigrationOptions::default()).await.unwrap();
            (preflight, begun.elapsed())
        });
    }
    for (preflight, after) in asked.join_all().await {
        if hanging.contains(&preflight.destination) {
            assert_eq!(code_of(&preflight), (FindingCode::DestinationReachable, Severity::Blocker));
            assert_eq!((preflight.findings.len(), after), (1, Duration::from_secs(8)));
        } else {
            assert!(preflight.is_possible() && preflight.findings.len() > 10, "{preflight:?}");
            assert_eq!(after, Duration::ZERO, "{} waited for others", preflight.destination);
        }
    }
    let all = timeout(Duration::from_secs(10), bench.preflights(vm)).await.unwrap().unwrap();
    let last: Vec<_> = all[17..].iter().map(|preflight| preflight.destination.clone()).collect();
    assert_eq!((all.len(), last), (20, hanging.to_vec()), "those that can't be asked come last");
}

#[tokio::test(start_paused = true)]
async fn the_source_is_asked_once_for_all_destinations() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    bench.sim.shape_vm(vm, move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let (beta, gamma) = tokio::join!(bench.preflight(vm, "beta"), bench.preflight(vm, "gamma"));
    assert!(beta.is_possible() && gamma.is_possible());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    bench.preflight(vm, "beta").await;
    assert_eq!(asked.load(Ordering::Relaxed), 2, "what was said before is not what is so now");
    bench.start(vm, "beta").await;
    assert!(asked.load(Ordering::Relaxed) > 2, "a migration asks for itself");
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_again_after_a_repair_sees_it() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.shape_host(&host("beta"), |survey| survey.writable = false);
    assert!(!bench.preflight(vm, "beta").await.is_possible());
    bench.sim.shape_host(&host("beta"), |survey| survey.writable = true);
    assert!(bench.preflight(vm, "beta").await.is_possible(), "nothing that the console would have heard of");
    bench.sim.shape_vm(vm, |domain| domain.snapshots = 1);
    assert!(!bench.preflight(vm, "beta").await.is_possible(), "the source is asked again, too");
    bench.sim.shape_vm(vm, |domain| domain.snapshots = 0);
    assert!(bench.preflight(vm, "beta").await.is_possible());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_not_connected_is_told_with_the_reason() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.kill(&host("beta"));
    bench.until(|bench| !bench.engine.snapshot(None).hosts[1].is_connected()).await;
    let preflight = bench.preflight(vm, "beta").await;
    assert_eq!(code_of(&preflight), (FindingCode::DestinationReachable, Severity::Blocker));
    assert!(preflight.findings[0].text.contains("killed"), "{preflight:?}");
    assert!(bench.preflight(vm, "gamma").await.is_possible());
}

#[tokio::test(start_paused = true)]
async fn without_the_vms_own_host_there_is_no_preflight() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.hang(&host("alpha"));
    let problem = bench.preflights(vm).await.unwrap_err();
    assert_eq!(problem.code, Code::HostUnreachable);
    bench.sim.kill(&host("alpha"));
    bench.until(|bench| !bench.engine.snapshot(None).hosts[0].is_connected()).await;
    assert_eq!(bench.preflights(vm).await.unwrap_err().code, Code::HostUnreachable);
    assert_eq!(bench.engine.measure(vm).await.unwrap_err().code(), Code::HostUnreachable);
}

#[tokio::test(start_paused = true)]
async fn what_the_inventory_refuses_the_preflight_says_too() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    assert_eq!(code_of(&bench.preflight(vm, "alpha").await), (FindingCode::SameHost, Severity::Blocker));
    bench.sim.add_vm(&host("beta"), "web", VmState::ShutOff, IDLE);
    bench.until(|bench| bench.engine.snapshot(None).vms.len() == 2).await;
    assert_eq!(code_of(&bench.preflight(vm, "beta").await), (FindingCode::NameTaken, Severity::Blocker));
    let twin = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("gamma"), crate::CopyFacts { state: VmState::Paused, ..twin });
    assert_eq!(code_of(&bench.preflight(vm, "gamma").await), (FindingCode::RunsThere, Severity::Blocker));
    let busy = bench.vm("cache", VmState::Running, NEVER).await;
    bench.start(busy, "beta").await;
    assert_eq!(code_of(&bench.preflight(busy, "gamma").await), (FindingCode::AlreadyMigrating, Severity::Blocker));
    let crashed = bench.vm("down", VmState::Crashed, IDLE).await;
    assert_eq!(code_of(&bench.preflight(crashed, "beta").await), (FindingCode::VmState, Severity::Blocker));
    let unsaid = bench.vm("what", VmState::Unknown, IDLE).await;
    assert_eq!(code_of(&bench.preflight(unsaid, "beta").await), (FindingCode::VmState, Severity::Blocker));
}

#[tokio::test(start_paused = true)]
async fn a_new_name_gets_round_a_namesake() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::ShutOff, IDLE).await;
    bench.sim.add_vm(&host("beta"), "web", VmState::ShutOff, IDLE);
    bench.until(|bench| bench.engine.snapshot(None).vms.len() == 2).await;
    let named = |name: &str| {
        let options = MigrationOptions { new_name: Some(name.to_owned()), ..MigrationOptions::default() };
        MigrationRequest { options, ..request(vm, "beta") }
    };
    assert_eq!(bench.refused(request(vm, "beta")).await.code(), Code::AlreadyThere);
    assert_eq!(bench.refused(named("web")).await.code(), Code::AlreadyThere);
    for nonsense in ["", "-web", ".web", "a b", "a/b", "a<b", "a\nb", "ä", &"a".repeat(64)] {
        assert_eq!(bench.refused(named(nonsense)).await.code(), Code::InvalidInput, "{nonsense:?}");
    }
    assert!(bench.engine.migrate_to_host(named("web-2.new_+"), "admin").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn blockers_refuse_with_all_that_was_found() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.shape_vm(vm, |domain| (domain.snapshots, domain.tpm) = (1, Some(Tpm::Passthrough)));
    bench.sim.shape_host(&host("beta"), |survey| survey.machine = MachineFit::NoMachine);
    let problem = bench.refused(request(vm, "beta")).await;
    assert_eq!(problem.code(), Code::Blocked);
    let codes: Vec<FindingCode> = problem.told().findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [FindingCode::MachineType, FindingCode::Snapshots, FindingCode::Tpm]);
    assert_eq!(
        (&problem.told().sentence, &problem.told().fix),
        (&problem.told().findings[0].text, &problem.told().findings[0].fix)
    );
    let said: Vec<Finding> = bench.preflight(vm, "beta").await.findings;
    assert_eq!(problem.told().findings, said[..3], "the preflight says the same");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_at_once_is_a_finding_too() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.add_vm(&host("beta"), "web", VmState::ShutOff, IDLE);
    bench.until(|bench| bench.engine.snapshot(None).vms.len() == 2).await;
    bench.sim.hang(&host("gamma"));
    for (to, code) in [("beta", Code::AlreadyThere), ("gamma", Code::HostUnreachable)] {
        let problem = bench.refused(request(vm, to)).await;
        assert_eq!(problem.code(), code);
        assert_eq!(problem.told().findings, bench.preflight(vm, to).await.findings, "the preflight says the same");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_vm_needs_of_its_host_is_looked_for_at_the_destination_only() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.shape_vm(vm, |domain| domain.references.vsock_cid = Some(7));
    bench.preflight(vm, "beta").await;
    let looked_for = ["alpha", "beta"].map(|name| bench.sim.looked_for(&host(name)).vsock_cid);
    assert_eq!(looked_for, [None, Some(7)]);
}

#[tokio::test(start_paused = true)]
async fn a_risk_needs_consent() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::ShutOff, IDLE).await;
    bench.sim.shape_vm(vm, |domain| domain.nvram = Some("/nvram/web.fd".to_owned()));
    let problem = bench.refused(request(vm, "beta")).await;
    assert_eq!((problem.code(), problem.told().findings.len()), (Code::NeedsConsent, 1));
    assert_eq!(problem.told().findings[0].code, FindingCode::Nvram);
    let accepting = |code| MigrationRequest { accept: vec![code], ..request(vm, "beta") };
    assert_eq!(bench.refused(accepting(FindingCode::Tpm)).await.code(), Code::NeedsConsent);
    let accepted = bench.engine.migrate_to_host(accepting(FindingCode::Nvram), "admin").await.unwrap();
    assert_eq!(bench.ended(accepted.id).await.phase, Phase::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn warnings_without_a_risk_only_inform() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.shape_host(&host("beta"), |survey| survey.hypervisor_version = 9_000_000);
    bench.sim.filter("beta.simulated");
    let preflight = bench.preflight(vm, "beta").await;
    assert_eq!(code_of(&preflight), (FindingCode::QemuVersion, Severity::Warning));
    let id = bench.start(vm, "beta").await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn pools_are_chosen_for_disks_that_there_are() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let options =
        MigrationOptions { pools: [("vdz".to_owned(), "images".to_owned())].into(), ..MigrationOptions::default() };
    let asked = bench.engine.preflight(vm, &host("beta"), &options).await;
    assert_eq!(asked.unwrap_err().code(), Code::InvalidInput);
    assert_eq!(bench.refused(MigrationRequest { options, ..request(vm, "beta") }).await.code(), Code::InvalidInput);
}

#[tokio::test(start_paused = true)]
async fn what_was_learned_makes_the_next_preflight_better() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, BUSY).await;
    let about = |preflight: &Preflight, code| preflight.findings.iter().find(|finding| finding.code == code).cloned();
    let first = bench.preflight(vm, "beta").await;
    assert_eq!(about(&first, FindingCode::PeerLogin).unwrap().severity, Severity::Unknown);
    let prediction = first.prediction.unwrap();
    assert_eq!((prediction.throughput_measured, prediction.dirty_bytes_s), (false, None));
    assert_eq!(bench.engine.measure(vm).await.unwrap(), BUSY.dirty_bytes_s);
    assert_eq!(bench.preflight(vm, "beta").await.prediction.unwrap().dirty_bytes_s, Some(BUSY.dirty_bytes_s));
    for destination in ["beta", "alpha"] {
        let id = bench.start(vm, destination).await;
        assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    }
    bench.until(|bench| bench.engine.find("web", None).is_ok_and(|vm| vm.host == host("alpha"))).await;
    let again = bench.preflight(vm, "beta").await;
    assert_eq!(about(&again, FindingCode::PeerLogin).unwrap().severity, Severity::Ok);
    assert!(again.prediction.unwrap().throughput_measured);
    tokio::time::sleep(Duration::from_secs(10 * 60)).await;
    assert_eq!(bench.preflight(vm, "beta").await.prediction.unwrap().dirty_bytes_s, None, "too long ago");
}

#[tokio::test(start_paused = true)]
async fn the_next_look_knows_what_the_guest_writes() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, BUSY).await;
    let dirty = async || bench.preflight(vm, "beta").await.prediction.unwrap().dirty_bytes_s;
    assert_eq!(dirty().await, None, "it is not waited for");
    assert_eq!(dirty().await, None, "nor measured twice");
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(dirty().await, Some(BUSY.dirty_bytes_s));
    let paused = bench.vm("paused", VmState::Paused, BUSY).await;
    bench.preflight(paused, "beta").await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(bench.preflight(paused, "beta").await.prediction.unwrap().dirty_bytes_s, None, "it writes nothing");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_measured_unasked_while_its_host_moves_vms() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, BUSY).await;
    let moves = bench.vm("cache", VmState::Running, NEVER).await;
    bench.start(moves, "beta").await;
    bench.preflight(vm, "beta").await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(bench.preflight(vm, "beta").await.prediction.unwrap().dirty_bytes_s, None);
}

/// The simulator's own passes are the judge.
#[tokio::test(start_paused = true)]
async fn predictions_come_true() {
    // So large that what the simulator leaves out, the time that the pause takes, is no matter.
    let load = |mib_s| Load { memory_bytes: 1024 * MIB, dirty_bytes_s: mib_s * MIB };
    let policies = [Policy::Gentle, Policy::Balanced];
    for (policy, load) in policies.into_iter().flat_map(|policy| [0, 8, 64].map(|mib_s| (policy, load(mib_s)))) {
        let bench = Bench::new().await;
        let vm = bench.vm("web", VmState::Running, load).await;
        // What begins and ends a migration is learned from the first.
        let other = bench.vm("other", VmState::Running, IDLE).await;
        let first = bench.start(other, "beta").await;
        assert_eq!(bench.ended(first).await.phase, Phase::Succeeded);
        bench.engine.measure(vm).await.unwrap();
        let options = MigrationOptions { policy: Some(policy), budget_s: Some(300), ..MigrationOptions::default() };
        let migration = MigrationRequest { options, ..request(vm, "beta") };
        let id = bench.engine.migrate_to_host(migration, "admin").await.unwrap().id;
        let ended = bench.ended(id).await;
        let (outcome, predicted) = (ended.outcome.unwrap(), ended.prediction.unwrap());
        match predicted.ending {
            Ending::After { likely_ms, guest_percent, .. } => {
                assert_eq!(ended.phase, Phase::Succeeded, "{policy:?} {load:?}: {predicted:?}");
                let off = likely_ms.abs_diff(outcome.total_ms);
                assert!(off <= outcome.total_ms / 10, "{policy:?} {load:?}: {predicted:?}, and it took {outcome:?}");
                assert_eq!(guest_percent < 100, load.dirty_bytes_s == 64 * MIB);
            }
            Ending::Never { .. } => {
                assert_ne!(ended.phase, Phase::Succeeded, "{policy:?} {load:?}");
                assert_eq!((policy, load.dirty_bytes_s), (Policy::Gentle, 64 * MIB));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_off_or_moves_can_not_be_measured() {
    let bench = Bench::new().await;
    let off = bench.vm("off", VmState::ShutOff, IDLE).await;
    assert_eq!(bench.engine.measure(off).await.unwrap_err().code(), Code::WrongState);
    let moves = bench.vm("web", VmState::Running, IDLE).await;
    bench.engine.migrate_to_host(request(moves, "beta"), "admin").await.unwrap();
    assert_eq!(bench.engine.measure(moves).await.unwrap_err().code(), Code::AlreadyMigrating);
}
