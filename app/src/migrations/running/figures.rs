//! The figures of a migration while it runs.

use leptos::prelude::*;
use model::{Migration, Mode, Progress, text};

use crate::migrations::pause_limit::pause_limit_ms;
use crate::ui::{fact::Fact, time::Elapsed};

/// The figures: of a VM that is shut off only those of its disks.
#[component]
pub(super) fn Figures(migration: Signal<Migration>) -> impl IntoView {
    let progress = move |words: fn(&Progress) -> String| move || words(&migration.read().progress);
    let is_live = migration.read_untracked().mode == Mode::Live;
    let memory = is_live.then(|| {
        view! {
            <Fact name="Guest writes">{progress(written)}</Fact>
            <Fact name="Memory pass">{progress(|p| p.memory_pass.max(1).to_string())}</Fact>
        }
    });
    let policy = is_live.then(|| {
        view! {
            <Fact name="Policy">{move || migration.read().policy.label()}</Fact>
            <Fact name="Longest pause">{move || text::duration(pause_limit_ms(&migration.read()).into())}</Fact>
            <Fact name="Guest slowed">{progress(slowed)}</Fact>
        }
    });
    view! {
        <dl class="figures">
            <Fact name="Sent">{move || sent(&migration.read())}</Fact>
            <Fact name="Throughput">{progress(|p| text::rate(p.throughput_bytes_s))}</Fact>
            {memory}
            <Fact name="Running for">
                <Elapsed migration />
            </Fact>
            {policy}
        </dl>
    }
}

/// What was sent and what is left: `120 MiB of 258 MiB`, or once memory that has changed was sent again
/// `3.7 GiB (14 times its memory), 120 MiB left`.
fn sent(migration: &Migration) -> String {
    let Progress { bytes_total, bytes_processed, bytes_remaining, .. } = migration.progress;
    if bytes_total == 0 {
        return "nothing yet".to_owned();
    }
    let processed = text::bytes(bytes_processed);
    if bytes_processed <= bytes_total {
        return format!("{processed} of {}", text::bytes(bytes_total));
    }
    let what = if migration.disks.is_empty() { "its memory" } else { "its memory and disks" };
    let tenths = (bytes_processed as f64 / bytes_total as f64 * 10.0).round() as u64;
    let times = match tenths {
        0..100 if !tenths.is_multiple_of(10) => format!("{}.{}", tenths / 10, tenths % 10),
        _ => (tenths / 10).to_string(),
    };
    format!("{processed} ({times} times {what}), {} left", text::bytes(bytes_remaining))
}

fn written(progress: &Progress) -> String {
    match progress.memory_pass {
        0 | 1 => "not measured yet".to_owned(),
        _ => text::rate(progress.dirty_bytes_s),
    }
}

fn slowed(progress: &Progress) -> String {
    match progress.slowed_percent {
        0 => "no".to_owned(),
        percent => format!("by {percent} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::examples;

    #[test]
    fn before_data_is_sent_there_are_no_numbers() {
        assert_eq!(sent(&examples::migration(1)), "nothing yet");
    }

    #[test]
    fn memory_that_was_sent_again_is_not_a_part_of_the_whole() {
        let mut migration = examples::migration(1);
        for (processed_mib, words) in [
            (120, "120 MiB of 258 MiB"),
            (258, "258 MiB of 258 MiB"),
            (516, "516 MiB (2 times its memory), 120 MiB left"),
            (387, "387 MiB (1.5 times its memory), 120 MiB left"),
            (3_789, "3.7 GiB (14 times its memory), 120 MiB left"),
        ] {
            migration.progress = Progress {
                bytes_total: 258 << 20,
                bytes_processed: processed_mib << 20,
                bytes_remaining: 120 << 20,
                ..Progress::default()
            };
            assert_eq!(sent(&migration), words);
        }
    }
}
