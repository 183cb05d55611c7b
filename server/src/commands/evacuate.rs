//! `vmferry evacuate`: empties hosts and brings VMs home, by the API of a running console.

mod client;
mod follow;
mod plan_text;
#[cfg(test)]
mod tests;
mod trust;

use std::{
    fs,
    io::{IsTerminal, Write, stdin, stdout},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use model::{
    Evacuation, EvacuationEvent, EvacuationId, FindingCode, Host, HostName, MaintenanceStage, Plan, PlanRequest,
    Secret, Subject,
};
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::{
    client::{Client, ClientError},
    follow::{Follow, Outcome, printable},
};
use super::{CONFIG, Failure, console::ADMIN, say, stop};
use crate::config::{Config, ConfigError};

/// How often the console is asked how far an evacuation is.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often, after all have moved, the host is asked whether it is empty: it says so itself within seconds.
const LOOKS_AT_HOST: usize = 30;

/// Empties hosts, or brings their VMs home. The exit status is 0 if all VMs have moved (or would), 1 if it failed or was refused, and 2 if VMs
/// stay or wait for a person.
#[derive(Debug, Args)]
pub struct Evacuate {
    /// The hosts that are emptied; with --home, the host whose VMs come home.
    #[arg(required = true)]
    hosts: Vec<HostName>,
    /// Shows the plan and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Brings home the VMs that an evacuation has moved away from the host.
    #[arg(long, conflicts_with = "to")]
    home: bool,
    /// The host that all VMs go to; without it, each goes where it fits best.
    #[arg(long, value_name = "HOST")]
    to: Option<HostName>,
    /// Why, for the record; at most 200 characters.
    #[arg(long, default_value = "")]
    reason: String,
    /// The code of a finding that puts data at risk and is accepted; may be given several times.
    #[arg(long, value_name = "CODE", value_parser = finding_code)]
    accept: Vec<FindingCode>,
    /// Carries the plan out without asking.
    #[arg(long)]
    yes: bool,
    /// The console's address; by default that of the configuration file.
    #[arg(long, value_name = "URL")]
    console: Option<String>,
    /// The configuration file of the console.
    #[arg(long, default_value = CONFIG)]
    config: PathBuf,
    /// The user who logs in; the password is asked for, or read from standard input.
    #[arg(long, default_value = ADMIN)]
    user: String,
    /// A file with the password, which only its owner may read.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The console's certificate (PEM), where neither the configuration file nor an authority of this machine knows it.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

fn finding_code(code: &str) -> Result<FindingCode, String> {
    serde_json::from_value(json!(code)).map_err(|_| "docs/findings.md lists the codes".to_owned())
}

/// An evacuation as the API shows it.
#[derive(Deserialize)]
struct Shown {
    evacuation: Evacuation,
    history: Vec<EvacuationEvent>,
}

/// What is read of a host.
#[derive(Deserialize)]
struct ShownHost {
    state: Option<Host>,
}

impl Evacuate {
    pub(crate) async fn run(self) -> Result<u8, Failure> {
        let (base, certificate) = self.place()?;
        let client = Client::log_in(base, certificate, &self.user, &self.password()?).await?;
        let done = self.by(&client).await;
        client.log_out().await;
        done.map(Outcome::status)
    }

    /// Where the console is, and the file with its certificate.
    fn place(&self) -> Result<(Url, Option<PathBuf>), Failure> {
        let config = match (Config::read(&self.config), &self.console) {
            (Ok(config), _) => Some(config),
            // Another console's address needs no configuration file here.
            (Err(ConfigError::Unreadable { .. }), Some(_)) => None,
            (Err(error @ ConfigError::Unreadable { .. }), None) => {
                return Err(format!("{error}. --console names the console instead.").into());
            }
            (Err(error), _) => return Err(error.into()),
        };
        let known = config.as_ref().and_then(Config::certificate_file).filter(|file| file.exists());
        let base = self.console.clone().or_else(|| config.map(|config| config.own_url())).unwrap_or_default();
        Ok((client::base(&base)?, self.certificate.clone().or(known)))
    }

    fn password(&self) -> Result<Secret, Failure> {
        match &self.password_file {
            Some(file) => password_in(file),
            None if stdin().is_terminal() => {
                Ok(Secret::new(rpassword::prompt_password(format!("Password of {}: ", self.user))?))
            }
            None => {
                let mut line = String::new();
                stdin().read_line(&mut line)?;
                Ok(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()))
            }
        }
    }

    async fn by(&self, client: &Client) -> Result<Outcome, Failure> {
        let request = PlanRequest {
            destination: self.to.clone(),
            reason: self.reason.clone(),
            accept: self.accept.clone(),
            ..PlanRequest::plain(self.subject(client).await?)
        };
        let plan: Plan = client.post("/api/evacuations/plans", &json!(request)).await?;
        say(&plan_text::of(&plan));
        if self.dry_run {
            return Ok(plan_text::outcome(&plan));
        }
        if !self.yes && !confirmed()? {
            return Err("Not carried out.".into());
        }
        let begun: Evacuation = client.post("/api/evacuations", &json!({ "plan": plan.id })).await?;
        let outcome = until_end(client, begun.id).await?;
        if outcome == Outcome::AllMoved {
            self.tell_hosts(client).await?;
        }
        Ok(outcome)
    }

    async fn subject(&self, client: &Client) -> Result<Subject, Failure> {
        if !self.home {
            return Ok(Subject::Hosts(self.hosts.clone()));
        }
        let [host] = &self.hosts[..] else { return Err("With --home, name one host.".into()) };
        let maintenance = state(client, host).await?.and_then(|state| state.maintenance);
        let maintenance = maintenance.ok_or_else(|| format!("{host} is in use: no evacuation has emptied it."))?;
        Ok(Subject::Home(maintenance.evacuation))
    }

    /// Says of each host whether it is empty, or in use again.
    async fn tell_hosts(&self, client: &Client) -> Result<(), Failure> {
        for host in &self.hosts {
            let mut stage = None;
            for _ in 0..LOOKS_AT_HOST {
                stage = state(client, host).await?.and_then(|state| state.maintenance).map(|now| now.stage);
                if matches!(stage, None | Some(MaintenanceStage::Empty | MaintenanceStage::InMaintenance)) {
                    break;
                }
                sleep(LOOK_EVERY).await;
            }
            match stage {
                None => say(&format!("{host} is in use.")),
                Some(MaintenanceStage::Empty) => say(&format!("{host} is empty.")),
                Some(stage) => say(&format!("{host}: {}.", stage.label())),
            }
        }
        Ok(())
    }
}

/// A host as it is now.
async fn state(client: &Client, host: &HostName) -> Result<Option<Host>, ClientError> {
    let shown: ShownHost = client.get(&format!("/api/hosts/{host}")).await?;
    Ok(shown.state)
}

/// Follows an evacuation until it has ended, waits for a person, or this program is interrupted.
async fn until_end(client: &Client, id: EvacuationId) -> Result<Outcome, Failure> {
    let interrupted = stop::on_signal(false)?;
    let is_terminal = stdout().is_terminal();
    let mut follow = Follow::default();
    let mut is_silent = false;
    loop {
        match client.get::<Shown>(&format!("/api/evacuations/{id}")).await {
            Ok(Shown { evacuation, history }) => {
                is_silent = false;
                follow.news(&evacuation, &history).iter().for_each(|line| over_bar(is_terminal, line));
                if let Some((outcome, lines)) = follow::end(&evacuation) {
                    lines.iter().for_each(|line| over_bar(is_terminal, line));
                    return Ok(outcome);
                }
                if is_terminal {
                    bar(&follow::bar(&evacuation));
                }
            }
            Err(error @ ClientError::Refused(_)) => {
                return Err(format!("{error} The evacuation goes on: {}", client.page(id)).into());
            }
            Err(error) => {
                if !is_silent {
                    over_bar(is_terminal, &format!("{error} It is asked again."));
                }
                is_silent = true;
            }
        }
        if !wait(&interrupted).await {
            over_bar(is_terminal, &format!("The evacuation goes on: {}", client.page(id)));
            return Ok(Outcome::Left);
        }
    }
}

/// False if the program was interrupted.
async fn wait(interrupted: &CancellationToken) -> bool {
    tokio::select! {
        () = interrupted.cancelled() => false,
        () = sleep(LOOK_EVERY) => true,
    }
}

/// A line where the bar was.
fn over_bar(is_terminal: bool, line: &str) {
    let line = printable(line);
    if is_terminal { say(&format!("\r\x1b[K{line}")) } else { say(&line) }
}

fn bar(text: &str) {
    let mut out = stdout();
    // Without a terminal that takes it the evacuation goes on all the same.
    let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
}

/// Asks for a yes.
fn confirmed() -> Result<bool, Failure> {
    if !stdin().is_terminal() {
        return Err("Not carried out: --yes carries a plan out without asking.".into());
    }
    bar("Carry this plan out? [y/N] ");
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    Ok(["y", "yes"].contains(&line.trim().to_lowercase().as_str()))
}

/// The password in a file that only its owner may read.
fn password_in(file: &Path) -> Result<Secret, Failure> {
    let unreadable = |error| format!("The password can't be read from {}: {error}.", file.display());
    if fs::metadata(file).map_err(unreadable)?.mode() & 0o077 != 0 {
        return Err(
            format!("{} has a password, and other users can read it: run chmod 600 on it.", file.display()).into()
        );
    }
    let mut text = fs::read_to_string(file).map_err(unreadable)?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(Secret::new(text))
}
