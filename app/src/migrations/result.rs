//! How a migration ended, in a sentence and in figures.

use leptos::prelude::*;
use model::{Migration, Outcome, Phase, text};

use crate::migrations::{attention::AttentionNote, predicted::predicted_and_came};
use crate::ui::{
    fact::Fact,
    icon::{Draw, Icon},
    problem::ProblemNote,
};

/// The result, and what can be done next.
#[component]
pub(super) fn Ended(migration: Signal<Migration>) -> impl IntoView {
    let summary = move || text::summary(&migration.read());
    let problem = Memo::new(move |_| migration.read().problem.clone());
    let leftovers = Memo::new(move |_| text::leftovers(&migration.read()));
    let predicted = Memo::new(move |_| predicted_and_came(&migration.read()));
    let outcome = Memo::new(move |_| migration.read().outcome);
    let offers_again = move || matches!(migration.read().phase, Phase::Failed | Phase::Cancelled);
    let again = move || format!("/vms/{}/migrate", migration.read().vm);
    let id = migration.read_untracked().id;
    let step = Memo::new(move |_| migration.read().step.clone());
    let needs_attention = Memo::new(move |_| migration.read().phase == Phase::NeedsAttention);
    let note = move || {
        problem.get().map(|problem| match needs_attention.get() {
            true => view! { <AttentionNote id problem step=step.get() /> }.into_any(),
            false => view! { <ProblemNote problem /> }.into_any(),
        })
    };
    view! {
        <p class="result">{summary}</p>
        <div role="alert">{note}</div>
        <Show when=move || needs_attention.get()>
            <p class="hint">
                "vmferry asks all hosts again every few seconds. As soon as they agree on where the VM is, it is settled here."
            </p>
        </Show>
        {move || leftovers.with(|left| (!left.is_empty()).then(|| view! { <Left sentences=left.clone() /> }))}
        {move || outcome.get().map(|outcome| view! { <Figures outcome /> })}
        {move || predicted.get().map(|sentence| view! { <p class="predicted">{sentence}</p> })}
        <div class="buttons">
            <Show when=offers_again>
                <a class="button primary" href=again>
                    "Try again"
                </a>
            </Show>
            <a class="button" href="/">
                "Back to the VMs"
            </a>
        </div>
    }
}

/// What it has left on hosts.
#[component]
fn Left(sentences: Vec<String>) -> impl IntoView {
    let sentence = |text: String| view! { <p>{text}</p> };
    view! {
        <div class="note note-warn leftovers">
            <Draw icon=Icon::Warning />
            <div class="note-text">{sentences.into_iter().map(sentence).collect_view()}</div>
        </div>
    }
}

#[component]
fn Figures(outcome: Outcome) -> impl IntoView {
    let Outcome { total_ms, downtime_ms, bytes, average_bytes_s } = outcome;
    let downtime = |ms| view! { <Fact name="VM paused for">{text::duration(ms)}</Fact> };
    view! {
        <dl class="figures">
            <Fact name="Total time">{text::duration(total_ms)}</Fact>
            {downtime_ms.map(downtime)}
            <Fact name="Sent">{text::bytes(bytes)}</Fact>
            <Fact name="Average throughput">{text::rate(average_bytes_s)}</Fact>
        </dl>
    }
}
