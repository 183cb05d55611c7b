//! The list of migrations, newest first, and the figures of those that match. The server renders both.

use std::collections::BTreeMap;

use leptos::prelude::*;
use model::{Convergence, Migration, MigrationQuery, Phase, text};

use crate::live::bar_percent;
use crate::migrations::progress::{FromTo, PhaseBadge};
use crate::ui::{
    icon::{Draw, Icon},
    table::Table,
    time::Time,
};

/// How many migrations a page of the list has.
pub(super) const PAGE: u32 = 50;
/// How many of those that match the figures are made of, the newest.
pub(super) const COUNTED: u32 = 1_000;

/// The filters, the figures, and a page of the list.
#[component]
pub(super) fn MigrationList(query: MigrationQuery, page: Vec<Migration>, matching: Vec<Migration>) -> impl IntoView {
    let is_filtered = query.pairs().iter().any(|(_, value)| !value.is_empty());
    let older = (page.len() == PAGE as usize).then(|| page.last().map(|last| last.id)).flatten();
    let older = older.map(|id| address("/migrations", &query, Some(id.to_string())));
    let newest = (!query.before.is_empty()).then(|| address("/migrations", &query, None));
    let export = |format: &str| {
        let address = address("/api/migrations", &query, None);
        format!("{address}{}format={format}", if address.contains('?') { '&' } else { '?' })
    };
    let content = match (page.is_empty(), is_filtered) {
        (true, false) => view! { <NoMigrations /> }.into_any(),
        (true, true) => view! { <p class="hint">"No migration matches."</p> }.into_any(),
        (false, _) => view! { <Rows page /> }.into_any(),
    };
    view! {
        <Figures matching />
        {content}
        <nav class="pages" aria-label="Pages">
            {newest.map(|url| view! { <a class="button" href=url>"Newest"</a> })}
            {older.map(|url| view! { <a class="button" href=url>"Older"</a> })}
        </nav>
        <p class="hint">
            "Export: " <a href=export("csv") rel="external" download>"CSV"</a> ", "
            <a href=export("ndjson") rel="external" download>"NDJSON"</a>
        </p>
    }
}

/// The address of a list with this query.
fn address(path: &str, query: &MigrationQuery, before: Option<String>) -> String {
    let before = before.unwrap_or_default();
    let pairs = query.pairs().into_iter().chain([("before", before.as_str())]).filter(|(_, value)| !value.is_empty());
    let params: leptos_router::params::ParamsMap = pairs.map(|(key, value)| (key, value.to_owned())).collect();
    format!("{path}{}", params.to_query_string())
}

