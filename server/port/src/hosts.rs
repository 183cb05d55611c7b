//! Hosts that are registered, changed and removed at run time.

use async_trait::async_trait;
use model::{HostDetails, HostLogin, HostName, HostTest, NewHost, Problem, RegisteredHost};

use crate::Principal;

/// Hosts at run time. What is refused changes nothing.
#[async_trait]
pub trait Hosts: Send + Sync {
    /// All hosts as they were written, by name: registered ones, and those that are there for a migration only. Without secrets.
    fn registered(&self, who: &Principal) -> Result<Vec<RegisteredHost>, Problem>;

    /// What a host says of itself just now, and what the console knows of it; the latter also where it does not answer.
    ///
    /// # Errors
    /// `unknown-host`.
    async fn host_details(&self, who: &Principal, name: &HostName) -> Result<HostDetails, Problem>;

    /// Connects to a host once, within 10 s, and says what it is. While other passwords are tried there, up to 3 s are waited before that.
    ///
    /// # Errors
    /// `invalid-input`; `not-supported` for TCP where the configuration does not allow it; `host-unreachable`, `host-key-unknown` and
    /// `host-key-changed` with the fingerprint seen, `login-refused`, `needs-login`, `not-permitted`, `throttled`.
    async fn test_host(&self, who: &Principal, host: NewHost) -> Result<HostTest, Problem>;

    /// Registers a host that answers.
    ///
    /// # Errors
    /// Those of [`Hosts::test_host`]; `host-exists`; `host-in-use` while it is there for a migration under another name.
    async fn add_host(&self, who: &Principal, host: NewHost) -> Result<(), Problem>;

    /// Changes how a host is reached; its name may change, too.
    ///
    /// # Errors
    /// Those of [`Hosts::add_host`]; `unknown-host`, `host-configured`, `host-in-use`.
    async fn change_host(&self, who: &Principal, name: &HostName, host: NewHost) -> Result<(), Problem>;

    /// Forgets a host, and its ssh key. Its VMs stay what and where they are.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`.
    async fn remove_host(&self, who: &Principal, name: &HostName) -> Result<(), Problem>;

    /// Logs in at a host that wants a password.
    ///
    /// # Errors
    /// `unknown-host`, and those of [`Hosts::test_host`].
    async fn log_in_at_host(&self, who: &Principal, name: &HostName, login: HostLogin) -> Result<(), Problem>;

    /// Puts the console's own key on a host, restricted as far as libvirt allows, and logs in with it from then on.
    ///
    /// # Errors
    /// Those of [`Hosts::log_in_at_host`]; `needs-login` without the account's password; `not-supported` if the console has no passphrase to
    /// encrypt its key with; `host-configured`, `host-in-use`.
    async fn set_up_key(&self, who: &Principal, name: &HostName, login: HostLogin) -> Result<(), Problem>;

    /// Takes the console's own key away from a host, which is reached by password from then on.
    ///
    /// # Errors
    /// Those of [`Hosts::set_up_key`].
    async fn remove_key(&self, who: &Principal, name: &HostName, login: HostLogin) -> Result<(), Problem>;
}
