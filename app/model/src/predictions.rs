//! How good the predictions of earlier migrations were: what was said before the start, against what came of it.

use serde::{Deserialize, Serialize};

use crate::{Acted, Ending, HostName, Migration, MigrationId, Mode, Phase, Policy, Prediction};

/// How many migrations are listed one by one.
const LISTED: usize = 50;

/// How good predictions were, over live migrations that had one and that were not steered: a user who steers makes another migration of
/// it than was predicted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// How many migrations are compared.
    pub compared: usize,
    /// How many more had a prediction, and were steered.
    pub steered: usize,
    /// How many of those that moved within a predicted time's bounds, in percent of all that moved and had a time predicted; none without
    /// any. One that was slowed or switched to post-copy, other than predicted, is among them.
    pub coverage_percent: Option<f64>,
    /// How far the time that was predicted as most likely was from the total time, in percent of that: the median of the same migrations.
    pub median_error_percent: Option<f64>,
    /// How far the predicted pause was from the one that QEMU measured, in ms: 90 % of the same migrations were as near, as far as their
    /// pause was measured.
    pub pause_error_p90_ms: Option<u64>,
    /// How many finished by themselves, with help (slowed, paused, by post-copy) or not at all, though another of these was predicted.
    pub wrong_verdicts: usize,
    /// The newest of them, steered ones too, newest first; at most 50.
    pub newest: Vec<Predicted>,
}

/// A migration that had a prediction and has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicted {
    /// The migration.
    pub id: MigrationId,
    /// The VM's name when it began.
    pub vm_name: String,
    /// Where the VM was.
    pub source: HostName,
    /// Where it should go.
    pub destination: HostName,
    /// The policy that it followed at the end.
    pub policy: Policy,
    /// When it was asked for, in ms since 1970.
    pub created_at_ms: u64,
    /// What was predicted.
    pub prediction: Prediction,
    /// Whether the VM moved; else its policy gave up.
    pub moved: bool,
    /// From the request to the verdict, in ms, without the time that it waited in the queue.
    pub total_ms: u64,
    /// How long the VM did not execute, in ms, as QEMU measured it; none if that was not measured.
    pub pause_ms: Option<u64>,
    /// Whether the guest was slowed or paused or continued at the destination (post-copy) so that it could end, or it gave up.
    pub helped: bool,
    /// The longest pause that it was allowed without help, in ms. Where a longer one was predicted, the guest was to be paused until the end.
    pub longest_pause_ms: u32,
    /// Whether a person steered it.
    pub steered: bool,
}

impl Predicted {
    /// What is to be compared of a migration; none if it had no prediction, or did not end as one that ran to its end.
    fn of(migration: &Migration) -> Option<Self> {
        let gave_up = migration.acts.iter().any(|act| act.what == Acted::GaveUp);
        let moved = migration.phase == Phase::Succeeded;
        let (prediction, outcome) = (migration.prediction?, migration.outcome?);
        (migration.mode == Mode::Live && migration.phase.has_ended() && (moved || gave_up)).then(|| Self {
            id: migration.id,
            vm_name: migration.vm_name.clone(),
            source: migration.source.clone(),
            destination: migration.destination.clone(),
            policy: migration.policy,
            created_at_ms: migration.created_at_ms,
            prediction,
            moved,
            total_ms: outcome.total_ms.saturating_sub(migration.waited_ms),
            pause_ms: outcome.downtime_ms,
            longest_pause_ms: migration.options.longest_pause_ms.unwrap_or_else(|| migration.policy.longest_pause_ms()),
            helped: migration.acts.iter().any(|act| helps(act.what)),
            steered: migration.acts.iter().any(|act| act.by.is_some()),
        })
    }

