//! The results of all trials, as a table.

use std::io::{self, Write};

use model::{FindingCode, Severity};

use crate::obstacle::Outcome;

/// The result of one trial.
#[derive(Clone)]
pub struct Row {
    pub obstacle: &'static str,
    /// The two hosts.
    pub hosts: String,
    pub code: FindingCode,
    pub severity: Severity,
    pub outcome: Outcome,
    /// How preflight and outcome disagree, if they do.
    pub disagreement: Option<String>,
    /// The error of libvirt or the engine, if the migration failed.
    pub words: Option<String>,
}

impl Row {
    fn show(&self) -> String {
        let Self { obstacle, hosts, code, severity, outcome, .. } = self;
        let (code, severity) = (code.as_str(), severity.as_str());
        let outcome = match outcome {
            Outcome::Succeeds => "succeeds",
            Outcome::Arrives => "arrives",
            Outcome::Fails => "fails",
        };
        let agree = if self.disagreement.is_none() { "yes" } else { "NO" };
        let words = self.words.as_deref().and_then(|words| words.lines().next()).unwrap_or_default();
        format!("{obstacle:52} {hosts:15} {code:22} {severity:8} {outcome:8} {agree:5} {words}\n")
    }
}

/// Prints all rows below a heading, and how many agree. Not with a macro, whose output the test harness captures.
pub fn print(title: &str, rows: &[Row]) {
    let agreeing = rows.iter().filter(|row| row.disagreement.is_none()).count();
    let obstacles = rows.iter().filter(|row| row.severity != Severity::Ok).count();
    let mut text = format!(
        "\n{title}: preflight and truth agree about {agreeing} of {}: {obstacles} obstacles, and {} VMs with none\n",
        rows.len(),
        rows.len() - obstacles
    );
    text += &format!(
        "{:52} {:15} {:22} {:8} {:8} {:5} {}\n",
        "obstacle", "hosts", "finding", "severity", "started", "agree", "error"
    );
    text.extend(rows.iter().map(Row::show));
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Every disagreement in full.
pub fn disagreements(rows: &[Row]) -> String {
    let lines = rows.iter().filter_map(|row| Some(format!("{}: {}\n", row.obstacle, row.disagreement.as_ref()?)));
    lines.collect()
}
