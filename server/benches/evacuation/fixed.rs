//! The host is emptied by a script: in the order of their names, to the two others in turn, always so many at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use engine::{MigrationPlan, Throttle, Tuning};
use futures::{StreamExt as _, stream};
use model::{ControlFlow, Mode};
use tokio::time::{interval, timeout};

use crate::{bed::Bed, guests::Guest, report::Outcome};

/// The longest pause that `balanced` allows, in ms.
const LONGEST_PAUSE_MS: u32 = 1_000;
/// `virsh migrate --auto-converge`: QEMU's own values.
const THROTTLE: Throttle = Throttle { initial: 20, increment: 10 };
/// How often it is tried to set the longest pause, which libvirt refuses until QEMU has begun.
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// A script that has not ended by then is broken off.
const LIMIT: Duration = Duration::from_secs(900);

/// Empties the host.
pub(crate) async fn empty(bed: &Bed, at_once: usize) -> Outcome {
    let begun = Instant::now();
    let moves = bed.guests.iter().zip([1, 2].into_iter().cycle()).map(|(guest, to)| one(bed, guest, to));
    let pauses = timeout(LIMIT, stream::iter(moves).buffer_unordered(at_once).collect::<Vec<_>>()).await;
    let total = begun.elapsed();
    let pauses = pauses.expect("the script ends");
    assert_eq!(bed.count_moved(), bed.guests.len());
    Outcome { total, longest_pause_ms: pauses.into_iter().flatten().max(), ..Outcome::default() }
}

/// Moves one, and lets it pause for as long as `balanced` does; the pause, in ms.
async fn one(bed: &Bed, guest: &Guest, to: usize) -> Option<u64> {
    let source = Arc::clone(&bed.connections[0]);
    let plan = plan(bed, guest, to);
    let migrating = source.migrate(&plan);
    let allow = async {
        let mut ticks = interval(TRY_AGAIN);
        loop {
            ticks.tick().await;
            if source.tune(guest.id, Tuning::PauseLimit { ms: LONGEST_PAUSE_MS }).await.is_ok() {
                return std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        moved = migrating => moved.map_err(|error| error.into_error()).expect("it moves"),
        () = allow => {}
    }
    bed.connections[to].completed_job(guest.id).await.ok().flatten().and_then(|job| job.downtime_ms)
}

fn plan(bed: &Bed, guest: &Guest, to: usize) -> MigrationPlan {
    MigrationPlan {
        vm: guest.id,
        destination: bed.hosts[to].config(),
        control_flow: ControlFlow::PeerToPeer,
        encrypted: false,
        rdma: false,
        mode: Mode::Live,
        undefine_source: false,
        persist_destination: false,
        bandwidth_mib_s: None,
        switchover_mib_s: None,
        throttle: Some(THROTTLE),
        post_copy: false,
        connections: None,
        compress: false,
        new_name: None,
        disks: Vec::new(),
        synchronous_writes: false,
        trust_shared_directories: false,
    }
}
