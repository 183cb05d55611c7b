//! A VM's serial console or screen, as a page has it open.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::{HostName, Problem};

/// Which of a VM's terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum TerminalKind {
    /// Its serial console: the bytes of a text terminal.
    Serial,
    /// Its graphical display by VNC: the bytes of the RFB protocol (RFC 6143).
    Screen,
}

impl TerminalKind {
    /// What it is called in addresses and in the audit log.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How a terminal that is open stands to its VM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum TerminalStatus {
    /// It is connected to the VM on this host.
    Connected {
        /// The host.
        host: HostName,
    },
    /// The VM moves, or its host does not answer; it connects again by itself.
    Waiting {
        /// What is waited for, in one sentence.
        text: String,
    },
    /// It has ended, and does not connect again by itself.
    Ended {
        /// Why.
        problem: Problem,
        /// Whether that is because another client has it open, from which it can be taken over.
        in_use: bool,
    },
}

/// What a terminal sends.
#[derive(Clone, Debug, PartialEq)]
pub enum TerminalEvent {
    /// How it stands to its VM has changed.
    Status(TerminalStatus),
    /// The guest's bytes.
    Output(Vec<u8>),
}
