//! Commands to a running migration: one channel each.
//!
//! A door (`Engine::cancel`, `Engine::steer`) or a host's watcher sends; `migration/inbox.rs` receives, and the migration acts on a command where it
//! takes its samples. This file stands below `hosts/` and `migration/`, because both use it.

use std::{collections::BTreeMap, sync::Mutex};

use model::{MigrationId, Steering};
use tokio::sync::mpsc;

use crate::{hypervisor::Statistics, lock::lock};

/// What a running migration is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// Stop, and leave the VM at its source.
    Cancel {
        /// Who asked.
        by: String,
    },
    /// Go on otherwise. It was possible when it was asked for; whether it still is, the migration looks at once more.
    Steer {
        /// How.
        steering: Steering,
        /// Who asked; none if its evacuation did.
        by: Option<String>,
    },
    /// libvirt says that the job is done. These are its final figures.
    CompletedStatistics(Box<Statistics>),
}

/// The senders to all running migrations.
#[derive(Default)]
pub(crate) struct Commands {
    /// Unbounded: what is sent is small, and a migration reads it at least with every sample, except while a libvirt call blocks.
    senders: Mutex<BTreeMap<MigrationId, mpsc::UnboundedSender<Command>>>,
}

impl Commands {
    /// Opens the channel of a migration that is about to run.
    pub(crate) fn open(&self, id: MigrationId) -> mpsc::UnboundedReceiver<Command> {
        let (sender, receiver) = mpsc::unbounded_channel();
        lock(&self.senders).insert(id, sender);
        receiver
    }

    /// Sends a command. Returns whether the migration is running.
    pub(crate) fn send(&self, id: MigrationId, command: Command) -> bool {
        match lock(&self.senders).get(&id) {
            Some(sender) => {
                // A closed channel means that the engine is stopping. The migration goes on without the console.
                let _ = sender.send(command);
                true
            }
            None => false,
        }
    }

    /// Closes the channel of a migration that has ended.
    pub(crate) fn close(&self, id: MigrationId) {
        lock(&self.senders).remove(&id);
    }
}
