//! What vmferry itself did that lets a copy run, by the words of its history, which has no other mark of it.

use serde_json::Value;

/// What the engine writes when it lets the source's copy go on (`reconcile.rs`), and when a step was taken (`step.rs`).
const GOES_ON: &str = "and it has never run on ";
const RESUMED: &str = " was resumed on ";
const STARTED: &str = " was started on ";

/// The sentence of the first act before this time, in ms since 1970, after which a copy runs that did not.
pub fn act_before(record: &Value, at_ms: u64) -> Option<&str> {
    let history = record["history"].as_array()?;
    let before = history.iter().filter(|entry| entry["at_ms"].as_u64().is_some_and(|at| at <= at_ms));
    before.filter_map(|entry| entry["text"].as_str()).find(|text| lets_run(text))
}

fn lets_run(text: &str) -> bool {
    [GOES_ON, RESUMED, STARTED].iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn these_are_the_words_of_the_engine() {
        assert!(include_str!("../../../engine/src/migration/reconcile.rs").contains(GOES_ON));
        let steps = include_str!("../../../../app/model/src/step.rs");
        assert!(steps.contains(RESUMED) && steps.contains(STARTED));
    }

    #[test]
    fn only_what_was_done_before_counts() {
        let text = "alpha had db paused for the migration, and it has never run on beta: it goes on there.";
        let record = json!({"history": [{"at_ms": 5, "text": "Queued."}, {"at_ms": 7, "text": text}]});
        assert_eq!(act_before(&record, 6), None);
        assert_eq!(act_before(&record, 7), Some(text));
        assert_eq!(act_before(&json!({}), 7), None);
    }
}
