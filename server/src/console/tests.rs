mod destinations;
mod hosts;
mod outage;
mod selections;

use super::*;
use crate::{
    auth::{HashCost, SessionLimits},
    test_directory::TestDirectory,
};
use libvirt::{LibvirtHypervisor, SshFiles};
use model::{Code, Migration, Phase, Steering, VmAction, VmId, examples};
use port::{Migrations, Vms};
use store::{AuditFilter, Migrations as _, SqliteStore, Store as _};
use uuid::Uuid;

const VM: VmId = VmId(Uuid::from_u128(1));

async fn console(directory: &TestDirectory) -> (ServerConsole, Arc<SqliteStore>) {
    let store = Arc::new(SqliteStore::open(directory.path()).await.unwrap());
    let auth = Auth::new(store.clone(), HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default());
    let hypervisor =
        Arc::new(LibvirtHypervisor::new(SshFiles::below(directory.path()), Allowed::default().networks).unwrap());
    let engine = Engine::start(Vec::new(), hypervisor, store.clone()).await.unwrap();
    let keys = SshFiles::below(directory.path()).into();
    (ServerConsole::new(engine, auth, store.clone(), keys, Allowed::default()), store)
}

#[expect(clippy::disallowed_methods, reason = "a test has no session")]
fn ada() -> Principal {
    Principal::authenticated("ada".into(), None)
}

fn ended() -> Migration {
    Migration { phase: Phase::Failed, ended_at_ms: Some(1), ..examples::migration(1) }
}

#[tokio::test]
async fn what_somebody_wants_is_written_down_before_it_is_done() {
    let directory = TestDirectory::new();
    let (console, store) = console(&directory).await;
    let migration = ended();
    store.insert_migration(&migration).await.unwrap();
    // All fail here; the audit log has them all the same.
    assert_eq!(console.act(&ada(), VM, None, VmAction::Start).await.unwrap_err().code, Code::UnknownVm);
    assert_eq!(console.cancel(&ada(), migration.id).await.unwrap_err().code, Code::AlreadyEnded);
    let steering = Steering::Bandwidth { mib_s: 8 };
    assert_eq!(console.steer(&ada(), migration.id, steering).await.unwrap_err().code, Code::AlreadyEnded);
    let log = store.audit_entries(&AuditFilter::newest(3)).await.unwrap();
    let wanted: Vec<(&str, &str)> = log.iter().map(|entry| (entry.actor.as_str(), entry.action.as_str())).collect();
    assert_eq!(wanted, [("ada", "migration-steer"), ("ada", "migration-cancel"), ("ada", "vm-action")]);
    assert!(log[0].details.contains(r#""steering":{"act":"bandwidth","mib_s":8}"#), "{}", log[0].details);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_done() {
    let directory = TestDirectory::new();
    let (console, store) = console(&directory).await;
    store.close().await;
    assert_eq!(console.act(&ada(), VM, None, VmAction::Start).await.unwrap_err().code, Code::Internal);
}
