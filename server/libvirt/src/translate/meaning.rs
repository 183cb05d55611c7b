//! A row of a table: how an error is recognised, and what to say.

use std::ffi::c_int;

use engine::{HostError, HostErrorKind};
use virt::sys;

use super::template;
use crate::error::LibvirtError;

/// How an error is recognised, and its sentence and fix. They may name `{host}`, the host that was asked (the source of a migration),
/// `{destination}`, and the names in the text.
pub(super) struct Meaning {
    /// `virErrorNumber`; none is any.
    number: Option<u32>,
    /// `virErrorDomain`; none is any.
    domain: Option<u32>,
    /// The system's error number; none is any.
    int1: Option<c_int>,
    /// A part of the words, with `{names}`; empty is any.
    text: &'static str,
    kind: HostErrorKind,
    sentence: &'static str,
    fix: &'static str,
}

/// Linux's error numbers (errno.h).
pub(super) mod errno {
    pub(in crate::translate) const NOT_THERE: i32 = 2;
    pub(in crate::translate) const NOT_ALLOWED: i32 = 13;
    pub(in crate::translate) const NO_SPACE: i32 = 28;
    pub(in crate::translate) const TIMED_OUT: i32 = 110;
    pub(in crate::translate) const REFUSED: i32 = 111;
    pub(in crate::translate) const NO_ROUTE: i32 = 113;
}

/// An error with this text and any number.
pub(super) const fn saying(text: &'static str) -> Meaning {
    Meaning { number: None, domain: None, int1: None, text, kind: HostErrorKind::Refused, sentence: "", fix: "" }
}

/// An error with this number and any text.
pub(super) const fn numbered(number: u32) -> Meaning {
    Meaning { number: Some(number), ..saying("") }
}

/// The system's error `errno`, reported by this part of libvirt in any language.
pub(super) const fn system(domain: u32, errno: c_int) -> Meaning {
    Meaning { int1: Some(errno), ..numbered(sys::VIR_ERR_SYSTEM_ERROR).of_domain(domain) }
}

impl Meaning {
    /// Only with this text.
    pub(super) const fn and_says(self, text: &'static str) -> Self {
        Self { text, ..self }
    }

    /// Only if this part of libvirt reports it.
    pub(super) const fn of_domain(self, domain: u32) -> Self {
        Self { domain: Some(domain), ..self }
    }

    /// Its code for programs; without this it is `hypervisor`.
    pub(super) const fn is(self, kind: HostErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// Its sentence and its fix for people.
    pub(super) const fn tell(self, sentence: &'static str, fix: &'static str) -> Self {
        Self { sentence, fix, ..self }
    }

    /// Whether it matches the system's error number.
    pub(super) fn is_by_errno(&self) -> bool {
        self.int1.is_some()
    }

    /// Whether it says that a host can't do post-copy.
    pub(super) fn is_no_post_copy(&self) -> bool {
        self.kind == HostErrorKind::NoPostCopy
    }

    /// The error with this row's sentence and fix.
    pub(super) fn told(&self, host: &str, destination: &str, error: &LibvirtError) -> HostError {
        let names = template::find(self.text, &error.message).unwrap_or_default();
        let meant = |name: &str| match name {
            "host" => Some(host),
            "destination" => Some(destination),
            other => names.iter().find(|(name, _)| *name == other).map(|(_, value)| *value),
        };
        HostError::new(self.kind, template::fill(self.sentence, meant)).with_fix(template::fill(self.fix, meant))
    }

    fn fits(&self, error: &LibvirtError) -> bool {
        self.number.is_none_or(|number| number == error.number)
            && self.domain.is_none_or(|domain| domain == error.domain)
            && self.int1.is_none_or(|int1| int1 == error.int1)
            && template::find(self.text, &error.message).is_some()
    }
}

/// The first row that an error fits.
pub(super) fn of(tables: &[&'static [Meaning]], error: &LibvirtError) -> Option<&'static Meaning> {
    tables.iter().copied().flatten().find(|row| row.fits(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::{login, meanings, opening};

    /// Each name in a row's sentence or fix has to be in its text.
    #[test]
    fn every_name_is_known() {
        for row in meanings().into_iter().flatten().chain(login::MEANINGS).chain(opening::MEANINGS) {
            let known: Vec<_> = template::names(row.text).chain(["host", "destination"]).collect();
            for text in [row.sentence, row.fix] {
                assert!(!text.is_empty() && text.ends_with('.'), "{text}");
                for name in template::names(text) {
                    assert!(known.contains(&name), "{name} in {text}");
                }
            }
        }
    }
}
