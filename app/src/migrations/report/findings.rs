//! The findings of a preflight.

use leptos::prelude::*;
use model::{Finding, FindingCode, Preflight, Problem, Severity, text};

use crate::ui::problem::Details;

/// What a host's card says: what speaks for it, or what stands in the way and, on opening, what to do about it.
#[component]
pub(crate) fn Verdict(preflight: Result<Preflight, Problem>) -> impl IntoView {
    let preflight = match preflight {
        Ok(preflight) => preflight,
        Err(Problem { sentence, fix, .. }) => return view! { <Blocked sentence fix /> }.into_any(),
    };
    if preflight.is_possible() {
        return view! { <p>{text::merits(&preflight)}</p> }.into_any();
    }
    let mut blockers = preflight.of(Severity::Blocker);
    let sentence = blockers.next().map(|first| first.text.clone()).unwrap_or_default();
    let sentence = match blockers.count() {
        0 => sentence,
        more => format!("{sentence} (and {more} more)"),
    };
    let fixes: Vec<_> = preflight.of(Severity::Blocker).filter_map(|blocker| blocker.fix.as_deref()).collect();
    let fix = (!fixes.is_empty()).then(|| fixes.join(" "));
    view! { <Blocked sentence fix /> }.into_any()
}

#[component]
fn Blocked(sentence: String, fix: Option<String>) -> impl IntoView {
    match fix {
        None => view! { <p class="blocked">{sentence}</p> }.into_any(),
        Some(fix) => view! {
            <details class="blocked">
                <summary>{sentence}</summary>
                <p class="fix">{fix}</p>
            </details>
        }
        .into_any(),
    }
}

/// All findings: what an admin should know as a list, checks that passed folded away. What is accepted already is ticked.
#[component]
pub(crate) fn Findings(
    /// The destination.
    #[prop(into)]
    host: Signal<String>,
    #[prop(into)] findings: Signal<Vec<Finding>>,
    #[prop(into)] accepted: Signal<Vec<FindingCode>>,
) -> impl IntoView {
    let told = Memo::new(move |_| entries(&host.read(), &findings.read(), |severity| severity != Severity::Ok));
    let passed = Memo::new(move |_| entries(&host.read(), &findings.read(), |severity| severity == Severity::Ok));
    let heading = move || match passed.read().len() {
        1 => "1 check passed".to_owned(),
        checks => format!("{checks} checks passed"),
    };
    view! {
        <Show when=move || !told.read().is_empty()>
            <ul class="findings">
                <For each=move || told.get() key=|(key, _)| key.clone() let((_, finding))>
                    <Entry finding accepted />
                </For>
            </ul>
        </Show>
        <Show when=move || !passed.read().is_empty()>
            <details class="passed">
                <summary>{heading}</summary>
                <ul class="findings">
                    <For each=move || passed.get() key=|(key, _)| key.clone() let((_, finding))>
                        <Entry finding accepted />
                    </For>
                </ul>
            </details>
        </Show>
    }
}

/// Findings with their keys: the host and the whole finding, so that a tick given to one never passes to another.
fn entries(host: &str, findings: &[Finding], is_wanted: impl Fn(Severity) -> bool) -> Vec<(String, Finding)> {
    let wanted = findings.iter().filter(|finding| is_wanted(finding.severity));
    wanted.enumerate().map(|(place, finding)| (format!("{host} {place} {finding:?}"), finding.clone())).collect()
}

#[component]
fn Entry(finding: Finding, accepted: Signal<Vec<FindingCode>>) -> impl IntoView {
    let Finding { code, severity, text, fix, details, consent, .. } = finding;
    let word = match severity {
        Severity::Blocker => "Blocker: ",
        Severity::Warning => "Warning: ",
        Severity::Unknown => "Unknown: ",
        Severity::Ok => "",
    };
    let sentence = view! { <span class="hidden">{word}</span> {text} };
    let sentence = if consent {
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    name="request[accept][]"
                    value=code.as_str()
                    id=format!("accept-{}", code.as_str())
                    checked=accepted.read_untracked().contains(&code)
                    required
                />
                <span>{sentence} <small>"I accept this risk"</small></span>
            </label>
        }
        .into_any()
    } else {
        view! { <p>{sentence}</p> }.into_any()
    };
    view! {
        <li class="finding" data-severity=severity.as_str() data-code=code.as_str()>
            {sentence}
            {fix.map(|fix| view! { <p class="fix">{fix}</p> })}
            {details.map(|details| view! { <Details details /> })}
        </li>
    }
}
