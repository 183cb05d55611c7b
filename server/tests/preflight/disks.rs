//! Disks for trials, as XML.

use std::path::{Path, PathBuf};

use crate::{
    guest::{Guest, NAME},
    testbed::TestBed,
};

/// A disk's size, for virsh and for libvirt's table of volumes.
pub const SIZE: &str = "4M";

/// The virtio disk `vda` in a qcow2 image; `more` are elements inside `<disk>`.
pub fn disk(image: &Path, more: &str) -> String {
    format!(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/>\
         <target dev='vda' bus='virtio'/>{more}</disk>",
        image.display()
    )
}

/// A drive with an image in it: `cdrom` or `floppy`.
pub fn drive(device: &str, image: &Path, source_attributes: &str) -> String {
    let target = if device == "cdrom" { "dev='hda' bus='ide'" } else { "dev='fda' bus='fdc'" };
    format!(
        "<disk type='file' device='{device}'><driver name='qemu' type='raw'/><source file='{}' {source_attributes}/>\
         <target {target}/><readonly/></disk>",
        image.display()
    )
}

/// A disk in a pool of the source's own, which is made for it.
pub fn local_disk(bed: &TestBed<'_>, guest: &Guest) -> String {
    bed.source.start_pool(guest);
    disk(&bed.source.make_volume("disk.qcow2", "qcow2", SIZE), "")
}

/// A disk in the directory that both hosts share. The source's daemon makes it, so that its VMs may use it.
pub fn shared_disk(bed: &TestBed<'_>, guest: &Guest, more: &str) -> String {
    bed.source.start_pool_at(&bed.shared.join(format!("{NAME}-{}", guest.number)));
    disk(&bed.source.make_volume("disk.qcow2", "qcow2", SIZE), more)
}

/// An image that only the source has, in a pool that both hosts have at the same path.
pub fn image_at_source_only(bed: &TestBed<'_>, guest: &Guest, name: &str) -> PathBuf {
    bed.source.start_pool(guest);
    bed.destination.start_pool(guest);
    bed.source.make_volume(name, "raw", "1M")
}
