//! What all hosts say of a VM at one moment: verdicts about ended migrations, and advice, are made of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::future::join_all;
use model::{HostName, Migration, VmState};
use tokio::time::timeout;

use crate::{
    context::Context,
    hypervisor::{CopyFacts, HostError, NoRecovery, StateReason, no_recovery},
};

/// How long one host is waited for.
const LIMIT: Duration = Duration::from_secs(5);

/// What one host says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// It could not be asked, or does not know.
    Silent,
    /// It has no copy of the VM.
    Absent,
    /// It has another VM with the same UUID, or the VM under a name that no one here gave it: what it does says nothing.
    Twin,
    /// It has a copy.
    Copy(Seen),
}

/// A copy, as far as advice goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    pub(super) doing: Doing,
    pub(super) reason: StateReason,
    /// Whether its definition outlives a power-off.
    pub(super) persistent: bool,
}

/// What a copy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Doing {
    /// It runs, or will without being told to.
    Running,
    /// It is in memory and does not run.
    Paused,
    /// It is a definition.
    Off,
    /// It is starting, being sent or being received: what it will be is not known yet.
    Moving,
}

/// What all hosts say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Situation {
    answers: BTreeMap<HostName, Answer>,
    /// Hosts that are not asked: they are not registered any more, or another machine answers to their name.
    strangers: BTreeSet<HostName>,
    /// What keeps the migration from being recovered if its post-copy broke off.
    no_recovery: Option<NoRecovery>,
}

impl Situation {
    #[cfg(test)]
    pub(super) fn of(answers: BTreeMap<HostName, Answer>) -> Self {
        Self { answers, strangers: BTreeSet::new(), no_recovery: None }
    }

    #[cfg(test)]
    pub(super) fn without_recovery(self, why: NoRecovery) -> Self {
        Self { no_recovery: Some(why), ..self }
    }

    /// Asks all hosts afresh, at once. The hosts of the migration are among them, also where the console has none of that name any more.
    pub(super) async fn look(context: &Context, record: &Migration) -> Self {
        let mut hosts: Vec<HostName> = context.inventory().hosts().map(|entry| entry.config.name.clone()).collect();
        for end in [&record.source, &record.destination] {
            if !hosts.contains(end) {
                hosts.push(end.clone());
            }
        }
        let strangers =
            hosts.iter().filter(|host| is_stranger(context, record, host)).cloned().collect::<BTreeSet<_>>();
        hosts.retain(|host| !strangers.contains(host));
        let ask = |host: HostName| async move {
            let answer = match timeout(LIMIT, ask(context, &host, record)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) | Err(_) => Answer::Silent,
            };
            (host, answer)
        };
        let mut answers: BTreeMap<HostName, Answer> = join_all(hosts.into_iter().map(ask)).await.into_iter().collect();
        answers.extend(strangers.iter().map(|host| (host.clone(), Answer::Silent)));
        Self { answers, strangers, no_recovery: no_recovery_of(context, record) }
    }

    pub(super) fn at(&self, host: &HostName) -> &Answer {
        self.answers.get(host).unwrap_or(&Answer::Silent)
    }

    /// What keeps the migration from being recovered if its post-copy broke off, as far as the versions of libvirt go.
    pub(super) fn no_recovery(&self) -> Option<NoRecovery> {
        self.no_recovery
    }

    /// Whether it was not asked because it is not the machine that the migration knew.
    pub(super) fn is_stranger(&self, host: &HostName) -> bool {
        self.strangers.contains(host)
    }

    /// The hosts that could not be asked.
    pub(super) fn silent(&self) -> Vec<&HostName> {
        self.answers.iter().filter(|(_, answer)| **answer == Answer::Silent).map(|(host, _)| host).collect()
    }

    /// The hosts that have another VM with its UUID.
    pub(super) fn twins(&self) -> Vec<&HostName> {
        self.answers.iter().filter(|(_, answer)| **answer == Answer::Twin).map(|(host, _)| host).collect()
    }

    /// Whether each host has said whether it has the VM.
    pub(super) fn is_complete(&self) -> bool {
        self.silent().is_empty() && self.twins().is_empty()
    }

    /// The copies that do this, with their hosts.
    pub(super) fn doing(&self, doing: Doing) -> Vec<(&HostName, Seen)> {
        let copies = self.answers.iter().filter_map(|(host, answer)| match answer {
            Answer::Copy(seen) if seen.doing == doing => Some((host, *seen)),
            _ => None,
        });
        copies.collect()
    }
}

fn no_recovery_of(context: &Context, record: &Migration) -> Option<NoRecovery> {
    let inventory = context.inventory();
    let version = |host| Some(inventory.host(host)?.facts.as_ref()?.libvirt_version.as_str());
    no_recovery(version(&record.source), version(&record.destination))
}

/// Whether what a host of this name says is not about the machine that the migration knew: it is not registered any more, or another
/// machine answers to its name.
pub(super) fn is_stranger(context: &Context, record: &Migration, host: &HostName) -> bool {
    let inventory = context.inventory();
    let Some(entry) = inventory.host(host) else { return true };
    let Some(now) = entry.facts.as_ref().map(|facts| facts.uuid) else { return false };
    let mut of_host = record.leftovers.iter().filter(|leftover| leftover.host == *host);
    of_host.any(|leftover| leftover.machine.is_some_and(|then| then != now))
}

async fn ask(context: &Context, host: &HostName, record: &Migration) -> Result<Answer, HostError> {
    let vm = record.vm;
    let connection = context.inventory().connection(host)?;
    let copy = connection.copy(vm).await?;
    context.inventory().set_copy(host, vm, copy.clone());
    let Some(copy) = copy else { return Ok(Answer::Absent) };
    let is_third = ![&record.source, &record.destination].contains(&host);
    if is_third && copy.state != VmState::ShutOff && !record.may_be_called(&copy.name) {
        return Ok(Answer::Twin);
    }
    // An incoming copy must not be asked for a job.
    let is_sent = copy.state.is_active() && !copy.incoming && connection.job(vm).await?.is_some();
    Ok(answer(&copy, is_sent))
}

fn answer(copy: &CopyFacts, is_sent: bool) -> Answer {
    // Of a post-copy that broke off libvirt keeps the job, and nothing is sent.
    let is_sent = is_sent && copy.reason != StateReason::PostCopyFailed;
    let doing = match copy.state {
        _ if copy.incoming || copy.outgoing || is_sent || copy.reason == StateReason::StartingUp => Doing::Moving,
        VmState::Running | VmState::ShuttingDown | VmState::Suspended => Doing::Running,
        VmState::Paused | VmState::Crashed => Doing::Paused,
        VmState::ShutOff => Doing::Off,
        VmState::Unknown => return Answer::Silent,
    };
    Answer::Copy(Seen { doing, reason: copy.reason, persistent: copy.persistent })
}
