//! What a person has to know before anything else.

use leptos::prelude::*;
use model::{Connection, HostName, Problem, Vm};

use crate::components::{
    icon::{Draw, Icon},
    problem::ProblemText,
    time::Time,
};
use crate::live::Live;

/// VMs that run on two hosts at once, and hosts that do not answer.
#[component]
pub(crate) fn Banners() -> impl IntoView {
    let live = expect_context::<Live>();
    let doubled = Memo::new(move |_| live.vms.values().into_iter().filter(Vm::runs_twice).collect::<Vec<_>>());
    let unreachable = Memo::new(move |_| {
        let hosts = live.hosts.values().into_iter();
        hosts
            .filter_map(|host| match host.connection {
                Connection::Unreachable { since_ms, problem } => Some((host.name, since_ms, problem)),
                _ => None,
            })
            .collect::<Vec<_>>()
    });
    view! {
        <div class="banners" role="alert">
            <For each=move || doubled.get() key=|vm| vm.id let:vm>
                <RunsTwice vm />
            </For>
        </div>
        <div class="banners" role="status">
            <For each=move || unreachable.get() key=|(name, since_ms, _)| (name.clone(), *since_ms) let:host>
                <Unreachable host />
            </For>
        </div>
    }
    .into_any()
}

#[component]
fn RunsTwice(vm: Vm) -> impl IntoView {
    let elsewhere: Vec<&str> = vm.other_copies.iter().map(|copy| copy.host.as_str()).collect();
    let hosts = format!("{} and {}", vm.host, elsewhere.join(" and "));
    view! {
        <div class="note note-alarm">
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <p class="problem-sentence">{format!("{} runs on {hosts} at the same time.", vm.name)}</p>
                <p>
                    "Its disks are being damaged. Find out which copy is the right one, and force the other off on its host, now."
                </p>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Unreachable(host: (HostName, u64, Problem)) -> impl IntoView {
    let (name, since_ms, problem) = host;
    view! {
        <div class="note note-warn">
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <p>
                    <strong>{format!("{name} does not answer")}</strong>
                    " since "
                    <Time ms=since_ms />
                    "; its VMs are shown as they were last known."
                </p>
                <ProblemText problem />
            </div>
        </div>
    }
    .into_any()
}
