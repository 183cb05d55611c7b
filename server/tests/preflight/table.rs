//! What came of all trials.

use std::io::{self, Write};

use model::{FindingCode, Severity};

use crate::obstacle::Truth;

/// What came of one.
#[derive(Clone)]
pub struct Row {
    pub obstacle: &'static str,
    /// Where it was tried.
    pub hosts: String,
    pub code: FindingCode,
    pub severity: Severity,
    pub truth: Truth,
    /// Where preflight and truth disagree.
    pub disagreement: Option<String>,
    /// What libvirt or the engine said when it was started anyway.
    pub words: Option<String>,
}

impl Row {
    fn show(&self) -> String {
        let Self { obstacle, hosts, code, severity, truth, .. } = self;
        let (code, severity) = (code.as_str(), severity.as_str());
        let truth = match truth {
            Truth::Goes => "goes",
            Truth::Fails => "fails",
        };
        let agree = if self.disagreement.is_none() { "yes" } else { "NO" };
        let words = self.words.as_deref().and_then(|words| words.lines().next()).unwrap_or_default();
        format!("{obstacle:52} {hosts:15} {code:22} {severity:8} {truth:6} {agree:4} {words}\n")
    }
}

/// Prints all rows below a heading, and how many agree. Not by a macro: the test harness would keep that to itself.
pub fn print(title: &str, rows: &[Row]) {
    let agreeing = rows.iter().filter(|row| row.disagreement.is_none()).count();
    let obstacles = rows.iter().filter(|row| row.severity != Severity::Ok).count();
    let mut text = format!(
        "\n{title}: preflight and truth agree about {agreeing} of {}: {obstacles} obstacles, and {} VMs with none\n",
        rows.len(),
        rows.len() - obstacles
    );
    text += &format!(
        "{:52} {:15} {:22} {:8} {:6} {:4} {}\n",
        "obstacle", "hosts", "finding", "severity", "anyway", "so?", "in whose words"
    );
    text.extend(rows.iter().map(Row::show));
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Every disagreement in full.
pub fn disagreements(rows: &[Row]) -> String {
    let told = rows.iter().filter_map(|row| Some(format!("{}: {}\n", row.obstacle, row.disagreement.as_ref()?)));
    told.collect()
}
