//! `/hosts/<name>/empty`, and what `/plans` shows when it refuses: the form that a plan is asked for with.

use leptos::prelude::*;
use model::{Code, Host, PlanRequest, Policy, Problem};

use crate::evacuations::{plan_form::PlanForm, words};
use crate::ui::{
    document::{Assets, Back, Document, FormProblem},
    fields::{FormFoot, MistakeText, refused, tie_to_field},
};

/// The page: `form` as it was filled in, and why it was refused. `hosts` are those that VMs could go to.
pub fn plan_form(assets: Assets, form: &PlanForm, hosts: &[Host], problem: Option<Problem>) -> Document {
    let request = form.request(None).ok();
    let title = match &request {
        Some(request) if form.all.is_empty() => words::title(request),
        _ => "Move VMs".to_owned(),
    };
    let back = match request.as_ref().map(PlanRequest::emptied) {
        Some([host]) => Back { href: format!("/hosts/{host}"), label: "Host" },
        _ if form.home.is_empty() => Back::to_list(form.list()),
        _ => Back::to_hosts(),
    };
    let (form, hosts) = (form.clone(), hosts.to_vec());
    Document::new(assets, back, &title, move || view! { <Form form hosts problem /> })
}

#[component]
fn Form(form: PlanForm, hosts: Vec<Host>, problem: Option<Problem>) -> impl IntoView {
    // A host that is not offered was the destination.
    let is_offered = form.destination.is_empty() || hosts.iter().any(|host| host.name.as_str() == form.destination);
    let problem = match problem {
        Some(problem) if problem.code == Code::UnknownHost && !is_offered => Some(problem.with_field("destination")),
        problem => problem,
    };
    tie_to_field(problem.as_ref());
    let (invalid, described) = refused("reason");
    let emptied: Vec<&str> = form.hosts.split(',').collect();
    let is_home = !form.home.is_empty();
    let destination = (!is_home).then(|| {
        let names = hosts.iter().map(|host| host.name.to_string()).filter(|name| !emptied.contains(&name.as_str()));
        view! { <Destination names=names.collect() chosen=form.destination.clone() /> }
    });
    let consequence = match (emptied.as_slice(), is_home) {
        ([host], false) if !host.is_empty() => {
            format!("Once the plan is carried out, no VM is moved to {host} any more, until it is in use again.")
        }
        _ => "Nothing moves before you have seen the plan and had it carried out.".to_owned(),
    };
    let back = match emptied.as_slice() {
        [host] if !host.is_empty() => format!("/hosts/{host}"),
        _ => Back::to_list(form.list()).href,
    };
    view! {
        <form method="post" action="/plans" class="card">
            {problem.map(|problem| view! { <FormProblem problem /> })}
            <Subject form=form.clone() />
            <p>{consequence}</p>
            <label class="field">
                <span>"Reason"</span>
                <input
                    type="text"
                    name="reason"
                    value=form.reason.clone()
                    maxlength=PlanRequest::LONGEST_REASON.to_string()
                    placeholder="kernel update, ticket 4711"
                    autocomplete="off"
                    autofocus=invalid.is_some()
                    aria-invalid=invalid
                    aria-describedby=described
                />
                <MistakeText name="reason" />
            </label>
            {destination}
            <PolicyChoice chosen=form.policy />
            <FormFoot back label="Make the plan" hint="The hosts are asked about each VM. This takes up to 30 s." />
        </form>
    }
}

/// What the plan is about, unseen.
#[component]
pub(super) fn Subject(form: PlanForm) -> impl IntoView {
    let fields =
        [("hosts", form.hosts), ("vms", form.vms), ("all", form.all), ("list", form.list), ("home", form.home)];
    let hidden = |(name, value): (&'static str, String)| view! { <input type="hidden" name=name value=value /> };
    fields.into_iter().filter(|(_, value)| !value.is_empty()).map(hidden).collect_view()
}

#[component]
fn Destination(names: Vec<String>, chosen: String) -> impl IntoView {
    let option = |name: String| {
        let selected = name == chosen;
        view! { <option value=name selected=selected>{name.clone()}</option> }
    };
    let (invalid, described) = refused("destination");
    view! {
        <label class="field">
            <span>"To"</span>
            <select
                name="destination"
                autofocus=invalid.is_some()
                aria-invalid=invalid
                aria-describedby=described
            >
                <option value="">"Wherever they fit best"</option>
                {names.into_iter().map(option).collect_view()}
            </select>
            <MistakeText name="destination" />
        </label>
    }
}

#[component]
fn PolicyChoice(chosen: Option<Policy>) -> impl IntoView {
    let option = |policy: Policy| {
        view! { <option value=policy.as_str() selected=Some(policy) == chosen>{policy.label()}</option> }
    };
    view! {
        <label class="field">
            <span>"Policy"</span>
            <select name="policy">
                <option value="">"Each VM's own, or that of its host"</option>
                {Policy::ALL.iter().copied().map(option).collect_view()}
            </select>
            <small class="hint">"How far a migration may go to finish."</small>
        </label>
    }
}
