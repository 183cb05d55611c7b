//! What a person reads of the runs: a line for each, what was violated, and the table.

use std::{collections::BTreeMap, fmt::Write};

use crate::run::Outcome;

/// All runs of a sitting.
#[derive(Default)]
pub struct Report {
    outcomes: Vec<Outcome>,
    /// Runs that could not be judged: the bed's fault, or a console that does not answer.
    broken: Vec<String>,
    /// How many runs were asked for.
    asked: usize,
    /// Why runs were passed over, and how many.
    passed_over: BTreeMap<String, usize>,
}

impl Report {
    /// Adds a run and prints its line, and what was violated with all that repeats it.
    pub fn add(&mut self, seed: u64, outcome: Outcome) {
        let Outcome { run, plan, hit, end, ms, violations, observed, record, .. } = &outcome;
        let total: u64 = ms.iter().sum();
        let mark = if violations.is_empty() { "ok" } else { "VIOLATION" };
        let missed = if *hit { "" } else { " (missed)" };
        println!("{mark} run {run}, {}.{} s {ms:?}: {plan}{missed} -> {end}", total / 1000, total % 1000 / 100);
        for line in observed {
            println!("    {line}");
        }
        for violation in violations {
            println!("    {}: {}", violation.kind, violation.text);
        }
        if !violations.is_empty() {
            println!("    record: {record}\n    again: cargo xtask faults --seed {seed} --only run={run}");
        }
        self.outcomes.push(outcome);
    }

    /// Adds a run that could not be judged.
    pub fn add_broken(&mut self, run: u64, error: &str) {
        println!("BROKEN run {run}: {error}");
        self.broken.push(format!("run {run}: {error}"));
    }

    /// Adds a run that is not possible on this machine.
    pub fn add_passed_over(&mut self, run: u64, why: String) {
        println!("passed over run {run}: {why}");
        *self.passed_over.entry(why).or_default() += 1;
    }

    /// Of so many runs.
    pub fn of(asked: usize) -> Self {
        Self { asked, ..Self::default() }
    }

    /// Whether everything is as it has to be: nothing was violated or is broken, at least half of the runs were judged, and at least
    /// half of those that aimed at the switch-over hit it.
    pub fn is_clean(&self) -> bool {
        let switch = self.outcomes.iter().filter(|outcome| outcome.moment == "switch");
        let (aimed, hit) = (switch.clone().count(), switch.filter(|outcome| outcome.hit).count());
        let is_enough = self.outcomes.len() >= self.asked.div_ceil(2) && hit >= aimed / 2;
        is_enough && self.broken.is_empty() && self.outcomes.iter().all(|outcome| outcome.violations.is_empty())
    }

    /// The sums, for the end of the output.
    pub fn summary(&self) -> String {
        let runs = self.outcomes.len();
        let violated = self.outcomes.iter().filter(|outcome| !outcome.violations.is_empty()).count();
        let switch = self.outcomes.iter().filter(|outcome| outcome.moment == "switch" && outcome.hit).count();
        let missed = self.outcomes.iter().filter(|outcome| !outcome.hit).count();
        let seconds: u64 = self.outcomes.iter().map(|outcome| outcome.ms.iter().sum::<u64>()).sum::<u64>() / 1000;
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for violation in self.outcomes.iter().flat_map(|outcome| &outcome.violations) {
            *kinds.entry(&violation.kind).or_default() += 1;
        }
        format!(
            "{runs} of {} runs judged, {missed} missed their moment, {switch} at the switch-over, {violated} with violations {kinds:?}, {} broken; {:.1} s a run",
            self.asked,
            self.broken.len(),
            seconds as f64 / runs.max(1) as f64
        )
    }

    /// What is written to a file: versions, sums and the table.
    pub fn page(&self, versions: &str) -> String {
        let mut page = format!("{versions}.\n\n{}.\n\n{}", self.summary(), self.table());
        for (why, runs) in &self.passed_over {
            let _ = writeln!(page, "\nPassed over in {runs} runs: {why}.");
        }
        page
    }

    /// The table fault by phase, in Markdown: runs, and violations where there are any.
    pub fn table(&self) -> String {
        let columns: Vec<&str> = sorted(self.outcomes.iter().map(|outcome| outcome.moment.as_str()));
        let rows: Vec<&str> = sorted(self.outcomes.iter().map(|outcome| outcome.fault.as_str()));
        let mut table = format!("| fault | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
        for row in rows {
            let _ = write!(table, "| {row} |");
            for column in &columns {
                let cell = || self.outcomes.iter().filter(|one| one.fault == row && one.moment == *column);
                let (runs, bad) = (cell().count(), cell().filter(|one| !one.violations.is_empty()).count());
                let _ = match (runs, bad) {
                    (0, _) => write!(table, " |"),
                    (runs, 0) => write!(table, " {runs} |"),
                    (runs, bad) => write!(table, " {runs}, **{bad} violated** |"),
                };
            }
            table.push('\n');
        }
        table
    }
}

fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let unique: std::collections::BTreeSet<&str> = words.collect();
    unique.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn judged(moment: &str, hit: bool) -> Outcome {
        let (moment, words) = (moment.to_owned(), String::new);
        let (violations, observed) = (Vec::new(), Vec::new());
        let (plan, fault, end) = (words(), words(), words());
        Outcome { run: 0, plan, fault, moment, hit, end, ms: [0; 4], violations, observed, record: Value::Null }
    }

    #[test]
    fn too_few_runs_prove_nothing() {
        let mut report = Report::of(4);
        report.add(1, judged("random", true));
        report.add_passed_over(1, "no root".to_owned());
        assert!(!report.is_clean());
        report.add(1, judged("random", false));
        assert!(report.is_clean());
    }

    #[test]
    fn moments_that_are_missed_prove_nothing() {
        let mut report = Report::of(4);
        (0..3).for_each(|_| report.add(1, judged("switch", false)));
        assert!(!report.is_clean());
        report.add(1, judged("switch", true));
        assert!(!report.is_clean());
        report.add(1, judged("switch", true));
        assert!(report.is_clean());
    }
}
