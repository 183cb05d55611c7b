//! `vmferry evacuate`: empties hosts and brings VMs home, by the API of a running console.

mod choices;
mod client;
mod follow;
mod login;
mod plan_text;
mod tell;
#[cfg(test)]
mod tests;
mod trust;
mod watch;

use std::{
    io::{IsTerminal, stdin},
    str::FromStr,
};

use clap::Args;
use model::{
    Choice, Evacuation, EvacuationId, Host, HostName, Maintenance, MaintenanceStage, Plan, PlanRequest, PlannedStay,
    Problem, Subject,
};
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;

use self::{
    choices::Choices,
    client::{Client, ClientError},
    follow::Outcome,
    login::Login,
    tell::Tell,
    watch::{LOOK_EVERY, until_end, write_over},
};
use super::{Failure, say};

/// How often, after all have moved, the host is asked whether it is empty: it says so itself within seconds.
const LOOKS_AT_HOST: usize = 30;

const EXIT_STATUS: &str = "\
The exit status is 0 if all VMs have moved, or would, or what was chosen for them is done; 1 if it failed or was refused; and 2 if VMs stay
unasked, wait for a person, or are still under way.";

/// Empties hosts, or brings their VMs home.
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Evacuate {
    /// The hosts that are emptied; with --home, the host whose VMs come home; an evacuation under way may be named by its id, too.
    #[arg(required = true, value_name = "HOST")]
    named: Vec<Named>,
    /// Shows the plan and changes nothing.
    #[arg(long, conflicts_with = "told")]
    dry_run: bool,
    /// Brings home the VMs that an evacuation has moved away from the host.
    #[arg(long, conflicts_with_all = ["to", "told"])]
    home: bool,
    /// The host that all VMs go to; without it, each goes where it fits best.
    #[arg(long, value_name = "HOST", conflicts_with = "told")]
    to: Option<HostName>,
    /// Why, for the record; at most 200 characters.
    #[arg(long, default_value = "", conflicts_with = "told")]
    reason: String,
    /// Carries the plan out without asking.
    #[arg(long, conflicts_with = "told")]
    yes: bool,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    tell: Tell,
    /// With --stop: cancels the moves that are under way.
    #[arg(long, requires = "stop", help_heading = tell::HEADING)]
    cancel: bool,
    #[command(flatten)]
    login: Login,
}

/// What the command is about.
#[derive(Clone, Debug)]
enum Named {
    Host(HostName),
    Evacuation(EvacuationId),
}

impl FromStr for Named {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let host: Result<HostName, Problem> = text.parse();
        host.map(Self::Host).or_else(|no_host| text.parse().map(Self::Evacuation).map_err(|_| no_host))
    }
}

/// What is read of a host.
#[derive(Deserialize)]
struct ShownHost {
    state: Option<Host>,
}

impl Evacuate {
    pub(crate) async fn run(self) -> Result<u8, Failure> {
        let client = self.login.log_in().await?;
        let done = if self.tell.is_wanted() { self.told(&client).await } else { self.carried_out(&client).await };
        client.log_out().await;
        done.map(Outcome::status)
    }

    /// Tells an evacuation under way, or follows it.
    async fn told(&self, client: &Client) -> Result<Outcome, Failure> {
        let id = match &self.named[..] {
            [Named::Evacuation(id)] => *id,
            [Named::Host(host)] => {
                let Maintenance { evacuation, home, .. } = maintenance(client, host).await?;
                home.unwrap_or(evacuation)
            }
            _ => return Err("Name one host, or the id of one evacuation.".into()),
        };
        if self.tell.watch {
            return until_end(client, id).await;
        }
        self.tell.tell(client, id, self.cancel).await?;
        Ok(Outcome::AllMoved)
    }

    /// Makes a plan, and carries it out unless it is a dry run.
    async fn carried_out(&self, client: &Client) -> Result<Outcome, Failure> {
        let hosts = self.hosts()?;
        let request = PlanRequest {
            destination: self.to.clone(),
            reason: self.reason.clone(),
            policy: self.choices.policy,
            choices: self.choices.by_vm(client, &hosts).await?,
            accept: self.choices.accept.clone(),
            ..PlanRequest::plain(self.subject(client, &hosts).await?)
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
            return tell_hosts(client, &hosts, &plan).await;
        }
        Ok(outcome)
    }

    fn hosts(&self) -> Result<Vec<HostName>, Failure> {
        let host = |named: &Named| match named {
            Named::Host(host) => Ok(host.clone()),
            Named::Evacuation(id) => Err(format!("{id} is no host.").into()),
        };
        self.named.iter().map(host).collect()
    }

    async fn subject(&self, client: &Client, hosts: &[HostName]) -> Result<Subject, Failure> {
        match (self.home, hosts) {
            (false, hosts) => Ok(Subject::Hosts(hosts.to_vec())),
            (true, [host]) => Ok(Subject::Home(maintenance(client, host).await?.evacuation)),
            (true, _) => Err("With --home, name one host.".into()),
        }
    }
}

/// Says of each host whether it is empty, or in use again.
async fn tell_hosts(client: &Client, hosts: &[HostName], plan: &Plan) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::AllMoved;
    for host in hosts {
        let left = |stays: &PlannedStay| stays.is_active && stays.choice == Some(Choice::Leave);
        // A host where a VM was left by choice does not become empty.
        let keeps = plan.stays.iter().any(|stays| stays.host == *host && left(stays));
        let stage = stage(client, host, if keeps { 1 } else { LOOKS_AT_HOST }).await?;
        match stage {
            None => say(&format!("{host} is in use.")),
            Some(MaintenanceStage::Empty) => say(&format!("{host} is empty.")),
            Some(stage) => say(&format!("{host}: {}.", stage.label())),
        }
        if !keeps && !is_last(stage) {
            outcome = Outcome::Left;
        }
    }
    Ok(outcome)
}

/// The stage that a host has reached after so many looks, at most.
async fn stage(client: &Client, host: &HostName, looks: usize) -> Result<Option<MaintenanceStage>, ClientError> {
    let mut stage = None;
    for look in 1..=looks {
        stage = state(client, host).await?.and_then(|state| state.maintenance).map(|now| now.stage);
        if is_last(stage) || look == looks {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(stage)
}

/// Whether a host whose VMs have all moved stays in this stage.
fn is_last(stage: Option<MaintenanceStage>) -> bool {
    matches!(stage, None | Some(MaintenanceStage::Empty | MaintenanceStage::InMaintenance))
}

/// A host as it is now.
async fn state(client: &Client, host: &HostName) -> Result<Option<Host>, ClientError> {
    let shown: ShownHost = client.get(&format!("/api/hosts/{host}")).await?;
    Ok(shown.state)
}

/// What a host is in that is emptied, or was.
async fn maintenance(client: &Client, host: &HostName) -> Result<Maintenance, Failure> {
    let maintenance = state(client, host).await?.and_then(|state| state.maintenance);
    Ok(maintenance.ok_or_else(|| format!("{host} is in use: no evacuation has emptied it."))?)
}

/// Asks for a yes.
fn confirmed() -> Result<bool, Failure> {
    if !stdin().is_terminal() {
        return Err("Not carried out: --yes carries a plan out without asking.".into());
    }
    write_over("Carry this plan out? [y/N] ");
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    Ok(["y", "yes"].contains(&line.trim().to_lowercase().as_str()))
}
