//! The sizes of a VM's disks.

use std::ffi::CString;

use virt::{domain::Domain, sys};

use crate::{
    error::LibvirtError,
    ffi::{
        stats,
        typed_params::{number, string},
    },
};

/// The size of one disk, in bytes; 0 where libvirt does not know it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) target: String,
    pub(super) capacity_bytes: u64,
    pub(super) allocation_bytes: u64,
}

/// The sizes of all disks, with one call.
pub(super) fn sizes(domain: &Domain, is_active: bool) -> Result<Vec<Size>, LibvirtError> {
    stats::stats(domain, sys::VIR_DOMAIN_STATS_BLOCK, |figures| read(figures, is_active))
}

/// While a VM runs, "physical" is the space that the image takes up according to QEMU, and "allocation" the highest offset written
/// since the start. While it is off, "allocation" is the space that the file takes up, and "physical" its length.
fn read(figures: &[sys::virTypedParameter], is_active: bool) -> Vec<Size> {
    let allocation = if is_active { "physical" } else { "allocation" };
    (0..number(figures, sys::VIR_DOMAIN_STATS_BLOCK_COUNT).unwrap_or(0))
        .filter_map(|index| {
            let name = |figure: &str| CString::new(format!("block.{index}.{figure}")).ok();
            let value = |figure| number(figures, &name(figure)?);
            Some(Size {
                target: string(figures, &name("name")?)?.to_owned(),
                capacity_bytes: value("capacity").unwrap_or(0),
                allocation_bytes: value(allocation).unwrap_or(0),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::typed_params::TypedParams;

    #[test]
    fn the_allocation_has_another_name_while_the_vm_is_off() {
        let mut list = TypedParams::new();
        list.add_u64(sys::VIR_DOMAIN_STATS_BLOCK_COUNT, 2).unwrap();
        list.add_string(c"block.0.name", "vda").unwrap();
        list.add_u64(c"block.0.capacity", 100).unwrap();
        list.add_u64(c"block.0.physical", 30).unwrap();
        list.add_u64(c"block.0.allocation", 7).unwrap();
        list.add_string(c"block.1.name", "hda").unwrap();
        let size = |target: &str, capacity_bytes, allocation_bytes| Size {
            target: target.to_owned(),
            capacity_bytes,
            allocation_bytes,
        };
        assert_eq!(read(list.as_slice(), true), [size("vda", 100, 30), size("hda", 0, 0)]);
        assert_eq!(read(list.as_slice(), false), [size("vda", 100, 7), size("hda", 0, 0)]);
        assert_eq!(read(&[], true), []);
    }
}
