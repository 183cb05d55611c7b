//! The selections that are kept. What is lost with a restart is only who was chosen and what is said of it: what was done is in the audit
//! log.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use model::{Code, Problem, Selection, SelectionId, Stage, Turn, VmId};

/// How many VMs all selections may have together: some 10 MB.
const MOST_VMS: usize = 4 * Selection::LARGEST;
/// How many selections are kept.
const MOST: usize = 100;

/// The newest selections, the oldest first.
#[derive(Default)]
pub(in super::super) struct Kept(Mutex<VecDeque<Selection>>);

impl Kept {
    /// Keeps a selection, and forgets the oldest of which nothing is being done where there are too many.
    ///
    /// # Errors
    /// `throttled` if all others are being carried out.
    pub(super) fn keep(&self, selection: Selection) -> Result<(), Problem> {
        let mut kept = self.lock();
        let mut vms = selection.vms.len() + kept.iter().map(|other| other.vms.len()).sum::<usize>();
        while vms > MOST_VMS || kept.len() >= MOST {
            let is_idle = |other: &Selection| other.stage != Stage::Running;
            let Some(forgotten) = kept.iter().position(is_idle).and_then(|index| kept.remove(index)) else {
                return Err(Problem::new(Code::Throttled, "Too much is being done to selected VMs already.")
                    .with_fix("Wait until some of it is done."));
            };
            vms -= forgotten.vms.len();
        }
        kept.push_back(selection);
        Ok(())
    }

    pub(super) fn get(&self, id: SelectionId) -> Result<Selection, Problem> {
        self.change(id, |selection| selection.clone())
    }

    /// # Errors
    /// `not-found`.
    pub(super) fn change<T>(&self, id: SelectionId, change: impl FnOnce(&mut Selection) -> T) -> Result<T, Problem> {
        self.lock().iter_mut().find(|selection| selection.id == id).map(change).ok_or_else(|| {
            Problem::new(Code::NotFound, "This selection is not kept any more.")
                .with_fix("Select the VMs again. What was done is in the audit log.")
        })
    }

    /// Writes down what is known of a VM's turn.
    pub(super) fn tell(&self, id: SelectionId, vm: VmId, turn: Turn) {
        // What is being worked on is kept.
        let _ = self.change(id, |selection| {
            if let Some(vm) = selection.vms.iter_mut().find(|other| other.id == vm) {
                vm.turn = turn;
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Selection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Now, in ms since 1970.
pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use model::{SelectedVm, VmAction};
    use uuid::Uuid;

    use super::*;

    fn selection(id: u128, vms: usize, stage: Stage) -> Selection {
        let vm = |index: usize| SelectedVm {
            id: VmId(Uuid::from_u128(index as u128)),
            name: index.to_string(),
            host: None,
            turn: Turn::Done,
        };
        let vms = (0..vms).map(vm).collect();
        let id = SelectionId(Uuid::from_u128(id));
        Selection { id, action: VmAction::Start, stage, at_ms: 0, vms }
    }

    #[test]
    fn the_oldest_of_which_nothing_is_being_done_is_forgotten() {
        let kept = Kept::default();
        kept.keep(selection(1, Selection::LARGEST, Stage::Running)).unwrap();
        for id in 2..=4 {
            kept.keep(selection(id, Selection::LARGEST, Stage::Done)).unwrap();
        }
        kept.keep(selection(5, 1, Stage::Ready)).unwrap();
        let known = |id: u128| kept.get(SelectionId(Uuid::from_u128(id))).is_ok();
        assert_eq!([1, 2, 3, 4, 5].map(known), [true, false, true, true, true]);
    }

    #[test]
    fn what_is_being_done_is_not_forgotten_for_more() {
        let kept = Kept::default();
        for id in 0..MOST as u128 {
            kept.keep(selection(id, 1, Stage::Running)).unwrap();
        }
        assert_eq!(kept.keep(selection(1_000, 1, Stage::Ready)).unwrap_err().code, Code::Throttled);
        kept.change(SelectionId(Uuid::nil()), |selection| selection.stage = Stage::Done).unwrap();
        kept.keep(selection(1_000, 1, Stage::Ready)).unwrap();
        assert_eq!(kept.get(SelectionId(Uuid::nil())).unwrap_err().code, Code::NotFound);
    }
}
