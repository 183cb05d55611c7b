//! `/plans/<id>`: a plan before anything begins: how long it takes, which VMs go where in which order, and which stay.

use leptos::prelude::*;
use model::{Choice, Code, Plan, PlannedStay, Problem, text};

use crate::evacuations::{
    moves::Moves,
    plan_form::PlanForm,
    plan_form_page::Subject,
    stays::{Kept, Stays},
    words,
};
use crate::ui::{
    document::{Assets, Back, Document, FormProblem},
    fact::Fact,
    problem::ProblemNote,
    time::Time,
};

/// The page, and why the plan was not carried out. `list` is the address of the list in which its VMs were chosen, if they were.
pub fn plan(assets: Assets, plan: Plan, list: &str, problem: Option<Problem>) -> Document {
    let form = PlanForm::from(&plan.request).within(list);
    let back = match (plan.request.emptied(), &plan.request.subject) {
        ([host], _) => Back { href: format!("/hosts/{host}"), label: "Host" },
        (_, model::Subject::Vms(_)) => Back::to_list(form.list()),
        _ => Back { href: "/evacuations".to_owned(), label: "Evacuations" },
    };
    let title = format!("Plan: {}", words::within_title(&plan.request));
    Document::wide(assets, back, &title, move || view! { <Shown plan form problem /> })
}

#[component]
fn Shown(plan: Plan, form: PlanForm, problem: Option<Problem>) -> impl IntoView {
    let is_outdated = problem.as_ref().is_some_and(|problem| problem.code == Code::PlanOutdated);
    let list = form.list.clone();
    let moves = (!plan.moves.is_empty()).then(|| view! { <Moves moves=plan.moves.clone() /> });
    let stays = (!plan.stays.is_empty()).then(|| {
        view! { <Stays form=form.clone() stays=plan.stays.clone() emptied=plan.request.emptied().to_vec() /> }
    });
    let again = is_outdated.then(|| view! { <Again form /> });
    let act = (!is_outdated).then(|| view! { <CarryOut plan=plan.clone() list /> });
    view! {
        {problem.map(|problem| view! { <Refused problem /> })}
        {plan.shortage.clone().map(|problem| view! { <ProblemNote problem /> })}
        <section class="card plan">
            <Figures plan />
            {again}
            {act}
        </section>
        {stays}
        {moves}
    }
}

/// Why the plan was not carried out; of one that does not hold any more, every difference.
#[component]
fn Refused(mut problem: Problem) -> impl IntoView {
    let differences = match problem.code {
        Code::PlanOutdated => problem.details.take().unwrap_or_default(),
        _ => String::new(),
    };
    let entries: Vec<_> = differences.lines().map(|line| view! { <li>{line.to_owned()}</li> }).collect();
    let list = (entries.len() > 1).then(|| view! { <ul class="card things">{entries}</ul> });
    view! {
        <FormProblem problem />
        {list}
    }
}

#[component]
fn Figures(plan: Plan) -> impl IntoView {
    let [low, high] = plan.between_ms;
    let sent: u64 = plan.moves.iter().map(|planned| planned.bytes).sum();
    let takes = (!plan.moves.is_empty()).then(|| {
        view! {
            <Fact name="Takes about">{text::duration(plan.likely_ms)}</Fact>
            <Fact name="In four of five cases">{text::span(low, high)}</Fact>
            <Fact name="Is sent">{text::bytes(sent)}</Fact>
        }
    });
    let compared = words::compared_with_the_least(plan.ratio(), plan.bound_ms);
    let reason = Some(plan.request.reason.clone()).filter(|reason| !reason.is_empty());
    let (move_on, stay) = (words::vm_count(plan.moves.len()), words::vm_count(plan.stays.len()));
    view! {
        <dl class="figures">
            <Fact name="Moves">{move_on}</Fact>
            <Fact name="Stays">{stay}</Fact>
            {takes}
        </dl>
        {reason.map(|reason| view! { <p>{reason}</p> })}
        {compared.map(|words| view! { <p class="hint">{words}</p> })}
        <p class="hint">"Made " <Time ms=plan.made_at_ms /> ". Nothing has begun."</p>
    }
}

#[component]
fn CarryOut(plan: Plan, list: String) -> impl IntoView {
    let remains: Vec<&PlannedStay> = plan.stays.iter().filter(|stay| remains(&plan, stay)).collect();
    let names = remains.iter().take(5).map(|stay| stay.vm_name.as_str()).collect::<Vec<_>>().join(", ");
    let warning = match (remains.len(), plan.request.emptied()) {
        (0, _) | (_, []) => None,
        (1, hosts) => Some(format!("{} will not be empty: {names} stays and runs.", words::listed(hosts))),
        (count, hosts) if count > 5 => {
            Some(format!("{} will not be empty: {names} and {} others stay and run.", words::listed(hosts), count - 5))
        }
        (_, hosts) => Some(format!("{} will not be empty: {names} stay and run.", words::listed(hosts))),
    };
    view! {
        {warning.map(|words| view! { <p class="note note-warn">{words}</p> })}
        <form method="post" action=format!("/plans/{}/carry-out", plan.id) class="buttons">
            <input type="hidden" name="list" value=list />
            <button class="button primary">"Carry it out"</button>
        </form>
    }
}

/// Makes the plan anew, with what was asked for before.
#[component]
fn Again(form: PlanForm) -> impl IntoView {
    view! {
        <form method="post" action="/plans" class="buttons">
            <Subject form=form.clone() />
            <Kept form has_choices=true />
            <button class="button primary">"Make a new plan"</button>
        </form>
    }
}

/// Whether a VM that stays keeps a process on a host that is to be empty.
fn remains(plan: &Plan, stay: &PlannedStay) -> bool {
    stay.is_active && stay.choice != Some(Choice::ShutDown) && plan.request.emptied().contains(&stay.host)
}
