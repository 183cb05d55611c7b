//! When a migration will end.

use super::{duration, rate, span};
use crate::{Ending, PolicyPrediction, Prediction};

/// How long a live migration will take, in a sentence with numbers, and what is not known about it.
pub fn prediction(prediction: &Prediction) -> String {
    let link = rate(prediction.throughput_bytes_s);
    let link = if prediction.throughput_measured {
        format!("{link}, as measured in earlier migrations to this host")
    } else {
        format!("{link}, which is its limit and was not measured")
    };
    let written = prediction.dirty_bytes_s.map(rate);
    match prediction.ending {
        Ending::After { .. } => {
            let written = written.map_or_else(
                || "What the guest writes meanwhile is not measured.".to_owned(),
                |written| format!("The guest writes {written}."),
            );
            format!("About {}, if the link carries {link}. {written}", ending(&prediction.ending))
        }
        Ending::Never { needed_pause_ms } => {
            let written = written.as_deref().unwrap_or("too much");
            let pause = duration(needed_pause_ms);
            let does = format!(
                "Does not end by itself at this rate: the guest writes {written}, the link carries {link}. It would take a pause of {pause}"
            );
            let ends = |predicted: &&PolicyPrediction| matches!(predicted.ending, Ending::After { .. });
            match prediction.policies.iter().find(ends) {
                Some(PolicyPrediction { policy, ending: with }) => {
                    format!("{does}. With {} about {}.", policy.as_str(), ending(with))
                }
                None => format!("{does}."),
            }
        }
    }
}

/// When a migration ends, without a full stop: `12 s to 16 s, with a pause of at most 300 ms`.
pub fn ending(ending: &Ending) -> String {
    match *ending {
        Ending::After { low_ms, high_ms, pause_ms, guest_percent, post_copy, .. } => {
            let mut parts = vec![span(low_ms, high_ms)];
            if guest_percent < 100 {
                parts.push(format!("the guest slowed to {guest_percent} %"));
            }
            if post_copy {
                parts.push("with post-copy".to_owned());
            }
            parts.push(format!("with a pause of at most {}", duration(pause_ms)));
            parts.join(", ")
        }
        Ending::Never { needed_pause_ms } => {
            format!("does not end by itself, it would take a pause of {}", duration(needed_pause_ms))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_says_what_it_stands_on() {
        let mut known = crate::examples::prediction(after(100, false));
        assert_eq!(
            prediction(&known),
            "About 2.0 s to 5.0 s, with a pause of at most 300 ms, if the link carries 100 MiB/s, which is its limit and \
             was not measured. What the guest writes meanwhile is not measured."
        );
        known.throughput_measured = true;
        known.dirty_bytes_s = Some(200 << 20);
        known.ending = Ending::Never { needed_pause_ms: 1_500 };
        assert_eq!(
            prediction(&known),
            "Does not end by itself at this rate: the guest writes 200 MiB/s, the link carries 100 MiB/s, as measured in \
             earlier migrations to this host. It would take a pause of 1.5 s. With gentle about 2.0 s to 5.0 s, with a pause of \
             at most 300 ms."
        );
        known.policies[0].ending = known.ending;
        known.policies[1].ending = after(40, false);
        assert!(prediction(&known).ends_with(
            "It would take a pause of 1.5 s. With balanced about 2.0 s to 5.0 s, the guest slowed to 40 %, with a pause of at most \
             300 ms."
        ));
        known.policies = known.policies.map(|predicted| PolicyPrediction { ending: known.ending, ..predicted });
        assert!(prediction(&known).ends_with("It would take a pause of 1.5 s."));
    }

    fn after(guest_percent: u8, post_copy: bool) -> Ending {
        let (low_ms, likely_ms, high_ms, pause_ms, likely_pause_ms) = (2_000, 3_000, 5_000, 300, 100);
        Ending::After { low_ms, likely_ms, high_ms, pause_ms, likely_pause_ms, guest_percent, post_copy }
    }

    #[test]
    fn an_ending_says_what_becomes_of_the_guest() {
        assert_eq!(ending(&after(100, true)), "2.0 s to 5.0 s, with post-copy, with a pause of at most 300 ms");
        let never = Ending::Never { needed_pause_ms: 1_500 };
        assert_eq!(ending(&never), "does not end by itself, it would take a pause of 1.5 s");
    }
}
