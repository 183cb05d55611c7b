//! Whether a host can be the destination of a migration by post-copy that is recovered.

use super::HostFacts;

/// libvirtd of these versions crashes when it receives the resumption of a broken post-copy migration (libvirt's NEWS, 11.4.0), by
/// libvirt's numbers.
pub(crate) const POST_COPY_CRASH: std::ops::Range<u64> = 11_002_000..11_004_000;

/// The first that can do it: 8.5.0.
const RECOVERS: u64 = 8_005_000;

impl HostFacts {
    /// Whether a migration to this host by post-copy that broke off can be recovered. Its libvirt may be too old, or crash: then the VM
    /// runs on, and the rest of its memory never arrives.
    pub fn can_recover_post_copy(&self) -> bool {
        number(&self.libvirt_version).is_some_and(|version| version >= RECOVERS && !POST_COPY_CRASH.contains(&version))
    }
}

/// libvirt's number of a version in words.
fn number(version: &str) -> Option<u64> {
    let mut parts = version.split('.').map(|part| part.parse::<u64>().ok());
    let mut next = || parts.next().flatten();
    Some(next()? * 1_000_000 + next()? * 1_000 + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_that_survive_it_recover() {
        let can = |version: &str| {
            number(version).is_some_and(|number| number >= RECOVERS && !POST_COPY_CRASH.contains(&number))
        };
        for (version, expected) in [
            ("8.4.0", false),
            ("8.5.0", true),
            ("9.0.0", true),
            ("11.1.0", true),
            ("11.2.0", false),
            ("11.3.0", false),
            ("11.4.0", true),
            ("12.5.0", true),
            ("", false),
        ] {
            assert_eq!(can(version), expected, "{version}");
        }
    }
}
