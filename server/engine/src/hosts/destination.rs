//! Destinations that need not be registered, and logins for one migration only.

use std::{fmt, net::IpAddr, sync::Arc};

use model::HostName;
use tokio::time::Instant;

use super::{Hosts, approach::Approach, login::HostCredentials};
use crate::{
    error::Error,
    hypervisor::{HostError, HostErrorKind, Transport, deadline},
};

/// A destination that answers, held for a migration that is about to begin. A temporary host is removed, and its typed password
/// forgotten, once its last holder has dropped it and no migration with it is open.
pub struct Reached {
    /// The name to migrate to.
    pub host: HostName,
    /// How it was reached, if a login was typed for this migration.
    login: Option<Transport>,
    /// Whether it is registered once the migration has begun.
    register: bool,
    /// When the caller has to have an answer.
    deadline: Instant,
    _lease: Lease,
}

impl Reached {
    /// How it was reached, if a login was typed for this migration.
    pub(crate) fn login(&self) -> Option<&Transport> {
        self.login.as_ref()
    }

    /// Whether it is registered once the migration has begun.
    pub(crate) fn is_to_be_registered(&self) -> bool {
        self.register
    }

    /// When the caller has to have an answer.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }
}

impl fmt::Debug for Reached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reached").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Keeps a host, and the login that was typed for it. Never to be dropped under the inventory's lock.
struct Lease {
    held: Option<Arc<()>>,
    hosts: Arc<Hosts>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.held = None;
        self.hosts.let_go();
    }
}

/// An ad-hoc destination, and how to log in there for one migration.
#[derive(Debug)]
pub struct HostToReach {
    /// A host's name or address, as it was typed. Which host that is is decided when it is reached: hosts come and go meanwhile.
    pub address: String,
    /// Its port of ssh; none is 22, or what a registered host has.
    pub port: Option<u16>,
    /// How to log in there.
    pub credentials: HostCredentials,
    /// The name that it is registered under as soon as its migration has begun, by the task that begins it. Without a name it is in the
    /// inventory for the migration only.
    pub register: Option<HostName>,
}

impl Hosts {
    /// Sees that a destination answers, within 10 s. It waits up to 3 s more while other passwords are tried there.
    ///
    /// # Errors
    /// `same-host` for this machine's own addresses; `invalid-input` for what is no address, and for a port or a fingerprint that would
    /// not be used; `host-exists` if `register` is another's name, or the host is registered; `throttled`; why it can't be reached.
    pub(crate) async fn reach(self: &Arc<Self>, destination: HostToReach) -> Result<Reached, Error> {
        let to = Approach::to(&self.context.inventory(), &destination)?;
        let HostToReach { address: typed, register, .. } = destination;
        let (host, held, login, deadline) = match &to {
            Approach::OwnLogin(name) => (name.clone(), self.hold_registered(name)?, None, deadline()),
            Approach::OverriddenLogin(config) | Approach::Unregistered { config, .. } => {
                let opened = self.open_soon_called(to.called(), config).await;
                let (opened, deadline) = opened.map_err(|error| self.or_mistyped(&to, &typed, error))?;
                let (host, held, watch) = to.enter(&mut self.context.inventory(), &opened, register.as_ref())?;
                if let Some(watch) = watch {
                    self.watch(watch, Some(opened));
                }
                (host, held, Some(config.transport.clone()), deadline)
            }
        };
        let lease = Lease { held: Some(held), hosts: Arc::clone(self) };
        Ok(Reached { host, login, register: register.is_some(), deadline, _lease: lease })
    }

    /// The same error, and what was perhaps meant: a registered host's name with a slip in it is an address like any other.
    fn or_mistyped(&self, to: &Approach, typed: &str, error: Error) -> Error {
        match error {
            Error::Host(error)
                if error.kind == HostErrorKind::Unreachable
                    && matches!(to, Approach::Unregistered { .. })
                    && typed.parse::<IpAddr>().is_err() =>
            {
                error.may_be_mistyped(typed, &self.context.inventory().registered()).into()
            }
            error => error,
        }
    }

    fn hold_registered(&self, name: &HostName) -> Result<Arc<()>, HostError> {
        let mut inventory = self.context.inventory();
        inventory.connection(name)?;
        inventory.hold(name)
    }

    /// Registers a temporary host.
    pub(crate) async fn register_temporary(&self, name: &HostName) {
        let _changes = self.changes.lock().await;
        let Some(settings) = self.context.inventory().host(name).map(|entry| entry.config.settings()) else {
            return tracing::error!(host = %name, "a host is gone before it could be registered");
        };
        match self.context.store().put_host(&settings, None).await {
            Ok(()) => self.context.inventory().register(name),
            // Its migration has begun and goes on; the host is listed as temporary, and can be registered again.
            Err(error) => tracing::error!(host = %name, %error, "could not register a host"),
        }
    }
}
