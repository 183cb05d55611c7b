//! Proof that two pools are one place: a small volume made through the one and seen through the other.

use std::{collections::BTreeSet, time::Duration};

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
/// How often a token is tried to be removed.
const REMOVALS: u32 = 5;

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
    // Told before, so that it can be found if the console dies.
    let text = format!("Testing whether the pools are shared: the volume {} in the pool {}.", token.name, token.pool);
    journal.write(text).await;
    let made = hosts.source()?.create_volume(&token).await;
    let (source, destination) = (hosts.source_name(), hosts.destination_name());
    if let Err(HostError { kind: HostErrorKind::Refused, sentence, details, .. }) = made {
        let words = details.unwrap_or(sentence);
        let text = format!(
            "The pool {} on {source} takes no new volumes ({words}), so it was not proven that {destination} sees the same.",
            pair.source
        );
        journal.write(text).await;
        return Ok(());
    }
    let seen = match made {
        Ok(_) => sees(hosts, journal, pair, &token.name).await,
        Err(error) => Err(error.into()),
    };
    remove_token(hosts, journal, &token).await;
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

/// Removes the token, whatever came of it.
async fn remove_token(hosts: &Endpoints<'_>, journal: &mut dyn StorageJournal, token: &NewVolume) {
    let mut tries = 0;
    loop {
        let removed = match hosts.source() {
            Ok(source) => source.delete_volume(&token.pool, &token.name).await,
            Err(problem) => Err(problem),
        };
        tries += 1;
        match removed {
            Ok(()) => return,
            Err(_) if tries < REMOVALS => sleep(AGAIN).await,
            Err(problem) => {
                let NewVolume { pool, name, .. } = token;
                let host = hosts.source_name();
                let text = format!("Could not remove the volume {name} from the pool {pool} on {host}: {problem}");
                return journal.write(text).await;
            }
        }
    }
}
