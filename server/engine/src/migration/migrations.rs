//! All migrations, each in a task of its own: `start.rs` begins them, `tell.rs` is what users ask of them, `look_up.rs` lists them.

mod look_up;
mod start;
mod tell;

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt as _;
use model::{EvacuationId, Migration, MigrationId};

use super::{
    active::ActiveMigration,
    aftercare::Aftercare,
    inbox::Inbox,
    lifecycle::{self, Start},
    recover, resume,
};
use crate::{context::Context, hosts::Hosts, preflight::Preflights, storage::StorageJournal as _};

/// How often a migration's task may panic before it is left to the next console.
const MOST_PANICS: usize = 3;

/// How a migration's task begins.
enum Entry {
    /// It was just asked for.
    New(Start),
    /// An earlier run of the console has left it open.
    LeftOpen,
    /// Its post-copy had broken off, and it goes on.
    Recovered,
}

/// That a migration is a part of an evacuation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) evacuation: EvacuationId,
    /// The id that the evacuation has chosen for it.
    pub(crate) migration: MigrationId,
}

/// Starts migrations and keeps track of those that run.
pub(crate) struct Migrations {
    context: Arc<Context>,
    hosts: Arc<Hosts>,
    preflights: Arc<Preflights>,
    aftercare: Arc<Aftercare>,
}

impl Migrations {
    pub(crate) fn new(context: Arc<Context>, hosts: Arc<Hosts>, preflights: Arc<Preflights>) -> Arc<Self> {
        let aftercare = Aftercare::new(Arc::clone(&context));
        Arc::new(Self { context, hosts, preflights, aftercare })
    }

    /// Goes on with a migration that an earlier run of the console left open.
    pub(crate) fn resume(self: &Arc<Self>, migration: Migration) {
        {
            let mut inventory = self.context.inventory();
            // The store allows one open migration a VM, so this claim can't be taken.
            let _ = inventory.claim(&migration);
            inventory.set_migration(migration.clone());
        }
        self.spawn(migration, Entry::LeftOpen);
    }

    /// Goes on looking after a migration that has ended in an earlier run of the console.
    pub(crate) fn look_after(&self, ended: Migration) {
        self.aftercare.take(ended);
    }

    /// Runs a migration in a task of its own.
    fn spawn(self: &Arc<Self>, migration: Migration, entry: Entry) {
        let id = migration.id;
        let inbox = Inbox::new(self.context.commands().open(id));
        let migrations = Arc::clone(self);
        self.context.tasks().spawn(async move {
            let Some(ended) = migrations.run(migration, entry, inbox).await else { return };
            migrations.context.commands().close(id);
            migrations.keep_trace(id).await;
            migrations.aftercare.take(ended);
            migrations.hosts.let_go();
        });
    }

    /// Runs a migration to its end; none if that is impossible. After a bug that makes its task panic it goes on as after a restart of
    /// the console, which only asks the hosts: else its VM would stay claimed.
    async fn run(&self, migration: Migration, entry: Entry, mut inbox: Inbox) -> Option<Migration> {
        let (id, mut migration, mut entry) = (migration.id, migration, Some(entry));
        for _ in 0..MOST_PANICS {
            let curve = self.preflights.curve(migration.vm);
            let mut active = ActiveMigration::new(Arc::clone(&self.context), migration, inbox, curve);
            let entry = entry.take();
            let run = async move {
                match entry {
                    Some(Entry::New(start)) => lifecycle::run(&mut active, start).await,
                    Some(Entry::Recovered) => recover::recover(&mut active).await,
                    Some(Entry::LeftOpen) | None => resume::resume(&mut active).await,
                }
                active.record().clone()
            };
            match AssertUnwindSafe(run).catch_unwind().await {
                Ok(ended) => return Some(ended),
                Err(_) => {
                    tracing::error!(migration = %id, "a migration's task has panicked: its hosts are asked where the VM is");
                }
            }
            inbox = Inbox::new(self.context.commands().open(id));
            migration = self.context.inventory().migration(id).cloned()?;
            if migration.phase.has_ended() {
                return Some(migration);
            }
        }
        None
    }

    /// Keeps what was measured of a migration that has ended. Without it only its picture is lost.
    async fn keep_trace(&self, id: MigrationId) {
        let Some(points) = self.context.traces().of(id) else { return };
        if let Err(error) = self.context.store().keep_trace(id, &points).await {
            tracing::warn!(migration = %id, %error, "what was measured of a migration can't be kept");
        }
        self.context.traces().take(id);
    }
}
