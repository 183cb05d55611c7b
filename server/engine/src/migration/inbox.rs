//! The receiving end of a migration's commands (`crate::commands`).

use model::Steering;
use tokio::sync::mpsc;

use crate::{commands::Command, hypervisor::Statistics};

/// Commands that have arrived, until the migration acts on them.
pub(super) struct Inbox {
    receiver: mpsc::UnboundedReceiver<Command>,
    /// Who asked to cancel since that was last noted, oldest first.
    cancelled_by: Vec<String>,
    /// What was asked for since that was last acted on, and by whom (none: by its evacuation), oldest first.
    steerings: Vec<(Steering, Option<String>)>,
    completed: Option<Statistics>,
}

impl Inbox {
    pub(super) fn new(receiver: mpsc::UnboundedReceiver<Command>) -> Self {
        Self { receiver, cancelled_by: Vec::new(), steerings: Vec::new(), completed: None }
    }

    /// Waits for a command, and keeps it. Dropping the future loses no command.
    pub(super) async fn receive(&mut self) {
        match self.receiver.recv().await {
            Some(command) => self.keep(command),
            // The channel is closed only after the migration has ended.
            None => std::future::pending().await,
        }
    }

    /// Keeps what has arrived so far.
    pub(super) fn drain(&mut self) {
        while let Ok(command) = self.receiver.try_recv() {
            self.keep(command);
        }
    }

    /// Whether a cancel waits to be noted.
    pub(super) fn has_cancel(&self) -> bool {
        !self.cancelled_by.is_empty()
    }

    /// Waits until a cancel waits to be noted. Dropping the future loses no command.
    pub(super) async fn cancelled(&mut self) {
        self.drain();
        while !self.has_cancel() {
            self.receive().await;
        }
    }

    /// Takes the cancels that wait to be noted; returns who asked last.
    pub(super) fn take_cancel(&mut self) -> Option<String> {
        std::mem::take(&mut self.cancelled_by).pop()
    }

    /// Takes what was asked for and waits to be acted on, and by whom, oldest first.
    pub(super) fn take_steerings(&mut self) -> Vec<(Steering, Option<String>)> {
        std::mem::take(&mut self.steerings)
    }

    /// Whether something was asked for that waits to be acted on.
    pub(super) fn has_steerings(&self) -> bool {
        !self.steerings.is_empty()
    }

    /// libvirt's final figures, if they have arrived.
    pub(super) fn completed(&self) -> Option<Statistics> {
        self.completed
    }

    fn keep(&mut self, command: Command) {
        match command {
            Command::Cancel { by } => self.cancelled_by.push(by),
            Command::Steer { steering, by } => self.steerings.push((steering, by)),
            Command::CompletedStatistics(figures) => self.completed = Some(*figures),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn commands_are_kept_until_they_are_taken() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut inbox = Inbox::new(receiver);
        let figures = Statistics { data_total: 7, ..Statistics::default() };
        for by in ["ada", "bob"] {
            sender.send(Command::Cancel { by: by.to_owned() }).unwrap();
        }
        sender.send(Command::CompletedStatistics(Box::new(figures))).unwrap();
        inbox.receive().await;
        assert!(inbox.has_cancel());
        inbox.drain();
        assert_eq!(inbox.take_cancel().as_deref(), Some("bob"), "who asked last");
        assert!(!inbox.has_cancel(), "each cancel is noted once");
        assert_eq!(inbox.completed(), Some(figures));
    }

    #[tokio::test]
    async fn what_is_asked_for_keeps_its_order() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut inbox = Inbox::new(receiver);
        let asked = [
            (Steering::Bandwidth { mib_s: 8 }, "ada"),
            (Steering::LongestPause { ms: 500 }, "bob"),
            (Steering::Bandwidth { mib_s: 16 }, "ada"),
        ]
        .map(|(steering, by)| (steering, Some(by.to_owned())));
        for (steering, by) in asked.clone() {
            sender.send(Command::Steer { steering, by }).unwrap();
        }
        inbox.drain();
        assert!(!inbox.has_cancel());
        assert_eq!(inbox.take_steerings(), asked);
        assert_eq!(inbox.take_steerings(), [], "each is acted on once");
    }
}
