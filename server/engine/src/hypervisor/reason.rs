//! Why a copy is in its state: libvirt tells it with the state, and it says more about a broken-off migration than the state does.

/// Why a copy is in its state: libvirt's `virDomainRunningReason`, `virDomainPausedReason`, `virDomainShutoffReason` and the like, by
/// their names. What a name means depends on the state: [`Self::Migrated`] of a running copy says that it arrived, of one that is off
/// that it left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StateReason {
    /// Running: it was started, and came from nowhere.
    Booted,
    /// Running: it arrived by a migration. Off: it left by one.
    Migrated,
    /// Running: it was restored from a file.
    Restored,
    /// In whatever state a snapshot had it.
    FromSnapshot,
    /// Running: it was resumed; also where libvirt's daemon finds it running after a restart.
    Unpaused,
    /// Running: a migration away from here had paused it and came to nothing.
    MigrationCanceled,
    /// Running: saving it came to nothing.
    SaveCanceled,
    /// Running: it woke up.
    Wakeup,
    /// Running, paused or off: its guest or its QEMU crashed.
    Crashed,
    /// Running: it arrived by post-copy. Paused: it left by it.
    PostCopy,
    /// The same, and post-copy broke off.
    PostCopyFailed,
    /// Paused or shutting down: a user or a program asked for it.
    User,
    /// Paused: for a migration, to here or from here.
    Migration,
    /// Paused: it is being saved.
    Save,
    /// Paused: it is being dumped.
    Dump,
    /// Paused: QEMU could not read or write a disk.
    IoError,
    /// Paused: its watchdog fired.
    Watchdog,
    /// Paused: it is shutting down.
    ShuttingDown,
    /// Paused: a snapshot is being taken.
    Snapshot,
    /// Paused: its QEMU is starting.
    StartingUp,
    /// Paused: libvirt could not resume it. After a migration that came to nothing: QEMU could not have its disks back, because the
    /// destination's QEMU holds their locks.
    ApiError,
    /// Off: it shut down by itself.
    Shutdown,
    /// Off: it was forced off.
    Destroyed,
    /// Off: it was saved to a file.
    Saved,
    /// Off: it could not start, or libvirt's daemon lost or gave up its QEMU.
    Failed,
    /// Off: libvirt's daemon ended it when it started again: an incoming copy, or one that it could not go on with.
    Daemon,
    /// Crashed: the guest panicked.
    Panicked,
    /// Unknown to libvirt, or to vmferry.
    #[default]
    Other,
}
