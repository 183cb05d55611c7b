//! Whether both hosts see the very same disk, and how that is known.

use model::{Finding, FindingCode};

use super::plan::{PlanInput, Side};
use crate::hypervisor::{Disk, DiskSource, HostConfig, Pool};

/// Pools that are nothing but a directory: they say nothing about what is mounted there.
const DIRECTORY: &str = "dir";
/// Pools whose volumes are files, so that a token can be put there.
const FILE_KINDS: [&str; 4] = ["dir", "fs", "netfs", "gluster"];

/// How it is known that both hosts see the very same disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// QEMU reaches it over the network, from wherever it runs.
    Network { protocol: String, is_local: bool },
    /// Both hosts have it in an active pool that comes from the same place.
    Pool {
        /// In words: which pools, from where.
        words: String,
        /// Where a token would prove it.
        proof: Option<PoolPair>,
    },
    /// Both hosts' settings say that they share this directory.
    Directory {
        path: String,
        /// Where a token would prove it.
        proof: Option<PoolPair>,
    },
}

/// Two pools that should be one place, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PoolPair {
    pub(crate) source: String,
    pub(crate) destination: String,
}

impl Evidence {
    /// In words, without a full stop.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Network { protocol, is_local: true } => format!("QEMU reaches it on its own host ({protocol})"),
            Self::Network { protocol, .. } => {
                format!("QEMU reaches it over the network ({protocol}), wherever it runs")
            }
            Self::Pool { words, .. } => words.clone(),
            Self::Directory { path, .. } => format!("the settings of both hosts say that they share {path}"),
        }
    }

    /// Where a token would prove it.
    pub(crate) fn proof(&self) -> Option<&PoolPair> {
        match self {
            Self::Network { .. } => None,
            Self::Pool { proof, .. } | Self::Directory { proof, .. } => proof.as_ref(),
        }
    }
}

/// Whether both hosts see this disk; an error if they would, but for something that has to be put right first.
pub(super) fn evidence(input: PlanInput<'_>, disk: &Disk, path: &str) -> Result<Option<Evidence>, Finding> {
    match &disk.source {
        DiskSource::Network { protocol, name, is_local } => {
            // A socket in a directory that both hosts share is the same one, if their settings are to be believed.
            let is_local = *is_local && by_settings(input.source, input.destination, name).is_none();
            Ok(Some(Evidence::Network { protocol: protocol.clone(), is_local }))
        }
        DiskSource::File { .. } => {
            let by_pool = same_mount(input, disk, path)?;
            Ok(by_pool.or_else(|| by_settings(input.source, input.destination, path)))
        }
        DiskSource::Block { .. } => {
            Ok(same_device(input, path).or_else(|| by_settings(input.source, input.destination, path)))
        }
        DiskSource::Volume { pool, volume } => same_volume(input, disk, pool, volume, path),
        DiskSource::Empty | DiskSource::Other { .. } => Ok(None),
    }
}

/// How it is known that both hosts see the same file or directory at a path, in words; none if that is not known.
pub(crate) fn same_path(source: Side<'_>, destination: Side<'_>, path: &str) -> Option<String> {
    // A directory may be a shared one itself.
    let path = format!("{}/", path.trim_end_matches('/'));
    let by_mount = || {
        let (here, there) = (mounted(source, &path)?, mounted(destination, &path)?);
        let place = here.source.as_ref()?;
        let is_same = here.kind == there.kind && there.source.as_ref() == Some(place) && here.path == there.path;
        is_same.then(|| from_pools(source, destination, here, there, place))
    };
    by_mount().or_else(|| by_settings(source, destination, &path)).map(|evidence| evidence.words())
}

/// The findings for a disk that stays, also of what was not checked.
pub(super) fn findings(input: PlanInput<'_>, disk: &Disk, evidence: &Evidence) -> Vec<Finding> {
    let (target, host) = (&disk.target, input.destination.name());
    let text = format!("{target}: {}.", evidence.words());
    if let Evidence::Network { is_local: true, .. } = evidence {
        let text = format!("{text} Whether {host} has the same there can't be checked.");
        let fix = "See that it is the same disk, or give it an address that all hosts reach it by.";
        return vec![Finding::unknown(FindingCode::DiskShared, text).with_fix(fix)];
    }
    let mut findings = vec![Finding::ok(FindingCode::DiskShared, text)];
    if disk.has_backing {
        let text = format!("{target} has a backing chain; whether {host} has the same images was not checked.");
        let fix = "See that they are on shared storage, too.";
        findings.push(Finding::unknown(FindingCode::BackingChain, text).with_fix(fix));
    }
    findings
}

/// A file below a pool that is mounted from the same place at the same path on both hosts.
fn same_mount(input: PlanInput<'_>, disk: &Disk, path: &str) -> Result<Option<Evidence>, Finding> {
    let Some(source_pool) = mounted(input.source, path) else { return Ok(None) };
    let (Some(place), Some(at)) = (&source_pool.source, &source_pool.path) else { return Ok(None) };
    let same = |pool: &&Pool| pool.kind == source_pool.kind && pool.source.as_ref() == Some(place);
    let at_same_path = |pool: &&Pool| same(pool) && pool.path.as_ref() == Some(at);
    if let Some(destination_pool) = mounted(input.destination, path).filter(at_same_path) {
        return Ok(Some(from_pools(input.source, input.destination, source_pool, destination_pool, place)));
    }
    let (host, pools) = (input.destination.name(), input.destination.pools());
    let Some(destination_pool) = pools.iter().find(at_same_path).or_else(|| pools.iter().find(same)) else {
        return Ok(None);
    };
    let text = format!("{} is on {place}, which {host} has in its pool {}", disk.target, destination_pool.name);
    Err(if destination_pool.path.as_ref() != Some(at) {
        Finding::blocker(FindingCode::Pool, format!("{text}, but at another path than {at}."))
            .with_fix(format!("Define a pool for {place} on {host} whose target path is {at}."))
    } else if destination_pool.active {
        Finding::blocker(FindingCode::Pool, format!("{text}, but another pool of {host} is mounted over {path}."))
            .with_fix(format!("Stop the pool on {host} that hides the disk."))
    } else {
        start_it(&text, destination_pool, host.as_str())
    })
}

