//! What the agent in a guest says (`virDomainGetGuestInfo`).

use std::ptr;

use virt::{domain::Domain, sys};

use super::typed_params::TypedParams;
use crate::error::LibvirtError;

/// Asks the agent for these kinds of facts (bits of `virDomainGuestInfoTypes`). It may take as long as the agent likes.
pub(crate) fn guest_info(domain: &Domain, kinds: sys::virDomainGuestInfoTypes) -> Result<TypedParams, LibvirtError> {
    let (mut list, mut len) = (ptr::null_mut(), 0);
    // SAFETY: the domain is valid, and the other pointers are to variables for the results.
    if unsafe { sys::virDomainGetGuestInfo(domain.as_ptr(), kinds, &mut list, &mut len, 0) } < 0 {
        return Err(LibvirtError::last());
    }
    // SAFETY: libvirt allocated the list for the caller to free, and says how long it is.
    Ok(unsafe { TypedParams::from_raw(list, len) })
}
