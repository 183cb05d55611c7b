//! Something that is to be done to several VMs; `kept` remembers what was chosen.

mod kept;

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use model::{Chosen, Code, HostName, Problem, SelectedVm, Selection, SelectionId, Stage, Turn, Vm, VmAction, VmId};
use port::{Principal, Selections, Vms as _};
use uuid::Uuid;

use super::ServerConsole;
pub(super) use kept::Kept;
use kept::now_ms;

/// How many hosts are asked for something at once. VMs of one host have their turn one after the other.
const HOSTS_AT_ONCE: usize = 16;

impl Selections for ServerConsole {
    fn select(&self, _who: &Principal, chosen: Chosen, action: VmAction) -> Result<SelectionId, Problem> {
        let mut vms = self.chosen(chosen)?;
        if vms.is_empty() {
            return Err(Problem::new(Code::InvalidInput, "No VM is selected.")
                .with_fix("Tick some in the list of VMs, then choose what is to be done to them."));
        }
        vms.sort_by_cached_key(|vm| (vm.name.to_lowercase(), vm.id));
        for vm in &mut vms {
            vm.turn = self.first_look(vm, action);
        }
        let id = SelectionId(Uuid::now_v7());
        self.selections.keep(Selection { id, action, stage: Stage::Ready, at_ms: now_ms(), vms })?;
        Ok(id)
    }

    fn selection(&self, _who: &Principal, id: SelectionId) -> Result<Selection, Problem> {
        self.selections.get(id)
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
    fn first_look(&self, vm: &SelectedVm, action: VmAction) -> Turn {
        let Some(host) = &vm.host else { return Turn::Excluded(gone()) };
        match self.engine.may_act(vm.id, Some(host), action) {
            Ok(()) => Turn::Planned,
            Err(error) => Turn::Excluded(error.into()),
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
                    let acted = self.act(who, vm.id, Some(&host), action).await;
                    let turn = acted.map_or_else(Turn::Failed, |_| Turn::Done);
                    self.selections.tell(id, vm.id, turn);
                }
            })
            .await;
        // It is kept for as long as it runs.
        let _ = self.selections.change(id, |selection| {
            (selection.stage, selection.at_ms) = (Stage::Done, now_ms());
        });
    }
}

/// A VM as it is listed now.
fn listed(vm: &Vm) -> SelectedVm {
    SelectedVm { id: vm.id, name: vm.name.clone(), host: Some(vm.host.clone()), turn: Turn::Planned }
}

fn gone() -> Problem {
    Problem::new(Code::UnknownVm, "No host has this VM any more.")
}
