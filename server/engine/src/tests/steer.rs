//! What a migration that runs can be told, and what is refused.

use std::time::Duration;

use model::{Code, MigrationId, MigrationOptions, MigrationRequest, Phase, Policy, Steering, VmState};
use uuid::Uuid;

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_impossible_is_refused_with_the_reason_and_changes_nothing() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    // Gentle does nothing by itself for minutes.
    let options = MigrationOptions { policy: Some(Policy::Gentle), ..MigrationOptions::default() };
    let asked_for = MigrationRequest { options, ..request(vm, "beta") };
    let id = bench.engine.migrate(asked_for.into(), "admin").await.unwrap().id;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (before, history) = bench.engine.migration(id).await.unwrap();
    assert_eq!(before.phase, Phase::Converging);
    for steering in [
        Steering::Bandwidth { mib_s: 0 },
        Steering::Bandwidth { mib_s: Steering::MOST_BANDWIDTH_MIB_S + 1 },
        Steering::Bandwidth { mib_s: u32::MAX },
        Steering::LongestPause { ms: 0 },
        Steering::LongestPause { ms: Steering::MOST_PAUSE_MS + 1 },
    ] {
        let error = bench.engine.steer(id, steering, "eve").await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidInput, "{steering:?}");
        assert!(error.told().fix.is_some_and(|fix| fix.starts_with("Give 1 to ")), "{steering:?}");
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (after, history_after) = bench.engine.migration(id).await.unwrap();
    assert_eq!((after.phase, after.policy, &after.acts), (before.phase, before.policy, &before.acts));
    assert_eq!(history_after, history);

    bench.engine.cancel(id, "admin").await.unwrap();
    bench.ended(id).await;
    let policy = Steering::Policy { policy: Policy::Certain };
    assert_eq!(bench.engine.steer(id, policy, "eve").await.unwrap_err().code(), Code::AlreadyEnded);
    let unknown = MigrationId(Uuid::from_u128(7));
    assert_eq!(bench.engine.steer(unknown, policy, "eve").await.unwrap_err().code(), Code::UnknownMigration);
}

#[tokio::test(start_paused = true)]
async fn what_waits_can_be_given_another_policy_and_nothing_else() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let id = bench.start(vm, "beta").await;
    assert!(bench.engine.migration(id).await.unwrap().0.phase < Phase::CopyingDisks);
    let refused = bench.engine.steer(id, Steering::PauseGuest, "eve").await.unwrap_err();
    let waits = bench.engine.migration(id).await.unwrap().0;
    assert_eq!(refused.code(), Code::WrongState);
    assert_eq!(Some(refused.told()), Steering::PauseGuest.refusal(&waits), "pages say the same");
    bench.engine.steer(id, Steering::Policy { policy: Policy::Gentle }, "eve").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
}
