//! Hosts for VMs that have none: those that failed, or that came after the plan was made.

use std::{collections::BTreeSet, sync::Arc};

use model::{Code, Evacuation, EvacuationItem, ItemState, Problem, VmId};
use planner::{Fleet, VmToMove};

use super::{Evacuations, begin::is_time, fleet, reserve, settle::Changes, wording};

impl Evacuations {
    /// Looks for hosts for the VMs that have none: those that failed, or came later.
    pub(super) fn find_places(&self, evacuation: &mut Evacuation, changes: &mut Changes, now_ms: u64) {
        let wanted: BTreeSet<VmId> =
            evacuation.items.iter().filter(|item| has_no_place(item, now_ms)).map(|item| item.vm).collect();
        if wanted.is_empty() {
            return;
        }
        let mut placed = planner::place(&self.fleet_of(evacuation, &wanted, &BTreeSet::new()));
        let has_failed = |vm: &VmId| evacuation.item(*vm).is_some_and(|item| !item.tried.is_empty());
        let nowhere_else: BTreeSet<VmId> = placed.without.keys().copied().filter(has_failed).collect();
        if !nowhere_else.is_empty() {
            placed = planner::place(&self.fleet_of(evacuation, &wanted, &nowhere_else));
        }
        let moves_under_way = evacuation.left() > wanted.len();
        for item in evacuation.items.iter_mut().filter(|item| wanted.contains(&item.vm)) {
            let destination = placed.moves.iter().rev().find(|planned| planned.vm == item.vm);
            match (destination, placed.without.get(&item.vm)) {
                (Some(planned), _) => {
                    changes.tell(now_ms, format!("{} is to go to {}.", item.vm_name, planned.destination));
                    item.destination = Some(planned.destination.clone());
                    item.bytes = planned.bytes;
                    item.expected_ms = planned.at_ms[1].saturating_sub(planned.at_ms[0]);
                }
                // Those under way may make room.
                (None, Some(why)) if moves_under_way && !matches!(why, planner::NoPlace::Refused) => {
                    item.waits_for = Some("room on another host".to_owned());
                }
                (None, why) => {
                    let problem = match (why, item.tried.last()) {
                        (Some(planner::NoPlace::Refused) | None, Some(tried)) => tried.problem.clone(),
                        (Some(why), _) => wording::no_place(&item.vm_name, why),
                        (None, None) => Problem::new(Code::Blocked, format!("No host can take {}.", item.vm_name)),
                    };
                    changes.tell(now_ms, format!("{} waits for a person: {}", item.vm_name, problem.sentence));
                    item.state = ItemState::WaitsForPerson { problem };
                }
            }
            changes.items.insert(item.vm);
        }
    }

    /// What the planner is asked about some VMs of an evacuation. Hosts where one has failed are for those only that can go `nowhere_else`.
    fn fleet_of(&self, evacuation: &Evacuation, wanted: &BTreeSet<VmId>, nowhere_else: &BTreeSet<VmId>) -> Fleet {
        let inventory = self.context.inventory();
        let mut hosts = self.rooms(&inventory, [evacuation]);
        reserve::take_all(&mut hosts, &inventory, Some(evacuation.id));
        // Of this one as it is now.
        for reserved in reserve::reservations(evacuation).iter().filter(|reserved| !wanted.contains(&reserved.vm)) {
            reserve::take(&mut hosts, &inventory, reserved);
        }
        let items = evacuation.items.iter().filter(|item| wanted.contains(&item.vm));
        let mut vms: Vec<VmToMove> = items.filter_map(|item| self.to_move(&inventory, evacuation, item)).collect();
        for vm in &mut vms {
            let refused = !nowhere_else.contains(&vm.vm);
            for tried in evacuation.item(vm.vm).map(|item| item.tried.as_slice()).unwrap_or_default() {
                let pair = planner::Pair { refused, against: 100, ..planner::Pair::default() };
                vm.pairs.insert(tried.destination.clone(), pair);
            }
        }
        Fleet { vms, others: fleet::others(&inventory, wanted), rules: self.rules(), hosts }
    }

    /// Hosts that VMs have left or come to tell anew what is free, before the next are sent there.
    pub(super) fn ask_for_room(self: &Arc<Self>, evacuation: &Evacuation) {
        let hosts: BTreeSet<_> = evacuation
            .items
            .iter()
            .flat_map(|item| [Some(item.source.clone()), item.destination.clone()])
            .flatten()
            .collect();
        for host in hosts {
            let connection = self.context.inventory().connection(&host);
            let Ok(connection) = connection else { continue };
            let context = Arc::clone(&self.context);
            self.context.tasks().spawn(async move {
                if let Ok(facts) = connection.host().await {
                    context.inventory().set_facts(&host, facts);
                }
            });
        }
    }
}

fn has_no_place(item: &EvacuationItem, now_ms: u64) -> bool {
    let waits_otherwise = item.waits_for.is_some() && item.waits_for.as_deref() != Some("room on another host");
    item.state == ItemState::Waiting && item.destination.is_none() && !waits_otherwise && is_time(item, now_ms)
}
