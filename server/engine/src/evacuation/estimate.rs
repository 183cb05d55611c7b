//! How far an evacuation is, and how much longer it takes.

use model::{Evacuation, EvacuationItem, ItemState};

use crate::inventory::Inventory;

/// Until this part of the work is done, what the plan said counts more than what was seen.
const TRUSTED: f64 = 0.2;
/// What a move whose time is not known is taken to last, in ms.
const UNKNOWN_MS: u64 = 5_000;

/// Works out both anew. The bar never goes back: what comes to it later makes it slower.
pub(super) fn estimate(evacuation: &mut Evacuation, inventory: &Inventory, now_ms: u64) {
    let (mut all, mut done, mut longest_left) = (0.0, 0.0, 0.0_f64);
    for item in &evacuation.items {
        let Some(part) = part(item, inventory) else { continue };
        let takes = takes_ms(item);
        all += takes;
        done += takes * part;
        longest_left = longest_left.max(takes * (1.0 - part));
    }
    let part = if all > 0.0 { done / all } else { 1.0 };
    evacuation.fraction = evacuation.fraction.max(part.min(1.0));
    let elapsed = now_ms.saturating_sub(evacuation.created_at_ms) as f64;
    let by_plan = evacuation.planned_ms as f64 * (1.0 - part);
    let left = if done > 0.0 {
        let by_what_was_seen = (all - done) * elapsed / done;
        let trust = (part / TRUSTED).min(1.0);
        (by_what_was_seen * trust + by_plan * (1.0 - trust)).max(longest_left)
    } else {
        by_plan
    };
    evacuation.left_ms = Some(left as u64);
}

/// What of an item is done, 0 to 1; none if nothing is done with it.
fn part(item: &EvacuationItem, inventory: &Inventory) -> Option<f64> {
    match &item.state {
        ItemState::Waiting => Some(0.0),
        ItemState::Moving { migration } => {
            Some(inventory.migration(*migration).map_or(0.0, |migration| migration.progress.percent / 100.0))
        }
        ItemState::Moved { .. } => Some(1.0),
        ItemState::Stays { .. }
        | ItemState::WaitsForPerson { .. }
        | ItemState::Skipped { .. }
        | ItemState::Gone { .. } => None,
    }
}

fn takes_ms(item: &EvacuationItem) -> f64 {
    (if item.expected_ms == 0 { UNKNOWN_MS } else { item.expected_ms }) as f64
}

#[cfg(test)]
mod tests {
    use model::examples;

    use super::*;
    use crate::{clock::Clock, inventory::Feed};

    fn after(moved: usize, elapsed_ms: u64) -> Evacuation {
        let mut evacuation = examples::evacuation(1, &["a", "b", "c", "d"]);
        for item in evacuation.items.iter_mut().take(moved) {
            item.state = ItemState::Moved { migration: None };
        }
        evacuation.planned_ms = 8_000;
        let inventory = Inventory::new(Clock::start(), Feed::new(1));
        let now_ms = evacuation.created_at_ms + elapsed_ms;
        estimate(&mut evacuation, &inventory, now_ms);
        evacuation
    }

    #[tokio::test]
    async fn what_was_seen_counts_once_there_is_enough() {
        assert_eq!(after(0, 0).left_ms, Some(8_000));
        assert_eq!((after(1, 4_000).left_ms, after(1, 4_000).fraction), (Some(12_000), 0.25));
        assert_eq!((after(4, 16_000).left_ms, after(4, 16_000).fraction), (Some(0), 1.0));
    }

    #[tokio::test]
    async fn the_bar_never_goes_back() {
        let mut evacuation = after(2, 4_000);
        evacuation.items.extend(examples::evacuation(2, &["e", "f", "g"]).items);
        let inventory = Inventory::new(Clock::start(), Feed::new(1));
        let now_ms = evacuation.created_at_ms + 4_000;
        estimate(&mut evacuation, &inventory, now_ms);
        assert_eq!(evacuation.fraction, 0.5);
        assert_eq!(evacuation.left_ms, Some(10_000));
    }
}
