//! The policy of migrations that choose none: that of the VM, or else that of its host.

use std::time::Duration;

use model::{Phase, Policy, PolicyDefaults};

use super::*;

const PATIENT: PolicyDefaults =
    PolicyDefaults { policy: Some(Policy::Gentle), longest_pause_ms: Some(2_000), budget_s: Some(60) };

fn with(bench: &Bench, vm: VmId, options: MigrationOptions) -> MigrationRequest {
    let host = bench.engine.vm(vm).unwrap().host;
    MigrationRequest { options, ..request(vm, if host.as_str() == "alpha" { "beta" } else { "alpha" }) }
}

/// What a migration follows that asks for this.
async fn followed(bench: &Bench, vm: VmId, options: MigrationOptions) -> PolicyDefaults {
    let migration = bench.engine.migrate_to_host(with(bench, vm, options), "admin").await.unwrap();
    let end = bench.ended(migration.id).await;
    assert_eq!((end.phase, Some(end.policy)), (Phase::Succeeded, end.options.policy.or(Some(Policy::Balanced))));
    PolicyDefaults::chosen(&end.options)
}

/// A console where migrations away from alpha are patient.
async fn patient_alpha() -> Bench {
    let mut bench = Bench::new().await;
    bench.hosts[0].policy_defaults = PATIENT;
    bench.restart().await;
    bench
}

#[tokio::test(start_paused = true)]
async fn a_host_has_a_policy_for_the_vms_on_it() {
    let bench = patient_alpha().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    assert_eq!(bench.engine.snapshot(None).hosts[0].policy_defaults, PATIENT);
    assert_eq!(followed(&bench, vm, MigrationOptions::default()).await, PATIENT);
    assert_eq!(followed(&bench, vm, MigrationOptions::default()).await, PolicyDefaults::default(), "beta has none");
    let balanced = MigrationOptions { policy: Some(Policy::Balanced), ..MigrationOptions::default() };
    assert_eq!(followed(&bench, vm, balanced.clone()).await, PolicyDefaults::chosen(&balanced));
}

#[tokio::test(start_paused = true)]
async fn a_host_s_limits_count() {
    let bench = patient_alpha().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let begun = bench.engine.migrate_to_host(with(&bench, vm, MigrationOptions::default()), "admin").await.unwrap();
    let end = bench.ended(begun.id).await;
    assert_eq!(end.phase, Phase::Failed);
    let took = Duration::from_millis(end.outcome.unwrap().total_ms);
    assert!((60..80).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_vm_keeps_a_policy_of_its_own() {
    let mut bench = patient_alpha().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let own = PolicyDefaults { policy: Some(Policy::Certain), budget_s: Some(300), ..PolicyDefaults::default() };
    let PolicyDefaults { policy, longest_pause_ms, budget_s } = own;
    let options =
        MigrationOptions { policy, longest_pause_ms, budget_s, policy_as_default: true, ..MigrationOptions::default() };
    assert_eq!(followed(&bench, vm, options.clone()).await, own);
    assert_eq!(bench.engine.vm(vm).unwrap().policy_defaults, own, "pages see it");
    assert_eq!(followed(&bench, vm, MigrationOptions::default()).await, own, "back to alpha");
    bench.restart().await;
    bench.until(|bench| bench.engine.vm(vm).is_some()).await;
    assert_eq!(followed(&bench, vm, MigrationOptions::default()).await, own, "away from a host that has another");

    let gentle = MigrationOptions { policy: Some(Policy::Gentle), budget_s: None, ..options };
    bench.store.set_broken(true);
    bench.engine.migrate_to_host(with(&bench, vm, gentle), "admin").await.unwrap_err();
    assert_eq!(bench.engine.vm(vm).unwrap().policy_defaults, own, "what is not kept does not count");
}
