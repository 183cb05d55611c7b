//! Proof that two pools are one place: a small volume made through the one and seen through the other.

use std::{collections::BTreeSet, time::Duration};

use model::LeftoverKind;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    endpoints::Endpoints,
    journal::StorageJournal,
    plan::{Plan, PlannedDisk},
    shared::PoolPair,
};
use crate::{
    error::Error,
    hypervisor::{HostError, HostErrorKind, NewVolume},
};

/// The token's size, in bytes: a block, since some pools make nothing smaller.
const TOKEN: u64 = 4096;
/// How long the destination may take to see it: an NFS client believes what it knows of a directory for up to a minute
/// (`acdirmax` in nfs(5)).
const SEEN_LIMIT: Duration = Duration::from_secs(65);
/// Between two tries.
const AGAIN: Duration = Duration::from_secs(1);

/// Proves for all disks whose evidence is a pair of pools that the pools are one place.
pub(super) async fn prove(hosts: &Endpoints<'_>, journal: &mut dyn StorageJournal, plan: &Plan) -> Result<(), Error> {
    let pairs: BTreeSet<&PoolPair> = plan.disks.iter().filter_map(PlannedDisk::proof).collect();
    for pair in pairs {
        journal.unless_cancelled().await?;
        prove_pair(hosts, journal, pair).await?;
    }
    Ok(())
}

async fn prove_pair(hosts: &Endpoints<'_>, journal: &mut dyn StorageJournal, pair: &PoolPair) -> Result<(), Error> {
    let name = format!(".vmferry-{}", Uuid::now_v7());
    let token = NewVolume { pool: pair.source.clone(), name, format: "raw".to_owned(), capacity_bytes: TOKEN };
    let what = LeftoverKind::Token { pool: token.pool.clone(), name: token.name.clone() };
    journal.expect(hosts.source_name(), what.clone()).await?;
    let made = hosts.source()?.create_volume(&token).await;
    let (source, destination) = (hosts.source_name(), hosts.destination_name());
    if let Err(HostError { kind: HostErrorKind::Refused, sentence, details, .. }) = made {
        let words = details.unwrap_or(sentence);
        let text = format!(
            "The pool {} on {source} takes no new volumes ({words}), so it was not proven that {destination} sees the same.",
            pair.source
        );
        journal.forget(source, &what, None).await;
        journal.write(text).await;
        return Ok(());
    }
    let seen = match made {
        Ok(_) => sees(hosts, journal, pair, &token.name).await,
        Err(error) => Err(error.into()),
    };
    remove_token(hosts, journal, &what, &token).await;
    if !seen? {
        return Err(Error::PoolsDiffer {
            source_pool: (source.clone(), pair.source.clone()),
            destination_pool: (destination.clone(), pair.destination.clone()),
        });
    }
    let text = format!(
        "Proven: what {source} puts into its pool {} {destination} sees in its pool {}.",
        pair.source, pair.destination
    );
    journal.write(text).await;
    Ok(())
}

/// Whether the destination sees the token.
async fn sees(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    pair: &PoolPair,
    name: &str,
) -> Result<bool, Error> {
    let begun = Instant::now();
    loop {
        if hosts.destination()?.volume(&pair.destination, name).await?.is_some() {
            return Ok(true);
        }
        if begun.elapsed() > SEEN_LIMIT {
            return Ok(false);
        }
        sleep(AGAIN).await;
        journal.unless_cancelled().await?;
    }
}

/// Removes the token, whatever came of it. One that can't be removed now stays among the migration's leftovers.
async fn remove_token(hosts: &Endpoints<'_>, journal: &mut dyn StorageJournal, what: &LeftoverKind, token: &NewVolume) {
    let removed = match hosts.source() {
        Ok(source) => source.delete_volume(&token.pool, &token.name).await,
        Err(problem) => Err(problem),
    };
    match removed {
        Ok(()) => journal.forget(hosts.source_name(), what, None).await,
        Err(problem) => {
            let NewVolume { pool, name, .. } = token;
            let host = hosts.source_name();
            let text = format!("Could not remove the volume {name} from the pool {pool} on {host} yet: {problem}");
            journal.write(text).await;
        }
    }
}
