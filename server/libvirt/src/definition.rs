//! What a VM is made of, read from its definition and the little that is not in it.

use engine::DomainFacts;
use model::VmId;

use crate::{error::LibvirtError, link::Link};

/// What this VM is made of.
pub(crate) fn facts(link: &Link, vm: VmId) -> Result<DomainFacts, LibvirtError> {
    let domain = link.lookup_domain_by_uuid(vm.0)?;
    Ok(DomainFacts { vm, name: domain.name()?, ..DomainFacts::default() })
}
