//! Over how many connections this migration's memory goes: what the choice depends on, and that it is written down.

use model::{ControlFlow, Migration, Mode};

use super::{active::ActiveMigration, lifecycle};
use crate::{
    precopy::{ConnectionFacts, Connections, connections},
    storage::StorageJournal as _,
};

/// How many connections it takes; none is the ordinary one. Writes down a choice, and why what was asked for can't be.
pub(super) async fn choose(active: &mut ActiveMigration) -> Option<Connections> {
    if active.record().mode != Mode::Live {
        return None;
    }
    let facts = facts(active).await?;
    let mut chosen = connections(&facts);
    // Asked only where it would decide: it is a call to the host.
    if facts.asked.is_none() && !facts.compress && chosen.is_some() && is_pinned(active).await {
        chosen = None;
    }
    let text = match chosen {
        Some(Connections { count, compressed: true }) => {
            let connections = if count == 1 { "connection" } else { "connections" };
            Some(format!("The memory is compressed (zstd), over {count} {connections}."))
        }
        Some(Connections { count: 1, .. }) => None,
        Some(Connections { count, .. }) => Some(format!("The memory goes over {count} connections.")),
        None if facts.asked.is_some() || facts.compress => Some(
            "The memory goes over one connection, and is not compressed: beside a bandwidth limit, post-copy or a tunnel QEMU can't do \
             otherwise, and libvirt compresses from 9.4 on."
                .to_owned(),
        ),
        None => None,
    };
    if let Some(text) = text {
        active.write(text).await;
    }
    chosen
}

async fn facts(active: &mut ActiveMigration) -> Option<ConnectionFacts> {
    let link_bytes_s = lifecycle::measured_link_bytes_s(active).await;
    let is_limited = lifecycle::bandwidth_bytes_s(active).is_some();
    let Migration { source, destination, options, control_flow, encrypted, policy, .. } = active.record();
    let inventory = active.context().inventory();
    let hosts = [source, destination].map(|name| inventory.host(name).and_then(|entry| entry.facts.as_ref()));
    let [Some(from), Some(to)] = hosts else { return None };
    let versions = [&from.libvirt_version, &to.libvirt_version].map(|version| number(version));
    Some(ConnectionFacts {
        asked: options.connections,
        compress: options.compress,
        is_native: *control_flow != Some(ControlFlow::Tunnelled) && !options.rdma,
        is_limited,
        policy: *policy,
        encrypted: *encrypted,
        libvirt: versions[0].zip(versions[1]).map(|(one, other)| one.min(other)),
        cpus: from.cpus.min(to.cpus),
        is_pinned: false,
        link_bytes_s,
    })
}

/// Whether the VM is pinned to CPUs; also if the host does not say.
async fn is_pinned(active: &ActiveMigration) -> bool {
    let Ok(source) = active.source() else { return true };
    source.domain(active.record().vm).await.map_or(true, |domain| !domain.references.cpu_sets.is_empty())
}

/// A version as libvirt writes it in a number: 11.3.0 is 11,003,000.
pub(super) fn number(version: &str) -> Option<u64> {
    let mut parts = version.split('.').map(str::parse::<u64>);
    let [major, minor, micro] = std::array::from_fn(|_| parts.next().and_then(Result::ok));
    Some(major? * 1_000_000 + minor.unwrap_or(0) * 1_000 + micro.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn versions_are_numbers_as_libvirt_writes_them() {
        assert_eq!(["11.3.0", "9.0", "10.0.2-1"].map(number), [Some(11_003_000), Some(9_000_000), Some(10_000_000)]);
        assert_eq!(number("unknown"), None);
    }
}
