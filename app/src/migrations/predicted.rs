//! What was predicted of a migration before it began, beside what came of it.

use model::{Ending, Migration, Outcome, Phase, Prediction, text};

/// In a sentence: `Predicted 12 s to 20 s, took 14 s; pause predicted at most 300 ms, was 110 ms.` None unless it succeeded and was
/// predicted.
pub(crate) fn predicted_and_came(migration: &Migration) -> Option<String> {
    if migration.phase != Phase::Succeeded {
        return None;
    }
    let (Prediction { ending, .. }, Outcome { total_ms, downtime_ms, .. }) =
        (migration.prediction?, migration.outcome?);
    let took = text::duration(total_ms);
    let paused = downtime_ms.map(text::duration);
    let (predicted, pause) = match ending {
        Ending::After { low_ms, high_ms, pause_ms, .. } => (
            format!("Predicted {}", text::span(low_ms, high_ms)),
            format!("predicted at most {}", text::duration(pause_ms)),
        ),
        Ending::Never { needed_pause_ms } => (
            "Predicted not to finish by itself".to_owned(),
            format!("{} predicted to be needed", text::duration(needed_pause_ms)),
        ),
    };
    Some(match paused {
        Some(paused) => format!("{predicted}, took {took}; pause {pause}, was {paused}."),
        None => format!("{predicted}, took {took}."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::examples;

    fn ended(ending: Ending, downtime_ms: Option<u64>) -> Migration {
        Migration {
            phase: Phase::Succeeded,
            prediction: Some(examples::prediction(ending)),
            outcome: Some(Outcome { total_ms: 14_000, downtime_ms, ..Outcome::default() }),
            ..examples::migration(1)
        }
    }

    #[test]
    fn what_came_is_beside_what_was_predicted() {
        let after = examples::after(12_000, 20_000);
        let told = predicted_and_came(&ended(after, Some(110)));
        assert_eq!(
            told.as_deref(),
            Some("Predicted 12 s to 20 s, took 14 s; pause predicted at most 300 ms, was 110 ms.")
        );
        let told = predicted_and_came(&ended(Ending::Never { needed_pause_ms: 1_900 }, Some(950)));
        assert_eq!(
            told.as_deref(),
            Some("Predicted not to finish by itself, took 14 s; pause 1.9 s predicted to be needed, was 950 ms.")
        );
        assert_eq!(predicted_and_came(&ended(after, None)).as_deref(), Some("Predicted 12 s to 20 s, took 14 s."));
    }

    #[test]
    fn a_failure_says_nothing_of_the_prediction() {
        let after = examples::after(12_000, 20_000);
        assert_eq!(predicted_and_came(&Migration { phase: Phase::Failed, ..ended(after, None) }), None);
        assert_eq!(predicted_and_came(&Migration { prediction: None, ..ended(after, None) }), None);
    }
}
