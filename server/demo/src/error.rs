//! Why a demo did not start or end, and what to do about it.

use std::{io, net::Ipv4Addr, path::PathBuf};

/// Why a demo did not start or did not end. The text says what is wrong, [`DemoError::fix`] what to do.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A program that the demo runs is not installed.
    #[error("The demo needs {program}, which is not installed.")]
    ProgramMissing {
        /// The name of the program.
        program: &'static str,
        /// The Debian and Ubuntu packages that bring it, as for apt-get.
        packages: &'static str,
    },
    /// `libvirtd --version` did not print a version.
    #[error("libvirtd does not say which version it is.")]
    VersionUnknown {
        /// What it printed.
        output: String,
    },
    /// A shared directory was asked for, and this libvirt cannot be told about one.
    #[error("libvirt {version} cannot be told that a directory is shared between hosts.")]
    SharedDirectoryUnsupported {
        /// The installed version.
        version: String,
    },
    /// Started as root, and there is no user to run the daemons as.
    #[error("There is no user \"nobody\" to run the demo's daemons as.")]
    UserMissing,
    /// The hosts would be reachable from elsewhere, without a password.
    #[error("The demo's hosts can't be in {network}: it is not in 127.0.0.0/8.")]
    NetworkNotLoopback {
        /// The network asked for.
        network: Ipv4Addr,
    },
    /// A host's address cannot be used.
    #[error("Host {host} cannot listen on {address}:{port}: {source}.")]
    AddressUnavailable {
        /// The host.
        host: &'static str,
        /// Its address.
        address: Ipv4Addr,
        /// Its port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The directory's name has characters that have a meaning in configuration files or XML.
    #[error("The demo's directory cannot be {}: its name may have only letters, digits and / . _ -", .dir.display())]
    DirectoryName {
        /// The directory.
        dir: PathBuf,
    },
    /// Sockets in the directory would have names that are too long for the system.
    #[error("The demo's directory {} has a name of {} bytes, and it may have at most {limit}, because the names of Unix sockets in it are limited.", .dir.display(), .dir.as_os_str().len())]
    DirectoryTooLong {
        /// The directory.
        dir: PathBuf,
        /// How many bytes its name may have.
        limit: usize,
    },
    /// The directory has files of something other than a demo, or belongs to another user.
    #[error("{} exists already, and is not a directory of a demo that you started.", .dir.display())]
    DirectoryNotOurs {
        /// The directory.
        dir: PathBuf,
    },
    /// The unprivileged daemons could not reach their files.
    #[error("The demo's daemons run as the user \"nobody\", who cannot reach {}, because {} is closed to others.", .dir.display(), .closed.display())]
    DirectoryClosed {
        /// The demo's directory.
        dir: PathBuf,
        /// The directory on the way that is closed.
        closed: PathBuf,
    },
    /// Another demo is running there.
    #[error("A demo is already running in {}.", .dir.display())]
    DirectoryInUse {
        /// The directory.
        dir: PathBuf,
    },
    /// A daemon ended right after its start.
    #[error("{service} ended right after its start ({status}).")]
    ServiceEnded {
        /// Which one.
        service: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// A daemon or a VM did not get ready in time.
    #[error("{what} was not ready within {seconds} s.")]
    NotReady {
        /// Which one.
        what: String,
        /// How long we waited, in seconds.
        seconds: u64,
        /// The end of its log.
        log: String,
    },
    /// virsh reported an error.
    #[error("{task} failed.")]
    Virsh {
        /// What was to be done.
        task: String,
        /// virsh's own words.
        output: String,
    },
    /// Processes of an earlier or of this demo are still there after a kill.
    #[error("{count} of the demo's processes in {} do not end.", .dir.display())]
    ProcessesStay {
        /// How many.
        count: usize,
        /// The demo's directory.
        dir: PathBuf,
    },
    /// A file could not be written, read or removed, or a program not be run.
    #[error("Could not {action} {}: {source}.", .path.display())]
    Io {
        /// The verb.
        action: &'static str,
        /// The file or program.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DemoError {
    /// What to do next, in a sentence.
    pub fn fix(&self) -> String {
        match self {
            Self::ProgramMissing { packages, .. } => {
                format!("Install it; on Debian and Ubuntu with `apt-get install {packages}`.")
            }
            Self::VersionUnknown { .. } => "Run `libvirtd --version` to see why it fails.".into(),
            Self::SharedDirectoryUnsupported { .. } => "Let the demo choose the storage, or ask for NBD.".into(),
            Self::UserMissing => "Add the user \"nobody\", or start the demo as a user other than root.".into(),
            Self::NetworkNotLoopback { .. } => "Choose a network like 127.0.5.0.".into(),
            Self::AddressUnavailable { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                "Another demo or a libvirtd that listens on all addresses has the port; end it, or choose another network.".into()
            }
            Self::AddressUnavailable { .. } => "Choose a network whose addresses this machine has.".into(),
            Self::DirectoryName { .. } | Self::DirectoryTooLong { .. } | Self::DirectoryNotOurs { .. } => {
                "Choose another directory with --dir, such as /tmp/demo.".into()
            }
            Self::DirectoryClosed { .. } => "Choose a directory in /tmp, or start the demo as a user other than root.".into(),
            Self::DirectoryInUse { .. } => "End that demo first, or choose another directory and network.".into(),
            Self::ServiceEnded { .. } | Self::NotReady { .. } | Self::Virsh { .. } => {
                "The details say why. Repair that, then start the demo again.".into()
            }
            Self::ProcessesStay { .. } => "List them with `ps`. A process that hangs in the kernel ends with a restart of the machine.".into(),
            Self::Io { .. } => "Check the free space and the permissions of the file.".into(),
        }
    }

    /// What a program said, word for word, where one said something.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::VersionUnknown { output } | Self::Virsh { output, .. } => Some(output),
            Self::ServiceEnded { log, .. } | Self::NotReady { log, .. } => Some(log),
            _ => None,
        }
    }

    /// For `map_err`: what was to be done with which file.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
