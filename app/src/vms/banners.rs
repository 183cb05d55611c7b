//! What an admin has to know before anything else: VMs of which it is not certain that exactly one copy runs, and hosts that do not
//! answer.

use leptos::prelude::*;
use model::{Attention, HostName, MigrationId, Problem, Step, Summary, Unreachable, Vm, VmAction, VmId};

use crate::live::Live;
use crate::migrations::attention::AttentionNote;
use crate::ui::{
    dialog::QuestionLink,
    icon::{Draw, Icon},
    problem::ProblemText,
    time::Time,
};
use crate::vms::action_form::action_question;

/// How many hosts are named where many do not answer.
const NAMED: usize = 5;

/// What is wrong.
#[derive(Clone, PartialEq)]
enum Banner {
    /// A migration needs attention: what its record says, and the step it offers.
    Attention { id: MigrationId, problem: Problem, step: Option<Step> },
    /// So many more migrations need attention.
    MoreAttention(usize),
    /// A VM runs on several hosts, and no migration of this console says why. The copy that it is listed by can be paused, unless it is
    /// being moved.
    RunsTwice { vm: VmId, what: String, pause: Option<String> },
    /// Several VMs have one UUID.
    Twins { problem: Problem },
    /// Hosts do not answer, all for one reason.
    Unreachable(Unreachable),
}

/// The banners, the most urgent first.
#[component]
pub(crate) fn Banners() -> impl IntoView {
    let live = expect_context::<Live>();
    let banners = Memo::new(move |_| of(&live.summary.read()));
    view! {
        <div class="banners" role="alert">
            {move || banners.get().into_iter().map(|banner| view! { <Shown live banner /> }).collect_view()}
        </div>
    }
}

fn of(summary: &Summary) -> Vec<Banner> {
    let told = summary.attention.iter().filter_map(|Attention { migration, problem, step, .. }| {
        Some(Banner::Attention { id: *migration, problem: problem.clone()?, step: step.clone() })
    });
    let more = summary.attention.len().saturating_sub(Summary::SHOWN);
    let twice = summary.alarms.iter().filter(|vm| vm.runs_twice()).map(runs_twice);
    let twins = summary.alarms.iter().filter_map(|vm| Some(Banner::Twins { problem: vm.shares_uuid()? }));
    let unreachable = summary.unreachable.iter().cloned().map(Banner::Unreachable);
    told.chain((more > 0).then_some(Banner::MoreAttention(more))).chain(twice).chain(twins).chain(unreachable).collect()
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

/// Who does not answer, in words.
fn who_is_unreachable(hosts: &[HostName]) -> String {
    let names = |hosts: &[HostName]| hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(", ");
    match hosts {
        [host] => format!("{host} has not answered"),
        hosts if hosts.len() <= NAMED => format!("{} have not answered", names(hosts)),
        hosts => format!(
            "{} hosts have not answered: {} and {} others",
            hosts.len(),
            names(&hosts[..NAMED]),
            hosts.len() - NAMED
        ),
    }
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
        Banner::MoreAttention(count) => view! {
            <div class="note note-alarm">
                <Draw icon=Icon::Warning />
                <p class="note-text">
                    {format!("{count} more migrations need attention. ")} <a href="/migrations?result=needs-attention">"Show them"</a>
                </p>
            </div>
        }
        .into_any(),
        Banner::Unreachable(Unreachable { problem, since_ms, hosts }) => {
            let are_many = hosts.len() > 1;
            view! {
                <div class="note note-warn">
                    <Draw icon=Icon::Warning />
                    <div class="note-text">
                        <p class="what">
                            <strong>{who_is_unreachable(&hosts)}</strong>
                            {if are_many { ", the first since " } else { " since " }}
                            <Time ms=since_ms />
                            {if are_many { "; their VMs are shown as last known. " } else { "; its VMs are shown as last known. " }}
                            {are_many.then(|| view! { <a href="/hosts?state=unreachable">"Show them"</a> })}
                        </p>
                        <ProblemText problem />
                    </div>
                </div>
            }
            .into_any()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_hosts_are_one_line() {
        let hosts: Vec<HostName> = (1..=7).map(|number| format!("h{number}").parse().unwrap()).collect();
        assert_eq!(who_is_unreachable(&hosts[..1]), "h1 has not answered");
        assert_eq!(who_is_unreachable(&hosts[..3]), "h1, h2, h3 have not answered");
        assert_eq!(who_is_unreachable(&hosts), "7 hosts have not answered: h1, h2, h3, h4, h5 and 2 others");
    }
}
