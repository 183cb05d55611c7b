//! The programs that the demo runs, and the version of libvirt.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use crate::DemoError;

/// The PATH of the demo and its daemons. (libvirtd is in an sbin, which users do not have in theirs.)
pub(crate) const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is installed.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) libvirtd: PathBuf,
    pub(crate) virsh: PathBuf,
    pub(crate) qemu_nbd: PathBuf,
    /// libvirt's version: major, minor, release.
    pub(crate) libvirt_version: (u32, u32, u32),
}

impl Programs {
    /// Finds them all, or says which packages to install.
    pub(crate) async fn find() -> Result<Self, DemoError> {
        find("qemu-system-x86_64", "qemu-system-x86")?; // libvirtd finds it itself; this is for the clear error
        let libvirtd = find("libvirtd", "libvirt-daemon libvirt-daemon-driver-qemu")?;
        Ok(Self {
            virsh: find("virsh", "libvirt-clients")?,
            qemu_nbd: find("qemu-nbd", "qemu-utils")?,
            libvirt_version: version(&libvirtd).await?,
            libvirtd,
        })
    }
}

fn find(program: &'static str, packages: &'static str) -> Result<PathBuf, DemoError> {
    SEARCH_PATH
        .split(':')
        .map(|directory| Path::new(directory).join(program))
        .find(|path| path.is_file())
        .ok_or(DemoError::ProgramMissing { program, packages })
}

async fn version(libvirtd: &Path) -> Result<(u32, u32, u32), DemoError> {
    let output = Command::new(libvirtd)
        .arg("--version")
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(DemoError::io("run", libvirtd))?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse_version(&text).ok_or_else(|| DemoError::VersionUnknown { output: text.into_owned() })
}

/// Reads "libvirtd (libvirt) 11.3.0".
fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = text.split_whitespace().last()?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_that_libvirtd_prints() {
        assert_eq!(parse_version("libvirtd (libvirt) 11.3.0\n"), Some((11, 3, 0)));
        assert_eq!(parse_version("libvirtd: unknown option\n"), None);
        assert_eq!(parse_version(""), None);
    }

    #[test]
    fn a_missing_program_is_named_with_its_packages() {
        let error = find("no-such-program", "its-package").unwrap_err();
        assert!(error.to_string().contains("no-such-program"));
        assert!(error.fix().contains("apt-get install its-package"));
    }
}
