//! What came of it.

use std::{collections::BTreeMap, time::Duration};

use crate::figures::median;

/// How the host is emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// By a plan of the console.
    Planned,
    /// By a script with so many at once.
    Fixed(usize),
}

impl Way {
    fn name(self) -> String {
        match self {
            Self::Planned => "a plan".to_owned(),
            Self::Fixed(at_once) => format!("a script, {at_once} at once"),
        }
    }
}

/// What came of one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) total: Duration,
    /// By QEMU, in ms.
    pub(crate) longest_pause_ms: Option<u64>,
    /// How long the plan took it to last.
    pub(crate) planned: Option<Duration>,
    /// What it takes at least by the plan: what has to be sent, over what the links carry.
    pub(crate) bound: Option<Duration>,
    /// By which part the estimate after the first fifth was off.
    pub(crate) estimate: Option<f64>,
}

/// How much longer it was taken to last, at some time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    pub(crate) at: Duration,
    pub(crate) left: Duration,
}

impl Estimate {
    /// By which part of the real total it is off.
    pub(crate) fn error(self, total: Duration) -> f64 {
        (self.at + self.left).as_secs_f64() / total.as_secs_f64() - 1.0
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Report {
    outcomes: BTreeMap<Way, Vec<Outcome>>,
}

impl Report {
    pub(crate) fn add(&mut self, way: Way, outcome: Outcome) {
        self.outcomes.entry(way).or_default().push(outcome);
    }

    /// Medians, as a table in Markdown.
    pub(crate) fn table(&self) -> String {
        let total = |outcomes: &[Outcome]| median(outcomes.iter().map(|one| one.total.as_secs_f64()));
        let ours = self.outcomes.get(&Way::Planned).and_then(|outcomes| total(outcomes));
        let bound = self.outcomes.get(&Way::Planned).and_then(|outcomes| seconds(outcomes, |one| one.bound));
        let mut table = String::from(
            "| emptied by | runs | total | over the bound | a plan is shorter by | longest pause |\n|---|--:|--:|--:|--:|--:|\n",
        );
        for (way, outcomes) in &self.outcomes {
            let total = total(outcomes);
            let cells = [
                way.name(),
                outcomes.len().to_string(),
                shown(total, |total| format!("{total:.1} s")),
                shown(total.zip(bound), |(total, bound)| format!("{:.2}", total / bound)),
                match way {
                    Way::Planned => "-".to_owned(),
                    Way::Fixed(_) => {
                        shown(total.zip(ours), |(total, ours)| format!("{:.0} %", 100.0 * (1.0 - ours / total)))
                    }
                },
                shown(outcomes.iter().filter_map(|one| one.longest_pause_ms).max(), |ms| format!("{ms} ms")),
            ];
            table += &format!("| {} |\n", cells.join(" | "));
        }
        if let Some(planned) = self.outcomes.get(&Way::Planned) {
            let off = median(planned.iter().filter_map(|one| one.estimate).map(f64::abs));
            table += &format!(
                "\nBound {}; the plans said {}. The estimate after the first fifth was off by {} (median).\n",
                shown(bound, |bound| format!("{bound:.1} s")),
                shown(seconds(planned, |one| one.planned), |planned| format!("{planned:.1} s")),
                shown(off, |off| format!("{:.0} %", 100.0 * off)),
            );
        }
        table
    }
}

/// One, in a line.
pub(crate) fn line(way: Way, outcome: &Outcome) -> String {
    format!("{}: {outcome:.1?}", way.name())
}

fn seconds(outcomes: &[Outcome], what: impl Fn(&Outcome) -> Option<Duration>) -> Option<f64> {
    median(outcomes.iter().filter_map(what).map(|time| time.as_secs_f64()))
}

fn shown<Value>(value: Option<Value>, show: impl Fn(Value) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}
