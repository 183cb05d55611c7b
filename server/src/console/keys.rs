//! The ssh keys that the console keeps: the hosts' own, by which it knows them, and the one it logs in with.

use engine::{HostConfig, HostCredentials, Ssh, SshLogin, Transport};
use libvirt::SshFiles;
use model::{Code, HostName, HostOrigin, Problem};
use ssh::{ConsoleKey, KnownHosts, PublicKey, SshError};

use super::ServerConsole;

/// The ssh keys that the console keeps.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The hosts' own.
    pub known_hosts: KnownHosts,
    /// The one that the console logs in with.
    pub console: ConsoleKey,
}

impl From<SshFiles> for Keys {
    fn from(files: SshFiles) -> Self {
        Self {
            known_hosts: KnownHosts::at(files.known_hosts),
            console: ConsoleKey::at(files.console_key, files.passphrase),
        }
    }
}

impl ServerConsole {
    /// Installs the console's key on a host and makes it the host's login. If that login fails, the key is removed again.
    pub(super) async fn install_key(&self, name: &HostName, login: HostCredentials) -> Result<(), Problem> {
        let host = self.changeable(name)?;
        let ssh = by_password(&host, &login)?;
        let key = self.console_key().await?;
        let installing = ssh::install_key(&ssh, &self.allowed.networks, &self.keys.known_hosts, &key);
        self.try_password(&ssh, installing).await?;
        let changed = logged_in_by(&host, &ssh, SshLogin::ConsoleKey);
        // A key that was confirmed just now is not among the known ones yet.
        let by_key = HostCredentials { fingerprint: login.fingerprint, ..HostCredentials::default() };
        let Err(refused) = self.engine.change_host(name, changed, by_key).await else { return Ok(()) };
        if let Err(error) = ssh::remove_key(&ssh, &self.allowed.networks, &self.keys.known_hosts, &key).await {
            tracing::warn!(host = %name, %error, "a key that is not used stays on a host");
        }
        Err(refused.into())
    }

    /// Removes the console's key from a host and makes a password the host's login. Can be repeated if it stopped half-way.
    pub(super) async fn uninstall_key(&self, name: &HostName, login: HostCredentials) -> Result<(), Problem> {
        let host = self.changeable(name)?;
        let ssh = by_password(&host, &login)?;
        let key = self.console_key().await?;
        let removing = ssh::remove_key(&ssh, &self.allowed.networks, &self.keys.known_hosts, &key);
        self.try_password(&ssh, removing).await?;
        if !matches!(&host.transport, Transport::Ssh(own) if own.login == SshLogin::ConsoleKey) {
            return Ok(());
        }
        let changed = logged_in_by(&host, &ssh, SshLogin::Password(None));
        Ok(self.engine.change_host(name, changed, login).await?)
    }

    /// Uses a password outside libvirt: it counts as one of those that the host gets to see.
    async fn try_password(&self, ssh: &Ssh, trying: impl Future<Output = Result<(), SshError>>) -> Result<(), Problem> {
        let attempt = self.engine.begin_attempt(&ssh.address).await?;
        let tried = trying.await;
        if !tried.as_ref().is_err_and(SshError::is_login_refused) {
            attempt.was_not_wrong();
        }
        Ok(tried?)
    }

    /// A host whose login may be changed.
    fn changeable(&self, name: &HostName) -> Result<HostConfig, Problem> {
        let (host, origin) = self.host_config(name)?;
        match origin {
            HostOrigin::Added => Ok(host),
            HostOrigin::Configured => {
                Err(Problem::new(Code::HostConfigured, format!("{name} is registered in the configuration file."))
                    .with_fix("Change how it is logged in at there."))
            }
            HostOrigin::Temporary => {
                Err(Problem::new(Code::HostInUse, format!("{name} is there for a migration only."))
                    .with_fix("Register the host, then set up its key."))
            }
        }
    }

    /// The console's key, made if there is none. Its encryption is slow on purpose.
    async fn console_key(&self) -> Result<PublicKey, Problem> {
        let key = self.keys.console.clone();
        let opened = tokio::task::spawn_blocking(move || Ok(key.open_or_make()?)).await;
        opened.unwrap_or_else(|_| {
            Err(Problem::new(Code::Internal, "The console's key could not be read.")
                .with_fix("Try again; look at the console's log."))
        })
    }
}

/// How to log in at a host to install or remove a key: with a password, as the account that the key is for.
fn by_password(host: &HostConfig, login: &HostCredentials) -> Result<Ssh, Problem> {
    let Transport::Ssh(own) = &host.transport else {
        return Err(Problem::new(Code::InvalidInput, format!("{} is not reached by ssh.", host.name))
            .with_fix("A key is for ssh: change how the console reaches the host first."));
    };
    if login.user.as_ref().is_some_and(|user| *user != own.user) {
        return Err(Problem::new(
            Code::InvalidInput,
            format!("The key of {} is for {}.", host.name, own.user.as_str()),
        )
        .with_fix("Leave out the user, or change the host first."));
    }
    if login.password.is_none() {
        return Err(Problem::new(
            Code::NeedsLogin,
            format!("The password of {} on {} is needed for this.", own.user.as_str(), host.name),
        )
        .with_fix(
            "Give it. The key itself opens no shell, so that it can neither be set up nor taken away with a key.",
        ));
    }
    let fingerprint = login.fingerprint.clone();
    Ok(Ssh { login: SshLogin::Password(login.password.clone()), fingerprint, ..own.clone() })
}

fn logged_in_by(host: &HostConfig, ssh: &Ssh, login: SshLogin) -> HostConfig {
    HostConfig { transport: Transport::Ssh(Ssh { login, fingerprint: None, ..ssh.clone() }), ..host.clone() }
}
