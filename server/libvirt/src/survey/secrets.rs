//! The secrets that a VM's disks need, as far as the host lacks them.

use std::ffi::CStr;

use engine::{DomainFacts, SecretUse};
use uuid::Uuid;
use virt::sys;

use crate::{connection::Connection, error::LibvirtError};

/// A secret of the host, without its value.
struct Secret {
    uuid: Uuid,
    usage: String,
}

/// The targets of the disks whose secret is missing.
pub(super) fn missing(connection: &Connection, vm: &DomainFacts) -> Result<Vec<String>, LibvirtError> {
    if vm.secrets.is_empty() {
        return Ok(Vec::new());
    }
    let secrets = connection.list_all_secrets(0)?;
    let secrets = secrets.iter().map(|secret| Ok(Secret { uuid: secret.uuid()?, usage: usage(secret)? }));
    let secrets = secrets.collect::<Result<Vec<_>, LibvirtError>>()?;
    Ok(without(&vm.secrets, &secrets))
}

/// A secret's usage. (The `virt` crate frees that text, which belongs to the secret, and the process crashes.)
fn usage(secret: &virt::secret::Secret) -> Result<String, LibvirtError> {
    // SAFETY: the secret is open.
    let usage = unsafe { sys::virSecretGetUsageID(secret.as_ptr()) };
    if usage.is_null() {
        return Err(LibvirtError::last());
    }
    // SAFETY: the text belongs to the secret, ends with a NUL byte, and is copied while the secret is open.
    Ok(unsafe { CStr::from_ptr(usage) }.to_string_lossy().into_owned())
}

/// The targets of the disks whose secret is not among these.
fn without(uses: &[SecretUse], secrets: &[Secret]) -> Vec<String> {
    let is_there = |wanted: &SecretUse| {
        secrets.iter().any(|secret| match (&wanted.uuid, &wanted.usage) {
            (Some(uuid), _) => secret.uuid == *uuid,
            (None, Some(usage)) => secret.usage == *usage,
            (None, None) => false,
        })
    };
    uses.iter().filter(|wanted| !is_there(wanted)).map(|wanted| wanted.target.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_by_either_name() {
        let (there, gone) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let secrets = [Secret { uuid: there, usage: "ceph admin".to_owned() }];
        let wanted = |target: &str, uuid, usage: Option<&str>| SecretUse {
            target: target.to_owned(),
            uuid,
            usage: usage.map(str::to_owned),
        };
        let uses = [
            wanted("vda", Some(there), None),
            wanted("vdb", Some(gone), None),
            wanted("vdc", None, Some("ceph admin")),
            wanted("vdd", None, Some("ceph other")),
        ];
        assert_eq!(without(&uses, &secrets), ["vdb", "vdd"]);
    }
}
