//! Hosts that are emptied: how far they are, and when one is empty.

use std::collections::BTreeMap;

use model::{
    Code, Evacuation, EvacuationId, EvacuationState, HookEvent, HookEventId, HookKind, HostName, ItemState,
    Maintenance, MaintenanceCommand, MaintenanceStage, Problem, Subject,
};
use uuid::Uuid;

use super::{Evacuations, wording};
use crate::{error::Error, hypervisor::HostError, inventory::Inventory};

/// A host as it begins to be emptied.
pub(super) fn draining(evacuation: &Evacuation) -> Maintenance {
    Maintenance {
        stage: MaintenanceStage::Draining,
        since_ms: evacuation.created_at_ms,
        reason: evacuation.request.reason.clone(),
        by: evacuation.requested_by.clone(),
        evacuation: evacuation.id,
        home: None,
        told: Vec::new(),
    }
}

/// A host whose VMs begin to come home.
pub(super) fn coming_back(now: &Maintenance, home: &Evacuation) -> Maintenance {
    Maintenance {
        stage: MaintenanceStage::ComingBack,
        since_ms: home.created_at_ms,
        home: Some(home.id),
        ..now.clone()
    }
}

/// What a person says of a host.
pub(super) fn told(
    inventory: &Inventory,
    open: &BTreeMap<EvacuationId, Evacuation>,
    host: &HostName,
    command: MaintenanceCommand,
    now_ms: u64,
) -> Result<Option<Maintenance>, Error> {
    if inventory.host(host).is_none() {
        return Err(HostError::unknown_host_beside(host.as_str(), &inventory.registered()).into());
    }
    let refused =
        |sentence: String, fix: &str| Err(wording::known(Problem::new(Code::WrongState, sentence).with_fix(fix)));
    let Some(now) = inventory.maintenance(host) else {
        return refused(format!("{host} is in use."), "Empty it first.");
    };
    match (command, now.stage) {
        (MaintenanceCommand::Begin, MaintenanceStage::Empty) => {
            Ok(Some(Maintenance { stage: MaintenanceStage::InMaintenance, since_ms: now_ms, ..now.clone() }))
        }
        (MaintenanceCommand::Begin, MaintenanceStage::InMaintenance) => Ok(Some(now.clone())),
        (MaintenanceCommand::Begin, _) => refused(format!("{host} is not empty."), "Wait until it is."),
        (MaintenanceCommand::End, _) => {
            let is_under_way = |id: &EvacuationId| open.contains_key(id);
            if is_under_way(&now.evacuation) || now.home.as_ref().is_some_and(is_under_way) {
                return refused(format!("An evacuation of {host} is under way."), "Stop it first.");
            }
            Ok(None)
        }
    }
}

/// VMs that keep a host from being empty: they have a process there, or arrive.
fn keeps_from_being_empty(inventory: &Inventory, host: &HostName) -> bool {
    let incoming = inventory.open_migrations().any(|open| open.destination == *host);
    incoming || inventory.copies(host).any(|(_, copy)| copy.state.has_process() || copy.incoming)
}

impl Evacuations {
    /// Looks at all hosts that are emptied, or were: says of each whether it is empty, which it has to say itself.
    pub(super) async fn look_at_hosts(&self, open: &BTreeMap<EvacuationId, Evacuation>) {
        let hosts: Vec<(HostName, Maintenance)> = {
            let inventory = self.context.inventory();
            inventory.in_maintenance().map(|(host, now)| (host.clone(), now.clone())).collect()
        };
        for (host, now) in hosts {
            match now.stage {
                MaintenanceStage::Draining if open.contains_key(&now.evacuation) => {
                    if !is_busy(open, &now, &host) {
                        self.look_whether_empty(&host, now).await;
                    }
                }
                MaintenanceStage::Draining => self.look_after(&host, now).await,
                MaintenanceStage::Empty => self.look_whether_still_empty(&host, now).await,
                MaintenanceStage::ComingBack if now.home.is_none_or(|home| !open.contains_key(&home)) => {
                    self.look_whether_home(&host, now).await;
                }
                MaintenanceStage::InMaintenance | MaintenanceStage::ComingBack => {}
            }
        }
    }

