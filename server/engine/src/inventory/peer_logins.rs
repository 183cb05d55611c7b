//! Which host's libvirt daemon was refused at which other host, as migrations have seen it.

use std::collections::BTreeMap;

use model::HostName;

/// When a source was last refused at a destination, in ms since 1970, by (source, destination).
#[derive(Default)]
pub(crate) struct PeerLogins {
    refused: BTreeMap<(HostName, HostName), u64>,
}

impl PeerLogins {
    /// When the source last tried to log in at the destination and was refused, in ms since 1970; none if it never tried, or if it
    /// succeeded since then.
    pub(crate) fn refused(&self, source: &HostName, destination: &HostName) -> Option<u64> {
        self.refused.get(&(source.clone(), destination.clone())).copied()
    }

    /// The source tried to log in at the destination: it was refused at this time, in ms since 1970, or it succeeded (none).
    pub(crate) fn tried(&mut self, source: &HostName, destination: &HostName, refused_ms: Option<u64>) {
        let pair = (source.clone(), destination.clone());
        match refused_ms {
            Some(at_ms) => self.refused.insert(pair, at_ms),
            None => self.refused.remove(&pair),
        };
    }

    /// A host was changed or removed: earlier attempts say nothing any more.
    pub(crate) fn forget(&mut self, host: &HostName) {
        self.refused.retain(|(source, destination), _| source != host && destination != host);
    }
}
