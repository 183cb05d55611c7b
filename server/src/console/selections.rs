//! Something that is to be done to several VMs: `kept` remembers what was chosen, `placement` finds out where VMs can go.

mod kept;
mod placement;

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use model::{
    BulkAction, Chosen, Code, Destination, HostName, MigrationRequest, Placement, Problem, SelectedVm, Selection,
    SelectionId, Stage, Turn, Vm, VmId,
};
use port::{Migrations as _, Principal, Selections, Vms as _};
use uuid::Uuid;

use super::ServerConsole;
pub(super) use kept::Kept;
use kept::now_ms;

/// How many hosts are asked for something at once. VMs of one host have their turn one after the other.
const HOSTS_AT_ONCE: usize = 16;

impl Selections for ServerConsole {
    fn select(&self, _who: &Principal, chosen: Chosen, action: BulkAction) -> Result<SelectionId, Problem> {
        let mut vms = self.chosen(chosen)?;
        if vms.is_empty() {
            return Err(Problem::new(Code::InvalidInput, "No VM is selected.")
                .with_fix("Tick some in the list of VMs, then choose what is to be done to them."));
        }
        vms.sort_by_cached_key(|vm| (vm.name.to_lowercase(), vm.id));
        for vm in &mut vms {
            vm.turn = self.first_look(vm, action);
        }
        let stage = if action == BulkAction::Migrate { Stage::Placement } else { Stage::Ready };
        let id = SelectionId(Uuid::now_v7());
        self.selections.keep(Selection { id, action, stage, placement: None, at_ms: now_ms(), vms })?;
        Ok(id)
    }

    fn selection(&self, _who: &Principal, id: SelectionId) -> Result<Selection, Problem> {
        self.selections.get(id)
    }

    fn look_at_placement(&self, _who: &Principal, id: SelectionId, placement: Placement) -> Result<(), Problem> {
        if let Placement::Host(host) = &placement
            && self.engine.shown_host(host).is_none()
        {
            return Err(Problem::new(Code::UnknownHost, "This host is not registered any more.")
                .with_fix("Choose another host."));
        }
        let selection = self.selections.change(id, |selection| {
            let is_open = matches!(selection.stage, Stage::Placement | Stage::Ready);
            if selection.action != BulkAction::Migrate || !is_open {
                return Err(Problem::new(Code::WrongState, "It is too late to choose where these VMs go.")
                    .with_fix("Select the VMs again."));
            }
            (selection.stage, selection.placement) = (Stage::Checking, Some(placement));
            for vm in &mut selection.vms {
                vm.turn = Turn::Planned { destination: None, warnings: Vec::new() };
            }
            Ok(selection.clone())
        })??;
        let console = self.clone();
        tokio::spawn(async move {
            placement::check(&console, &selection).await;
            let _ = console.selections.change(id, |selection| {
                (selection.stage, selection.at_ms) = (Stage::Ready, now_ms());
            });
        });
        Ok(())
    }

    fn carry_out_selection(&self, who: &Principal, id: SelectionId, seen_ms: u64) -> Result<(), Problem> {
        let begun = self.selections.change(id, |selection| match selection.stage {
            Stage::Ready if selection.at_ms != seen_ms => {
                Err(Problem::new(Code::WrongState, "What would happen was found out anew meanwhile.")
                    .with_fix("Look at it again."))
            }
            Stage::Ready if selection.count(Turn::is_to_come) == 0 => {
                Err(Problem::new(Code::WrongState, "Nothing can be done to any of these VMs.")
                    .with_fix("Select other VMs, or choose something else to be done."))
            }
            Stage::Ready => {
                selection.stage = Stage::Running;
                Ok(Some(selection.clone()))
            }
            Stage::Running | Stage::Done => Ok(None),
            Stage::Placement | Stage::Checking => {
                Err(Problem::new(Code::WrongState, "It is not known yet where these VMs can go.")
                    .with_fix("Choose a destination, and wait for the checks."))
            }
        })??;
        if let Some(selection) = begun {
            let (console, who) = (self.clone(), who.clone());
            tokio::spawn(async move { console.take_turns(&who, selection).await });
        }
        Ok(())
    }
}

