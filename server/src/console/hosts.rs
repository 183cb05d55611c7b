//! Hosts at run time.

use std::net::Ipv4Addr;

use async_trait::async_trait;
use engine::{Address, HostConfig, HostCredentials, Transport, UserName};
use model::{Code, HostDetails, HostLogin, HostName, HostOrigin, HostTest, NewHost, Problem, RegisteredHost};
use port::{Hosts, Principal};

use super::{
    ServerConsole,
    login::{login, new_host},
};
use store::Action;

#[async_trait]
impl Hosts for ServerConsole {
    fn registered(&self, _who: &Principal) -> Result<Vec<RegisteredHost>, Problem> {
        let described = |(config, origin): (HostConfig, _)| {
            let known = match ssh_address(&config) {
                Some((address, port)) => self.keys.known_hosts.of(address, port)?,
                None => Vec::new(),
            };
            let fingerprint = known.first().map(ToString::to_string);
            Ok(RegisteredHost { settings: config.settings(), origin, fingerprint })
        };
        self.engine.registered().into_iter().map(described).collect()
    }

    async fn host_details(&self, _who: &Principal, name: &HostName) -> Result<HostDetails, Problem> {
        Ok(self.engine.host_details(name).await?)
    }

    async fn test_host(&self, who: &Principal, host: NewHost) -> Result<HostTest, Problem> {
        let (host, login) = self.new_host(host)?;
        self.audit(who, Action::HostTested(&host.settings())).await?;
        Ok(self.engine.test_host(&host, &login).await?)
    }

    async fn add_host(&self, who: &Principal, host: NewHost) -> Result<(), Problem> {
        let (host, login) = self.new_host(host)?;
        self.audit(who, Action::HostAdded(&host.settings())).await?;
        Ok(self.engine.add_host(host, login).await?)
    }

    async fn change_host(&self, who: &Principal, name: &HostName, host: NewHost) -> Result<(), Problem> {
        let (host, login) = self.new_host(host)?;
        let (before, _) = self.host_config(name)?;
        self.audit(who, Action::HostChanged(name, &host.settings())).await?;
        self.engine.change_host(name, host.clone(), login).await?;
        if ssh_address(&before) == ssh_address(&host) { Ok(()) } else { self.forget_key(&before) }
    }

    async fn remove_host(&self, who: &Principal, name: &HostName) -> Result<(), Problem> {
        self.audit(who, Action::HostRemoved(name)).await?;
        let host = self.engine.remove_host(name).await?;
        self.forget_key(&host)
    }

    async fn log_in_at_host(&self, who: &Principal, name: &HostName, typed: HostLogin) -> Result<(), Problem> {
        let login = login(typed)?;
        let user = login.user.as_ref().map(UserName::as_str);
        self.audit(who, Action::HostLogin(name, user)).await?;
        self.host_config(name)?;
        Ok(self.engine.log_in(name, login).await?)
    }

    async fn set_up_key(&self, who: &Principal, name: &HostName, typed: HostLogin) -> Result<(), Problem> {
        let login = login(typed)?;
        self.audit(who, Action::HostKeySetUp(name)).await?;
        self.install_key(name, login).await
    }

    async fn remove_key(&self, who: &Principal, name: &HostName, typed: HostLogin) -> Result<(), Problem> {
        let login = login(typed)?;
        self.audit(who, Action::HostKeyRemoved(name)).await?;
        self.uninstall_key(name, login).await
    }
}

impl ServerConsole {
    /// A host to be registered or tested, if the configuration allows it.
    fn new_host(&self, host: NewHost) -> Result<(HostConfig, HostCredentials), Problem> {
        let (host, login) = new_host(host)?;
        // A host that is registered already is allowed: the configuration file may have hosts that can't be added at run time.
        if self.engine.registered().iter().any(|(known, _)| *known == host) {
            return Ok((host, login));
        }
        let transports = [&host.transport, &host.peer_transport];
        if !self.allowed.tcp && transports.iter().any(|transport| matches!(transport, Transport::Tcp { .. })) {
            return Err(Problem::new(
                Code::NotSupported,
                "Hosts can't be added that are reached by plain TCP, which anyone on the network path can read and change.",
            )
            .with_fix(
                "Use ssh or tls. On a network of its own: set allow_tcp = true in the console's configuration.",
            ));
        }
        if !self.allowed.networks.allow(Ipv4Addr::LOCALHOST.into())
            && transports.iter().filter_map(|transport| transport.host_address()).any(Address::is_this_machine)
        {
            return Err(Problem::new(Code::InvalidInput, "This address means another machine to each that uses it.")
                .with_fix(
                    "Give an address that other hosts know it by. The console's own machine is transport = \"local\".",
                ));
        }
        Ok((host, login))
    }

    /// A host's configuration, and where it comes from.
    pub(super) fn host_config(&self, name: &HostName) -> Result<(HostConfig, HostOrigin), Problem> {
        let found = self.engine.registered().into_iter().find(|(host, _)| host.name == *name);
        found.ok_or_else(|| {
            Problem::new(Code::UnknownHost, format!("There is no host called {name}."))
                .with_fix("Choose one from the list of hosts.")
        })
    }

    fn forget_key(&self, host: &HostConfig) -> Result<(), Problem> {
        match ssh_address(host) {
            Some((address, port)) => Ok(self.keys.known_hosts.forget(address, port)?),
            None => Ok(()),
        }
    }
}

/// The address and port whose ssh key the console checks, if the host is reached by ssh.
fn ssh_address(host: &HostConfig) -> Option<(&Address, u16)> {
    match &host.transport {
        Transport::Ssh(ssh) => Some((&ssh.address, ssh.port)),
        _ => None,
    }
}
