//! The form that adds or changes a host, as it was filled in, and the host it stands for. Its page is [`super::edit_page`].

use model::{DaemonKind, HostLogin, HostSettings, NewHost, Policy, Problem, Secret, SshLoginKind, TransportKind};
use serde::Deserialize;

use crate::ui::fields::typed;

/// The form as it was filled in.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct HostForm {
    pub(super) name: String,
    pub(super) transport: TransportKind,
    pub(super) address: String,
    pub(super) port: Option<u16>,
    pub(super) user: String,
    pub(super) login: SshLoginKind,
    pub(super) daemon: DaemonKind,
    pub(super) peer_address: String,
    pub(super) peer_transport: Option<TransportKind>,
    pub(super) peer_port: Option<u16>,
    pub(super) peer_user: String,
    pub(super) bandwidth_mib_s: Option<u32>,
    pub(super) policy: Option<Policy>,
    pub(super) longest_pause_ms: Option<u32>,
    pub(super) budget_s: Option<u32>,
    /// One per line.
    pub(super) shared_directories: String,
    pub(super) memory_reserve_mib: Option<u32>,
    pub(super) outgoing_mib_s: Option<u32>,
    pub(super) incoming_mib_s: Option<u32>,
    pub(super) password: Option<Secret>,
    pub(super) fingerprint: Option<String>,
    pub(super) keep_until_restart: bool,
}

impl Default for HostForm {
    fn default() -> Self {
        Self {
            name: String::new(),
            transport: TransportKind::Ssh,
            address: String::new(),
            port: None,
            user: "root".to_owned(),
            login: SshLoginKind::Password,
            daemon: DaemonKind::System,
            peer_address: String::new(),
            peer_transport: None,
            peer_port: None,
            peer_user: String::new(),
            bandwidth_mib_s: None,
            policy: None,
            longest_pause_ms: None,
            budget_s: None,
            shared_directories: String::new(),
            memory_reserve_mib: None,
            outgoing_mib_s: None,
            incoming_mib_s: None,
            password: None,
            fingerprint: None,
            keep_until_restart: false,
        }
    }
}

impl From<HostSettings> for HostForm {
    fn from(settings: HostSettings) -> Self {
        Self {
            name: settings.name.to_string(),
            transport: settings.transport,
            address: settings.address.unwrap_or_default(),
            port: settings.port,
            user: settings.user.unwrap_or_default(),
            login: settings.login.unwrap_or(SshLoginKind::Program),
            daemon: settings.daemon.unwrap_or(DaemonKind::System),
            peer_address: settings.peer_address.unwrap_or_default(),
            peer_transport: settings.peer_transport,
            peer_port: settings.peer_port,
            peer_user: settings.peer_user.unwrap_or_default(),
            bandwidth_mib_s: settings.bandwidth_mib_s,
            policy: settings.policy,
            longest_pause_ms: settings.longest_pause_ms,
            budget_s: settings.budget_s,
            shared_directories: settings.shared_directories.join("\n"),
            memory_reserve_mib: settings.memory_reserve_mib,
            outgoing_mib_s: settings.outgoing_mib_s,
            incoming_mib_s: settings.incoming_mib_s,
            ..Self::default()
        }
    }
}

