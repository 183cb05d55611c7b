//! What an admin has to know before anything else: VMs that run on two hosts, and hosts that do not answer.

use leptos::prelude::*;
use model::{ConnectionState, Host, Problem, Vm};

use crate::live::Live;
use crate::ui::{
    icon::{Draw, Icon},
    problem::ProblemText,
    time::Time,
};

/// What is wrong, and since when, in ms since 1970.
#[derive(Clone, PartialEq)]
struct Banner {
    what: String,
    since_ms: Option<u64>,
    /// A VM's disks are in danger.
    is_alarm: bool,
    problem: Option<Problem>,
}

/// The banners, the most urgent first.
#[component]
pub(crate) fn Banners() -> impl IntoView {
    let live = expect_context::<Live>();
    let banners = Memo::new(move |_| {
        let vms = live.vms.values().into_iter().filter_map(runs_twice);
        vms.chain(live.hosts.values().into_iter().filter_map(unreachable)).collect::<Vec<_>>()
    });
    view! {
        <div class="banners" role="alert">
            {move || banners.get().into_iter().map(|banner| view! { <Shown banner /> }).collect_view()}
        </div>
    }
}

fn runs_twice(vm: Vm) -> Option<Banner> {
    let others: Vec<&str> = vm.other_copies.iter().map(|copy| copy.host.as_str()).collect();
    vm.runs_twice().then(|| Banner {
        what: format!(
            "{} runs on {} and {} at the same time. Its disks are being damaged.",
            vm.name,
            vm.host,
            others.join(" and ")
        ),
        since_ms: None,
        is_alarm: true,
        problem: None,
    })
}

fn unreachable(host: Host) -> Option<Banner> {
    let ConnectionState::Unreachable { since_ms, problem } = host.connection else { return None };
    Some(Banner {
        what: format!("{} has not answered", host.name),
        since_ms: Some(since_ms),
        is_alarm: false,
        problem: Some(problem),
    })
}

#[component]
fn Shown(banner: Banner) -> impl IntoView {
    let Banner { what, since_ms, is_alarm, problem } = banner;
    let advice = is_alarm.then(|| {
        view! { <p>"Find out which copy is the right one, and force the other off on its host, now."</p> }
    });
    let since = since_ms.map(|ms| view! { " since " <Time ms /> "; its VMs are shown as last known." });
    view! {
        <div class=if is_alarm { "note note-alarm" } else { "note note-warn" }>
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <p class="what">
                    <strong>{what}</strong>
                    {since}
                </p>
                {advice}
                {problem.map(|problem| view! { <ProblemText problem /> })}
            </div>
        </div>
    }
}
