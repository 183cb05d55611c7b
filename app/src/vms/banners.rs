//! What an admin has to know before anything else: VMs of which it is not certain that exactly one copy runs, and hosts that do not
//! answer.

use leptos::prelude::*;
use model::{ConnectionState, Host, Migration, MigrationId, Problem, Step, Vm, VmAction, VmId};

use crate::live::Live;
use crate::migrations::attention::{AttentionNote, needing_attention};
use crate::ui::{
    dialog::QuestionLink,
    icon::{Draw, Icon},
    problem::ProblemText,
    time::Time,
};
use crate::vms::action_form::action_question;

/// What is wrong.
#[derive(Clone, PartialEq)]
enum Banner {
    /// A migration needs attention: what its record says, and the step it offers.
    Attention { id: MigrationId, problem: Problem, step: Option<Step> },
    /// A VM runs on several hosts, and no migration of this console says why. The copy that it is listed by can be paused, unless it is
    /// being moved.
    RunsTwice { vm: VmId, what: String, pause: Option<String> },
    /// Several VMs have one UUID.
    Twins { problem: Problem },
    /// A host does not answer, since so many ms after 1970.
    Unreachable { what: String, since_ms: u64, problem: Problem },
}

/// The banners, the most urgent first.
#[component]
pub(crate) fn Banners() -> impl IntoView {
    let live = expect_context::<Live>();
    let banners = Memo::new(move |_| {
        let doubtful = needing_attention(live);
        let unexplained = |vm: &Vm| vm.runs_twice() && !doubtful.iter().any(|migration| migration.vm == vm.id);
        let twice = live.vms.values().into_iter().filter(unexplained).map(|vm| runs_twice(&vm)).collect::<Vec<_>>();
        let twins = live.vms.values().into_iter().filter_map(|vm| Some(Banner::Twins { problem: vm.shares_uuid()? }));
        let hosts = live.hosts.values().into_iter().filter_map(unreachable);
        doubtful.into_iter().filter_map(attention).chain(twice).chain(twins).chain(hosts).collect::<Vec<_>>()
    });
    view! {
        <div class="banners" role="alert">
            {move || banners.get().into_iter().map(|banner| view! { <Shown live banner /> }).collect_view()}
        </div>
    }
}

fn attention(Migration { id, problem, step, .. }: Migration) -> Option<Banner> {
    Some(Banner::Attention { id, problem: problem?, step })
}

fn runs_twice(vm: &Vm) -> Banner {
    let Vm { id, name, host, state, migration, .. } = vm;
    let others = vm.running_elsewhere().map(|copy| copy.host.as_str()).collect::<Vec<_>>().join(" and ");
    Banner::RunsTwice {
        vm: *id,
        what: format!("{name} runs on {host} and {others} at the same time."),
        pause: (migration.is_none() && VmAction::Pause.is_possible(*state))
            .then(|| format!("Pause the copy on {host}")),
    }
}

fn unreachable(host: Host) -> Option<Banner> {
    let ConnectionState::Unreachable { since_ms, problem } = host.connection else { return None };
    Some(Banner::Unreachable { what: format!("{} has not answered", host.name), since_ms, problem })
}

#[component]
fn Shown(live: Live, banner: Banner) -> impl IntoView {
    match banner {
        Banner::Attention { id, problem, step } => view! {
            <AttentionNote id problem step>
                <a class="button" href=format!("/migrations/{id}")>
                    "Show the migration"
                </a>
            </AttentionNote>
        }
        .into_any(),
        Banner::RunsTwice { vm, what, pause } => {
            let button = |label: String| {
                view! {
                    <p class="buttons">
                        <QuestionLink class="button danger" question=move || action_question(live, vm, VmAction::Pause)>
                            {label}
                        </QuestionLink>
                    </p>
                }
            };
            view! {
                <div class="note note-alarm">
                    <Draw icon=Icon::Warning />
                    <div class="note-text">
                        <p class="what">
                            <strong>{what}</strong>
                        </p>
                        <p>
                            "If both write to the same disks, these are being damaged. To pause one of them stops that, and can be undone. \
                             Which copy is the right one vmferry can't tell: it did not start them."
                        </p>
                        {pause.map(button)}
                    </div>
                </div>
            }
            .into_any()
        }
        Banner::Twins { problem } => view! {
            <div class="note note-warn">
                <Draw icon=Icon::Warning />
                <div class="note-text">
                    <ProblemText problem />
                </div>
            </div>
        }
        .into_any(),
        Banner::Unreachable { what, since_ms, problem } => view! {
            <div class="note note-warn">
                <Draw icon=Icon::Warning />
                <div class="note-text">
                    <p class="what">
                        <strong>{what}</strong>
                        " since "
                        <Time ms=since_ms />
                        "; its VMs are shown as last known."
                    </p>
                    <ProblemText problem />
                </div>
            </div>
        }
        .into_any(),
    }
}
