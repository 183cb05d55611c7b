//! Why a host could not be asked, or refused.

use model::HostName;

/// Why a host could not be asked, or refused.
///
/// The engine decides by the kind alone. The words are for people: `server/libvirt/src/translate` has a sentence and a fix for each of
/// libvirt's errors, and they are passed on as they are. `explain.rs` makes a [`model::Problem`] of it at the engine's edge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct HostError {
    /// What kind of error it is.
    pub kind: HostErrorKind,
    /// What happened, in one sentence.
    pub sentence: String,
    /// What to do about it.
    pub fix: Option<String>,
    /// The words of libvirt, QEMU or the system, unchanged.
    pub details: Option<String>,
    /// The ssh key that the host showed, as OpenSSH writes it: `SHA256:…`.
    pub fingerprint: Option<String>,
}

/// What kind of error a host or its hypervisor gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostErrorKind {
    /// The console has no such host.
    UnknownHost,
    /// The host does not answer.
    Unreachable,
    /// The host did not answer in time.
    TimedOut,
    /// The host wants a password, and the console has none.
    NeedsLogin,
    /// The host refused user name, password or key.
    LoginRefused,
    /// The account at the host may not use libvirt.
    NotPermitted,
    /// The host's ssh key is not known yet.
    HostKeyUnknown,
    /// The host's ssh key is another than the one that is known.
    HostKeyChanged,
    /// The source's daemon can't log in at the destination by itself.
    PeerLogin,
    /// The host has no such VM.
    UnknownVm,
    /// The VM's state does not allow this.
    WrongState,
    /// The destination has a VM of this name or id already.
    AlreadyThere,
    /// The VM is being migrated.
    AlreadyMigrating,
    /// Source and destination are the same host.
    SameHost,
    /// The migration was aborted.
    Cancelled,
    /// Another client uses it.
    InUse,
    /// The host can't do this.
    NotSupported,
    /// One of both hosts can't do post-copy; nothing was begun.
    NoPostCopy,
    /// The hypervisor refused for another reason.
    Refused,
    /// vmferry itself failed.
    Internal,
}

impl HostErrorKind {
    /// Whether to try again by itself can only fail again, and gets the console locked out by what counts failed logins (fail2ban).
    pub(crate) fn is_in_vain(self) -> bool {
        matches!(self, Self::NeedsLogin | Self::LoginRefused | Self::HostKeyUnknown | Self::HostKeyChanged)
    }

    /// Whether it is not known whether the host has done what it was asked.
    pub(crate) fn is_no_answer(self) -> bool {
        matches!(self, Self::Unreachable | Self::TimedOut)
    }

    /// Whether a person has to do something before the host can be asked.
    pub(crate) fn is_for_a_person(self) -> bool {
        self.is_in_vain() || self == Self::NotPermitted
    }
}

impl HostError {
    /// An error of this kind, told in one sentence.
    pub fn new(kind: HostErrorKind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into(), fix: None, details: None, fingerprint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    /// Adds the raw words.
    #[must_use]
    pub fn with_details(self, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()), ..self }
    }

    /// Adds the ssh key that the host showed.
    #[must_use]
    pub fn with_fingerprint(self, fingerprint: impl Into<String>) -> Self {
        Self { fingerprint: Some(fingerprint.into()), ..self }
    }

    /// No host is registered under this name or address.
    pub(crate) fn unknown_host(name: &str) -> Self {
        Self::new(HostErrorKind::UnknownHost, format!("No host called {name:?} is registered."))
            .with_fix("Use the name or address of a registered host.")
    }

    /// The same, where the registered hosts are known.
    pub(crate) fn unknown_host_beside(name: &str, registered: &[&HostName]) -> Self {
        let fix = format!("Use the name or address of a registered host: {}.", listed(registered));
        Self { fix: Some(fix), ..Self::unknown_host(name) }
    }

    /// What was typed as an address does not answer: perhaps the name of a registered host was meant.
    #[must_use]
    pub(crate) fn may_be_mistyped(self, typed: &str, registered: &[&HostName]) -> Self {
        let hint = format!("No host called {typed:?} is registered; registered are: {}.", listed(registered));
        let fix = self.fix.as_ref().map_or_else(|| hint.clone(), |fix| format!("{hint} {fix}"));
        Self { fix: Some(fix), ..self }
    }

    /// No VM has this name or id.
    pub(crate) fn unknown_vm(name: &str) -> Self {
        Self::new(HostErrorKind::UnknownVm, format!("There is no VM called {name:?}."))
            .with_fix("Check the name; a VM on a host that never answered is not known.")
    }

    /// The host wants a password, and none was typed.
    pub(crate) fn needs_login(host: &HostName) -> Self {
        Self::new(HostErrorKind::NeedsLogin, format!("{host} wants a password, and the console does not keep one."))
            .with_fix(format!("Log in at {host}."))
    }

    /// The host did not answer a request within its limit.
    pub(crate) fn too_late(host: &str) -> Self {
        Self::new(HostErrorKind::Unreachable, format!("{host} did not answer in time."))
            .with_fix("Check the host and its libvirt daemon, then try again.")
    }

    /// A host was tried and has not answered so far.
    pub(crate) fn not_answered_yet(host: &HostName) -> Self {
        Self::new(HostErrorKind::Unreachable, format!("{host} has not answered yet."))
            .with_fix("Try again in a few seconds.")
    }

    /// The connection ended without a reason.
    pub(crate) fn closed(host: &HostName) -> Self {
        Self::new(HostErrorKind::Unreachable, format!("The connection to {host} was closed."))
    }

    /// A host that was asked gave another answer than it should: for the caller it does not answer, whatever the reason.
    #[must_use]
    pub(crate) fn into_no_answer(self, host: &str) -> Self {
        match self.kind {
            HostErrorKind::Unreachable | HostErrorKind::UnknownVm => self,
            _ => self.into_details_of_no_answer(host),
        }
    }

    /// The same, where even the sentence of a host that does not answer may have another name for it than people know.
    #[must_use]
    pub(crate) fn into_details_of_no_answer(self, host: &str) -> Self {
        let details = self.details.unwrap_or(self.sentence);
        Self::new(HostErrorKind::Unreachable, format!("{host} does not answer as it should."))
            .with_fix("Check the host and its libvirt daemon, then try again.")
            .with_details(details)
    }
}

/// The first names of a list, and how many more there are.
fn listed(names: &[&HostName]) -> String {
    const SHOWN: usize = 20;
    let shown = names.iter().take(SHOWN).map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 if names.is_empty() => "none".to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
