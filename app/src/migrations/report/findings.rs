//! Findings as HTML.

use leptos::prelude::*;
use model::{Finding, FindingCode, Preflight, Severity, text};

use crate::ui::Erased;

/// What would make the migration fail, the first of it.
pub(super) fn first_blocker(preflight: &Preflight) -> Option<&Finding> {
    preflight.of(Severity::Blocker).next()
}

/// What a host's card says: what speaks for it, or what stands in the way.
pub(super) fn verdict(preflight: &Preflight) -> AnyView {
    if preflight.is_possible() {
        return view! { <p>{text::merits(preflight)}</p> }.erased();
    }
    let mut blockers = preflight.of(Severity::Blocker);
    let sentence = blockers.next().map(|first| first.text.clone()).unwrap_or_default();
    let more = match blockers.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let fixes = preflight.of(Severity::Blocker).filter_map(|blocker| blocker.fix.as_deref());
    blocked(sentence + &more, Some(fixes.collect::<Vec<_>>().join(" ")).filter(|fixes| !fixes.is_empty()))
}

/// What stands in the way, and on opening what to do about it.
pub(super) fn blocked(sentence: String, fix: Option<String>) -> AnyView {
    match fix {
        None => view! { <p class="blocked">{sentence}</p> }.erased(),
        Some(fix) => view! {
            <details class="blocked">
                <summary>{sentence}</summary>
                <p class="fix">{fix}</p>
            </details>
        }
        .erased(),
    }
}

/// Everything that was looked at: what somebody should know as a list, what is in order folded away. What is accepted already is
/// ticked.
pub(crate) fn list(findings: &[Finding], accepted: &[FindingCode]) -> AnyView {
    let (passed, told): (Vec<_>, Vec<_>) =
        findings.iter().cloned().partition(|finding| finding.severity == Severity::Ok);
    let entries = |findings: Vec<Finding>| findings.into_iter().map(|finding| entry(finding, accepted)).collect();
    let (passed, told): (Vec<AnyView>, Vec<AnyView>) = (entries(passed), entries(told));
    let heading = match passed.len() {
        1 => "1 check passed".to_owned(),
        checks => format!("{checks} checks passed"),
    };
    view! {
        {(!told.is_empty()).then(|| view! { <ul class="findings">{told}</ul> }.erased())}
        {(!passed.is_empty()).then(|| view! {
            <details class="passed" id="passed">
                <summary>{heading}</summary>
                <ul class="findings">{passed}</ul>
            </details>
        }.erased())}
    }
    .erased()
}

fn entry(finding: Finding, accepted: &[FindingCode]) -> AnyView {
    let is_accepted = accepted.contains(&finding.code);
    let severity = finding.severity.as_str();
    let word = match finding.severity {
        Severity::Blocker => "Stands in the way: ",
        Severity::Warning => "Warning: ",
        Severity::Unknown => "Can't be known beforehand: ",
        Severity::Ok => "",
    };
    let code = finding.code.as_str();
    let sentence = view! { <span class="hidden">{word}</span> {finding.text.clone()} }.erased();
    let sentence = if finding.consent {
        view! {
            <label class="check">
                <input type="checkbox" name="request[accept][]" value=code id=format!("accept-{code}") checked=is_accepted required />
                <span>{sentence} <small>"Tick this to go on all the same."</small></span>
            </label>
        }
        .erased()
    } else {
        view! { <p>{sentence}</p> }.erased()
    };
    view! {
        <li class="finding" data-severity=severity data-code=code>
            {sentence}
            {remedy(finding)}
        </li>
    }
    .erased()
}

/// What to do about it, and the raw words for whoever opens them.
fn remedy(finding: Finding) -> AnyView {
    view! {
        {finding.fix.map(|fix| view! { <p class="fix">{fix}</p> }.erased())}
        {finding.details.map(|details| view! {
            <details class="raw">
                <summary>"Details"</summary>
                <pre>{details}</pre>
            </details>
        }.erased())}
    }
    .erased()
}
