//! Keeps one host connected and the inventory true to it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use model::{HostName, VmId};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::{
    commands::Command,
    context::Context,
    hypervisor::{HostConnection, HostError, HostErrorKind, HostEvent, Opened, Statistics},
    inventory::Watch,
};

/// A lost host is tried again after this at the earliest; each wait is twice as long as the one before, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// A host that comes back should not have to wait long for us, and a dead one costs one connection attempt each time.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Added to each wait where the login works but libvirt may not be used. Each attempt costs a login, and the refusal may pass by
/// itself: a daemon that is starting makes its socket first, and gives it to its group afterwards.
const NOT_PERMITTED_WAIT: Duration = Duration::from_mins(1);
/// How often free memory is asked for, and everything else again: libvirt forgets to tell of a definition that a migration
/// removed (libvirt issue 186).
const REFRESH: Duration = Duration::from_secs(30);

/// Watches a host until its watch is ended, beginning with `opened` if a connection has been made already.
pub(crate) async fn watch(context: Arc<Context>, watch: Watch, opened: Option<Opened>) {
    tokio::select! {
        biased;
        () = watch.ended.cancelled() => {}
        () = stay_connected(&context, &watch, opened) => {}
    }
}

/// Connects, follows, and connects again. Returns when another attempt is in vain until a user acts: types a password, say.
async fn stay_connected(context: &Context, watch: &Watch, mut opened: Option<Opened>) {
    let mut waits = backoff();
    loop {
        let connected = match opened.take() {
            Some(opened) => Ok(opened),
            None => connect(context, watch).await,
        };
        let error = match connected {
            Ok(connected) => {
                waits = backoff();
                follow(context, watch, connected).await
            }
            Err(error) => error,
        };
        tracing::warn!(host = %watch.host, %error, details = error.details, "host is unreachable");
        let kind = error.kind;
        context.inventory().unreachable(watch, error);
        if kind.is_in_vain() {
            return;
        }
        let wait = waits.next().unwrap_or(LONGEST_WAIT);
        match kind {
            HostErrorKind::NotPermitted => sleep(NOT_PERMITTED_WAIT + wait).await,
            _ => sleep_unless_needed(context, &watch.host, wait).await,
        }
    }
}

/// Waits before the next attempt: only for a second while a migration needs the host to know where its VM is, since a VM may run twice.
async fn sleep_unless_needed(context: &Context, host: &HostName, wait: Duration) {
    let end = Instant::now() + wait;
    loop {
        sleep((end - Instant::now()).min(FIRST_WAIT)).await;
        if Instant::now() >= end || context.inventory().is_needed(host) {
            return;
        }
    }
}

/// The waits before each attempt to connect again. Chance adds up to as much again to each, so that hosts that were lost together, as
/// behind one switch, are not tried together for ever.
fn backoff() -> impl Iterator<Item = Duration> {
    let doubling = ExponentialBuilder::new().with_min_delay(FIRST_WAIT).with_max_delay(LONGEST_WAIT / 2);
    doubling.without_max_times().with_jitter().build()
}

async fn connect(context: &Context, watch: &Watch) -> Result<Opened, HostError> {
    let config = context.inventory().connect_config(watch)?;
    let opened = context.open(&config, config.name.as_str()).await?;
    context.inventory().connected(watch, &opened);
    tracing::info!(host = %watch.host, "connected");
    Ok(opened)
}

/// Follows a host's events until the connection is gone; returns why.
async fn follow(context: &Context, watch: &Watch, opened: Opened) -> HostError {
    let Opened { connection, mut events, .. } = opened;
    let host = &watch.host;
    let mut refresh = interval_at(Instant::now() + REFRESH, REFRESH);
    refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut batch = Vec::new();
    refresh_leases(context, watch, &*connection).await;
    loop {
        tokio::select! {
            received = events.recv_many(&mut batch, 256) => {
                let closed = if received == 0 { Some(HostError::closed(host)) } else { None };
                match closed.or_else(|| take(context, host, &mut batch).err()) {
                    Some(error) => return error,
                    None => {
                        let changed: BTreeSet<VmId> = batch.drain(..).filter_map(changed).collect();
                        for vm in changed {
                            refresh_copy(context, host, &*connection, vm).await;
                        }
                    }
                }
            }
            _ = refresh.tick() => match refresh_all(context, watch, &*connection).await {
                Ok(()) => {}
                // libvirt tells of a dead connection only when no call hangs in it any more, which may be never.
                Err(error) if error.kind == HostErrorKind::Unreachable => return error,
                Err(error) => {
                    tracing::warn!(%host, %error, "could not refresh");
                    refresh.reset_after(LONGEST_WAIT);
                }
            },
        }
    }
}

/// Hands figures to the migrations they belong to, and notes who has woken up; an error is the news that the connection is gone.
fn take(context: &Context, host: &HostName, batch: &mut [HostEvent]) -> Result<(), HostError> {
    for event in batch {
        match event {
            HostEvent::Changed(_) => {}
            HostEvent::Stopped(vm, reason) => context.inventory().stopped(host, *vm, *reason),
            HostEvent::WokeUp(vm) => context.inventory().woke_up(host, *vm),
            HostEvent::JobCompleted(vm, figures) => job_completed(context, *vm, *figures),
            HostEvent::Closed(error) => return Err(error.clone()),
        }
    }
    Ok(())
}

/// libvirt's own final figures of a migration away from some host, or to it.
fn job_completed(context: &Context, vm: VmId, figures: Statistics) {
    let migration = context.inventory().vm(vm).and_then(|vm| vm.migration);
    if let Some(id) = migration {
        context.commands().send(id, Command::CompletedStatistics(Box::new(figures)));
    }
}

fn changed(event: HostEvent) -> Option<VmId> {
    match event {
        HostEvent::Changed(vm) | HostEvent::WokeUp(vm) => Some(vm),
        _ => None,
    }
}

/// Asks for one copy. A host that fails to answer is not news here: its connection closes if it is gone, and the next refresh
/// asks again if it is not.
pub(crate) async fn refresh_copy(context: &Context, host: &HostName, connection: &dyn HostConnection, vm: VmId) {
    match connection.copy(vm).await {
        Ok(copy) => context.inventory().set_copy(host, vm, copy),
        Err(error) => tracing::warn!(%host, %vm, %error, "could not ask for a VM"),
    }
}

async fn refresh_all(context: &Context, watch: &Watch, connection: &dyn HostConnection) -> Result<(), HostError> {
    let (facts, copies) = (connection.host().await?, connection.copies().await?);
    context.inventory().refreshed(watch, facts, copies);
    refresh_leases(context, watch, connection).await;
    Ok(())
}

/// Asks for what the host's networks have given out: a question a network, whatever the number of VMs. What can't be told leaves them as
/// they were.
async fn refresh_leases(context: &Context, watch: &Watch, connection: &dyn HostConnection) {
    match connection.leases().await {
        Ok(leases) => context.inventory().set_leases(watch, leases),
        Err(error) => tracing::debug!(host = %watch.host, %error, "the addresses that it has given out are not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_never_exceed_the_longest() {
        for _ in 0..100 {
            let waits: Vec<Duration> = backoff().take(50).collect();
            assert!(waits[0] < 2 * FIRST_WAIT && 2 * FIRST_WAIT <= waits[1] && 4 * FIRST_WAIT <= waits[2], "{waits:?}");
            assert!(waits.iter().all(|wait| (FIRST_WAIT..=LONGEST_WAIT).contains(wait)), "{waits:?}");
        }
    }
}
