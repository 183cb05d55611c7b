//! A host as a destination to choose.

use leptos::prelude::*;
use model::{Host, HostName, Problem, Vm, refusal, text};

use crate::live::Live;
use crate::migrations::destination_reports::Looks;
use crate::ui::Erased;

/// The card of a host: what it has, and what speaks for or against it. It can't be chosen where nothing in the form would help.
#[component]
pub(crate) fn DestinationCard(name: HostName, vm: Memo<Option<Vm>>, looks: Looks, autofocus: bool) -> impl IntoView {
    let host: Signal<Host> = expect_context::<Live>().hosts.get_untracked(&name)?.into();
    let known = looks.known;
    let name = name.to_string();
    let is_chosen = move || known.read().chosen.as_ref() == Some(&host.read().name);
    // What the inventory says is known at once, and before the host has answered.
    let refused = move || -> Option<Problem> { refusal(vm.read().as_ref()?, &host.read(), None) };
    let is_greyed =
        move || refused().is_some() || known.read().of(&host.read().name).is_some_and(|outlook| !outlook.can_be_chosen);
    let is_answered = move || known.read().of(&host.read().name).is_some();
    let verdict = move || known.read().of(&host.read().name).map(|outlook| outlook.verdict.clone()).unwrap_or_default();
    let reason = move || refused().map_or_else(|| "Asking…".to_owned(), |problem| problem.sentence);
    let facts = move || {
        let host = host.read();
        let vms = if host.vms == 1 { "1 VM".to_owned() } else { format!("{} VMs", host.vms) };
        let (free, memory) = (text::bytes(host.memory_free_bytes), text::bytes(host.memory_bytes));
        format!("{free} of {memory} free · {vms}")
    };
    Some(
        view! {
            <div class="destination" data-host=name>
                <label>
                    <input
                        type="radio"
                        id=format!("to-{name}")
                        name="request[destination]"
                        value=name.clone()
                        required
                        autofocus=autofocus
                        // One that was chosen stays in the form, whatever is found about it then.
                        disabled=move || is_greyed() && !is_chosen()
                        checked=is_chosen
                    />
                    <span class="about">
                        <span>
                            <strong>{name.clone()}</strong>
                            <span class="tag" hidden=move || known.read().recommended.as_ref() != Some(&host.read().name)>"recommended"</span>
                        </span>
                        <small class="hint">{move || facts()}</small>
                    </span>
                </label>
                <p class="reason" hidden=is_answered>{move || reason()}</p>
                <div class="verdict" inner_html=verdict></div>
            </div>
        }
        .erased(),
    )
}
