//! A migration's record and history, as the API tells it.

use serde_json::Value;

/// The answer of `GET /api/migrations/<id>`.
#[derive(Clone, Debug)]
pub struct Record(pub Value);

impl Record {
    /// Its phase, e.g. `copying-memory`.
    pub fn phase(&self) -> &str {
        self.0["migration"]["phase"].as_str().unwrap_or_default()
    }

    /// Whether it has ended. `needs-attention` is an end that may be settled later.
    pub fn has_ended(&self) -> bool {
        !self.0["migration"]["ended_at_ms"].is_null() || self.needs_attention()
    }

    /// When it ended, in ms since 1970.
    pub fn ended_at_ms(&self) -> Option<u64> {
        self.0["migration"]["ended_at_ms"].as_u64()
    }

    /// Whether it says that a person has to look.
    pub fn needs_attention(&self) -> bool {
        self.phase() == "needs-attention"
    }

    /// Where the VM was to go: a host's name.
    pub fn destination(&self) -> Option<&str> {
        self.0["migration"]["destination"].as_str()
    }

    /// Whether it has moved the VM away from this host.
    pub fn moved_from(&self, host: &str) -> bool {
        self.phase() == "succeeded" && self.0["migration"]["source"] == host
    }

    /// Why it failed, what it waits for, or what needs attention.
    pub fn problem(&self) -> Option<&str> {
        self.0["migration"]["problem"]["sentence"].as_str()
    }

    /// The one safe next step that it offers.
    pub fn step(&self) -> Option<&Value> {
        Some(&self.0["migration"]["step"]).filter(|step| !step.is_null())
    }

    /// Whether it names a volume of this name as one that a person has to decide about.
    pub fn leaves_to_a_person(&self, volume: &str) -> bool {
        let leftovers = self.0["migration"]["leftovers"].as_array();
        leftovers.is_some_and(|all| all.iter().any(|left| left["name"] == volume && !left["problem"].is_null()))
    }

    /// How far it is, in percent.
    pub fn percent(&self) -> f64 {
        self.0["migration"]["progress"]["percent"].as_f64().unwrap_or_default()
    }

    /// What it says in a line.
    pub fn told(&self) -> String {
        match self.problem() {
            Some(problem) => format!("{}: {problem}", self.phase()),
            None => self.phase().to_owned(),
        }
    }
}
