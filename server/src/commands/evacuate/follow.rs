//! What is said of an evacuation while it is followed.

use model::{Evacuation, EvacuationEvent, EvacuationItem, EvacuationState, ItemState, Problem, text};

/// How many characters the bar has.
const BAR: usize = 24;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All have moved.
    AllMoved,
    /// VMs stay, wait for a person, or are under way still.
    Left,
}

impl Outcome {
    /// The exit status.
    pub(super) fn status(self) -> u8 {
        match self {
            Self::AllMoved => 0,
            Self::Left => 2,
        }
    }
}

/// How much of the history was told.
#[derive(Default)]
pub(super) struct Follow {
    told: usize,
}

impl Follow {
    /// A line for each new entry of the history, with the time since the evacuation began.
    pub(super) fn news(&mut self, evacuation: &Evacuation, history: &[EvacuationEvent]) -> Vec<String> {
        let since = |event: &EvacuationEvent| text::duration(event.at_ms.saturating_sub(evacuation.created_at_ms));
        let new = history.iter().skip(self.told).map(|event| format!("{:>10}  {}", since(event), event.text)).collect();
        self.told = self.told.max(history.len());
        new
    }
}

/// Bar, percentage, VMs and time that are left.
pub(super) fn bar(evacuation: &Evacuation) -> String {
    let fraction = evacuation.fraction.clamp(0.0, 1.0);
    let full = (fraction * BAR as f64) as usize;
    let left = match (evacuation.state, evacuation.left_ms) {
        (EvacuationState::Running, Some(left_ms)) => format!(", about {}", text::duration(left_ms)),
        (EvacuationState::Running, None) => String::new(),
        (state, _) => format!(", {}", state.label().to_lowercase()),
    };
    format!(
        "[{}{}] {}, {} of {} left{left}",
        "=".repeat(full),
        " ".repeat(BAR - full),
        text::percent(fraction * 100.0),
        evacuation.left(),
        evacuation.items.len()
    )
}

/// What came of an evacuation that has ended, or in which nothing goes on before a person does something; and why of each VM that is left.
pub(super) fn end(evacuation: &Evacuation) -> Option<(Outcome, Vec<String>)> {
    let waits_for_person = evacuation.left() == 0 && evacuation.stuck() > 0;
    if !evacuation.state.has_ended() && !waits_for_person {
        return None;
    }
    let mut lines: Vec<String> = evacuation.items.iter().filter_map(left).collect();
    let all = lines.is_empty() && evacuation.state != EvacuationState::Stopped;
    let moved = evacuation.count(|state| matches!(state, ItemState::Moved { .. }));
    lines.push(format!("{moved} of {} VMs have moved.", evacuation.items.len()));
    Some((if all { Outcome::AllMoved } else { Outcome::Left }, lines))
}

/// Why a VM is left; none if it has moved, or need not move.
fn left(EvacuationItem { vm_name, source, state, .. }: &EvacuationItem) -> Option<String> {
    let because =
        |Problem { sentence, fix, .. }: &Problem| format!("{sentence} {}", fix.as_deref().unwrap_or_default());
    match state {
        ItemState::Moved { .. } | ItemState::Gone { .. } | ItemState::Stays { problem: None, .. } => None,
        ItemState::Stays { problem: Some(problem), .. } => {
            Some(format!("{vm_name} stays on {source}: {}", because(problem)))
        }
        ItemState::WaitsForPerson { problem } => Some(format!("{vm_name} waits for you: {}", because(problem))),
        ItemState::Skipped { by } => Some(format!("{vm_name} was skipped by {by}.")),
        ItemState::Waiting | ItemState::Moving { .. } => Some(format!("{vm_name} has not moved.")),
    }
}

/// A text without what a terminal would take for a command.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
