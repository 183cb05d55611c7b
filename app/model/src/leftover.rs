//! What a migration has made on a host, or may have: kept with it until that is known to be gone, or is the VM's own.

use std::mem::discriminant;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{HostName, Problem};

/// Something on a host that a migration has made, or may have made. It is in the record before it can come to be, so that
/// it is found whatever dies meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leftover {
    /// Where it is.
    pub host: HostName,
    /// What it is.
    #[serde(flatten)]
    pub what: LeftoverKind,
    /// Since when it may be there, in ms since 1970.
    pub since_ms: u64,
    /// The host's UUID, as libvirt tells it: on another machine of the same name nothing is looked for. None if it was not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Uuid>,
    /// Why it could not be removed so far; none if nothing was tried, or the host does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What a migration may leave on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum LeftoverKind {
    /// The volume that a disk was to be copied to. The pool had none of this name before.
    Volume {
        /// The pool, by name.
        pool: String,
        /// The volume's name in the pool.
        name: String,
        /// Its size as a guest sees it, in bytes.
        capacity_bytes: u64,
        /// Whether the host has said that it made it. If it has not, nothing was written to it.
        confirmed: bool,
        /// Whether the VM was seen on its old image after the migration, so that it does not need this one.
        #[serde(default)]
        unused: bool,
    },
    /// The VM's definition at the destination, which had none before.
    Definition,
    /// The copy that receives the VM at the destination, which had none before.
    IncomingCopy,
    /// The small volume by which two pools were proven to be one place.
    Token {
        /// The pool, by name.
        pool: String,
        /// The volume's name in the pool.
        name: String,
    },
}

impl LeftoverKind {
    /// The volume, by pool and name, if it is one.
    pub fn volume(&self) -> Option<(&str, &str)> {
        match self {
            Self::Volume { pool, name, .. } | Self::Token { pool, name } => Some((pool, name)),
            Self::Definition | Self::IncomingCopy => None,
        }
    }

    /// Whether both mean the same thing on a host, whatever is known of it.
    pub fn is_same(&self, other: &Self) -> bool {
        discriminant(self) == discriminant(other) && self.volume() == other.volume()
    }
}

impl Leftover {
    /// What it is and where, for a sentence: "the volume web.qcow2 of the pool vms on beta".
    pub fn name(&self) -> String {
        let host = &self.host;
        match &self.what {
            LeftoverKind::Volume { pool, name, .. } => format!("the volume {name} of the pool {pool} on {host}"),
            LeftoverKind::Token { pool, name } => format!("the test volume {name} of the pool {pool} on {host}"),
            LeftoverKind::Definition => format!("the VM's definition on {host}"),
            LeftoverKind::IncomingCopy => format!("the copy on {host} that was to receive the VM"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leftover_is_flat_json() {
        let what = LeftoverKind::Volume {
            pool: "vms".into(),
            name: "web.qcow2".into(),
            capacity_bytes: 1 << 30,
            confirmed: true,
            unused: false,
        };
        let left = Leftover { host: "beta".parse().unwrap(), what, since_ms: 1, machine: None, problem: None };
        let json = serde_json::json!({
            "host": "beta", "what": "volume", "pool": "vms", "name": "web.qcow2", "capacity_bytes": 1 << 30,
            "confirmed": true, "unused": false, "since_ms": 1
        });
        assert_eq!(serde_json::to_value(&left).unwrap(), json);
        assert_eq!(serde_json::from_value::<Leftover>(json).unwrap(), left);
        assert_eq!(left.name(), "the volume web.qcow2 of the pool vms on beta");
        let definition = serde_json::json!({ "host": "beta", "what": "definition", "since_ms": 1 });
        assert_eq!(serde_json::from_value::<Leftover>(definition).unwrap().what, LeftoverKind::Definition);
    }
}
