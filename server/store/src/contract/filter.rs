//! The filter of migrations, against one of the test's own that is as plain as can be: it judges the stores, and
//! `MigrationFilter::lets_through` with them.

use model::{HostName, MigrationFilter, MigrationId, Phase, VmId};
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestRunner};
use uuid::Uuid;

use super::*;

/// Stores that are filled, and filters that are tried on each.
const CASES: u32 = 12;
const FILTERS: usize = 60;

#[test]
fn memory_filters_as_the_plain_filter() {
    filters_as_the_plain_filter(Database::memory);
}

#[test]
fn sqlite_filters_as_the_plain_filter() {
    filters_as_the_plain_filter(Database::sqlite);
}

fn filters_as_the_plain_filter(database: fn() -> Database) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let input = (vec(a_migration(), 0..40), vec(a_filter(), FILTERS));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(CASES));
    let checked = runner.run(&input, |(migrations, filters)| {
        runtime.block_on(check(&database(), migrations, &filters));
        Ok(())
    });
    checked.unwrap();
}

async fn check(database: &Database, migrations: Vec<Migration>, filters: &[MigrationFilter]) {
    let store = database.open().await;
    let mut kept = Vec::new();
    for migration in migrations {
        // Not in its last state from the beginning: what is searched has to follow.
        let fresh = Migration { phase: Phase::Queued, ..migration.clone() };
        if store.insert_migration(&fresh).await.is_ok() {
            store.update_migration(&migration, &way_to(migration.phase)).await.unwrap();
            kept.push(migration);
        }
    }
    for filter in filters {
        assert_eq!(ids(&store.migrations(filter).await.unwrap()), ids(&plain(kept.clone(), filter)), "{filter:?}");
    }
}

fn plain(mut found: Vec<Migration>, filter: &MigrationFilter) -> Vec<Migration> {
    found.sort_by_key(|migration| std::cmp::Reverse(migration.id));
    if let Some(vm) = filter.vm {
        found.retain(|migration| migration.vm == vm);
    }
    if let Some(name) = &filter.vm_name {
        found.retain(|migration| migration.vm_name == *name);
    }
    if let Some(host) = &filter.source {
        found.retain(|migration| migration.source == *host);
    }
    if let Some(host) = &filter.destination {
        found.retain(|migration| migration.destination == *host);
    }
    if let Some(host) = &filter.host {
        found.retain(|migration| [&migration.source, &migration.destination].contains(&host));
    }
    if let Some(phases) = &filter.phases {
        found.retain(|migration| phases.contains(&migration.phase));
    }
    if let Some(user) = &filter.requested_by {
        found.retain(|migration| migration.requested_by == *user);
    }
    if let Some(from) = filter.created_from_ms {
        found.retain(|migration| migration.created_at_ms >= from);
    }
    if let Some(before) = filter.created_before_ms {
        found.retain(|migration| migration.created_at_ms < before);
    }
    if let Some(before) = filter.before {
        found.retain(|migration| migration.id < before);
    }
    found.truncate(filter.limit as usize);
    found
}

fn a_vm() -> impl Strategy<Value = VmId> {
    (1..12_u128).prop_map(|number| VmId(Uuid::from_u128(number)))
}

fn a_host() -> impl Strategy<Value = HostName> {
    select(vec!["alpha", "beta", "gamma"]).prop_map(|name| name.parse().unwrap())
}

fn a_user() -> impl Strategy<Value = String> {
    select(vec!["ada", "grace", "o'brien"]).prop_map(str::to_owned)
}

fn a_name() -> impl Strategy<Value = String> {
    select(vec!["web", "WEB", "größe", "100%"]).prop_map(str::to_owned)
}

/// Mostly ended: a VM has one open migration.
fn a_phase() -> impl Strategy<Value = Phase> {
    use Phase::{Cancelled, CopyingMemory, Failed, MovedElsewhere, NeedsAttention, Queued, Succeeded};
    select(vec![Queued, CopyingMemory, Succeeded, Succeeded, Failed, Cancelled, MovedElsewhere, NeedsAttention])
}

fn an_id() -> impl Strategy<Value = MigrationId> {
    (0..200_u128).prop_map(|number| MigrationId(Uuid::from_u128(number)))
}

prop_compose! {
    fn a_migration()(
        (id, vm, phase) in (an_id(), a_vm(), a_phase()),
        (vm_name, requested_by) in (a_name(), a_user()),
        (source, destination) in (a_host(), a_host()),
        created_at_ms in 0..20_u64,
    ) -> Migration {
        let example = examples::migration(id.0.as_u128());
        Migration { vm, phase, vm_name, requested_by, source, destination, created_at_ms, ..example }
    }
}

prop_compose! {
    fn a_filter()(
        (vm, vm_name) in (rarely(a_vm()), rarely(a_name())),
        (source, destination, host) in (rarely(a_host()), rarely(a_host()), rarely(a_host())),
        (phases, requested_by) in (rarely(vec(a_phase(), 0..4)), rarely(a_user())),
        (created_from_ms, created_before_ms) in (rarely(0..20_u64), rarely(0..20_u64)),
        before in rarely(an_id()),
        limit in 0..30_u32,
    ) -> MigrationFilter {
        MigrationFilter {
            vm, vm_name, source, destination, host, phases, requested_by, created_from_ms, created_before_ms, before, limit,
        }
    }
}

/// Most conditions are left out, else nearly every list would be empty.
fn rarely<T: Strategy>(strategy: T) -> impl Strategy<Value = Option<T::Value>>
where
    T::Value: Clone,
{
    option::weighted(0.25, strategy)
}
