//! Something that is to be done to several VMs.

use model::{Chosen, Problem, Selection, SelectionId, VmAction};

use crate::Principal;

/// Something that is to be done to several VMs: chosen, looked at, then done. The newest are kept, in memory only.
pub trait Selections: Send + Sync {
    /// Keeps what was chosen, and finds out what would happen to each VM. Nothing is done.
    ///
    /// # Errors
    /// `invalid-input` if no VM was chosen; `too-large` for more than [`Selection::LARGEST`]; `not-found` for a selection that is not kept
    /// any more; `throttled` while too many are being carried out.
    fn select(&self, who: &Principal, chosen: Chosen, action: VmAction) -> Result<SelectionId, Problem>;

    /// What will be done to each VM, or was.
    ///
    /// # Errors
    /// `not-found` for one that is not kept any more.
    fn selection(&self, who: &Principal, id: SelectionId) -> Result<Selection, Problem>;

    /// Begins to do to each VM what was said of it at `seen_ms`, the selection's `at_ms` that the user has looked at: nothing to those that it was not to be done to, and nothing to one that has left its
    /// host or may not be acted on any more. Returns at once; the stage says when each had its turn. What was begun is not begun twice.
    ///
    /// # Errors
    /// `not-found`; `wrong-state` if something else would happen by now, or nothing would.
    fn carry_out_selection(&self, who: &Principal, id: SelectionId, seen_ms: u64) -> Result<(), Problem>;
}