/// How many there were, how long they took, and what the failures were.
#[component]
fn Figures(matching: Vec<Migration>) -> impl IntoView {
    if matching.is_empty() {
        return ().into_any();
    }
    let count =
        if matching.len() == COUNTED as usize { format!("the newest {COUNTED}") } else { matching.len().to_string() };
    let of = |phase: Phase| matching.iter().filter(|migration| migration.phase == phase).count();
    let outcomes = || {
        matching
            .iter()
            .filter(|migration| migration.phase == Phase::Succeeded)
            .filter_map(|migration| migration.outcome)
    };
    let total = median(outcomes().map(|outcome| outcome.total_ms).collect());
    let pause = median(outcomes().filter_map(|outcome| outcome.downtime_ms).collect());
    let known = |ms: Option<u64>| ms.map_or("–".to_owned(), text::duration);
    let failures = failures(&matching);
    let failures = (!failures.is_empty()).then(|| {
        view! { <p class="hint">{format!("Failures by reason: {}", failures.join(", "))}</p> }
    });
    view! {
        <dl class="figures sums">
            <div><dt>"Migrations"</dt><dd>{count}</dd></div>
            <div><dt>"Succeeded"</dt><dd>{of(Phase::Succeeded)}</dd></div>
            <div><dt>"Failed"</dt><dd>{of(Phase::Failed)}</dd></div>
            <div><dt>"Median duration"</dt><dd>{known(total)}</dd></div>
            <div><dt>"Median pause"</dt><dd>{known(pause)}</dd></div>
        </dl>
        {failures}
    }
    .into_any()
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// How many failed, by the code of the reason, the most frequent first.
fn failures(matching: &[Migration]) -> Vec<String> {
    let failed = matching.iter().filter(|migration| migration.phase == Phase::Failed);
    let mut reasons: BTreeMap<&str, u32> = BTreeMap::new();
    for migration in failed {
        let code = migration.problem.as_ref().map_or("unknown", |problem| problem.code.as_str());
        *reasons.entry(code).or_default() += 1;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
    reasons.into_iter().map(|(code, count)| format!("{count} {code}")).collect()
}

#[component]
fn Rows(page: Vec<Migration>) -> impl IntoView {
    view! {
        <Table
            class="migrations"
            caption="Migrations, newest first"
            columns=&["VM", "From and to", "Result", "Duration", "Requested"]
            numbers=&["Duration"]
        >
            {page.into_iter().map(|migration| view! { <Row migration /> }).collect_view()}
        </Table>
    }
}

#[component]
fn Row(migration: Migration) -> impl IntoView {
    let result = if migration.phase.has_ended() {
        view! { <PhaseBadge phase=migration.phase /> }.into_any()
    } else {
        view! { <RunningNow migration=migration.clone() /> }.into_any()
    };
    let elapsed_ms = migration.outcome.map_or(migration.progress.elapsed_ms, |outcome| outcome.total_ms);
    let Migration { id, vm_name, source, destination, requested_by, created_at_ms, .. } = migration;
    let name = vm_name.clone();
    view! {
        <tr role="row" data-vm=name>
            <th role="rowheader">
                <a id=format!("migration-{id}") href=format!("/migrations/{id}")>{vm_name}</a>
            </th>
            <td role="cell"><FromTo source destination /></td>
            <td role="cell">{result}</td>
            <td role="cell" class="number">{text::duration(elapsed_ms)}</td>
            <td role="cell" class="requested">
                <Time ms=created_at_ms /> <small class="by">{format!(" by {requested_by}")}</small>
            </td>
        </tr>
    }
}

/// How far it is; one that will not end by itself looks otherwise than one that is well.
#[component]
fn RunningNow(migration: Migration) -> impl IntoView {
    let percent = bar_percent(migration.phase, migration.progress.percent);
    let never_ends = matches!(migration.progress.convergence, Convergence::NotConverging { .. });
    let now = if never_ends { "Will not end by itself" } else { migration.phase.label() };
    view! {
        <span class="moving" class:never=never_ends>
            <span class="moving-text">
                <span class="now">{never_ends.then(|| view! { <Draw icon=Icon::Warning /> })} {now}</span>
                <span class="number">{text::percent(percent)}</span>
            </span>
            <progress
                class="bar"
                data-phase=migration.phase.as_str()
                max="100"
                value=percent.to_string()
                aria-label=format!("Migration of {} to {}", migration.vm_name, migration.destination)
            ></progress>
        </span>
    }
}

#[component]
fn NoMigrations() -> impl IntoView {
    view! {
        <div class="empty">
            <Draw icon=Icon::Migrations />
            <h2>"No migrations yet"</h2>
            <p>"Every migration is kept here, with its duration and its result. Press Migrate beside a VM to start one."</p>
            <p>
                <a class="button" href="/">
                    "Show the VMs"
                </a>
            </p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Code, Problem, examples};

    fn failed(id: u128, code: Code) -> Migration {
        Migration { phase: Phase::Failed, problem: Some(Problem::new(code, "It failed.")), ..examples::migration(id) }
    }

    #[test]
    fn failures_are_counted_by_reason() {
        let all = [Code::HostUnreachable, Code::WrongState, Code::HostUnreachable].into_iter().zip(1..);
        let all: Vec<Migration> = all.map(|(code, id)| failed(id, code)).collect();
        let expected = [format!("2 {}", Code::HostUnreachable.as_str()), format!("1 {}", Code::WrongState.as_str())];
        assert_eq!(failures(&all), expected);
        assert_eq!((median(vec![3, 1, 2]), median(Vec::new())), (Some(2), None));
    }

    #[test]
    fn an_address_has_what_is_asked_for() {
        let query = MigrationQuery { vm: "a b".into(), result: "failed".into(), ..MigrationQuery::default() };
        assert_eq!(address("/migrations", &query, None), "/migrations?vm=a%20b&result=failed");
        assert_eq!(address("/migrations", &MigrationQuery::default(), Some("x".into())), "/migrations?before=x");
        assert_eq!(address("/migrations", &MigrationQuery::default(), None), "/migrations");
    }
}
