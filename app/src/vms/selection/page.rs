//! `/selection/{id}`: what will be done to the VMs that were chosen, and what was done. A page without scripts, which the browser loads
//! again while something is going on.

use leptos::prelude::*;
use model::{Problem, SelectedVm, Selection, Stage, Turn, VmAction};

use crate::ui::{
    document::{Assets, Back, Document, FormProblem},
    fields::FormFoot,
    icon::{Draw, Icon},
};
use crate::vms::selection::{
    bar::{MIGRATE, action_button},
    parts::{Group, Reasons},
    words::{button, consequence, title, vms, was, will_be},
};

/// The page.
pub fn selection(assets: Assets, selection: Selection) -> Document {
    let title = title(&selection);
    Document::new(assets, Back::to_vms(), &title, || match selection.stage {
        Stage::Ready => view! { <Preview selection /> }.into_any(),
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
fn Preview(selection: Selection) -> impl IntoView {
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
    view! {
        {form}
        {nothing}
        <Reasons heading="Nothing is done to" selection=&selection is_told=excluded />
        <Group heading=will_be(action) vms=those(&selection, Turn::is_to_come) />
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
    view! {
        <div class="note" class:note-good=failures == 0 class:note-bad=failures != 0 role="status">
            <div class="note-text">
                <p>{words}</p>
                <p class="buttons">
                    <a class="button" href="/">
                        "Show the VMs"
                    </a>
                </p>
            </div>
        </div>
        <Reasons heading="Failed" selection=&selection is_told=failed />
        <Reasons heading="Left out" selection=&selection is_told=excluded />
        <Group heading=was(action) vms=those(&selection, |turn| *turn == Turn::Done) />
        <OtherActions selection=&selection />
    }
}

/// What else can be done to the same VMs.
#[component]
fn OtherActions<'a>(selection: &'a Selection) -> impl IntoView {
    let now = selection.action;
    let others: String =
        VmAction::ALL.iter().filter(|action| **action != now).map(|action| action_button(*action)).collect();
    let buttons = format!("{MIGRATE}{others}");
    view! {
        <form method="post" action="/selection" class="others">
            <input type="hidden" name="again" value=selection.id.to_string() />
            <h2>"Something else with these VMs"</h2>
            <div class="buttons" inner_html=buttons></div>
        </form>
    }
}
