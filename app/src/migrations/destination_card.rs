//! A host as a destination to choose.

use leptos::prelude::*;
use model::{Host, HostName, Problem, Vm, VmState, refusal, text};

use crate::live::Live;
use crate::migrations::{destination_reports::DestinationReports, report::Verdict};

/// The card of a host: its resources, and what speaks for or against it. It can't be chosen where no field of the form would help.
#[component]
pub(super) fn DestinationCard(
    name: HostName,
    vm: Memo<Option<Vm>>,
    reports: DestinationReports,
    autofocus: bool,
) -> impl IntoView {
    let host: Signal<Host> = expect_context::<Live>().hosts.get_untracked(&name)?.into();
    let known = reports.known;
    let checked = {
        let name = name.clone();
        Memo::new(move |_| known.read().of(&name).cloned())
    };
    let is_chosen = {
        let name = name.clone();
        move || known.read().chosen.as_ref() == Some(&name)
    };
    let is_recommended = {
        let name = name.clone();
        move || known.read().recommended.as_ref() == Some(&name)
    };
    // What the inventory says is known at once, before the host has answered.
    let refused = move || -> Option<Problem> { Some(refusal(vm.read().as_ref()?, &host.read(), None)?.problem) };
    let is_greyed =
        move || refused().is_some() || checked.read().as_ref().is_some_and(|checked| !checked.can_be_chosen());
    // A host that was chosen stays in the form, whatever is found about it then.
    let is_disabled = {
        let is_chosen = is_chosen.clone();
        move || is_greyed() && !is_chosen()
    };
    let here = {
        let name = name.clone();
        Memo::new(move |_| vm.read().as_ref().filter(|vm| vm.host == name).map(|vm| already_here(vm.state)))
    };
    let reason = move || match here.get() {
        Some(words) => words.to_owned(),
        None => refused().map_or_else(|| "Checking…".to_owned(), |problem| problem.sentence),
    };
    let shows_verdict = move || here.get().is_none() && checked.read().is_some();
    let facts = move || {
        let host = host.read();
        let vms = if host.vms == 1 { "1 VM".to_owned() } else { format!("{} VMs", host.vms) };
        let (free, memory) = (text::bytes(host.memory_free_bytes), text::bytes(host.memory_bytes));
        format!("{free} of {memory} free · {vms}")
    };
    let verdict = move || {
        let checked = checked.get().filter(|_| here.get().is_none());
        checked.map(|checked| view! { <Verdict preflight=checked.report.preflight /> })
    };
    Some(view! {
        <div class="destination" data-host=name.to_string()>
            <label>
                <input
                    type="radio"
                    id=format!("to-{name}")
                    name="request[destination]"
                    value=name.to_string()
                    required
                    autofocus=autofocus
                    disabled=is_disabled
                    checked=is_chosen
                />
                <span class="about">
                    <span>
                        <strong>{name.to_string()}</strong>
                        <span class="tag" hidden=move || !is_recommended()>"recommended"</span>
                    </span>
                    <small class="hint">{facts}</small>
                </span>
            </label>
            <p class="reason" hidden=shows_verdict>{reason}</p>
            <div class="verdict">{verdict}</div>
        </div>
    })
}

/// What the card of the VM's own host says: it bears the host's name, and no preflight would say more.
fn already_here(state: VmState) -> &'static str {
    match state {
        VmState::Running => "Already runs here",
        VmState::ShutOff => "Already defined here",
        _ => "Already here",
    }
}