/// A block device that both hosts have in a pool from the same place, e.g. an iSCSI target.
fn same_device(input: PlanInput<'_>, path: &str) -> Option<Evidence> {
    let has =
        |pool: &&Pool| pool.active && pool.source.is_some() && pool.volumes.iter().any(|known| known.path == path);
    let source_pool = input.source.pools().iter().find(has)?;
    let same = |pool: &&Pool| has(pool) && pool.kind == source_pool.kind && pool.source == source_pool.source;
    let destination_pool = input.destination.pools().iter().find(same)?;
    Some(from_pools(input.source, input.destination, source_pool, destination_pool, source_pool.source.as_deref()?))
}

/// A volume by name: the definition goes on naming the pool, so the destination has to have one of that name.
fn same_volume(
    input: PlanInput<'_>,
    disk: &Disk,
    pool: &str,
    volume: &str,
    path: &str,
) -> Result<Option<Evidence>, Finding> {
    let (source_pool, destination_pool) = (input.source.pool(pool), input.destination.pool(pool));
    let (Some(source_pool), Some(destination_pool)) = (source_pool.filter(|pool| pool.active), destination_pool) else {
        return Ok(None);
    };
    if source_pool.kind != destination_pool.kind || source_pool.path != destination_pool.path {
        return Ok(None);
    }
    let place = source_pool.source.as_ref().filter(|place| destination_pool.source.as_ref() == Some(place));
    let found = match place {
        Some(place) => Some(from_pools(input.source, input.destination, source_pool, destination_pool, place)),
        None => by_settings(input.source, input.destination, path),
    };
    if found.is_some() && !destination_pool.active {
        let host = input.destination.name().as_str();
        let text = format!("{} is the volume {volume} of the pool {pool}, which {host} has", disk.target);
        return Err(start_it(&text, destination_pool, host));
    }
    Ok(found)
}

/// The directory above a path that a host shares with others, by its settings.
pub(super) fn directory<'a>(host: &'a HostConfig, path: &str) -> Option<&'a str> {
    host.shared_directories.iter().map(String::as_str).find(|directory| is_below(path, directory))
}

/// Below a directory that both hosts' settings name.
fn by_settings(source: Side<'_>, destination: Side<'_>, path: &str) -> Option<Evidence> {
    let both = |directory: &&String| destination.config.shared_directories.contains(directory);
    let directory = source.config.shared_directories.iter().filter(both).find(|directory| is_below(path, directory))?;
    let pool = |side: Side<'_>| {
        let covering = side.pools().iter().filter(|pool| pool.active && FILE_KINDS.contains(&pool.kind.as_str()));
        let mut covering = covering.filter(|pool| pool.path.as_deref() == parent(path));
        covering.next().map(|pool| pool.name.clone())
    };
    let pair = || Some(PoolPair { source: pool(source)?, destination: pool(destination)? });
    Some(Evidence::Directory { path: directory.clone(), proof: pair() })
}

fn from_pools(
    source: Side<'_>,
    destination: Side<'_>,
    source_pool: &Pool,
    destination_pool: &Pool,
    place: &str,
) -> Evidence {
    let (source, destination) = (source.name(), destination.name());
    let words = if source_pool.name == destination_pool.name {
        format!("{source} and {destination} both have it in their pool {}, from {place}", source_pool.name)
    } else {
        let (of_source, of_destination) = (&source_pool.name, &destination_pool.name);
        format!(
            "{source} has it in its pool {of_source}, {destination} in its pool {of_destination}, both from {place}"
        )
    };
    let pair = || PoolPair { source: source_pool.name.clone(), destination: destination_pool.name.clone() };
    Evidence::Pool { words, proof: FILE_KINDS.contains(&source_pool.kind.as_str()).then(pair) }
}

fn start_it(text: &str, pool: &Pool, host: &str) -> Finding {
    Finding::blocker(FindingCode::Pool, format!("{text}, but it is not active."))
        .with_fix(format!("Start the pool {} on {host}.", pool.name))
}

/// The innermost active pool that says what is mounted at a path.
fn mounted<'a>(side: Side<'a>, path: &str) -> Option<&'a Pool> {
    let covers = |pool: &&Pool| pool.path.as_ref().is_some_and(|at| is_below(path, at));
    let mounts = side.pools().iter().filter(|pool| pool.active && pool.kind != DIRECTORY);
    mounts.filter(covers).max_by_key(|pool| pool.path.as_ref().map_or(0, String::len))
}

/// Whether a path is below a directory, component by component.
fn is_below(path: &str, directory: &str) -> bool {
    // A path that climbs may be anywhere.
    let plain = |path: &str| path.starts_with('/') && !path.split('/').any(|part| part == "..");
    plain(path)
        && plain(directory)
        && path.strip_prefix(directory.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

/// The directory a path is in.
pub(super) fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(directory, _)| directory).filter(|directory| !directory.is_empty())
}
