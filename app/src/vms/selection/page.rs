//! `/selection/{id}`: what will be done to the VMs that were chosen, and what was done. A page without scripts, which the browser loads
//! again while something is going on.

use leptos::prelude::*;
use model::{BulkAction, Host, Placement, Problem, SelectedVm, Selection, Stage, Turn};

use crate::ui::{
    document::{Assets, Back, Document, FormProblem},
    fields::FormFoot,
    icon::{Draw, Icon},
};
use crate::vms::selection::{
    parts::{Group, Reasons},
    words::{button, consequence, title, vms, was, will_be},
};

/// The page. `hosts` are those that VMs can go to.
pub fn selection(assets: Assets, selection: Selection, hosts: Vec<Host>) -> Document {
    let title = title(&selection);
    Document::new(assets, Back::to_vms(), &title, || match selection.stage {
        Stage::Placement => view! { <Where selection hosts /> }.into_any(),
        Stage::Checking => view! { <Checking selection /> }.into_any(),
        Stage::Ready => view! { <Preview selection hosts /> }.into_any(),
        Stage::Running => view! { <Running selection /> }.into_any(),
        Stage::Done => view! { <Results selection /> }.into_any(),
    })
}

/// Why there is no such page, or nothing was done.
pub fn selection_refused(assets: Assets, problem: Problem) -> Document {
    Document::new(assets, Back::to_vms(), "Nothing was done", || view! { <FormProblem problem /> })
}

fn excluded(turn: &Turn) -> Option<&Problem> {
    match turn {
        Turn::Excluded(problem) => Some(problem),
        _ => None,
    }
}

fn failed(turn: &Turn) -> Option<&Problem> {
    match turn {
        Turn::Failed(problem) => Some(problem),
        _ => None,
    }
}

fn those(selection: &Selection, are: impl Fn(&Turn) -> bool) -> Vec<SelectedVm> {
    selection.vms.iter().filter(|vm| are(&vm.turn)).cloned().collect()
}

fn address(selection: &Selection) -> String {
    format!("/selection/{}", selection.id)
}

/// Where the VMs are to go.
#[component]
fn Where(selection: Selection, hosts: Vec<Host>) -> impl IntoView {
    view! {
        <PlacementForm
            address=address(&selection)
            placement=None
            hosts
            hint="The hosts are asked first. Nothing moves before you have seen what they say."
            is_next=true
        />
        <Reasons heading="Will not migrate" selection=&selection is_told=excluded />
        <Group heading="Selected" vms=those(&selection, Turn::is_to_come) />
        <OtherActions selection=&selection />
    }
}

#[component]
fn PlacementForm(
    address: String,
    placement: Option<Placement>,
    hosts: Vec<Host>,
    #[prop(optional)] hint: &'static str,
    /// Whether this is what comes next.
    #[prop(optional)]
    is_next: bool,
) -> impl IntoView {
    let chosen = match &placement {
        Some(Placement::Host(host)) => Some(host.clone()),
        _ => None,
    };
    let is_one = chosen.is_some();
    let option = |host: Host| {
        let (value, answers) = (host.name.to_string(), host.is_connected());
        let label = if answers { value.clone() } else { format!("{value} (does not answer)") };
        let selected = chosen.as_ref() == Some(&host.name);
        view! {
            <option value=value selected=selected disabled=!answers>
                {label}
            </option>
        }
    };
    view! {
        <form method="post" action=address class="card">
            <fieldset class="choices">
                <legend>"Destination"</legend>
                <label class="check">
                    <input type="radio" name="placement" value="best" checked=!is_one />
                    <span>
                        "Each VM where it fits best "
                        <small class="hint">"Among the three hosts with the most free memory."</small>
                    </span>
                </label>
                <label class="check">
                    <input type="radio" name="placement" value="host" checked=is_one />
                    <span>"All to one host"</span>
                </label>
            </fieldset>
            <label class="field only-one-host">
                <span>"Host"</span>
                <select name="destination">{hosts.into_iter().map(option).collect_view()}</select>
            </label>
            <div class="form-foot">
                {(!hint.is_empty()).then(|| view! { <p class="hint">{hint}</p> })} <div class="buttons">
                    <button class=if is_next { "button primary" } else { "button" }>
                        {if is_next { "Check" } else { "Check again" }}
                    </button>
                </div>
            </div>
        </form>
    }
}

