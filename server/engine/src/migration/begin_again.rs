//! A migration that begins again: for what libvirt can do only from the beginning.

use model::{Acted, Policy};

use super::{active::ActiveMigration, follow_policy::throttle};
use crate::{
    hypervisor::{HostErrorKind, NotMigrated, Throttle},
    storage::StorageJournal as _,
};

/// What libvirt can do only from the beginning of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BeginAgain {
    /// Slow the guest.
    ToSlowGuest,
    /// Switch to post-copy.
    ForPostCopy,
}

/// Whether a migration that has ended for it begins again, and how then: for what a user has asked for, or without post-copy where a
/// host can't do that.
pub(super) async fn begins_again(
    active: &mut ActiveMigration,
    reported: &Result<(), NotMigrated>,
) -> Option<BeginAgainWith> {
    match reported {
        Err(NotMigrated::NotBegun(error)) if error.kind == HostErrorKind::NoPostCopy => {
            let words = error.details.as_ref().map_or_else(String::new, |words| format!(" ({words})"));
            active.journal().prepare(None, Some(false));
            active.write(format!("Post-copy is not possible between these hosts{words}. It goes on without.")).await;
            Some(BeginAgainWith { throttle: None, post_copy: Some(false) })
        }
        Err(NotMigrated::Failed(error)) if error.kind == HostErrorKind::Cancelled => {
            let (why, by) = active.begin_again().take()?;
            if active.unless_cancelled().await.is_err() {
                return None;
            }
            active.tracker().begin_again();
            active.is_tuned(false);
            let text = "It begins again from the first pass.".to_owned();
            active.journal().act(Acted::BegunAgain, Some(by), text).await;
            Some(match why {
                BeginAgain::ToSlowGuest => {
                    BeginAgainWith { throttle: Some(throttle(active.record())), post_copy: None }
                }
                BeginAgain::ForPostCopy => {
                    active.journal().follow_policy(Policy::Certain);
                    BeginAgainWith { throttle: None, post_copy: Some(true) }
                }
            })
        }
        _ => None,
    }
}

/// What changes in the plan of a migration that begins again.
pub(super) struct BeginAgainWith {
    pub(super) throttle: Option<Throttle>,
    pub(super) post_copy: Option<bool>,
}
