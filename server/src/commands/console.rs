//! The console, put together from its parts and run.

use std::{net::TcpListener, path::Path, sync::Arc, time::Duration};

use axum_server::tls_rustls::RustlsConfig;
use engine::{Engine, HostConfig, Hypervisor};
use libvirt::{LibvirtHypervisor, SshFiles};
use ssh::KnownHosts;
use store::{SqliteStore, Store};
use tokio_util::sync::CancellationToken;

use super::{
    Failure,
    data_directory::{self, not_opened},
    told,
};
use crate::{
    auth::{Auth, HashCost, SessionLimits},
    console::{Allowed, ServerConsole},
    http::{Doors, Site, router},
    server,
};

/// The first administrator's name.
pub const ADMIN: &str = "admin";

/// How often to look whether every host was tried.
const READY_POLL: Duration = Duration::from_millis(20);

/// What a console keeps in its directory: the store, with users and sessions, and the ssh files.
pub struct Kept {
    /// The database.
    pub store: Arc<dyn Store>,
    /// Users and sessions in it.
    pub auth: Auth,
    /// Keys.
    pub ssh: SshFiles,
}

impl Kept {
    /// Opens the directory, which must be this process's alone.
    ///
    /// # Errors
    /// When the database can't be opened.
    pub async fn open(directory: &Path, limits: SessionLimits) -> Result<Self, Failure> {
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(directory).await.map_err(|error| not_opened(directory, error))?);
        let auth = Auth::new(store.clone(), HashCost::default(), limits);
        let ssh = SshFiles::below(&std::path::absolute(directory)?);
        Ok(Self { store, auth, ssh })
    }

    /// The same for a command that may run beside a console. It upgrades the database only if no console works with it.
    pub(super) async fn open_beside(directory: &Path, limits: SessionLimits) -> Result<Self, Failure> {
        let is_up_to_date =
            SqliteStore::is_up_to_date(directory).await.map_err(|error| not_opened(directory, error))?;
        let _lock = if is_up_to_date { None } else { Some(data_directory::lock_to_upgrade(directory)?) };
        Self::open(directory, limits).await
    }
}

/// The console, started.
pub struct Console {
    engine: Arc<Engine>,
    kept: Kept,
    allowed: Allowed,
}

impl Console {
    /// Connects to the hosts and resumes the migrations that an earlier run left open.
    pub(super) async fn start(hosts: Vec<HostConfig>, kept: Kept, allowed: Allowed) -> Result<Self, Failure> {
        let hypervisor =
            Arc::new(LibvirtHypervisor::new(kept.ssh.clone(), Arc::clone(&allowed.networks)).map_err(told)?);
        Self::over(hypervisor, hosts, kept, allowed).await
    }

    /// The same over any hypervisor.
    ///
    /// # Errors
    /// When the files can't be made, or the store fails.
    pub async fn over(
        hypervisor: Arc<dyn Hypervisor>,
        hosts: Vec<HostConfig>,
        kept: Kept,
        allowed: Allowed,
    ) -> Result<Self, Failure> {
        KnownHosts::at(kept.ssh.known_hosts.clone()).make().map_err(told)?;
        let engine = Engine::start(hosts, hypervisor, kept.store.clone())
            .await
            .map_err(|error| told(engine::Error::from(error)))?;
        Ok(Self { engine, kept, allowed })
    }

    /// The engine in it.
    pub fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// Ends when every host was tried.
    pub fn ready(&self) -> impl Future<Output = ()> + Send + 'static {
        let engine = Arc::clone(&self.engine);
        async move {
            while !engine.is_ready() {
                tokio::time::sleep(READY_POLL).await;
            }
        }
    }

    /// Serves requests until `stop`, then closes everything.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        tls: Option<RustlsConfig>,
        site: Site,
        stop: CancellationToken,
    ) -> Result<(), Failure> {
        let Self { engine, kept: Kept { store, auth, ssh }, allowed } = self;
        let (ready, proxy) = (Arc::clone(&engine), site.proxy);
        let console = ServerConsole::new(Arc::clone(&engine), auth.clone(), store.clone(), ssh.into(), allowed);
        let clean_up = tokio::spawn(auth.sessions().clone().clean_up());
        let doors = Doors {
            console: Arc::new(console),
            auth,
            site,
            ready: Arc::new(move || ready.is_ready()),
            stop: stop.clone(),
        };
        let served = server::serve(listener, tls, router(doors), proxy, stop).await;
        clean_up.abort();
        engine.stop().await;
        store.close().await;
        Ok(served?)
    }
}