#[component]
fn Checking(selection: Selection) -> impl IntoView {
    let waits = |turn: &Turn| matches!(turn, Turn::Planned { destination: None, .. });
    let all = selection.vms.len();
    let checked = all - selection.count(waits);
    view! {
        <section class="card">
            <Steps done=checked all label=format!("{checked} of {} checked", vms(all)) />
            <p class="hint">"Hosts are asked for a minute at most. Nothing moves meanwhile."</p>
        </section>
    }
}

/// A bar, and the same in words.
#[component]
fn Steps(done: usize, all: usize, label: String) -> impl IntoView {
    view! {
        <p class="steps">
            <progress max=all.to_string() value=done.to_string() aria-label="Progress"></progress>
            <span>{label}</span>
        </p>
    }
}

/// What will happen, and the button that does it.
#[component]
fn Preview(selection: Selection, hosts: Vec<Host>) -> impl IntoView {
    let (action, count) = (selection.action, selection.count(Turn::is_to_come));
    let class = if action.needs_confirmation() { "button danger" } else { "button primary" };
    let form = (count > 0).then(|| {
        view! {
            <form method="post" action=address(&selection) class="card">
                <input type="hidden" name="seen" value=selection.at_ms.to_string() />
                <p class="consequence">{consequence(action)}</p>
                <FormFoot back="/" label=button(action, count) class />
            </form>
        }
    });
    let nothing = (count == 0).then(|| {
        view! {
            <div class="note note-warn" role="status">
                <Draw icon=Icon::Warning />
                <p class="note-text">"Nothing would be done to any of these VMs."</p>
            </div>
        }
    });
    let where_to = (action == BulkAction::Migrate).then(|| {
        view! { <PlacementForm address=address(&selection) placement=selection.placement.clone() hosts /> }
    });
    let not = if action == BulkAction::Migrate { "Will not migrate" } else { "Nothing is done to" };
    view! {
        {form}
        {nothing}
        <Reasons heading=not selection=&selection is_told=excluded />
        <Group heading=will_be(action) vms=those(&selection, Turn::is_to_come) />
        {where_to}
        <OtherActions selection=&selection />
    }
}

#[component]
fn Running(selection: Selection) -> impl IntoView {
    let to_come = selection.count(Turn::is_to_come);
    let all = selection.vms.len() - selection.count(|turn| excluded(turn).is_some());
    let done = all - to_come;
    view! {
        <section class="card">
            <Steps done all label=format!("{done} of {} had their turn", vms(all)) />
            <p class="hint">"It goes on if you leave this page."</p>
        </section>
        <Reasons heading="Failed" selection=&selection is_told=failed />
    }
}

#[component]
fn Results(selection: Selection) -> impl IntoView {
    let action = selection.action;
    let count = |is: fn(&Turn) -> Option<&Problem>| selection.count(|turn| is(turn).is_some());
    let (failures, left_out) = (count(failed), count(excluded));
    let done = selection.vms.len() - failures - left_out;
    let words = match (failures, left_out) {
        (0, 0) => format!("{}: {}.", was(action), vms(done)),
        _ => format!("{}: {}. Failed: {failures}. Left out: {left_out}.", was(action), vms(done)),
    };
    let migrations = (action == BulkAction::Migrate && done > 0).then(|| {
        view! {
            <a class="button" href="/migrations">
                "Show the migrations"
            </a>
        }
    });
    view! {
        <div class="note" class:note-good=failures == 0 class:note-bad=failures != 0 role="status">
            <div class="note-text">
                <p>{words}</p>
                <p class="buttons">
                    {migrations} <a class="button" href="/">
                        "Show the VMs"
                    </a>
                </p>
            </div>
        </div>
        <Reasons heading="Failed" selection=&selection is_told=failed />
        <Reasons heading="Left out" selection=&selection is_told=excluded />
        <Group heading=was(action) vms=those(&selection, |turn| matches!(turn, Turn::Done { .. })) />
        <OtherActions selection=&selection />
    }
}

/// What else can be done to the same VMs.
#[component]
fn OtherActions<'a>(selection: &'a Selection) -> impl IntoView {
    let now = selection.action;
    let button = move |action: BulkAction| {
        view! {
            <button class="button" name="action" value=action.as_str()>
                {action.label()}
            </button>
        }
    };
    let others = BulkAction::all().filter(move |action| *action != now);
    view! {
        <form method="post" action="/selection" class="others">
            <input type="hidden" name="again" value=selection.id.to_string() />
            <h2>"Something else with these VMs"</h2>
            <div class="buttons">{others.map(button).collect_view()}</div>
        </form>
    }
}
