//! The idle guest without a limit: how long the console takes, from the POST until the update that says that it has finished, beside
//! `virsh migrate --live --p2p`, in turn.

use std::time::{Duration, Instant};

use crate::{
    bed::Bed,
    figures::median,
    guest::KINDS,
    moves::{self, Request},
    outcome::End,
};

/// What the idle guest's moves took, in ms.
pub(crate) struct Idle {
    pub(crate) console: Vec<f64>,
    pub(crate) virsh: Vec<f64>,
}

impl Idle {
    /// Moves it so often by each, there and back in turn.
    pub(crate) async fn measure(bed: &mut Bed, moves: usize, limit: Duration) -> Self {
        bed.start(&KINDS[0]).await;
        let (mut console, mut virsh) = (Vec::new(), Vec::new());
        for _ in 0..=moves.div_ceil(2) {
            for _ in 0..2 {
                let outcome = moves::by_policy(bed, 0, Request::default(), limit).await;
                assert_eq!(outcome.end, End::Moved, "an idle guest moves");
                console.push(outcome.total.as_secs_f64() * 1_000.0);
            }
            for _ in 0..2 {
                let begun = Instant::now();
                tokio::task::block_in_place(|| bed.migrate_by_virsh());
                virsh.push(begun.elapsed().as_secs_f64() * 1_000.0);
                bed.settle().await;
            }
        }
        // The first two of each do not count: each daemon then starts QEMU once to probe its capabilities.
        Self { console: console.split_off(2), virsh: virsh.split_off(2) }
    }

    /// In a sentence.
    pub(crate) fn describe(&self) -> String {
        let of = |values: &[f64]| median(values.iter().copied()).unwrap_or_default();
        let (console, virsh) = (of(&self.console), of(&self.virsh));
        format!(
            "Without a limit, the idle guest took {console:.0} ms by the console (`balanced`, from the POST until the update that says that it \
             has finished) and {virsh:.0} ms by `virsh migrate --live --p2p`, medians of {} moves each in turn: ratio {:.2}.",
            self.console.len(),
            console / virsh
        )
    }
}