impl HostForm {
    /// The host. Fields that its transport does not have are hidden in the form, and left out here.
    ///
    /// # Errors
    /// `invalid-input` for what can't be a host's name.
    pub fn host(&self) -> Result<NewHost, Problem> {
        let is_local = self.transport == TransportKind::Local;
        let is_ssh = self.transport == TransportKind::Ssh;
        let speaks_tcp = self.transport == TransportKind::Tcp || self.peer_transport == Some(TransportKind::Tcp);
        let settings = HostSettings {
            name: self.name.trim().parse()?,
            transport: self.transport,
            address: typed(&self.address).filter(|_| !is_local),
            port: self.port.filter(|_| !is_local),
            user: typed(&self.user).filter(|_| is_ssh),
            login: is_ssh.then_some(self.login),
            daemon: speaks_tcp.then_some(self.daemon),
            peer_address: typed(&self.peer_address),
            peer_transport: self.peer_transport,
            peer_port: self.peer_port,
            peer_user: typed(&self.peer_user),
            bandwidth_mib_s: self.bandwidth_mib_s,
            policy: self.policy,
            longest_pause_ms: self.longest_pause_ms,
            budget_s: self.budget_s,
            shared_directories: self.shared_directories.lines().filter_map(typed).collect(),
            memory_reserve_mib: self.memory_reserve_mib,
            outgoing_mib_s: self.outgoing_mib_s,
            incoming_mib_s: self.incoming_mib_s,
        };
        let login = HostLogin {
            user: None,
            password: self.password.clone().filter(|_| is_ssh && self.login == SshLoginKind::Password),
            fingerprint: self.fingerprint.clone().filter(|_| is_ssh),
            keep_until_restart: self.keep_until_restart,
        };
        Ok(NewHost { settings, login })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fields::read;

    fn host(body: &str) -> NewHost {
        read::<HostForm>(body.as_bytes()).unwrap().host().unwrap()
    }

    #[test]
    fn what_is_left_empty_is_left_out() {
        let NewHost { settings, login } = host(
            "name=+alpha+&transport=ssh&address=192.0.2.7&port=&user=root&login=account-keys&daemon=system&password=\
             &peer_address=&peer_transport=&peer_port=&peer_user=&bandwidth_mib_s=&shared_directories=%0D%0A",
        );
        assert_eq!(settings.name.as_str(), "alpha");
        assert_eq!((settings.port, settings.peer_transport, settings.bandwidth_mib_s), (None, None, None));
        assert_eq!((settings.peer_address, settings.peer_user, settings.daemon), (None, None, None));
        assert_eq!((settings.user.as_deref(), settings.login), (Some("root"), Some(SshLoginKind::AccountKeys)));
        assert!(settings.shared_directories.is_empty());
        assert_eq!(login, HostLogin::default());
    }

    #[test]
    fn fields_of_another_transport_do_not_count() {
        let typed =
            "name=alpha&address=192.0.2.7&port=1&user=root&login=password&daemon=session&password=x&fingerprint=y";
        let tls = host(&format!("transport=tls&{typed}"));
        assert_eq!((tls.settings.user, tls.settings.login, tls.settings.daemon), (None, None, None));
        assert_eq!(tls.login, HostLogin::default());
        let local = host(&format!("transport=local&{typed}"));
        assert_eq!((local.settings.address, local.settings.port), (None, None));
        let tcp = host(&format!("transport=tcp&{typed}"));
        assert_eq!(tcp.settings.daemon, Some(DaemonKind::Session));
        let ssh = host(&format!("transport=ssh&{typed}&keep_until_restart=true"));
        assert_eq!(ssh.login.password.unwrap().reveal(), "x");
        assert_eq!((ssh.login.fingerprint.as_deref(), ssh.login.keep_until_restart), (Some("y"), true));
    }

    #[test]
    fn a_host_that_is_not_changed_stays_as_it_was_written() {
        let written = host(
            "name=alpha&transport=ssh&address=192.0.2.7&port=2222&user=mover&login=console-key&peer_address=198.51.100.7\
             &peer_transport=tls&peer_port=16514&bandwidth_mib_s=100&shared_directories=%2Fsrv%2Fa%0D%0A%2Fsrv%2Fb\
             &policy=certain&longest_pause_ms=2000&budget_s=900",
        );
        assert_eq!(written.settings.policy_defaults().policy, Some(Policy::Certain));
        assert_eq!(written.settings.shared_directories, ["/srv/a", "/srv/b"]);
        assert_eq!(HostForm::from(written.settings.clone()).host().unwrap().settings, written.settings);
    }
}
