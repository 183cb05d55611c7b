//! What went wrong, for a person and for a program.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{Finding, MigrationId};

/// Why something was refused or failed: stable, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case", try_from = "String")]
#[strum(serialize_all = "kebab-case")]
pub enum Code {
    /// A field is missing, of the wrong type, or has characters it can't have.
    InvalidInput,
    /// The request is larger than anything vmferry accepts.
    TooLarge,
    /// The request's body is not JSON where JSON is asked for.
    UnsupportedMedia,
    /// This method is not offered at this address.
    MethodNotAllowed,
    /// The request has no session.
    Unauthenticated,
    /// User name or password is wrong.
    WrongCredentials,
    /// Too many failed logins; wait.
    Throttled,
    /// The request was sent by another site's page.
    ForeignOrigin,
    /// The request is for a name that is not the console's.
    WrongName,
    /// The password chosen is too short or too common.
    WeakPassword,
    /// There is nothing at this address.
    NotFound,
    /// No VM has this name or id.
    UnknownVm,
    /// No registered host has this name or address.
    UnknownHost,
    /// No migration has this id.
    UnknownMigration,
    /// No plan has this id, or the console has forgotten it.
    UnknownPlan,
    /// No evacuation has this id.
    UnknownEvacuation,
    /// The world has changed since the plan was made, so that it does not hold any more; the details say how.
    PlanOutdated,
    /// No host has room for it, or not enough.
    NoRoom,
    /// A rule for where VMs may be forbids it.
    Rule,
    /// The host is being emptied, or worked on.
    InMaintenance,
    /// Several different VMs have this name.
    AmbiguousName,
    /// Several VMs have one UUID, so that one could be taken for the other.
    UuidTwin,
    /// Source and destination are the same host.
    SameHost,
    /// The VM has a migration that has not ended.
    AlreadyMigrating,
    /// The migration has ended; there is nothing left to cancel.
    AlreadyEnded,
    /// The VM's state does not allow this.
    WrongState,
    /// The destination has a VM of this name or id already.
    AlreadyThere,
    /// A preflight found what would make the migration fail; the findings say what.
    Blocked,
    /// A preflight found a risk for data that the request does not accept; the findings say which.
    NeedsConsent,
    /// The host does not answer.
    HostUnreachable,
    /// The host's ssh key is not known yet; it is in `fingerprint`, to be compared and confirmed.
    HostKeyUnknown,
    /// The host's ssh key is another than the one that is known; the one seen is in `fingerprint`.
    HostKeyChanged,
    /// The host wants a password, and the console has none.
    NeedsLogin,
    /// The host refused user name, password or key.
    LoginRefused,
    /// The account at the host may not use libvirt.
    NotPermitted,
    /// The source's libvirt can't log in at the destination by itself.
    PeerLogin,
    /// A host of this name or address is registered already.
    HostExists,
    /// The host is part of a migration that has not ended.
    HostInUse,
    /// The host is registered in the configuration file, and changed there.
    HostConfigured,
    /// Part of the API, but not built yet.
    NotSupported,
    /// The migration was cancelled.
    Cancelled,
    /// libvirt or QEMU refused; its words are in the details.
    Hypervisor,
    /// What was read of a disk, or of its copy, is not what it should be. The old image was not touched.
    CopyDiffers,
    /// A host did not answer in time.
    TimedOut,
    /// It can't be told that exactly one copy of the VM runs.
    NeedsAttention,
    /// The console was restarted meanwhile and the reason of the failure is lost.
    ReasonLost,
    /// vmferry's database can't be read or written now; try again.
    StoreUnavailable,
    /// vmferry itself failed.
    Internal,
}

impl Code {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The code as it appears in JSON, e.g. `unknown-vm`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A refusal or failure: what happened in a sentence, what to do next, and the raw text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{sentence}")]
pub struct Problem {
    /// What kind of problem it is.
    pub code: Code,
    /// One sentence for the person in front of the screen.
    pub sentence: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The words of libvirt, QEMU or the system, unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// The migration that is the reason, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<MigrationId>,
    /// The ssh key that a host showed, as OpenSSH writes it: `SHA256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What a preflight found, where that is why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The field of a form, or of what a program has sent, that it is about, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Problem {
    /// A problem of this kind, told in one sentence.
    pub fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
            fix: None,
            details: None,
            migration: None,
            fingerprint: None,
            findings: Vec::new(),
            field: None,
        }
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

    /// Adds what a preflight found.
    #[must_use]
    pub fn with_findings(self, findings: Vec<Finding>) -> Self {
        Self { findings, ..self }
    }

    /// Names the field that it is about.
    #[must_use]
    pub fn with_field(self, field: &'static str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    /// Adds the ssh key that a host showed.
    #[must_use]
    pub fn with_fingerprint(self, fingerprint: impl Into<String>) -> Self {
        Self { fingerprint: Some(fingerprint.into()), ..self }
    }

    /// Names the migration that is the reason.
    #[must_use]
    pub fn with_migration(self, migration: MigrationId) -> Self {
        Self { migration: Some(migration), ..self }
    }
}