    /// Whether it took another course than was predicted with its policy.
    pub fn is_wrong_verdict(&self) -> bool {
        let predicted = match self.prediction.ending {
            Ending::After { guest_percent: 100, post_copy: false, pause_ms, .. }
                if pause_ms <= self.longest_pause_ms.into() =>
            {
                Course::ByItself
            }
            Ending::After { .. } => Course::Helped,
            Ending::Never { .. } => Course::NotAtAll,
        };
        let taken = match (self.moved, self.helped) {
            (true, false) => Course::ByItself,
            (true, true) => Course::Helped,
            (false, _) => Course::NotAtAll,
        };
        predicted != taken
    }

    /// Whether it took a time within the predicted bounds; none if it did not move, or no time was predicted.
    pub fn is_within(&self) -> Option<bool> {
        let Time { low_ms, high_ms, .. } = self.time()?;
        Some((low_ms..=high_ms).contains(&self.total_ms))
    }

    /// How far the time that was predicted as most likely was from the total time, in percent of that.
    fn error_percent(&self) -> Option<f64> {
        let (likely, total) = (self.time()?.likely_ms, self.total_ms.max(1));
        Some(likely.abs_diff(self.total_ms) as f64 * 100.0 / total as f64)
    }

    /// How far the predicted pause was from the measured one, in ms.
    fn pause_error_ms(&self) -> Option<u64> {
        Some(self.time()?.pause_ms.abs_diff(self.pause_ms?))
    }

    /// The predicted time and the most likely pause, of one that has moved.
    fn time(&self) -> Option<Time> {
        match self.prediction.ending {
            Ending::After { low_ms, likely_ms, high_ms, likely_pause_ms, .. } if self.moved => {
                Some(Time { low_ms, likely_ms, high_ms, pause_ms: likely_pause_ms })
            }
            Ending::After { .. } | Ending::Never { .. } => None,
        }
    }
}

/// How a migration finishes.
#[derive(PartialEq, Eq)]
enum Course {
    ByItself,
    /// The guest is slowed or paused for it, or post-copy finishes it.
    Helped,
    /// Its policy gives up.
    NotAtAll,
}

/// What was predicted, in ms.
struct Time {
    low_ms: u64,
    likely_ms: u64,
    high_ms: u64,
    pause_ms: u64,
}

/// Whether it would not have ended by itself, as this was done. A pause within what the policy allows is predicted, too.
fn helps(act: Acted) -> bool {
    match act {
        Acted::Slowed { .. }
        | Acted::BegunAgain
        | Acted::PostCopy
        | Acted::GuestPaused
        | Acted::GaveUp
        | Acted::Recovered => true,
        Acted::Pause { .. } | Acted::Bandwidth { .. } | Acted::Policy { .. } => false,
    }
}

impl Predictions {
    /// Compares migrations, which are given newest first. What had no prediction is passed over.
    pub fn of<'a>(migrations: impl IntoIterator<Item = &'a Migration>) -> Self {
        let mut newest: Vec<Predicted> = migrations.into_iter().filter_map(Predicted::of).collect();
        let compared: Vec<&Predicted> = newest.iter().filter(|predicted| !predicted.steered).collect();
        let within: Vec<bool> = compared.iter().filter_map(|predicted| predicted.is_within()).collect();
        let hits = within.iter().filter(|within| **within).count();
        let errors: Vec<f64> = compared.iter().filter_map(|predicted| predicted.error_percent()).collect();
        let pauses: Vec<u64> = compared.iter().filter_map(|predicted| predicted.pause_error_ms()).collect();
        let mut made = Self {
            compared: compared.len(),
            steered: newest.len() - compared.len(),
            coverage_percent: (!within.is_empty()).then(|| tenths(hits as f64 * 100.0 / within.len() as f64)),
            median_error_percent: at_rank(errors, 50, f64::total_cmp).map(tenths),
            pause_error_p90_ms: at_rank(pauses, 90, u64::cmp),
            wrong_verdicts: compared.iter().filter(|predicted| predicted.is_wrong_verdict()).count(),
            newest: Vec::new(),
        };
        newest.truncate(LISTED);
        made.newest = newest;
        made
    }
}

