//! An ssh session of the console's own: one login, one command, within a time limit.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use engine::{Fingerprint, Networks, Ssh, SshLogin};
use model::Secret;
use russh::{
    ChannelMsg, MethodKind, Preferred,
    client::{self, AuthResult, KeyboardInteractiveAuthResponse},
    keys::{Algorithm, EcdsaCurve, PublicKeyOrCertificate},
};
use tokio::time::timeout;

use crate::{HostKeyError, KnownHosts, SshError, fingerprint, host_key};

/// How long connecting may take in all, and how long the command.
const LIMIT: Duration = Duration::from_secs(10);

/// How much of a command's output is kept, in bytes.
const MAX_OUTPUT: usize = 4096;

/// The kinds of host keys that are understood; libssh prefers them in the same order, so that both see the same key. RSA is not
/// among them: the only library for it leaks secrets by its timing (RUSTSEC-2023-0071).
const HOST_KEYS: [Algorithm; 4] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
];

/// An account at a host, logged in.
pub(crate) struct Session {
    host: Ssh,
    handle: client::Handle<HostKey>,
}

/// The result of a command.
pub(crate) struct Outcome {
    /// Its exit code; none if it was killed.
    pub(crate) exit: Option<u32>,
    /// What it printed.
    pub(crate) output: String,
}

impl Session {
    /// Connects, checks the host's key and tries the password once. The address of a name that was checked is connected to.
    pub(crate) async fn log_in(ssh: &Ssh, networks: &Networks, known: &KnownHosts) -> Result<Self, SshError> {
        let SshLogin::Password(Some(password)) = &ssh.login else {
            return Err(SshError::NoPassword { address: ssh.address.clone(), user: ssh.user.clone() });
        };
        let host_key = HostKey { host: ssh.clone(), known: known.of(&ssh.address, ssh.port)? };
        let connecting = async {
            let preferred = Preferred { key: HOST_KEYS.to_vec().into(), ..Preferred::default() };
            let config = Arc::new(client::Config { preferred, ..client::Config::default() });
            let addresses = networks.addresses(&ssh.address).await;
            let addresses = addresses.map_err(|reason| SshError::NoAddress { address: ssh.address.clone(), reason })?;
            let targets: Vec<_> = addresses.into_iter().map(|ip| SocketAddr::new(ip, ssh.port)).collect();
            let handle = client::connect(config, &targets[..], host_key).await.map_err(|error| error.at(ssh))?;
            let mut session = Self { host: ssh.clone(), handle };
            session.authenticate(password).await?;
            Ok(session)
        };
        timeout(LIMIT, connecting).await.unwrap_or_else(|_| Err(timed_out(ssh)))
    }

    /// Tries the password with the method that the host accepts. Asking for the methods does not count as an attempt (RFC 4252, 5.2).
    async fn authenticate(&mut self, password: &Secret) -> Result<(), SshError> {
        let user = self.host.user.as_str().to_owned();
        let methods = self.handle.authenticate_none(&user).await.map_err(|error| not_connected(&self.host, &error))?;
        let AuthResult::Failure { remaining_methods: methods, .. } = methods else { return Ok(()) };
        let accepted = if methods.contains(&MethodKind::Password) {
            let answer = self.handle.authenticate_password(user, password.reveal()).await;
            answer.map_err(|error| not_connected(&self.host, &error))?.success()
        } else if methods.contains(&MethodKind::KeyboardInteractive) {
            self.answer_prompts(&user, password).await.map_err(|error| not_connected(&self.host, &error))?
        } else {
            return Err(SshError::PasswordsDisabled { address: self.host.address.clone() });
        };
        if accepted {
            return Ok(());
        }
        Err(SshError::PasswordRefused { address: self.host.address.clone(), user: self.host.user.clone() })
    }

    /// Answers the first hidden prompt with the password, and nothing else.
    async fn answer_prompts(&mut self, user: &str, password: &Secret) -> Result<bool, russh::Error> {
        let mut password = Some(password);
        let mut reply = self.handle.authenticate_keyboard_interactive_start(user, None).await?;
        loop {
            let prompts = match reply {
                KeyboardInteractiveAuthResponse::Success => return Ok(true),
                KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
            };
            let answers: Option<Vec<String>> = match prompts.as_slice() {
                [] => Some(Vec::new()),
                [prompt] if !prompt.echo => password.take().map(|password| vec![password.reveal().to_owned()]),
                _ => None,
            };
            let Some(answers) = answers else { return Ok(false) };
            reply = self.handle.authenticate_keyboard_interactive_respond(answers).await?;
        }
    }

    /// Runs a command with this on its standard input, and ends the session.
    pub(crate) async fn run(self, command: &str, input: &[u8]) -> Result<Outcome, SshError> {
        let running = self.exchange(command, input);
        timeout(LIMIT, running).await.unwrap_or_else(|_| Err(timed_out(&self.host)))
    }

    async fn exchange(&self, command: &str, input: &[u8]) -> Result<Outcome, SshError> {
        let failed = |error: russh::Error| not_connected(&self.host, &error);
        let mut channel = self.handle.channel_open_session().await.map_err(failed)?;
        channel.exec(true, command).await.map_err(failed)?;
        channel.data(input).await.map_err(failed)?;
        channel.eof().await.map_err(failed)?;
        let (mut exit, mut output) = (None, Vec::new());
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::ExitStatus { exit_status } => exit = Some(exit_status),
                ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => {
                    output.extend(data.iter().take(MAX_OUTPUT.saturating_sub(output.len())));
                }
                _ => {}
            }
        }
        Ok(Outcome { exit, output: String::from_utf8_lossy(&output).into_owned() })
    }
}

/// Checks the key that a host shows.
struct HostKey {
    host: Ssh,
    known: Vec<Fingerprint>,
}

impl client::Handler for HostKey {
    type Error = ConnectError;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, ConnectError> {
        // Certificates are not asked for.
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else { return Ok(false) };
        let shown = fingerprint::of_key(&key.to_bytes().map_err(russh::Error::from)?);
        Ok(host_key::check(&self.host, &self.known, &shown).map(|()| true)?)
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    #[error(transparent)]
    Connection(#[from] russh::Error),
}

impl ConnectError {
    fn at(self, host: &Ssh) -> SshError {
        match self {
            Self::HostKey(error) => error.into(),
            Self::Connection(error) => not_connected(host, &error),
        }
    }
}

fn not_connected(host: &Ssh, error: &russh::Error) -> SshError {
    let (address, reason) = (host.address.clone(), error.to_string());
    match error {
        russh::Error::NoCommonAlgo { .. } => SshError::NoCommonAlgorithm { address, reason },
        _ => SshError::NotConnected { address, port: host.port, reason },
    }
}

fn timed_out(host: &Ssh) -> SshError {
    SshError::TimedOut { address: host.address.clone(), seconds: LIMIT.as_secs() }
}

#[cfg(test)]
mod tests;
