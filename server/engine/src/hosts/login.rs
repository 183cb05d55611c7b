//! Logins that people type, in place of those that are registered.

use std::{sync::Arc, time::Duration};

use model::{HostName, Secret};
use tokio::time::{Instant, sleep, timeout_at};

use super::Hosts;
use crate::{
    error::Error,
    hypervisor::{
        Address, Fingerprint, HostConfig, HostError, HostErrorKind, InvalidInput, Opened, Ssh, SshLogin, Transport,
        UserName, deadline,
    },
    inventory::{HostEntry, LoginOverride},
};

/// How long a login counts without *keep until restart* while no migration needs it: time enough to begin one.
const LOGIN_LASTS: Duration = Duration::from_mins(10);
/// How often logins are looked through for those that no longer count.
const LET_GO_EVERY: Duration = Duration::from_secs(10);

/// What a user typed to log in at a host, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostCredentials {
    /// The account; none is the registered one, or `root`.
    pub user: Option<UserName>,
    /// Its password; none lets keys be tried.
    pub password: Option<Secret>,
    /// The host's key, if a user has confirmed it.
    pub fingerprint: Option<Fingerprint>,
    /// Keep the password until the console stops, not only for ten minutes and as long as migrations need it.
    pub keep_until_restart: bool,
}

impl HostCredentials {
    /// The ssh user if none is given.
    pub const USUAL_USER: &str = "root";

    /// Whether it stands in for the login that a host has.
    pub(super) fn stands_in(&self) -> bool {
        self.user.is_some() || self.password.is_some()
    }

    /// How it is kept, if it stands in for the login that a host has.
    fn kept(&self, transport: &Transport) -> Option<LoginOverride> {
        let until = if self.keep_until_restart { None } else { Some(Instant::now() + LOGIN_LASTS) };
        self.stands_in().then(|| LoginOverride { transport: transport.clone(), until })
    }

    /// How a host is reached that is about to be registered, in the place of `before` if that is given; and how the password is kept.
    ///
    /// # Errors
    /// What was typed is not what the host is to be reached with.
    pub(super) fn first(
        &self,
        host: &HostConfig,
        before: Option<&HostEntry>,
    ) -> Result<(HostConfig, Option<LoginOverride>), InvalidInput> {
        let Transport::Ssh(own) = &host.transport else {
            let is_empty = !self.stands_in() && self.fingerprint.is_none();
            return if is_empty { Ok((host.clone(), None)) } else { Err(not_by_ssh(&host.name)) };
        };
        if self.user.as_ref().is_some_and(|user| *user != own.user) {
            return Err(InvalidInput::new("Two users were given.")
                .with_fix("Say once, for the host, as whom to log in.")
                .with_field("user"));
        }
        let ssh = Ssh { fingerprint: self.fingerprint.clone(), ..own.clone() };
        let with = |login| Transport::Ssh(Ssh { login, ..ssh.clone() });
        let typed = match (&own.login, &self.password) {
            (SshLogin::Password(_), Some(password)) => self.kept(&with(SshLogin::Password(Some(password.clone())))),
            (SshLogin::Password(_), None) => before.and_then(|before| before.login_for(own)),
            (_, None) => None,
            (_, Some(_)) => {
                return Err(InvalidInput::new(format!("{} is not reached by password.", host.name))
                    .with_fix("Leave the password out, or choose to log in by password.")
                    .with_field("password"));
            }
        };
        let transport = typed.as_ref().map_or_else(|| with(own.login.clone()), |typed| typed.transport.clone());
        Ok((HostConfig { transport, ..host.clone() }, typed))
    }

    /// How a host that is not registered is reached.
    pub(super) fn at(&self, address: Address, port: Option<u16>) -> Ssh {
        Ssh {
            address,
            port: port.unwrap_or(Ssh::PORT),
            user: self.user.clone().unwrap_or_else(|| Self::USUAL_USER.parse().expect("a user's name")),
            login: self.password.clone().map_or(SshLogin::AccountKeys, |password| SshLogin::Password(Some(password))),
            fingerprint: self.fingerprint.clone(),
        }
    }

    /// How a registered host is reached with this login in place of its own: by ssh, however it is reached otherwise.
    pub(super) fn instead(&self, config: &HostConfig, port: Option<u16>) -> Ssh {
        match &config.transport {
            Transport::Ssh(own) => {
                let user = self.user.clone().unwrap_or_else(|| own.user.clone());
                let typed = self.at(own.address.clone(), Some(port.unwrap_or(own.port)));
                let login = if self.password.is_some() { typed.login } else { own.login.clone() };
                Ssh { user, login, ..typed }
            }
            Transport::Tcp { address, .. } | Transport::Tls { address, .. } => self.at(address.clone(), port),
            Transport::Local => self.at(config.peer_address.clone(), port),
        }
    }
}

