//! Hosts that come and go while the console runs: registered, changed, removed, or there for one migration only.

use std::sync::Arc;

use model::{Code, HostName, HostOrigin, HostSettings, HostTest, Migration, MigrationRequest, Problem, Secret};

use crate::{Address, Engine, Fingerprint, HostConfig, UserName};

/// What somebody typed to log in at a host, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// The account; none is the registered one, or `root`.
    pub user: Option<UserName>,
    /// Its password; none lets keys be tried.
    pub password: Option<Secret>,
    /// The host's key, if somebody has confirmed it.
    pub fingerprint: Option<Fingerprint>,
    /// Keep the password until the console stops.
    pub keep_until_restart: bool,
}

/// A destination that answers, held for a migration that is about to begin. A host that is there for this only goes when nobody holds it
/// any more and no migration to it is open; a password that was typed goes with it.
#[derive(Debug)]
pub struct Reached {
    /// The name to migrate to.
    pub host: HostName,
}

impl Engine {
    /// The registered hosts, and those that are there for a migration only, by name.
    pub fn registered(&self) -> Vec<(HostConfig, HostOrigin)> {
        Vec::new()
    }

    /// Connects to a host that need not be registered, once, and says what it is. Changes nothing but the known hosts, if a fingerprint
    /// was confirmed.
    ///
    /// # Errors
    /// Why it can't be reached.
    pub async fn test_host(&self, host: &HostConfig, login: &Login) -> Result<HostTest, Problem> {
        let _ = (host, login);
        Err(not_yet())
    }

    /// Registers a host that answers, within 10 s.
    ///
    /// # Errors
    /// `host-exists`; why it can't be reached.
    pub async fn add_host(self: &Arc<Self>, host: HostConfig, login: Login) -> Result<(), Problem> {
        let _ = (host, login);
        Err(not_yet())
    }

    /// Replaces how a host is reached, if it answers that way; its name may change, too.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`, `host-exists`; why it can't be reached.
    pub async fn change_host(self: &Arc<Self>, name: &HostName, host: HostConfig, login: Login) -> Result<(), Problem> {
        let _ = (name, host, login);
        Err(not_yet())
    }

    /// Forgets a host. Its VMs stay what and where they are.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`.
    pub async fn remove_host(&self, name: &HostName) -> Result<HostConfig, Problem> {
        let _ = name;
        Err(not_yet())
    }

    /// Logs in at a host that wants a password: it is connected from then on, for as long as the login says.
    ///
    /// # Errors
    /// `unknown-host`; why it can't be reached.
    pub async fn log_in(self: &Arc<Self>, name: &HostName, login: Login) -> Result<(), Problem> {
        let _ = (name, login);
        Err(not_yet())
    }

    /// Sees that a destination answers, within 10 s: a registered one by its name or address, or for one migration one that is not, by its
    /// address, where `port` is that of ssh (22, or what a registered host has). One that is not registered has the name
    /// `register` from now on, and is registered as soon as its migration has begun, by the task that begins it; without a name it is
    /// there for the migration only.
    ///
    /// # Errors
    /// `same-host` for this machine's own addresses; `host-exists` if `register` is another's name, or the host is registered; why it
    /// can't be reached.
    pub async fn reach(
        self: &Arc<Self>,
        destination: &str,
        port: Option<u16>,
        login: Login,
        register: Option<HostName>,
    ) -> Result<Reached, Problem> {
        let _ = (destination, port, login, register);
        Err(not_yet())
    }

    /// The same as [`Engine::migrate`], to a destination that was reached with a login for this migration only.
    ///
    /// # Errors
    /// Those of [`Engine::migrate`].
    pub async fn migrate_to(
        self: &Arc<Self>,
        reached: Reached,
        request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Problem> {
        let _ = reached;
        self.migrate(request, requested_by).await
    }
}

/// The name that an address gets for one migration: `192-0-2-7`.
pub fn name_for(address: &Address) -> HostName {
    let text: String = address.to_string().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let short: String = text.trim_matches('-').chars().take(32).collect();
    short.trim_end_matches('-').parse().unwrap_or_else(|_| unreachable!("an address has a letter or digit"))
}

fn not_yet() -> Problem {
    Problem::new(Code::NotSupported, "Hosts can't be changed at run time yet.")
}

#[allow(dead_code, reason = "for the contract")]
fn contract(_: HostSettings) -> HostName {
    name_for(&Address::Name(String::new()))
}
