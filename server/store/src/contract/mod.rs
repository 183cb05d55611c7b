//! The contract of a store, checked on each of them: every test here runs on every database.
//!
//! A new database adds its way to be opened to [`Database`], and a line to [`contract`].

mod access;
mod audit;
mod evacuations;
mod filter;
mod hosts;
mod migrations;
mod vm_policies;

use std::sync::Arc;

use crate::{MemoryStore, SqliteStore, Store};
use model::{Evacuation, Migration, MigrationEvent, MigrationId, Phase, VmId, examples};
use uuid::Uuid;

/// A database of one test, which can be opened again as after a restart.
enum Database {
    Memory(Arc<MemoryStore>),
    Sqlite(tempfile::TempDir),
}

impl Database {
    fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Sqlite(directory) => Arc::new(SqliteStore::open(directory.path()).await.unwrap()),
        }
    }
}

/// Makes a test for each database of each function that is named.
macro_rules! contract {
    ($($test:ident),+ $(,)?) => {
        crate::contract::contract!(memory: $($test),+);
        crate::contract::contract!(sqlite: $($test),+);
    };
    ($database:ident: $($test:ident),+) => {
        mod $database {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::contract::Database::$database()).await;
            })+
        }
    };
}
pub(crate) use contract;

const VM: VmId = VmId(Uuid::from_u128(1));

/// A migration of a VM, just asked for.
fn migration(vm: VmId) -> Migration {
    Migration { vm, created_at_ms: 1_700_000_000_000, ..examples::migration(Uuid::now_v7().as_u128()) }
}

fn event(phase: Phase) -> MigrationEvent {
    MigrationEvent { at_ms: 1_700_000_000_000, phase, text: phase.label().into() }
}

/// The history of a migration that is in this phase.
fn way_to(phase: Phase) -> Vec<MigrationEvent> {
    let passes = |before: &Phase| *before < phase && (*before != Phase::Verifying || phase.has_ended());
    let before = [Phase::Checking, Phase::Preparing, Phase::Verifying].into_iter().filter(passes);
    let way = before.chain((phase != Phase::Queued).then_some(phase));
    way.map(event).collect()
}

fn ids(migrations: &[Migration]) -> Vec<MigrationId> {
    migrations.iter().map(|migration| migration.id).collect()
}