impl Hosts {
    /// Connects to a host for a request that waits for it. A password, typed now or kept from before, counts as one of those that the
    /// host gets to see.
    ///
    /// # Errors
    /// Why it can't be reached; `host-unreachable` also if it takes too long; `throttled`.
    pub(super) async fn open_soon(&self, config: &HostConfig) -> Result<Opened, Error> {
        self.open_soon_called(config.name.as_str(), config).await.map(|(opened, _)| opened)
    }

    /// The same, of a host that errors call something else than its name. Says until when the request has to be answered: the wait for
    /// other passwords that are tried there comes before the host's own time.
    ///
    /// # Errors
    /// Those of [`Self::open_soon`].
    pub(super) async fn open_soon_called(&self, called: &str, config: &HostConfig) -> Result<(Opened, Instant), Error> {
        let attempt = match &config.transport {
            Transport::Ssh(Ssh { address, login: SshLogin::Password(Some(_)), .. }) => {
                Some(self.attempts.begin(&address.to_string()).await?)
            }
            _ => None,
        };
        let deadline = deadline();
        let opened = timeout_at(deadline, self.context.open(config, called)).await;
        let opened = opened.unwrap_or_else(|_| Err(HostError::too_late(called)));
        let is_refused = opened.as_ref().is_err_and(|error| error.kind == HostErrorKind::LoginRefused);
        if let Some(attempt) = attempt
            && !is_refused
        {
            attempt.was_not_wrong();
        }
        Ok((opened?, deadline))
    }

    /// Logs in at a host: it is connected from then on, for as long as the login says. With nothing typed it is tried once more as
    /// it is.
    ///
    /// # Errors
    /// `unknown-host`; `invalid-input` if something was typed and the host is not reached by ssh; why it can't be reached.
    pub(crate) async fn log_in(self: &Arc<Self>, name: &HostName, login: HostCredentials) -> Result<(), Error> {
        let (config, number) = {
            let inventory = self.context.inventory();
            let entry = inventory.host(name).ok_or_else(|| HostError::unknown_host(name.as_str()))?;
            (login_at(entry, &login)?, entry.number)
        };
        let opened = self.open_soon(&config).await?;
        let watch = {
            let mut inventory = self.context.inventory();
            let entry = inventory.host(name).filter(|entry| entry.number == number);
            is_still_itself(entry.ok_or_else(|| HostError::unknown_host(name.as_str()))?, &opened)?;
            inventory.logged_in(name, login.kept(&config.transport), &opened)
        };
        if let Some(watch) = watch {
            self.watch(watch, Some(opened));
        }
        Ok(())
    }

    /// Forgets what is no longer needed, every [`LET_GO_EVERY`]: also a password of a host that can't be reached and that nothing
    /// connects to.
    pub(crate) async fn keep_letting_go(self: Arc<Self>) {
        loop {
            sleep(LET_GO_EVERY).await;
            self.let_go();
        }
    }

    /// Forgets hosts and passwords that no migration needs any more.
    pub(crate) fn let_go(&self) {
        let watches = self.context.inventory().let_go();
        for watch in watches {
            self.watch(watch, None);
        }
    }
}

fn login_at(entry: &HostEntry, login: &HostCredentials) -> Result<HostConfig, Error> {
    let now = entry.with_login();
    let typed = match &now.transport {
        _ if !login.stands_in() && login.fingerprint.is_none() => return Ok(entry.connect_config()?),
        Transport::Ssh(_) => login.instead(&now, None),
        _ => return Err(not_by_ssh(&now.name).into()),
    };
    match typed.login {
        SshLogin::Password(None) => Err(HostError::needs_login(&now.name).into()),
        _ => Ok(HostConfig { transport: Transport::Ssh(typed), ..now }),
    }
}

/// Whether a host that was logged in at is the one that was known.
///
/// # Errors
/// [`Error::AnotherMachine`]: the one that was known is somewhere else.
pub(super) fn is_still_itself(entry: &HostEntry, opened: &Opened) -> Result<(), Error> {
    match &entry.facts {
        Some(known) if known.uuid != opened.facts.uuid => {
            let host = entry.config.name.clone();
            Err(Error::AnotherMachine { host, known: known.uuid, answers: opened.facts.uuid })
        }
        _ => Ok(()),
    }
}

fn not_by_ssh(host: &HostName) -> InvalidInput {
    InvalidInput::new(format!("{host} is not reached by ssh: there is no user or password to log in with."))
        .with_fix("Leave them out.")
}
