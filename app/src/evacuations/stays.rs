//! The VMs that a plan leaves where they are: why, and what can be chosen for each. Nothing is chosen by the console.

use leptos::prelude::*;
use model::{Choice, Finding, HostName, PlannedStay};

use crate::evacuations::{
    plan_form::{PlanForm, choice_of},
    plan_form_page::Subject,
    words,
};
use crate::ui::problem::ProblemText;

/// All of them, with a form that makes the plan anew with what was chosen.
#[component]
pub(super) fn Stays(form: PlanForm, stays: Vec<PlannedStay>, emptied: Vec<HostName>) -> impl IntoView {
    let risks = risks(&stays);
    let has_choices = !risks.is_empty() || stays.iter().any(|stay| !stay.choices.is_empty());
    // What needs a person's choice first.
    let mut stays = stays;
    stays.sort_by_key(|stay| (stay.problem.is_none(), !stay.is_active));
    let heading = format!("{} will not move", words::vm_count(stays.len()));
    let entries: Vec<_> = stays.into_iter().map(|stay| view! { <Stay stay emptied=emptied.clone() /> }).collect();
    let button = has_choices.then(|| {
        view! {
            <div class="buttons">
                <button class="button">"Make the plan with these choices"</button>
            </div>
        }
    });
    view! {
        <section>
            <h2>{heading}</h2>
            <form method="post" action="/plans" class="stays">
                <Subject form=form.clone() />
                <Kept form has_choices=false />
                {entries}
                {risks.into_iter().map(|finding| view! { <Risk finding /> }).collect_view()}
                {button}
            </form>
        </section>
    }
}

/// What was asked for besides the subject, unseen.
#[component]
pub(super) fn Kept(
    form: PlanForm,
    /// Whether what was chosen for VMs is among it.
    has_choices: bool,
) -> impl IntoView {
    let mut fields = vec![
        ("destination".to_owned(), form.destination),
        ("reason".to_owned(), form.reason),
        ("policy".to_owned(), form.policy.map(|policy| policy.as_str().to_owned()).unwrap_or_default()),
    ];
    fields.extend(form.accept.iter().map(|code| ("accept[]".to_owned(), code.as_str().to_owned())));
    if has_choices {
        let chosen = |(vm, choice): (&_, &Choice)| (format!("choices[{vm}]"), words::choice(*choice).0.to_owned());
        fields.extend(form.choices.iter().map(chosen));
    }
    let hidden = |(name, value): (String, String)| view! { <input type="hidden" name=name value=value /> };
    fields.into_iter().map(hidden).collect_view()
}

/// The findings that VMs stay for and that can be accepted, each once.
fn risks(stays: &[PlannedStay]) -> Vec<Finding> {
    let found = stays.iter().filter_map(|stay| stay.problem.as_ref()).flat_map(|problem| &problem.findings);
    let mut risks: Vec<Finding> = Vec::new();
    for finding in found.filter(|finding| finding.consent) {
        if !risks.iter().any(|known| known.code == finding.code) {
            risks.push(finding.clone());
        }
    }
    risks
}

#[component]
fn Risk(finding: Finding) -> impl IntoView {
    view! {
        <label class="check">
            <input type="checkbox" name="accept[]" value=finding.code.as_str() />
            <span>"I accept this risk for all VMs " <small class="hint">{finding.text}</small></span>
        </label>
    }
}

#[component]
fn Stay(stay: PlannedStay, emptied: Vec<HostName>) -> impl IntoView {
    let PlannedStay { vm, vm_name, host, is_active, problem, choice, choices } = stay;
    let off = (!is_active).then(|| {
        if emptied.contains(&host) {
            view! { <p class="hint">"It is off: it does not keep the host from being empty."</p> }
        } else {
            view! { <p class="hint">"It is off."</p> }
        }
    });
    let is_there = (problem.is_none() && choice.is_none() && is_active)
        .then(|| view! { <p class="hint">"It is where it should be."</p> });
    let radio = |one: Choice| {
        let (value, label, hint) = words::choice(one);
        view! {
            <label class="check">
                <input type="radio" name=format!("choices[{}]", choice_of(vm)) value=value checked=choice == Some(one) />
                <span>{label} " " <small class="hint">{hint}</small></span>
            </label>
        }
    };
    let choice = (!choices.is_empty()).then(|| {
        view! {
            <fieldset class="choices">
                <legend class="hidden">{format!("What is done with {vm_name}")}</legend>
                {choices.into_iter().map(radio).collect_view()}
            </fieldset>
        }
    });
    view! {
        <div class="card stay" data-vm=vm_name>
            <h3>{vm_name.clone()} <span class="hint">{format!(" on {host}")}</span></h3>
            {problem.map(|problem| view! { <div class="note-text"><ProblemText problem /></div> })}
            {off}
            {is_there}
            {choice}
        </div>
    }
}
