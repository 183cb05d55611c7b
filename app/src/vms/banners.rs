//! What an admin has to know before anything else: VMs of which it is not certain that exactly one copy runs, and hosts that do not
//! answer.

use std::{
    mem::{Discriminant, discriminant},
    sync::Arc,
};

use leptos::prelude::*;
use model::{
    Attention, EndedBadly, HostName, MigrationId, Phase, Problem, Step, Summary, Unreachable, Vm, VmAction, VmId,
};

use crate::live::Live;
use crate::migrations::{attention::AttentionNote, looked::looked_at_ms};
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
    Twins { vm: VmId, problem: Problem },
    /// Hosts do not answer, all for one reason.
    Unreachable(Unreachable),
    /// So many migrations will not end by themselves, or have ended badly since one last looked.
    Migrations { words: String, href: &'static str },
}

/// The banners, the most urgent first.
#[component]
pub(crate) fn Banners() -> impl IntoView {
    let live = expect_context::<Live>();
    let looked = looked_at_ms();
    let banners = Memo::new(move |_| of(&live.summary.read(), looked.get()));
    // What one looks at stays where it is: a banner that was there at first leaves its place when it ends, and one that comes later is at
    // the foot of the window until the next page.
    let first = Arc::new(banners.get_untracked());
    let at = move |class: &'static str, is_later: bool| {
        let first = first.clone();
        let banner = move |(banner, is_over): (Banner, bool)| {
            view! { <div class=if is_over { "over" } else { "" }><Shown live banner /></div> }.into_any()
        };
        let shown = move || placed(&first, &banners.read(), is_later).into_iter().map(banner).collect_view();
        view! { <div class=class role="alert">{shown}</div> }.into_any()
    };
    view! {
        {at("banners", false)}
        {at("banners later", true)}
    }
}

/// The banners in one of the two places, and whether they are over.
fn placed(first: &[Banner], now: &[Banner], is_later: bool) -> Vec<(Banner, bool)> {
    let (these, those) = if is_later { (now, first) } else { (first, now) };
    let mut placed = Vec::new();
    for banner in these {
        match those.iter().find(|other| other.subject() == banner.subject()) {
            None => placed.push((banner.clone(), !is_later)),
            Some(now) if !is_later => placed.push((now.clone(), false)),
            Some(_) => {}
        }
    }
    placed
}

impl Banner {
    /// What it is about: two of one subject are one banner that has changed.
    fn subject(&self) -> (Discriminant<Self>, u128) {
        let number = match self {
            Self::Attention { id, .. } => id.0.as_u128(),
            Self::RunsTwice { vm, .. } | Self::Twins { vm, .. } => vm.0.as_u128(),
            Self::Unreachable(Unreachable { problem, .. }) => problem.code as u128,
            Self::Migrations { href, .. } => href.len() as u128,
            Self::MoreAttention(_) => 0,
        };
        (discriminant(self), number)
    }
}

fn of(summary: &Summary, looked_at_ms: Option<u64>) -> Vec<Banner> {
    let told = summary.attention.iter().filter_map(|Attention { migration, problem, step, .. }| {
        Some(Banner::Attention { id: *migration, problem: problem.clone()?, step: step.clone() })
    });
    let more = summary.attention.len().saturating_sub(Summary::SHOWN);
    let twice = summary.alarms.iter().filter(|vm| vm.runs_twice()).map(runs_twice);
    let twins = summary.alarms.iter().filter_map(|vm| Some(Banner::Twins { vm: vm.id, problem: vm.shares_uuid()? }));
    let unreachable = summary.unreachable.iter().cloned().map(Banner::Unreachable);
    let never = (summary.not_converging > 0).then(|| Banner::Migrations {
        words: format!(
            "Running migrations that will not end by themselves: {} of {}.",
            summary.not_converging, summary.running
        ),
        href: "/migrations?result=running",
    });
    let is_news = |ended: &&EndedBadly| ended.phase == Phase::Failed && looked_at_ms.is_some_and(|ms| ended.at_ms > ms);
    let news = summary.ended_badly.iter().filter(is_news).count();
    let failed = (news > 0).then(|| Banner::Migrations {
        words: match news {
            1 => "1 migration has failed since you last looked.".to_owned(),
            news => format!("{news} migrations have failed since you last looked."),
        },
        href: "/migrations?result=failed",
    });
    let migrations = never.into_iter().chain(failed);
    told.chain((more > 0).then_some(Banner::MoreAttention(more)))
        .chain(twice)
        .chain(twins)
        .chain(unreachable)
        .chain(migrations)
        .collect()
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
        Banner::Twins { problem, .. } => view! {
            <div class="note note-warn">
                <Draw icon=Icon::Warning />
                <div class="note-text">
                    <ProblemText problem />
                </div>
            </div>
        }
        .into_any(),
        Banner::Migrations { words, href } => view! {
            <div class="note note-warn">
                <Draw icon=Icon::Warning />
                <p class="note-text">{words} " " <a href=href>"Show them"</a></p>
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
                            {are_many.then(|| view! { <a href="/hosts?q=unreachable">"Show them"</a> })}
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
    fn what_failed_since_one_last_looked_is_told() {
        let failed = |at_ms| EndedBadly { id: MigrationId(uuid::Uuid::nil()), phase: Phase::Failed, at_ms };
        let summary = Summary { ended_badly: vec![failed(30), failed(20), failed(10)], ..Summary::default() };
        let words = |looked| {
            of(&summary, looked).into_iter().map(|banner| match banner {
                Banner::Migrations { words, .. } => words,
                _ => String::new(),
            })
        };
        assert_eq!(words(Some(15)).collect::<Vec<_>>(), ["2 migrations have failed since you last looked."]);
        assert_eq!(words(None).count() + words(Some(30)).count(), 0, "nothing is news");
    }

    #[test]
    fn nothing_moves_when_banners_come_and_go() {
        let failed = |words: &str| Banner::Migrations { words: words.to_owned(), href: "/migrations?result=failed" };
        let running = Banner::Migrations { words: String::new(), href: "/migrations?result=running" };
        let first = [failed("1")];
        let places = |now: &[Banner]| [false, true].map(|is_later| placed(&first, now, is_later));
        let changed = places(&[running.clone(), failed("2")]);
        assert!(changed == [vec![(failed("2"), false)], vec![(running.clone(), false)]]);
        assert!(places(std::slice::from_ref(&running)) == [vec![(failed("1"), true)], vec![(running, false)]]);
    }

    #[test]
    fn many_hosts_are_one_line() {
        let hosts: Vec<HostName> = (1..=7).map(|number| format!("h{number}").parse().unwrap()).collect();
        assert_eq!(who_is_unreachable(&hosts[..1]), "h1 has not answered");
        assert_eq!(who_is_unreachable(&hosts[..3]), "h1, h2, h3 have not answered");
        assert_eq!(who_is_unreachable(&hosts), "7 hosts have not answered: h1, h2, h3, h4, h5 and 2 others");
    }
}
