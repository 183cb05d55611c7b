//! The images of a VM that is shut off are what was copied only while nothing starts the VM or writes to them. So that is looked at once
//! more just before libvirt moves the VM, and before an old image is removed: between the proof and either, the store may keep the
//! migration waiting for any time.

use model::Migration;

use super::endpoints::Endpoints;
use crate::{
    context::Context,
    error::Error,
    hypervisor::{Presence, Volume},
};

/// An image that was copied while its VM was off, as it was before.
#[derive(Debug)]
pub(crate) struct CopiedImage {
    /// Its path at the source.
    pub(super) path: String,
    pub(super) pool: String,
    pub(super) volume: String,
    /// When it was last written to, by then; none where the source does not say.
    pub(super) modified: Option<String>,
}

/// Asks the source whether its copy of the VM is still off, and none of the images was written to since it was copied.
///
/// # Errors
/// [`Error::StartedMeanwhile`], [`Error::StateChanged`] if it is gone, [`Error::WrittenMeanwhile`], or why the source can't be asked.
pub(crate) async fn ensure_untouched(
    context: &Context,
    migration: &Migration,
    images: &[CopiedImage],
) -> Result<(), Error> {
    let (source, vm) = (Endpoints::of(context, migration).source()?, migration.vm_name.clone());
    let ensure_off = async || {
        let (copy, vm) = (source.copy(migration.vm).await?, vm.clone());
        match Presence::of(copy.as_ref()) {
            Presence::Inactive => Ok(()),
            Presence::Absent | Presence::Unknown => Err(Error::StateChanged { vm, state: copy.map(|copy| copy.state) }),
            _ => Err(Error::StartedMeanwhile { vm }),
        }
    };
    ensure_off().await?;
    for CopiedImage { pool, volume, modified, .. } in images {
        let now = source.volume(pool, volume).await?;
        if now.is_none_or(|now| now.modified != *modified) {
            return Err(Error::WrittenMeanwhile { vm, pool: pool.clone(), volume: volume.clone() });
        }
    }
    // Looking at the images takes longer than to start a VM.
    if images.is_empty() { Ok(()) } else { ensure_off().await }
}

/// Why an old image may not be what was copied, in words; none if it is.
pub(super) fn why_not_as_copied(path: &str, now: &Volume, images: &[CopiedImage]) -> Option<&'static str> {
    let copied = images.iter().find(|image| image.path == path);
    match copied.map(|image| &image.modified) {
        Some(Some(before)) if now.modified.as_ref() == Some(before) => None,
        Some(Some(_)) => Some("it was written to since it was copied"),
        Some(None) => Some("the host does not say when it was last written to, so it may be newer than its copy"),
        None => Some("how it was when it was copied is not known"),
    }
}
