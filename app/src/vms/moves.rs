//! Where a VM can go, and where it went, on the VM's page. The server renders it.

use leptos::prelude::*;
use model::{Destinations, Migration, VmId, text};

use crate::migrations::{
    predicted::predicted_and_came,
    progress::{FromTo, PhaseBadge},
};
use crate::ui::time::Time;

/// How many migrations are shown.
pub(super) const SHOWN: u32 = 10;

/// How many hosts could take it, in a sentence or two.
#[component]
pub(super) fn WhereTo(destinations: Destinations) -> impl IntoView {
    let [free, risky, blocked, unknown] = counts(&destinations);
    let words = [
        (free, "can take it"),
        (risky, "can take it with a risk that has to be accepted"),
        (blocked, "can't take it"),
        (unknown, "can't be checked now"),
    ];
    let rows = words.into_iter().filter(|(count, _)| *count > 0).map(|(count, words)| {
        let hosts = if count == 1 { "1 host".to_owned() } else { format!("{count} hosts") };
        view! { <li>{format!("{hosts} {words}")}</li> }
    });
    let best = destinations.recommended.clone().map(|host| view! { <p>{format!("The best is {host}.")}</p> });
    let none = destinations.reports.is_empty().then(|| view! { <p class="hint">"No other host answered in time."</p> });
    view! {
        <ul class="things">{rows.collect_view()}</ul>
        {best}
        {none}
    }
}

/// Hosts that can take it, that can if a risk is accepted, that can't, and of which it is not known.
fn counts(destinations: &Destinations) -> [usize; 4] {
    let mut counts = [0; 4];
    for report in &destinations.reports {
        let kind = match &report.preflight {
            Err(_) => 3,
            Ok(preflight) if !preflight.is_possible() => 2,
            Ok(preflight) if preflight.findings.iter().any(|finding| finding.consent) => 1,
            Ok(_) => 0,
        };
        counts[kind] += 1;
    }
    counts
}

/// Its migrations, the newest first: what was predicted, and what came of it.
#[component]
pub(super) fn ItsMigrations(vm: VmId, name: String, migrations: Vec<Migration>) -> impl IntoView {
    if migrations.is_empty() {
        return view! {
            <section class="card">
                <h2>"Migrations"</h2>
                <p class="hint">"This console has not moved it yet."</p>
            </section>
        }
        .into_any();
    }
    let all = (migrations.len() == SHOWN as usize).then(|| {
        let params: leptos_router::params::ParamsMap = [("vm", name)].into_iter().collect();
        let all = format!("/migrations{}", params.to_query_string());
        view! { <p><a class="button" href=all>"All migrations of this name"</a></p> }
    });
    let row = |migration: Migration| {
        let predicted = predicted_and_came(&migration);
        let took = migration.outcome.map(|outcome| format!(" {}", text::duration(outcome.total_ms)));
        let problem = migration.problem.as_ref().map(|problem| problem.sentence.clone());
        let Migration { id, source, destination, created_at_ms, phase, .. } = migration;
        view! {
            <li>
                <p>
                    <a id=format!("moved-{id}") href=format!("/migrations/{id}")>
                        <FromTo source destination />
                    </a>
                    " "
                    <PhaseBadge phase />
                    {took}
                    " "
                    <span class="hint"><Time ms=created_at_ms /></span>
                </p>
                {predicted.map(|words| view! { <p class="hint">{words}</p> })}
                {problem.map(|words| view! { <p class="hint">{words}</p> })}
            </li>
        }
    };
    view! {
        <section class="card" data-moves=vm.to_string()>
            <h2>"Migrations"</h2>
            <ul class="things">{migrations.into_iter().map(row).collect_view()}</ul>
            {all}
        </section>
    }
    .into_any()
}
