//! A process that the demo starts and keeps running: a libvirt daemon, or a disk server.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{DemoError, programs::SEARCH_PATH, user::Unprivileged};

/// How long a service that died is not started again, to show what a lost host looks like.
const RESTART_AFTER: Duration = Duration::from_secs(15);
/// How long a daemon or a VM may take to get ready; libvirt's first start on a slow machine is long.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(60);
/// How much of a log is worth showing in an error, in bytes.
const LOG_TAIL: usize = 2000;

/// How to run it.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// What to call it in messages.
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// HOME, by which the process is recognised as the demo's.
    pub(crate) home: PathBuf,
    /// The other environment variables, with directories. It does not inherit the demo's own, which may have secrets.
    pub(crate) environment: Vec<(&'static str, PathBuf)>,
    pub(crate) log: PathBuf,
    pub(crate) user: Option<Unprivileged>,
}

impl Service {
    /// Starts it, in a process group of its own, so that a Ctrl-C in the terminal reaches only the demo itself.
    pub(crate) fn spawn(&self) -> Result<Child, DemoError> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(DemoError::io("write", &self.log))?;
        let errors = log.try_clone().map_err(DemoError::io("write", &self.log))?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", SEARCH_PATH)
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", &self.home)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0);
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command.spawn().map_err(DemoError::io("run", &self.program))
    }

    /// Waits for `ready`, or returns why it will not happen.
    pub(crate) async fn wait_until(
        &self,
        process: &mut Child,
        ready: impl Future<Output = Result<(), DemoError>>,
    ) -> Result<(), DemoError> {
        tokio::select! {
            outcome = timeout(START_LIMIT, ready) => outcome.unwrap_or_else(|_| Err(not_ready(&self.name, &self.log))),
            ended = process.wait() => Err(DemoError::ServiceEnded {
                service: self.name.clone(),
                status: ended.map_err(DemoError::io("wait for", &self.program))?,
                log: tail(&self.log),
            }),
        }
    }

    /// Starts it again whenever it has ended, for ever.
    pub(crate) async fn keep_running(self, mut process: Child) {
        loop {
            let ended = process.wait().await;
            tracing::warn!(service = self.name, ?ended, "died; starts again in {} s", RESTART_AFTER.as_secs());
            process = loop {
                sleep(RESTART_AFTER).await;
                match self.spawn() {
                    Ok(process) => break process,
                    Err(error) => {
                        tracing::warn!(service = self.name, %error, "could not be started again");
                    }
                }
            };
        }
    }
}

/// The error for something that took too long, with the end of its log.
pub(crate) fn not_ready(what: &str, log: &Path) -> DemoError {
    DemoError::NotReady { what: what.into(), seconds: START_LIMIT.as_secs(), log: tail(log) }
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text[text.len().saturating_sub(LOG_TAIL)..]).into_owned()
}
