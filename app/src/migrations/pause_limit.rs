//! The pause that a running migration may take.

use model::{Migration, Policy};

/// In ms. Until a policy or a person has changed it, it is QEMU's own, which is what gentle allows.
pub(super) fn pause_limit_ms(migration: &Migration) -> u32 {
    migration.pause_limit_ms.unwrap_or(Policy::Gentle.longest_pause_ms())
}
