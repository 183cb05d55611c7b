//! Which versions of libvirt can recover a migration by post-copy that broke off.

/// libvirtd of these versions crashes at the destination of the recovery of a broken post-copy migration (libvirt's NEWS, 11.4.0), by
/// libvirt's numbers.
pub(crate) const POST_COPY_CRASH: std::ops::Range<u64> = 11_002_000..11_004_000;

/// The first that can do it: 8.5.0.
const RECOVERS: u64 = 8_005_000;

/// What keeps a migration by post-copy that broke off from being recovered. The VM runs on, and the rest of its memory does not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRecovery {
    /// The destination's libvirtd would crash.
    Crashes,
    /// The source's libvirt does not know how.
    SourceTooOld,
    /// The destination's does not.
    DestinationTooOld,
    /// The version of one of them is not known.
    Unknown,
}

/// Checks the versions of libvirt of both hosts, as [`super::HostFacts::libvirt_version`] has them.
pub(crate) fn no_recovery(source: Option<&str>, destination: Option<&str>) -> Option<NoRecovery> {
    match (source.and_then(number), destination.and_then(number)) {
        (_, Some(destination)) if POST_COPY_CRASH.contains(&destination) => Some(NoRecovery::Crashes),
        (_, Some(destination)) if destination < RECOVERS => Some(NoRecovery::DestinationTooOld),
        (Some(source), _) if source < RECOVERS => Some(NoRecovery::SourceTooOld),
        (Some(_), Some(_)) => None,
        _ => Some(NoRecovery::Unknown),
    }
}

/// libvirt's number of a version in words.
pub(crate) fn number(version: &str) -> Option<u64> {
    let mut parts = version.split('.').map(|part| part.parse::<u64>().ok());
    let mut next = || parts.next().flatten();
    Some(next()? * 1_000_000 + next()? * 1_000 + next()?)
}

#[cfg(test)]
mod tests {
    use super::{NoRecovery::*, *};

    #[test]
    fn only_a_destination_that_survives_it_recovers() {
        for (source, destination, expected) in [
            ("12.5.0", "8.4.0", Some(DestinationTooOld)),
            ("8.4.0", "12.5.0", Some(SourceTooOld)),
            ("8.5.0", "8.5.0", None),
            ("9.0.0", "9.0.0", None),
            ("9.0.0", "11.1.0", None),
            ("9.0.0", "11.2.0", Some(Crashes)),
            ("8.4.0", "11.3.0", Some(Crashes)),
            ("11.3.0", "11.4.0", None),
            ("12.5.0", "", Some(Unknown)),
            ("", "12.5.0", Some(Unknown)),
        ] {
            assert_eq!(no_recovery(Some(source), Some(destination)), expected, "{source} to {destination}");
        }
        assert_eq!(no_recovery(None, Some("9.0.0")), Some(Unknown));
    }
}
