//! What a person tells an evacuation that is under way.

use clap::Args;
use model::{Evacuation, EvacuationId};
use serde_json::{Value, json};

use super::{
    choices,
    client::Client,
    follow::{self, printable},
    watch::{self, Shown},
};
use crate::commands::{Failure, say};

pub(super) const HEADING: &str = "Evacuations under way, by HOST or by their id";

/// One of these, instead of a plan.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
#[group(id = "told", multiple = false)]
pub(super) struct Tell {
    /// Follows the evacuation.
    #[arg(long)]
    pub(super) watch: bool,
    /// Begins no further move; those that are under way go on.
    #[arg(long)]
    pause: bool,
    /// Goes on after a pause.
    #[arg(long = "continue")]
    go_on: bool,
    /// Ends the evacuation; moves that are under way go on.
    #[arg(long)]
    stop: bool,
    /// Leaves a VM out.
    #[arg(long, value_name = "VM")]
    skip: Option<String>,
    /// Tries a VM again that waits for a person, or was left out.
    #[arg(long, value_name = "VM")]
    retry: Option<String>,
    /// Lets a VM go before all others that wait.
    #[arg(long, value_name = "VM")]
    first: Option<String>,
}

impl Tell {
    /// Whether an evacuation under way is meant.
    pub(super) fn is_wanted(&self) -> bool {
        self.watch || self.plain(false).is_some() || self.of_a_vm().is_some()
    }

    /// The command, as the last part of its address, and its body.
    fn plain(&self, cancel: bool) -> Option<(&'static str, Value)> {
        let commands = [
            (self.pause, "pause", json!({})),
            (self.go_on, "continue", json!({})),
            (self.stop, "stop", json!({ "cancel": cancel })),
        ];
        commands.into_iter().find_map(|(is_wanted, word, body)| is_wanted.then_some((word, body)))
    }

    /// The command about a VM, and what the VM is called.
    fn of_a_vm(&self) -> Option<(&'static str, &str)> {
        let commands = [("skip", &self.skip), ("retry", &self.retry), ("first", &self.first)];
        commands.into_iter().find_map(|(word, vm)| Some((word, vm.as_deref()?)))
    }

    /// Tells it, and says how far the evacuation is then. `cancel` is for a stop.
    pub(super) async fn tell(&self, client: &Client, id: EvacuationId, cancel: bool) -> Result<(), Failure> {
        let command = match self.of_a_vm() {
            Some((word, named)) => {
                let Shown { evacuation, .. } = watch::shown(client, id).await?;
                let items = evacuation.items.iter().map(|item| (item.vm_name.as_str(), item.vm));
                Some((word, json!({ "vm": choices::find(items, named)? })))
            }
            None => self.plain(cancel),
        };
        if let Some((word, body)) = command {
            let now: Evacuation = client.post(&format!("/api/evacuations/{id}/{word}"), &body).await?;
            say(&printable(&follow::bar(&now)));
        }
        Ok(())
    }
}
