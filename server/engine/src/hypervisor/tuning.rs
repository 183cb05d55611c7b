//! What is changed of a migration while it runs.

/// A change to a migration under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tuning {
    /// Use at most this much of the network, in MiB/s.
    Bandwidth {
        /// In MiB/s.
        mib_s: u32,
    },
    /// Let the guest pause for so long.
    PauseLimit {
        /// In ms.
        ms: u32,
    },
    /// Let the VM go on at the destination now. Only of a migration that was prepared for it.
    PostCopy,
    /// Pause the guest until all of its memory is sent. It goes on at the destination.
    PauseGuest,
}

/// How QEMU slows a guest that writes too fast (auto-converge): by so much of its CPUs' time at first, and by so much more with each pass
/// that does not help. In percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// 1 to 99.
    pub initial: u8,
    /// 1 to 99.
    pub increment: u8,
}
