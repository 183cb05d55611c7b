//! The console's engine over both hosts, with a migration by post-copy that breaks off.

use std::{path::Path, sync::Arc};

use engine::{AllowedNetworks, Engine, Networks};
use libvirt::{LibvirtHypervisor, SshFiles, SystemResolver};
use model::{HostName, Migration, MigrationId, MigrationOptions, MigrationRequest, Phase, Policy, Step};
use store::MemoryStore;
use tokio::time::timeout;

use super::{
    guest,
    site::{MORE_THAN_AN_INTERRUPT, Site},
    support::LIMIT,
};

/// In MiB/s: what is left when the guest runs at the destination takes seconds.
const SLOW_MIB_S: u32 = 4;

/// An engine that may die, and its store, which does not.
pub(crate) struct Console {
    engine: Arc<Engine>,
    store: Arc<MemoryStore>,
}

impl Console {
    /// Returns when it knows the VM.
    pub(crate) async fn start(site: &Site) -> Self {
        Self::over(site, Arc::new(MemoryStore::default())).await
    }

    async fn over(site: &Site, store: Arc<MemoryStore>) -> Self {
        let networks = Arc::new(Networks::new(AllowedNetworks::Any, &[], SystemResolver));
        let files = SshFiles::below(Path::new("/nonexistent"));
        let hypervisor = Arc::new(LibvirtHypervisor::new(files, networks).expect("libvirt can be used"));
        let engine =
            Engine::start(site.configs().to_vec(), hypervisor, store.clone()).await.expect("its store is sound");
        let console = Self { engine, store };
        console
            .until("it knows the VM", |engine| {
                engine.is_ready() && engine.snapshot(None).vms.iter().any(|vm| vm.id == guest::id())
            })
            .await;
        console
    }

    /// It dies, and another one starts with its store.
    pub(crate) async fn restart(self, site: &Site) -> Self {
        self.engine.stop().await;
        Self::over(site, self.store).await
    }

    /// Begins to move the VM; returns when it runs at the destination, and has had an interrupt there.
    pub(crate) async fn begin_post_copy(&self, destination: HostName) -> MigrationId {
        let request = MigrationRequest {
            options: MigrationOptions {
                bandwidth_mib_s: Some(SLOW_MIB_S),
                policy: Some(Policy::Certain),
                ..MigrationOptions::default()
            },
            ..MigrationRequest::plain(guest::id(), destination)
        };
        let id = self.engine.migrate_unchecked(request, "ada").await.expect("it starts").id;
        let switched = self.until_record(id, "post-copy", |record| record.phase >= Phase::PostCopy).await;
        let enough = switched.progress.bytes_processed + MORE_THAN_AN_INTERRUPT;
        let runs = self.until_record(id, "it runs there", |record| record.progress.bytes_processed >= enough).await;
        assert_eq!(runs.phase, Phase::PostCopy, "{runs:?}");
        id
    }

    /// Waits until the migration needs attention, and this step is offered.
    pub(crate) async fn until_offered(&self, id: MigrationId, step: &Step) -> Migration {
        let is_offered =
            |record: &Migration| record.phase == Phase::NeedsAttention && record.step.as_ref() == Some(step);
        self.until_record(id, "the step is offered", is_offered).await
    }

    /// Waits until the migration needs attention.
    pub(crate) async fn until_attention(&self, id: MigrationId) -> Migration {
        self.until_record(id, "it needs attention", |record| record.phase == Phase::NeedsAttention).await
    }

    /// Waits until the VM has arrived by itself.
    pub(crate) async fn until_succeeded(&self, id: MigrationId) {
        self.until_record(id, "it arrives", |record| record.phase == Phase::Succeeded).await;
    }

    /// Takes the step until the migration has succeeded, unless it does by itself. One that is too early, as libvirt has told of the end
    /// before both of QEMU's halves wait, fails and loses nothing.
    pub(crate) async fn recovers(&self, id: MigrationId, step: &Step) {
        let ends = async {
            loop {
                let now = self.until_record(id, "it ends", |record| record.phase.has_ended()).await;
                match now.phase {
                    Phase::Succeeded => return,
                    Phase::NeedsAttention if now.step.as_ref() == Some(step) => {
                        // It may have ended by itself meanwhile.
                        let _ = self.engine.take_step(id, step.clone(), "ada").await;
                    }
                    Phase::NeedsAttention => {
                        self.until_record(id, "it changes", |record| *record != now).await;
                    }
                    _ => panic!("{now:?}"),
                }
            }
        };
        assert!(timeout(2 * LIMIT, ends).await.is_ok(), "it does not end: {:?}", self.told(id).await);
    }

    /// Its record and its history.
    pub(crate) async fn told(&self, id: MigrationId) -> (Migration, Vec<String>) {
        let (record, history) = self.engine.migration(id).await.expect("it was begun");
        (record, history.into_iter().map(|event| event.text).collect())
    }

    async fn until_record(&self, id: MigrationId, what: &str, is_so: impl Fn(&Migration) -> bool) -> Migration {
        let find = |engine: &Engine| {
            engine.snapshot(None).migrations.into_iter().find(|record| record.id == id && is_so(record))
        };
        self.until(what, |engine| find(engine).is_some()).await;
        self.told(id).await.0
    }

    /// Waits until something is so; every update is a chance to look again.
    async fn until(&self, what: &str, is_so: impl Fn(&Engine) -> bool) {
        let mut updates = self.engine.subscribe(None, None);
        let wait = async {
            while !is_so(&self.engine) {
                updates.recv().await.expect("the console runs");
            }
        };
        assert!(timeout(LIMIT, wait).await.is_ok(), "{what}: not within {LIMIT:?}: {:?}", self.engine.snapshot(None));
    }
}