    /// Its evacuation has ended: stopped, so that it is in use again, or with VMs that stay.
    async fn look_after(&self, host: &HostName, now: Maintenance) {
        match self.ended(now.evacuation).await {
            Some(Evacuation { state: EvacuationState::Stopped, .. }) => {
                self.enter(host, None, None).await;
            }
            Some(_) => self.look_whether_empty(host, now).await,
            None => {}
        }
    }

    /// The record of an evacuation that has ended; none if it can't be read now.
    async fn ended(&self, id: EvacuationId) -> Option<Evacuation> {
        self.context.store().evacuation(id).await.ok().flatten().filter(|evacuation| evacuation.state.has_ended())
    }

    async fn look_whether_empty(&self, host: &HostName, now: Maintenance) {
        if keeps_from_being_empty(&self.context.inventory(), host) {
            return;
        }
        // What is known may be some seconds old.
        let Ok(connection) = self.context.inventory().connection(host) else { return };
        let Ok(copies) = connection.copies().await else { return };
        self.context.inventory().replace_copies(host, copies);
        if keeps_from_being_empty(&self.context.inventory(), host) {
            return;
        }
        let since_ms = self.context.now_ms();
        let event = event(HookKind::Empty, host, &now, since_ms);
        self.enter(host, Some(Maintenance { stage: MaintenanceStage::Empty, since_ms, ..now }), Some(event)).await;
    }

    /// A VM that others have started or moved there is shown: the host is not empty any more.
    async fn look_whether_still_empty(&self, host: &HostName, now: Maintenance) {
        let is_connected = self.context.inventory().connection(host).is_ok();
        if is_connected && keeps_from_being_empty(&self.context.inventory(), host) {
            let since_ms = self.context.now_ms();
            self.enter(host, Some(Maintenance { stage: MaintenanceStage::Draining, since_ms, ..now }), None).await;
        }
    }

    /// Once its VMs are home a host is in use again. One whose VMs were stopped on their way home is worked on still.
    async fn look_whether_home(&self, host: &HostName, now: Maintenance) {
        let Some(home) = now.home else { return };
        match self.ended(home).await {
            Some(Evacuation { state: EvacuationState::Stopped, .. }) => {
                let since_ms = self.context.now_ms();
                let stage = MaintenanceStage::InMaintenance;
                self.enter(host, Some(Maintenance { stage, since_ms, home: None, ..now }), None).await;
            }
            Some(home) => {
                let is_home = |state: &ItemState| matches!(state, ItemState::Moved { .. });
                let all = home.items.iter().filter(|item| item.destination.is_some()).all(|item| is_home(&item.state));
                let event = all.then(|| event(HookKind::Home, host, &now, self.context.now_ms()));
                self.enter(host, None, event).await;
            }
            None => {}
        }
    }

    /// Writes a host's stage down, and what hooks are to be told of it; then tells them. If that is impossible now, it is tried again.
    async fn enter(&self, host: &HostName, next: Option<Maintenance>, event: Option<HookEvent>) {
        if let Err(error) = self.context.store().set_maintenance(host, next.as_ref(), event.as_ref()).await {
            tracing::warn!(%host, %error, "the stage of a host's maintenance can't be written down");
            return;
        }
        self.context.inventory().set_maintenance(host, next);
        if let Some(event) = event {
            self.announcer.announce(event);
        }
    }
}

/// What hooks are told of a host.
fn event(kind: HookKind, host: &HostName, now: &Maintenance, at_ms: u64) -> HookEvent {
    HookEvent {
        id: HookEventId(Uuid::now_v7()),
        event: kind,
        host: host.clone(),
        reason: now.reason.clone(),
        by: now.by.clone(),
        evacuation: now.evacuation,
        home: now.home.filter(|_| kind == HookKind::Home),
        at_ms,
    }
}

/// Whether the evacuation of a host has still VMs to move from there.
fn is_busy(open: &BTreeMap<EvacuationId, Evacuation>, now: &Maintenance, host: &HostName) -> bool {
    let Some(evacuation) = open.get(&now.evacuation) else { return false };
    let is_left = |state: &ItemState| {
        matches!(state, ItemState::Waiting | ItemState::Moving { .. } | ItemState::WaitsForPerson { .. })
    };
    let is_emptied = matches!(&evacuation.request.subject, Subject::Hosts(hosts) if hosts.contains(host));
    is_emptied && evacuation.items.iter().any(|item| item.source == *host && is_left(&item.state))
}
