//! One connection to a libvirt daemon (`virConnect`): opening it, logging in, serving it with threads, and its events.
//!
//! A connection is used on threads of its own only (`workers.rs`).

mod auth;
pub(crate) mod event_loop;
pub(crate) mod events;
mod login;
pub(crate) mod opening;
mod permits;
mod ssh_config;
mod ssh_files;
pub(crate) mod uri;
pub(crate) mod workers;

use std::{ops::Deref, sync::Arc};

use virt::{connect::Connect, sys};

pub use self::ssh_files::SshFiles;
use self::{
    auth::Answers,
    events::{Notifier, Subscription},
};
use crate::error::LibvirtError;

/// libvirt's keep-alive: it pings the daemon every `interval_s` seconds, and closes the connection when `count` pings had no answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeepAlive {
    interval_s: i32,
    count: u32,
}

impl KeepAlive {
    /// For inventory and progress, which pages show: a silent host is gone after 2 × (3 + 1) = 8 s.
    pub(crate) const PROMPT: Self = Self { interval_s: 2, count: 3 };
    /// For a migration or a transfer: closing its connection by mistake costs hours of copying, and in the last moments of a direct
    /// migration it can leave two copies of the VM. 5 × (5 + 1) = 30 s, as in libvirt's own peer-to-peer migrations
    /// (`keepalive_interval` and `keepalive_count` in its qemu.conf).
    pub(crate) const PATIENT: Self = Self { interval_s: 5, count: 5 };
}

/// A connection to a libvirt daemon. Dropping it calls the daemon, so it is dropped on one of its own threads.
pub(crate) struct Connection {
    connect: Connect,
    /// Dropped before the connection is closed, because each holds a reference to it.
    subscriptions: Vec<Subscription>,
}

impl Connection {
    /// Connects, with keep-alive. `answers` answer libvirt's prompts during the login. Has no time limit: a daemon that
    /// accepts the connection and then sends nothing blocks the thread.
    pub(crate) fn open(uri: &str, answers: Option<Answers>, keep_alive: KeepAlive) -> Result<Self, LibvirtError> {
        let connect = match answers {
            Some(answers) => auth::open(uri, answers, 0)?,
            None => Connect::open(Some(uri))?,
        };
        let connection = Self::new(connect);
        connection.set_keep_alive(keep_alive.interval_s, keep_alive.count)?;
        Ok(connection)
    }

    /// Opens a read-only connection.
    pub(crate) fn open_read_only(uri: &str, answers: Answers) -> Result<Self, LibvirtError> {
        Ok(Self::new(auth::open(uri, answers, sys::VIR_CONNECT_RO)?))
    }

    fn new(connect: Connect) -> Self {
        Self { connect, subscriptions: Vec::new() }
    }

    /// From now on, `notifier` is told when the connection is gone.
    pub(crate) fn notify_closed(&mut self, notifier: &Arc<Notifier>) -> Result<(), LibvirtError> {
        self.subscriptions.push(Subscription::closed(&self.connect, notifier)?);
        Ok(())
    }

    /// From now on, `notifier` is told what happens to VMs.
    pub(crate) fn notify_changes(&mut self, notifier: &Arc<Notifier>) -> Result<(), LibvirtError> {
        self.subscriptions.push(Subscription::lifecycle(&self.connect, notifier)?);
        self.subscriptions.push(Subscription::wakeups(&self.connect, notifier)?);
        self.subscriptions.push(Subscription::completed_jobs(&self.connect, notifier)?);
        self.subscriptions.extend(Subscription::devices(&self.connect, notifier)?);
        self.subscriptions.push(Subscription::balloon(&self.connect, notifier)?);
        Ok(())
    }

    /// For facts that may be unknown: none if libvirt refuses the call, has no driver for it, or fails. Only a
    /// connection that is gone stays an error.
    pub(crate) fn known<T>(&self, answer: Result<T, LibvirtError>) -> Result<Option<T>, LibvirtError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if self.is_open() => {
                tracing::debug!(%error, "not known");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the connection is open, as far as this side knows: the daemon is not asked.
    pub(crate) fn is_open(&self) -> bool {
        self.connect.is_alive().unwrap_or(false)
    }
}

impl Deref for Connection {
    type Target = Connect;

    fn deref(&self) -> &Connect {
        &self.connect
    }
}

/// For tests: libvirt's own `test` driver, which lives in this process and needs no daemon.
#[cfg(test)]
pub(crate) mod testing {
    use model::VmId;
    use uuid::Uuid;

    use super::*;

    /// A connection to the driver. All connections of a process see the same VMs, so tests look at their own only.
    pub(crate) fn connection() -> Connection {
        event_loop::start().unwrap();
        Connection::new(Connect::open(Some("test:///default")).unwrap())
    }

    /// A VM of the test's own, shut off: 2 CPUs, 64 MiB.
    pub(crate) fn define(connection: &Connection, name: &str) -> VmId {
        let uuid = Uuid::new_v4();
        let xml = format!(
            "<domain type='test'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>2</vcpu>\
             <os><type>hvm</type></os></domain>"
        );
        connection.define_domain_xml(&xml).unwrap();
        VmId(uuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_driver_lacks_is_not_known() {
        let connection = testing::connection();
        let secrets = connection.list_all_secrets(0).map(|secrets| secrets.len()).map_err(LibvirtError::from);
        assert_eq!(secrets.as_ref().unwrap_err().number, sys::VIR_ERR_NO_SUPPORT);
        assert_eq!(connection.known(secrets).unwrap(), None);
        assert_eq!(connection.known(Ok(1)).unwrap(), Some(1));
    }
}
