//! An ssh session of the console's own: one login, one command, within a time limit.

use std::{sync::Arc, time::Duration};

use engine::{Fingerprint, Ssh, SshLogin};
use model::{Code, Problem, Secret};
use russh::{
    ChannelMsg, MethodKind, Preferred,
    client::{self, AuthResult, KeyboardInteractiveAuthResponse},
    keys::{Algorithm, EcdsaCurve, HashAlg, PublicKeyOrCertificate},
};
use tokio::time::timeout;

use crate::{KnownHosts, host_key};

/// How long connecting may take in all, and how long the command.
const LIMIT: Duration = Duration::from_secs(10);

/// How much of what a command says is kept, in bytes.
const WORDS: usize = 4096;

/// The kinds of host keys that are understood; libssh prefers them in the same order, so that both see the same key. RSA is not among
/// them: the only library for it leaks secrets by its timing (RUSTSEC-2023-0071).
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

/// What came of a command.
pub(crate) struct Outcome {
    /// What it ended with; none if it was killed.
    pub(crate) exit: Option<u32>,
    /// What it said.
    pub(crate) words: String,
}

impl Session {
    /// Connects, looks at the host's key and logs in with the password, once.
    pub(crate) async fn log_in(ssh: &Ssh, known: &KnownHosts) -> Result<Self, Problem> {
        let SshLogin::Password(Some(password)) = &ssh.login else {
            return Err(Problem::new(
                Code::NeedsLogin,
                format!("{} wants a password, and vmferry has none.", ssh.address),
            )
            .with_fix(format!("Give the password of {} on {}.", ssh.user.as_str(), ssh.address)));
        };
        let host_key = HostKey { host: ssh.clone(), known: known.of(&ssh.address, ssh.port)? };
        let connecting = async {
            let preferred = Preferred { key: HOST_KEYS.to_vec().into(), ..Preferred::default() };
            let config = Arc::new(client::Config { preferred, ..client::Config::default() });
            let target = (ssh.address.to_string(), ssh.port);
            let handle = client::connect(config, target, host_key).await.map_err(|failure| failure.told(ssh))?;
            let mut session = Self { host: ssh.clone(), handle };
            session.give(password).await?;
            Ok(session)
        };
        timeout(LIMIT, connecting).await.unwrap_or_else(|_| Err(no_answer(ssh)))
    }

    /// Gives the password in the one way that the host takes it. Asking for the ways counts as no attempt (RFC 4252, 5.2).
    async fn give(&mut self, password: &Secret) -> Result<(), Problem> {
        let user = self.host.user.as_str().to_owned();
        let ways = self.handle.authenticate_none(&user).await.map_err(|error| lost(&self.host, &error))?;
        let AuthResult::Failure { remaining_methods: ways, .. } = ways else { return Ok(()) };
        let accepted = if ways.contains(&MethodKind::Password) {
            let answer = self.handle.authenticate_password(user, password.reveal()).await;
            answer.map_err(|error| lost(&self.host, &error))?.success()
        } else if ways.contains(&MethodKind::KeyboardInteractive) {
            self.answer_prompts(&user, password).await.map_err(|error| lost(&self.host, &error))?
        } else {
            return Err(self
                .refused("does not take passwords")
                .with_fix("Let its sshd take them (PasswordAuthentication yes), at least until the key is there."));
        };
        if accepted {
            return Ok(());
        }
        Err(self.refused(&format!("does not accept the password of {}", self.host.user.as_str())).with_fix(
            "Look whether account and password are right, and whether the host lets this account log in by password.",
        ))
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
    pub(crate) async fn run(self, command: &str, input: &[u8]) -> Result<Outcome, Problem> {
        let running = self.exchange(command, input);
        timeout(LIMIT, running).await.unwrap_or_else(|_| Err(no_answer(&self.host)))
    }

    async fn exchange(&self, command: &str, input: &[u8]) -> Result<Outcome, Problem> {
        let failed = |error: russh::Error| lost(&self.host, &error);
        let mut channel = self.handle.channel_open_session().await.map_err(failed)?;
        channel.exec(true, command).await.map_err(failed)?;
        channel.data(input).await.map_err(failed)?;
        channel.eof().await.map_err(failed)?;
        let (mut exit, mut words) = (None, Vec::new());
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::ExitStatus { exit_status } => exit = Some(exit_status),
                ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => {
                    words.extend(data.iter().take(WORDS.saturating_sub(words.len())));
                }
                _ => {}
            }
        }
        Ok(Outcome { exit, words: String::from_utf8_lossy(&words).into_owned() })
    }

    fn refused(&self, how: &str) -> Problem {
        Problem::new(Code::LoginRefused, format!("{} {how}.", self.host.address))
    }
}

/// Looks at the key that a host shows.
struct HostKey {
    host: Ssh,
    known: Vec<Fingerprint>,
}

impl client::Handler for HostKey {
    type Error = Failure;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Failure> {
        // Certificates are not asked for.
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else { return Ok(false) };
        let shown = key.fingerprint(HashAlg::Sha256).to_string().parse().map_err(Failure::Refused)?;
        host_key::check(&self.host, &self.known, &shown).map(|()| true).map_err(Failure::Refused)
    }
}

/// Why there is no connection.
#[derive(Debug)]
enum Failure {
    Refused(Problem),
    Lost(russh::Error),
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Self {
        Self::Lost(error)
    }
}

impl Failure {
    fn told(self, host: &Ssh) -> Problem {
        match self {
            Self::Refused(problem) => problem,
            Self::Lost(error) => lost(host, &error),
        }
    }
}

fn lost(host: &Ssh, error: &russh::Error) -> Problem {
    let Ssh { address, port, .. } = host;
    let problem = match error {
        russh::Error::NoCommonAlgo { .. } => Problem::new(
            Code::NotSupported,
            format!("{address} offers no ssh that vmferry knows."),
        )
        .with_fix(
            "Give it an ed25519 host key (`ssh-keygen -A`), and look at the algorithms that its sshd_config allows.",
        ),
        _ => Problem::new(
            Code::HostUnreachable,
            format!("{address} does not answer: no ssh connection at port {port}."),
        )
        .with_fix(
            "Look whether the host is switched on, whether sshd runs there, and at the network between here and there.",
        ),
    };
    problem.with_details(error.to_string())
}

fn no_answer(host: &Ssh) -> Problem {
    Problem::new(
        Code::HostUnreachable,
        format!("{} does not answer: no answer within {} s.", host.address, LIMIT.as_secs()),
    )
    .with_fix("Look whether the host hangs, and whether a firewall drops its ssh port.")
}

#[cfg(test)]
mod tests;
