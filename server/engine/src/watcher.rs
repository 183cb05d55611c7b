//! Keeps one host connected and the inventory true to it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use model::{Code, HostName, Problem, VmId};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};

use crate::{Connection, Engine, HostConfig, HostEvent};

/// The first wait before a lost host is tried again; doubled up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// A host that comes back should not have to wait long for us, and a dead one costs one connection attempt each time.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How often free memory is asked for, and everything else again: libvirt forgets to tell of a definition that a migration
/// removed (libvirt issue 186).
const REFRESH: Duration = Duration::from_secs(30);

/// Connects, watches, and connects again, until the engine stops.
pub(crate) async fn watch(engine: Arc<Engine>, config: HostConfig) {
    let mut wait = FIRST_WAIT;
    loop {
        let (sender, events) = mpsc::unbounded_channel();
        let problem = match connect(&engine, &config, sender).await {
            Ok(connection) => {
                tracing::info!(host = %config.name, "connected");
                wait = FIRST_WAIT;
                follow(&engine, &config.name, connection, events).await
            }
            Err(problem) => problem,
        };
        tracing::warn!(host = %config.name, %problem, details = problem.details, "host is unreachable");
        engine.inventory().unreachable(&config.name, problem);
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn connect(
    engine: &Engine,
    config: &HostConfig,
    events: mpsc::UnboundedSender<HostEvent>,
) -> Result<Arc<dyn Connection>, Problem> {
    let connection = engine.hypervisor.connect(config, events).await?;
    let (facts, copies) = (connection.host().await?, connection.copies().await?);
    engine.inventory().connected(&config.name, Arc::clone(&connection), facts, copies);
    Ok(connection)
}

/// Follows a host's events until the connection is gone; returns why.
async fn follow(
    engine: &Engine,
    host: &HostName,
    connection: Arc<dyn Connection>,
    mut events: mpsc::UnboundedReceiver<HostEvent>,
) -> Problem {
    let mut refresh = interval_at(Instant::now() + REFRESH, REFRESH);
    refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            received = events.recv_many(&mut batch, 256) => {
                let closed = if received == 0 { Some(closed_without_a_word(host)) } else { None };
                match closed.or_else(|| take(engine, &mut batch).err()) {
                    Some(problem) => return problem,
                    None => {
                        let changed: BTreeSet<VmId> = batch.drain(..).filter_map(changed).collect();
                        for vm in changed {
                            refresh_copy(engine, host, &*connection, vm).await;
                        }
                    }
                }
            }
            _ = refresh.tick() => match refresh_all(engine, host, &*connection).await {
                Ok(()) => {}
                // libvirt tells of a dead connection only when no call hangs in it any more, which may be never.
                Err(problem) if problem.code == Code::HostUnreachable => return problem,
                Err(problem) => {
                    tracing::warn!(%host, %problem, "could not refresh");
                    refresh.reset_after(LONGEST_WAIT);
                }
            },
        }
    }
}

/// Hands figures to the migrations they belong to; an error is the news that the connection is gone.
fn take(engine: &Engine, batch: &mut [HostEvent]) -> Result<(), Problem> {
    for event in batch {
        match event {
            HostEvent::Changed(_) => {}
            HostEvent::JobCompleted(vm, statistics) => engine.job_completed(*vm, *statistics),
            HostEvent::Closed(problem) => return Err(problem.clone()),
        }
    }
    Ok(())
}

fn changed(event: HostEvent) -> Option<VmId> {
    match event {
        HostEvent::Changed(vm) => Some(vm),
        _ => None,
    }
}

/// Asks for one copy. A host that fails to answer is not news here: its connection closes if it is gone, and the next refresh
/// asks again if it is not.
pub(crate) async fn refresh_copy(engine: &Engine, host: &HostName, connection: &dyn Connection, vm: VmId) {
    match connection.copy(vm).await {
        Ok(copy) => engine.inventory().set_copy(host, vm, copy),
        Err(problem) => tracing::warn!(%host, %vm, %problem, "could not ask for a VM"),
    }
}

async fn refresh_all(engine: &Engine, host: &HostName, connection: &dyn Connection) -> Result<(), Problem> {
    let (facts, copies) = (connection.host().await?, connection.copies().await?);
    let mut inventory = engine.inventory();
    inventory.set_facts(host, facts);
    inventory.replace_copies(host, copies);
    Ok(())
}

fn closed_without_a_word(host: &HostName) -> Problem {
    Problem::new(Code::HostUnreachable, format!("The connection to {host} was closed."))
}
