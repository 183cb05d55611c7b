//! `vmferry serve`: the console for the hosts of a configuration file.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;
use engine::Networks;
use libvirt::SystemResolver;
use model::Secret;
use tokio_util::task::AbortOnDropHandle;

use super::{
    CONFIG, Failure, admin_password,
    console::{ADMIN, Console, Kept},
    data_directory, say, stop, told,
};
use crate::{
    config::Config,
    console::Allowed,
    hooks::Hooks,
    server::{self, Certificate},
};

/// Runs the console.
#[derive(Debug, Args)]
pub struct Serve {
    /// The configuration file.
    #[arg(long, default_value = CONFIG)]
    config: PathBuf,
    /// Where to listen, in place of what the file says.
    #[arg(long)]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) async fn run(self, password: Option<Secret>) -> Result<(), Failure> {
        server::allow_many_files();
        let config = Config::read(&self.config)?;
        let listen = self.listen.unwrap_or(config.listen);
        let mut site = config.site(listen)?;
        let hosts = config.hosts()?;
        let hooks = Hooks::new(config.hooks()?).map_err(|error| format!("The hooks can't be called: {error}."))?;
        if hosts.is_empty() {
            tracing::warn!("no [[hosts]] in {}: there is nothing to see", self.config.display());
        }
        // Held until the store is closed.
        let _lock = data_directory::lock(&config.data_dir)?;
        let mut kept = Kept::open(&config.data_dir, config.session_limits()).await?;
        kept.ssh.passphrase = config.key_passphrase()?;
        first_user(&kept, password).await?;
        let certificate = match (config.speaks_https(), &config.tls) {
            (false, _) => None,
            (true, Some(files)) => Some(Certificate::load(&files.certificate, &files.key)?),
            (true, None) => Some(Certificate::self_signed(&config.data_dir, listen.ip())?),
        };
        if let Some(certificate) = &certificate {
            site.names = site.names.and_of_certificate(certificate.names());
        }
        let listener = TcpListener::bind(listen).map_err(|error| format!("{listen} can't be listened on: {error}"))?;
        let address = listener.local_addr()?;
        let stop = stop::on_signal(false)?;
        let networks = Arc::new(Networks::new(config.allowed_networks(), &hosts, SystemResolver));
        let console = Console::start(hosts, kept, Allowed { tcp: config.allow_tcp, networks }).await?;
        console.engine().set_hooks(Arc::new(hooks));
        let tls = certificate.map(|certificate| {
            say(&format!("The certificate's SHA-256 fingerprint: {}", certificate.fingerprint()));
            (certificate.tls(), AbortOnDropHandle::new(tokio::spawn(certificate.follow())))
        });
        say(&format!("vmferry listens on {}://{address}/", if tls.is_some() { "https" } else { "http" }));
        let (tls, _following) = tls.unzip();
        console.serve(listener, tls, site, stop).await
    }
}

/// Makes the first administrator where the environment names a password, and says how to do it where no user exists.
async fn first_user(kept: &Kept, password: Option<Secret>) -> Result<(), Failure> {
    if !kept.auth.users().await.map_err(told)?.is_empty() {
        return Ok(());
    }
    match password {
        Some(password) => kept.auth.add_user(ADMIN, password.reveal().to_owned()).await.map_err(told),
        None => {
            tracing::warn!(
                "no user can log in yet: run `vmferry user add NAME`, or start with {} set",
                admin_password::VARIABLE
            );
            Ok(())
        }
    }
}
