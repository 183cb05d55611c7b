//! `/placement`: rules for where VMs may be, which plans keep, and which VMs go first.

use std::collections::BTreeMap;

use leptos::prelude::*;
use model::{PlacementKind, PlacementRule, PlacementRules, Problem, VmId};

use crate::evacuations::{placement_form::PlacementForm, words};
use crate::ui::{
    document::{Assets, Back, Document, FormProblem, as_text},
    fields::{MistakeText, RadioField, TextField, refused, tie_to_field},
};

/// The page: `names` of the VMs that there are, the form that was refused, and why.
pub fn placement(
    assets: Assets,
    rules: PlacementRules,
    names: BTreeMap<VmId, String>,
    form: PlacementForm,
    problem: Option<Problem>,
) -> Document {
    Document::new(assets, Back::to_hosts(), "Placement rules", move || {
        tie_to_field(problem.as_ref());
        view! {
            {problem.map(|problem| view! { <FormProblem problem /> })}
            <p>"Plans keep these rules. A single migration that you start yourself does not ask for them."</p>
            <Rules rules=rules.rules names=names.clone() />
            <AddRule form=form.clone() />
            <Priorities priorities=rules.priorities names form />
        }
    })
}

/// A VM's name, or its UUID where it is not there.
fn name(names: &BTreeMap<VmId, String>, vm: VmId) -> String {
    names.get(&vm).cloned().unwrap_or_else(|| vm.to_string())
}

#[component]
fn Rules(rules: Vec<PlacementRule>, names: BTreeMap<VmId, String>) -> impl IntoView {
    if rules.is_empty() {
        return view! { <p class="hint">"There are no rules yet."</p> }.into_any();
    }
    let entry = |rule: PlacementRule| {
        let PlacementRule { name: rule_name, vms, kind } = rule;
        let vms = vms.into_iter().map(|vm| name(&names, vm)).collect::<Vec<_>>().join(", ");
        let what = match kind {
            PlacementKind::KeepApart => "No two of them on one host".to_owned(),
            PlacementKind::KeepTogether => "All of them on one host".to_owned(),
            PlacementKind::MayRunOn(hosts) => format!("Only on {}", words::listed(&hosts)),
        };
        view! {
            <li class="row">
                <div>
                    <p><b>{rule_name.clone()}</b></p>
                    <p>{what} ": " {vms}</p>
                </div>
                <form method="post" action="/placement">
                    <input type="hidden" name="name" value=rule_name.clone() />
                    <button class="button" name="command" value="remove">
                        "Remove" <span class="hidden">{format!(" the rule {rule_name}")}</span>
                    </button>
                </form>
            </li>
        }
    };
    view! { <ul class="card sessions">{rules.into_iter().map(entry).collect_view()}</ul> }.into_any()
}

#[component]
fn AddRule(form: PlacementForm) -> impl IntoView {
    let is_again = form.command == "add";
    let form = if is_again { form } else { PlacementForm::default() };
    let kind = |value, label, hint| {
        let checked = if form.kind.is_empty() { value == "keep-apart" } else { form.kind == value };
        view! { <RadioField name="kind" value label hint checked /> }
    };
    view! {
        <form method="post" action="/placement" class="card">
            <h2>"Add a rule"</h2>
            <input type="hidden" name="command" value="add" />
            <TextField name="name" label="Name" value=form.name.clone() required=true />
            <fieldset class="choices">
                <legend>"What holds"</legend>
                {kind("keep-apart", "Keep apart", "No two of these VMs on one host.")}
                {kind("keep-together", "Keep together", "All of these VMs on one host.")}
                {kind("may-run-on", "May run on", "Each of these VMs only on the hosts that are named.")}
            </fieldset>
            <Vms value=form.vms.clone() is_again />
            <TextField
                name="hosts"
                label="Hosts"
                value=form.hosts.clone()
                hint="For “May run on” only, with commas between them."
            />
            <div class="buttons">
                <button class="button primary">"Add the rule"</button>
            </div>
        </form>
    }
}

#[component]
fn Vms(
    value: String,
    /// Whether its form is the one that was refused.
    is_again: bool,
) -> impl IntoView {
    let (invalid, described) = if is_again { refused("vms") } else { (None, None) };
    view! {
        <label class="field">
            <span>"VMs"</span>
            <textarea
                name="vms"
                rows="3"
                required=true
                spellcheck="false"
                autofocus=invalid.is_some()
                aria-invalid=invalid
                aria-describedby=described
                inner_html=as_text(&value)
            ></textarea>
            {is_again.then(|| view! { <MistakeText name="vms" /> })}
            <small class="hint">"Names or UUIDs, one per line."</small>
        </label>
    }
}

#[component]
fn Priorities(priorities: BTreeMap<VmId, i8>, names: BTreeMap<VmId, String>, form: PlacementForm) -> impl IntoView {
    let is_again = form.command == "set";
    let form = if is_again { form } else { PlacementForm::default() };
    let (invalid, described) = refused("priority");
    let mut sorted: Vec<(VmId, i8)> = priorities.into_iter().collect();
    sorted.sort_by_key(|(_, priority)| -i16::from(*priority));
    let entry = |(vm, priority): (VmId, i8)| {
        let vm_name = name(&names, vm);
        view! {
            <li class="row">
                <p>{vm_name.clone()} ": " {priority}</p>
                <form method="post" action="/placement">
                    <input type="hidden" name="vms" value=vm.to_string() />
                    <input type="hidden" name="priority" value="0" />
                    <button class="button" name="command" value="set">
                        "Remove" <span class="hidden">{format!(" the priority of {vm_name}")}</span>
                    </button>
                </form>
            </li>
        }
    };
    let list = (!sorted.is_empty())
        .then(|| view! { <ul class="sessions">{sorted.into_iter().map(entry).collect_view()}</ul> });
    view! {
        <section class="card">
            <h2>"Priorities"</h2>
            <p class="hint">"VMs with a higher priority go first. All others have 0."</p>
            {list}
            <form method="post" action="/placement">
                <input type="hidden" name="command" value="set" />
                <Vms value=form.vms is_again />
                <label class="field">
                    <span>"Priority"</span>
                    <input
                        type="number"
                        name="priority"
                        min="-100"
                        max="100"
                        required=true
                        value=form.priority.map(|priority| priority.to_string())
                        autofocus=invalid.is_some()
                        aria-invalid=invalid
                        aria-describedby=described
                    />
                    <MistakeText name="priority" />
                </label>
                <div class="buttons">
                    <button class="button primary">"Set the priority"</button>
                </div>
            </form>
        </section>
    }
}