impl ServerConsole {
    /// The VMs that were chosen, as they are now.
    fn chosen(&self, chosen: Chosen) -> Result<Vec<SelectedVm>, Problem> {
        let vms: Vec<SelectedVm> = match chosen {
            Chosen::Vms(ids) => {
                let ids: BTreeSet<VmId> = ids.into_iter().collect();
                ids.into_iter().map(|id| self.seen(id, None)).collect()
            }
            Chosen::Matching { query, except } => {
                let except: BTreeSet<VmId> = except.into_iter().collect();
                self.engine.matching(&query).iter().filter(|vm| !except.contains(&vm.id)).map(listed).collect()
            }
            Chosen::Again(id) => {
                self.selections.get(id)?.vms.into_iter().map(|vm| self.seen(vm.id, Some(vm.name))).collect()
            }
        };
        if vms.len() > Selection::LARGEST {
            let sentence = format!("These are {} VMs; {} can be selected at once.", vms.len(), Selection::LARGEST);
            return Err(Problem::new(Code::TooLarge, sentence).with_fix("Select fewer: search, or filter by state."));
        }
        Ok(vms)
    }

    /// A VM as it is now; `name` is what it was called.
    fn seen(&self, id: VmId, name: Option<String>) -> SelectedVm {
        match self.engine.vm(id) {
            Some(vm) => listed(&vm),
            None => {
                let name = name.unwrap_or_else(|| id.to_string());
                SelectedVm { id, name, host: None, turn: Turn::Excluded(gone()) }
            }
        }
    }

    /// What can be said of a VM without asking a host.
    fn first_look(&self, vm: &SelectedVm, action: BulkAction) -> Turn {
        let planned = Turn::Planned { destination: None, warnings: Vec::new() };
        match (&vm.host, action) {
            (None, _) => Turn::Excluded(gone()),
            // That is told once it is known where it is to go.
            (Some(_), BulkAction::Migrate) => planned,
            (Some(host), BulkAction::Act(action)) => match self.engine.may_act(vm.id, Some(host), action) {
                Ok(()) => planned,
                Err(error) => Turn::Excluded(error.into()),
            },
        }
    }

    /// Gives each VM its turn: those of one host one after the other, so that a host that hangs holds up no other.
    async fn take_turns(&self, who: &Principal, selection: Selection) {
        let (id, action) = (selection.id, selection.action);
        let mut by_host: BTreeMap<HostName, Vec<SelectedVm>> = BTreeMap::new();
        for vm in selection.vms.into_iter().filter(|vm| vm.turn.is_to_come()) {
            // What has no host is not to come.
            if let Some(host) = vm.host.clone() {
                by_host.entry(host).or_default().push(vm);
            }
        }
        stream::iter(by_host)
            .for_each_concurrent(HOSTS_AT_ONCE, |(host, vms)| async move {
                for vm in vms {
                    let turn = self.take_turn(who, &host, &vm, action).await.unwrap_or_else(Turn::Failed);
                    self.selections.tell(id, vm.id, turn);
                }
            })
            .await;
        // It is kept for as long as it runs.
        let _ = self.selections.change(id, |selection| {
            (selection.stage, selection.at_ms) = (Stage::Done, now_ms());
        });
    }

    async fn take_turn(
        &self,
        who: &Principal,
        host: &HostName,
        vm: &SelectedVm,
        action: BulkAction,
    ) -> Result<Turn, Problem> {
        let destination = match (&vm.turn, action) {
            (_, BulkAction::Act(action)) => {
                self.act(who, vm.id, Some(host), action).await?;
                return Ok(Turn::Done { migration: None });
            }
            (Turn::Planned { destination: Some(there), .. } | Turn::Unchecked { destination: there }, _) => there,
            _ => return Err(Problem::new(Code::Internal, format!("{} has no destination.", vm.name))),
        };
        self.engine.vm_on(vm.id, host)?;
        let request = MigrationRequest::plain(vm.id, Destination::Registered(destination.clone()));
        let migration = self.start(who, request).await?;
        Ok(Turn::Done { migration: Some((migration.id, destination.clone())) })
    }
}

/// A VM as it is listed now.
fn listed(vm: &Vm) -> SelectedVm {
    let turn = Turn::Planned { destination: None, warnings: Vec::new() };
    SelectedVm { id: vm.id, name: vm.name.clone(), host: Some(vm.host.clone()), turn }
}

fn gone() -> Problem {
    Problem::new(Code::UnknownVm, "No host has this VM any more.")
}
