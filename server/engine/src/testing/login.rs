//! Simulated ssh: hosts that show a key, and want to know who comes.

use std::time::Duration;

use model::{ControlFlow, HostName, Secret};
use tokio::time::sleep;
use uuid::Uuid;

use super::{Sim, World, host::SimHost};
use crate::hypervisor::{Fingerprint, HostConfig, HostError, HostErrorKind, MigrationPlan, Ssh, SshLogin, Transport};

/// Between two looks at a door.
const KNOCK: Duration = Duration::from_millis(10);

/// What stands between the network and a simulated host.
pub(super) struct Door {
    /// The key that it shows, and the one that the console knows.
    key: Fingerprint,
    known: Option<Fingerprint>,
    password: String,
    permits: bool,
    hangs: bool,
    /// Whether a client waits for an answer.
    knocked: bool,
    /// Logins that were tried, right or wrong.
    attempts: u32,
}

impl Sim {
    /// Adds a host that is reached by ssh as root, with this password, and whose key is not known yet.
    pub fn add_ssh_host(&self, name: &str, password: &str) -> HostConfig {
        let host = self.add_host(name);
        let mut world = self.world();
        world.host(&host.name).door = Some(Door {
            key: key(1),
            known: None,
            password: password.to_owned(),
            permits: true,
            hangs: false,
            knocked: false,
            attempts: 0,
        });
        let ssh = |login| {
            let (address, user) = (host.peer_address.clone(), "root".parse().expect("a user's name"));
            Transport::Ssh(Ssh { address, port: 22, user, login, fingerprint: None })
        };
        let (transport, peer_transport) = (ssh(SshLogin::Password(None)), ssh(SshLogin::Program));
        HostConfig { transport, peer_transport, ..host }
    }

    /// The key that a host shows.
    pub fn key(&self, host: &HostName) -> Fingerprint {
        self.world().host(host).door().key.clone()
    }

    /// From now on a host shows another key.
    pub fn change_key(&self, host: &HostName) {
        self.world().host(host).door().key = key(2);
    }

    /// From now on a host has another password.
    pub fn change_password(&self, host: &HostName, password: &str) {
        password.clone_into(&mut self.world().host(host).door().password);
    }

    /// From now on the account may use libvirt there, or not.
    pub fn permit(&self, host: &HostName, permit: bool) {
        self.world().host(host).door().permits = permit;
    }

    /// From now on a host's libvirt answers, but not what it is.
    pub fn take_qemu_away(&self, host: &HostName) {
        self.world().host(host).has_qemu = false;
    }

    /// From now on another machine answers at a host's address.
    pub fn become_another_machine(&self, host: &HostName) {
        let mut world = self.world();
        let uuid = Uuid::from_u128(0x100 + world.hosts.len() as u128);
        world.host(host).uuid = uuid;
    }

    /// From now on a host lets people knock and does not answer; or it does again.
    pub fn hang_logins(&self, host: &HostName, hangs: bool) {
        self.world().host(host).door().hangs = hangs;
    }

    /// Waits until a client connects to a host that does not answer.
    pub async fn until_a_client_knocks(&self, host: &HostName) {
        while !self.world().host(host).door().knocked {
            sleep(KNOCK).await;
        }
    }

    /// Waits until the host at this address answers those who knock.
    pub(super) async fn knock_at(&self, host: &HostName) {
        while self.world().hangs(host) {
            sleep(KNOCK).await;
        }
    }

    /// How many logins at a host were tried.
    pub fn attempts(&self, host: &HostName) -> u32 {
        self.world().host(host).door().attempts
    }

    /// Connections to a host that are still open.
    pub fn connections(&self, host: &HostName) -> usize {
        let mut world = self.world();
        let host = world.host(host);
        host.listeners.retain(|listener| !listener.is_closed());
        host.listeners.len()
    }
}

impl World {
    /// Whether a host leaves its clients without an answer.
    fn hangs(&mut self, host: &HostName) -> bool {
        let door = self.hosts.get_mut(host).and_then(|host| host.door.as_mut()).filter(|door| door.hangs);
        door.is_some_and(|door| {
            door.knocked = true;
            true
        })
    }

    /// The plan with its destination's real name, if whoever drives it may log in there.
    pub(super) fn let_through(&mut self, plan: &MigrationPlan) -> Result<MigrationPlan, HostError> {
        let name = self.name_at(&plan.destination);
        if plan.control_flow == ControlFlow::Direct {
            self.host(&name).let_in(&plan.destination, plan.destination.name.as_str())?;
        }
        let plan = MigrationPlan { destination: HostConfig { name, ..plan.destination.clone() }, ..plan.clone() };
        self.let_peer_in(&plan)?;
        Ok(plan)
    }
}

impl SimHost {
    fn door(&mut self) -> &mut Door {
        self.door.as_mut().expect("a test asks this of hosts with ssh")
    }

    /// Lets a client in, or says why not.
    pub(super) fn let_in(&mut self, config: &HostConfig, called: &str) -> Result<(), HostError> {
        match (&mut self.door, &config.transport) {
            (Some(door), Transport::Ssh(ssh)) => door.let_in(called, ssh),
            _ => Ok(()),
        }
    }
}

impl Door {
    fn let_in(&mut self, host: &str, ssh: &Ssh) -> Result<(), HostError> {
        let told = |code, what| HostError::new(code, format!("{host}: {what} (simulated)."));
        let key = self.key.clone();
        match self.known.as_ref().or(ssh.fingerprint.as_ref()) {
            None => {
                return Err(told(HostErrorKind::HostKeyUnknown, "its key is unknown").with_fingerprint(key.as_str()));
            }
            Some(expected) if *expected != key => {
                return Err(told(HostErrorKind::HostKeyChanged, "its key is another").with_fingerprint(key.as_str()));
            }
            Some(_) => self.known = Some(key),
        }
        let is_right = match &ssh.login {
            SshLogin::Password(None) => return Err(told(HostErrorKind::NeedsLogin, "it wants a password")),
            SshLogin::Password(Some(password)) => *password == Secret::new(self.password.clone()),
            // No key is accepted there.
            SshLogin::Program | SshLogin::AccountKeys | SshLogin::ConsoleKey => false,
        };
        self.attempts += 1;
        match (is_right, self.permits) {
            (false, _) => Err(told(HostErrorKind::LoginRefused, "the login was refused")),
            (true, false) => Err(told(HostErrorKind::NotPermitted, "the account may not use libvirt")),
            (true, true) => Ok(()),
        }
    }
}

/// One of several keys.
fn key(number: u8) -> Fingerprint {
    format!("SHA256:{}{number}", "a".repeat(42)).parse().expect("a fingerprint")
}
