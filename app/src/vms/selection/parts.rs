//! VMs on the pages of a selection: those that something is done to, and those that it is not, with the reason.

use leptos::prelude::*;
use model::{Problem, SelectedVm, Selection, Turn};

use crate::ui::problem::ProblemText;

/// How many VMs of a list are not folded away.
const SHOWN: usize = 100;

/// VMs under a heading with their number; nothing where there are none.
#[component]
pub(super) fn Group(heading: &'static str, vms: Vec<SelectedVm>) -> impl IntoView {
    if vms.is_empty() {
        return ().into_any();
    }
    let count = vms.len();
    view! {
        <section class="card">
            <h2>{heading} " " <span class="count">{count}</span></h2>
            <Names vms />
        </section>
    }
    .into_any()
}

/// VMs that it is not done to, by the reason.
#[component]
pub(super) fn Reasons<'a>(
    heading: &'static str,
    selection: &'a Selection,
    is_told: fn(&Turn) -> Option<&Problem>,
) -> impl IntoView {
    let count = selection.count(|turn| is_told(turn).is_some());
    if count == 0 {
        return ().into_any();
    }
    let reason = |(problem, vms): (&Problem, Vec<&SelectedVm>)| {
        let vms: Vec<SelectedVm> = vms.into_iter().cloned().collect();
        let words = match vms.len() {
            1 => None,
            2 => Some("The same is so of one more VM:".to_owned()),
            count => Some(format!("The same is so of {} more VMs:", count - 1)),
        };
        // The first is named by the sentence, unless the VM is gone.
        let is_named = vms.first().is_some_and(|first| problem.sentence.contains(&first.name));
        let listed = if is_named { vms[1..].to_vec() } else { vms };
        view! {
            <li>
                <ProblemText problem=problem.clone() />
                {words.filter(|_| is_named).map(|words| view! { <p>{words}</p> })}
                {(!listed.is_empty()).then(|| view! { <Names vms=listed /> })}
            </li>
        }
    };
    view! {
        <section class="card">
            <h2>{heading} " " <span class="count">{count}</span></h2>
            <ul class="reasons">{selection.by_reason(is_told).into_iter().map(reason).collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// The names of VMs. Of many all but the first are folded away.
#[component]
fn Names(vms: Vec<SelectedVm>) -> impl IntoView {
    let mut first: Vec<_> = vms;
    let more = first.split_off(first.len().min(SHOWN));
    let list = |vms: Vec<SelectedVm>| {
        view! { <ul class="selected">{vms.into_iter().map(|vm| view! { <Name vm /> }).collect_view()}</ul> }
    };
    let folded = (!more.is_empty()).then(|| {
        let summary = format!("{} more", more.len());
        view! {
            <details class="more">
                <summary>{summary}</summary>
                {list(more)}
            </details>
        }
    });
    view! {
        {list(first)}
        {folded}
    }
}

#[component]
fn Name(vm: SelectedVm) -> impl IntoView {
    let place = vm.host.map(|host| format!("on {host}"));
    view! {
        <li>
            <a href=format!("/vms/{}", vm.id)>{vm.name}</a>
            " "
            <span class="hint">{place}</span>
        </li>
    }
}
