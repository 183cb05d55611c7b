//! For tests: errors as libvirt 11.3.0 and QEMU 10.0.2 gave them, or as their sources have them.

use engine::{HostError, HostErrorKind};
use model::Mode;

use super::{Meaning, login, meaning, meanings, not_migrated, not_opened, opening};
use crate::{
    error::{CallFailure, LibvirtError},
    migrate::testing::plan,
};

/// An error, and its translation for a migration from alpha to beta: `virErrorNumber`, `virErrorDomain`, `int1`, the words; the
/// code, the sentence, and a part of the fix.
pub(super) type Recorded = (u32, u32, i32, &'static str, HostErrorKind, &'static str, &'static str);

/// Checks that every error is translated as expected by a row of this table, and that every row has an error.
pub(super) fn check(table: &'static [Meaning], recorded: &[Recorded]) {
    let is_opening = std::ptr::eq(table, opening::MEANINGS);
    let mut used = vec![false; table.len()];
    for &(number, domain, int1, text, code, sentence, fix) in recorded {
        let error = error(number, domain, int1, text);
        let row = if is_opening {
            meaning::of(&[opening::MEANINGS], &error)
        } else {
            login::meaning(&error, &plan(Mode::Live).destination.peer_transport)
                .or_else(|| meaning::of(&meanings(), &error))
        };
        let row = row.unwrap_or_else(|| panic!("nothing fits {text:?}"));
        let position = table.iter().position(|known| std::ptr::eq(known, row));
        used[position.unwrap_or_else(|| panic!("another table's row fits {text:?}"))] = true;
        let problem = if is_opening { not_opened_because(error) } else { not_migrated_because(error) };
        assert_eq!((problem.kind, problem.sentence.as_str()), (code, sentence), "{text:?}");
        assert!(problem.fix.as_ref().is_some_and(|told| told.contains(fix)), "{text:?}: {:?}", problem.fix);
        assert_eq!(problem.details.as_deref(), Some(text));
    }
    let unused: Vec<_> = used.iter().enumerate().filter(|(_, used)| !**used).map(|(row, _)| row).collect();
    assert!(unused.is_empty(), "rows without a recorded error: {unused:?}");
}

pub(super) fn error(number: u32, domain: u32, int1: i32, message: &str) -> LibvirtError {
    LibvirtError { number, domain, int1, message: message.to_owned() }
}

pub(super) fn not_migrated_because(error: LibvirtError) -> HostError {
    not_migrated("alpha", &plan(Mode::Live), CallFailure::Refused(error)).into_error()
}

pub(super) fn not_opened_because(error: LibvirtError) -> HostError {
    not_opened("alpha", CallFailure::Refused(error))
}
