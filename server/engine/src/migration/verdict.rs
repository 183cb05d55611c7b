//! The verdict: where the VM runs after a migration, decided from what both hosts say and never from a return code alone.

use model::Mode;

use crate::hypervisor::Presence;

/// Where the VM is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// At the destination, and only there.
    Moved,
    /// At the source, and only there.
    Stayed,
    /// At the source, which has paused it and is to go on: the destination never had it.
    ToResume,
    /// At the destination; the source still has the copy that it paused, and is to drop it.
    ToDrop,
    /// The source has paused it, and it may have run at the destination and ended there.
    LeftPaused,
    /// Not known yet: ask again.
    Undecided,
    /// On both.
    Both,
    /// On neither.
    Neither,
}

/// Judges what the hosts say (`reference` for live migrations: libvirt's own recovery, `qemuProcessRecoverMigration`).
///
/// `kept` is whether a definition at the source is no contradiction: it was to stay there, and libvirt said that all went well. Else
/// the destination's may be one that it had before.
pub(crate) fn verdict(mode: Mode, kept: bool, source: Presence, destination: Presence) -> Verdict {
    use Presence::{Abandoned, Absent, Active, Inactive, Incoming, Outgoing, Sending, Unknown};
    match (mode, source, destination) {
        (Mode::Live, Abandoned { .. }, Active) => return Verdict::ToDrop,
        // libvirt keeps the definition before it lets the VM run, so that one that ran there has left it behind. Of a VM that has
        // none to keep, or where there is one, it can't be told: the VM may have run there and ended, and what is on its disks is
        // newer.
        (Mode::Live, Abandoned { persistent: true }, Absent) => return Verdict::ToResume,
        (Mode::Live, Abandoned { .. }, Absent | Inactive) => return Verdict::LeftPaused,
        _ => {}
    }
    // Any other copy that a migration has left paused is one like any other.
    let [source, destination] = [source, destination].map(|presence| match presence {
        Abandoned { .. } => Active,
        other => other,
    });
    match (mode, source, destination) {
        (_, Unknown | Incoming | Sending | Outgoing | Abandoned { .. }, _)
        | (_, _, Unknown | Incoming | Sending | Outgoing | Abandoned { .. }) => Verdict::Undecided,
        (_, Active, Active) => Verdict::Both,
        (_, Active, Absent | Inactive) => Verdict::Stayed,
        (Mode::Live, Absent | Inactive, Active) => Verdict::Moved,
        (Mode::Live, Absent | Inactive, Absent | Inactive) => Verdict::Neither,
        // Offline there is nothing that runs: the definition is what moves. A VM that is started at once has moved too.
        (Mode::Offline, Absent, Inactive | Active) => Verdict::Moved,
        (Mode::Offline, Inactive, Inactive | Active) if kept => Verdict::Moved,
        (Mode::Offline, Inactive, Inactive | Active) => Verdict::Both,
        (Mode::Offline, Inactive, Absent) => Verdict::Stayed,
        (Mode::Offline, Absent, Absent) => Verdict::Neither,
    }
}

#[cfg(test)]
mod tests {
    use super::Presence::*;
    use super::*;

    const LEFT: Presence = Abandoned { persistent: true };
    const LEFT_TRANSIENT: Presence = Abandoned { persistent: false };
    const ALL: [Presence; 9] = [Unknown, Absent, Inactive, Incoming, Sending, Outgoing, LEFT, LEFT_TRANSIENT, Active];

    #[test]
    fn moved_and_stayed_are_only_said_when_both_hosts_agree() {
        for mode in [Mode::Live, Mode::Offline] {
            for source in ALL {
                for destination in ALL {
                    let said = verdict(mode, false, source, destination);
                    if said == Verdict::Moved {
                        assert!(matches!(source, Absent | Inactive), "{source:?} {destination:?}");
                        let is_there = matches!(destination, Active | Inactive | Abandoned { .. });
                        assert!(is_there, "{source:?} {destination:?}");
                    }
                    if said == Verdict::Stayed {
                        let is_there = matches!(source, Active | Inactive | Abandoned { .. });
                        assert!(is_there, "{source:?} {destination:?}");
                        assert!(matches!(destination, Absent | Inactive), "{source:?} {destination:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_live_migration() {
        let live = |source, destination| verdict(Mode::Live, false, source, destination);
        assert_eq!(live(Absent, Active), Verdict::Moved);
        assert_eq!(live(Inactive, Active), Verdict::Moved);
        assert_eq!(live(Active, Absent), Verdict::Stayed);
        assert_eq!(live(Active, Inactive), Verdict::Stayed);
        assert_eq!(live(Active, Active), Verdict::Both);
        assert_eq!(live(Absent, Absent), Verdict::Neither);
        assert_eq!(live(Inactive, Inactive), Verdict::Neither);
        assert_eq!(live(Outgoing, Active), Verdict::Undecided);
        assert_eq!(live(Active, Incoming), Verdict::Undecided);
        assert_eq!(live(Active, Unknown), Verdict::Undecided);
    }

    #[test]
    fn a_vm_that_was_left_paused() {
        let live = |source, destination| verdict(Mode::Live, false, source, destination);
        assert_eq!(live(LEFT, Absent), Verdict::ToResume);
        assert_eq!(live(LEFT, Active), Verdict::ToDrop);
        assert_eq!(live(LEFT_TRANSIENT, Active), Verdict::ToDrop);
        assert_eq!(live(LEFT, Inactive), Verdict::LeftPaused, "it may have run there and been shut down");
        assert_eq!(live(LEFT_TRANSIENT, Absent), Verdict::LeftPaused, "nor would that leave a trace");
        assert_eq!(live(LEFT, LEFT), Verdict::Both);
        for destination in [Unknown, Incoming, Outgoing] {
            assert_eq!(live(LEFT, destination), Verdict::Undecided);
        }
        assert_eq!(live(Active, LEFT), Verdict::Both);
        assert_eq!(live(Absent, LEFT), Verdict::Moved);
    }

    #[test]
    fn nothing_is_done_to_a_vm_unless_both_hosts_said_where_it_is() {
        for mode in [Mode::Live, Mode::Offline] {
            for source in ALL {
                for destination in ALL {
                    let said = verdict(mode, false, source, destination);
                    if said == Verdict::ToResume {
                        assert_eq!((mode, source, destination), (Mode::Live, LEFT, Absent));
                    }
                    if said == Verdict::ToDrop {
                        assert!(matches!((mode, source, destination), (Mode::Live, Abandoned { .. }, Active)));
                    }
                }
            }
        }
    }

    #[test]
    fn an_offline_migration() {
        let offline = |source, destination| verdict(Mode::Offline, false, source, destination);
        assert_eq!(offline(Absent, Inactive), Verdict::Moved);
        assert_eq!(offline(Absent, Active), Verdict::Moved);
        assert_eq!(offline(Inactive, Inactive), Verdict::Both);
        assert_eq!(offline(Inactive, Active), Verdict::Both);
        assert_eq!(offline(Inactive, Absent), Verdict::Stayed);
        assert_eq!(offline(Absent, Absent), Verdict::Neither);
        assert_eq!(verdict(Mode::Offline, true, Inactive, Inactive), Verdict::Moved);
        assert_eq!(verdict(Mode::Offline, true, Inactive, Active), Verdict::Moved);
    }
}