/// The smallest value that so many percent of all do not exceed (nearest rank).
fn at_rank<T>(mut values: Vec<T>, percent: usize, order: impl FnMut(&T, &T) -> std::cmp::Ordering) -> Option<T> {
    values.sort_by(order);
    let rank = (values.len() * percent).div_ceil(100);
    values.into_iter().nth(rank.checked_sub(1)?)
}

/// Rounded to a tenth.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Act, Outcome, examples};

    const NEVER: Ending = Ending::Never { needed_pause_ms: 9_000 };

    fn after(low_ms: u64, high_ms: u64) -> Ending {
        examples::after(low_ms, high_ms)
    }

    /// Of a policy that has to slow the guest.
    fn after_slowing() -> Ending {
        match after(1, 3) {
            Ending::After { low_ms, likely_ms, high_ms, pause_ms, likely_pause_ms, post_copy, .. } => {
                Ending::After { low_ms, likely_ms, high_ms, pause_ms, likely_pause_ms, guest_percent: 40, post_copy }
            }
            never @ Ending::Never { .. } => never,
        }
    }

    /// One that moved after `total_ms`, with a pause of 100 ms.
    fn moved(ending: Ending, total_ms: u64) -> Migration {
        let outcome = Outcome { total_ms, downtime_ms: Some(100), bytes: 1, average_bytes_s: 1 };
        Migration {
            phase: Phase::Succeeded,
            prediction: Some(examples::prediction(ending)),
            outcome: Some(outcome),
            ..examples::migration(1)
        }
    }

    fn with(what: Acted, by: Option<&str>, migration: Migration) -> Migration {
        Migration { acts: vec![Act { elapsed_ms: 1, what, by: by.map(str::to_owned) }], ..migration }
    }

    #[test]
    fn nothing_is_said_without_a_prediction() {
        assert_eq!(Predictions::of([]), Predictions::default());
        let none = Migration { prediction: None, ..moved(NEVER, 1) };
        let offline = Migration { mode: Mode::Offline, ..moved(NEVER, 1) };
        let failed = Migration { phase: Phase::Failed, ..moved(NEVER, 1) };
        let running = Migration { phase: Phase::Converging, ..moved(NEVER, 1) };
        let doubtful = Migration { outcome: None, ..moved(NEVER, 1) };
        assert_eq!(Predictions::of(&[none, offline, failed, running, doubtful]), Predictions::default());
    }

    #[test]
    fn times_and_pauses_are_compared() {
        // The middle is 10 s: the errors are 0 %, 25 %, 50 % and 100 %, and the last two are outside.
        let migrations = [10_000, 8_000, 20_000, 5_000].map(|total_ms| moved(after(8_000, 12_000), total_ms));
        let found = Predictions::of(&migrations);
        assert_eq!((found.compared, found.steered, found.wrong_verdicts), (4, 0, 0));
        assert_eq!((found.coverage_percent, found.median_error_percent), (Some(50.0), Some(25.0)));
        assert_eq!(found.pause_error_p90_ms, Some(200));
        let listed: Vec<u64> = found.newest.iter().map(|predicted| predicted.total_ms).collect();
        assert_eq!(listed, [10_000, 8_000, 20_000, 5_000], "in the order given");
        let mut unmeasured = migrations[0].clone();
        unmeasured.outcome.as_mut().unwrap().downtime_ms = None;
        assert_eq!(Predictions::of(&[unmeasured]).pause_error_p90_ms, None);
        let at_once = Predictions::of(&[moved(after(0, 0), 0)]);
        assert_eq!((at_once.coverage_percent, at_once.median_error_percent), (Some(100.0), Some(0.0)));
    }

    #[test]
    fn a_verdict_is_wrong_if_another_course_was_taken() {
        let by_itself = moved(after(1, 2), 2);
        let never_but_did = moved(NEVER, 2);
        let longer_pause = with(Acted::Pause { ms: 1_000 }, None, by_itself.clone());
        let slowed = Acted::Slowed { percent: 60 };
        let gave_up = Migration { phase: Phase::Cancelled, ..moved(NEVER, 2) };
        for (migration, is_wrong) in [
            (by_itself.clone(), false),
            (never_but_did.clone(), true),
            (longer_pause, false),
            (with(slowed, None, never_but_did.clone()), true),
            (with(slowed, None, by_itself.clone()), true),
            (with(slowed, None, moved(after_slowing(), 2)), false),
            (moved(after_slowing(), 2), true),
            (with(Acted::PostCopy, None, by_itself.clone()), true),
            (with(Acted::GaveUp, None, gave_up.clone()), false),
            (with(Acted::GaveUp, None, Migration { phase: Phase::Failed, ..moved(after_slowing(), 2) }), true),
            (with(Acted::GaveUp, None, Migration { phase: Phase::Cancelled, ..by_itself }), true),
        ] {
            let found = Predictions::of([&migration]);
            assert_eq!((found.compared, found.wrong_verdicts), (1, is_wrong.into()), "{migration:?}");
        }
        let found = Predictions::of(&[with(Acted::GaveUp, None, gave_up), never_but_did]);
        assert_eq!((found.coverage_percent, found.median_error_percent), (None, None), "no time was predicted");
    }

    #[test]
    fn a_guest_that_is_paused_was_to_be_paused_if_that_was_said() {
        let paused = |pause_ms| {
            let Ending::After { low_ms, likely_ms, high_ms, likely_pause_ms, guest_percent, post_copy, .. } =
                after(1, 3)
            else {
                unreachable!("it is predicted to end");
            };
            let ending =
                Ending::After { low_ms, likely_ms, high_ms, pause_ms, likely_pause_ms, guest_percent, post_copy };
            Migration { policy: Policy::Certain, ..with(Acted::GuestPaused, None, moved(ending, 2)) }
        };
        assert_eq!(Predictions::of([&paused(20_000)]).wrong_verdicts, 0, "a pause of 20 s was announced");
        assert_eq!(Predictions::of([&paused(1_000)]).wrong_verdicts, 1, "it was to end by itself");
    }

    #[test]
    fn what_waited_in_the_queue_did_not_take_longer() {
        let waited = Migration { waited_ms: 60_000, ..moved(after(8_000, 12_000), 70_000) };
        let found = Predictions::of([&waited]);
        assert_eq!((found.coverage_percent, found.newest[0].total_ms), (Some(100.0), 10_000));
    }

    #[test]
    fn what_a_person_steered_is_listed_and_not_compared() {
        let faster = with(Acted::Bandwidth { mib_s: 100 }, Some("ada"), moved(after(8_000, 12_000), 3_000));
        let found = Predictions::of([&faster, &moved(after(1, 3), 2)]);
        assert_eq!((found.compared, found.steered, found.newest.len()), (1, 1, 2));
        assert_eq!(found.coverage_percent, Some(100.0));
    }

    #[test]
    fn all_are_compared_and_the_newest_listed() {
        let migrations: Vec<Migration> = (1..=60).map(|total_ms| moved(after(0, 60), total_ms)).collect();
        let found = Predictions::of(&migrations);
        assert_eq!((found.compared, found.newest.len(), found.newest[0].total_ms), (60, LISTED, 1));
    }

    #[test]
    fn ranks_are_the_nearest() {
        let at = |values: &[u64], percent| at_rank(values.to_vec(), percent, u64::cmp);
        assert_eq!(at(&[], 50), None);
        assert_eq!(at(&[7], 90), Some(7));
        assert_eq!(at(&[4, 1, 3, 2], 50), Some(2));
        assert_eq!(at(&(1..=10).collect::<Vec<_>>(), 90), Some(9));
        assert_eq!(at(&(1..=11).collect::<Vec<_>>(), 90), Some(10));
    }
}
