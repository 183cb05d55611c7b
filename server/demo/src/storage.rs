//! The VMs' disks, where every host can reach them: in a shared directory, or served over NBD.

use std::{path::PathBuf, time::Duration};

use tokio::{net::UnixStream, time::sleep};

use crate::{
    DemoError,
    directory::Directory,
    guest::Guest,
    programs::Programs,
    service::Service,
    user::{Unprivileged, make_directory, write_file},
};

/// Since this version libvirt can be told that a directory is shared between hosts (`shared_filesystems` in qemu.conf).
const KNOWS_SHARED_FILESYSTEMS: (u32, u32, u32) = (11, 0, 0);
/// The size of a disk, in bytes. Only its first sector is ever read.
const DISK_SIZE: usize = 1 << 20;
/// How many QEMUs may have a disk open at a time; a migration needs two.
const NBD_CLIENTS: u32 = 8;

/// How all hosts reach the VMs' disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SharedStorage {
    /// A directory where libvirt can be told that it is shared, else NBD.
    #[default]
    Auto,
    /// Files in a directory that the hosts share. Needs libvirt 11.0 or newer.
    Filesystem,
    /// Each disk served by a qemu-nbd.
    Nbd,
}

impl SharedStorage {
    /// The storage to use with the installed libvirt.
    pub(crate) fn choose(self, programs: &Programs) -> Result<Disks, DemoError> {
        let supported = can_share_directories(programs);
        match (self, supported) {
            (Self::Auto | Self::Filesystem, true) => Ok(Disks::Files),
            (Self::Auto, false) | (Self::Nbd, _) => Ok(Disks::Nbd),
            (Self::Filesystem, false) => {
                let (major, minor, release) = programs.libvirt_version;
                Err(DemoError::SharedDirectoryUnsupported { version: format!("{major}.{minor}.{release}") })
            }
        }
    }
}

/// How the disks of this demo are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disks {
    Files,
    Nbd,
}

impl Disks {
    /// The disk in the VM's XML.
    pub(crate) fn xml(self, directory: &Directory, guest: &Guest) -> String {
        let (kind, source) = match self {
            Self::Files => ("file", format!("<source file='{}'/>", image(directory, &guest.name).display())),
            Self::Nbd => (
                "network",
                format!(
                    "<source protocol='nbd'><host transport='unix' socket='{}'/></source>",
                    socket(directory, &guest.name).display()
                ),
            ),
        };
        format!(
            "<disk type='{kind}' device='disk'><driver name='qemu' type='raw'/>{source}<target dev='vda' bus='virtio'/></disk>"
        )
    }

    /// The server of the VM's disk, where one is needed.
    pub(crate) fn export(
        self,
        directory: &Directory,
        programs: &Programs,
        user: Option<Unprivileged>,
        guest: &Guest,
    ) -> Option<Service> {
        if self == Self::Files {
            return None;
        }
        Some(export(directory, programs, user, &guest.name))
    }
}

/// The server of the disk of the VM called `vm`, for all hosts.
pub(crate) fn export(directory: &Directory, programs: &Programs, user: Option<Unprivileged>, vm: &str) -> Service {
    Service {
        name: format!("qemu-nbd of VM {vm}"),
        program: programs.qemu_nbd.clone(),
        arguments: vec![
            "--persistent".into(),
            "--format=raw".into(),
            format!("--shared={NBD_CLIENTS}").into(),
            "--socket".into(),
            socket(directory, vm).into(),
            image(directory, vm).into(),
        ],
        home: shared(directory),
        environment: Vec::new(),
        log: directory.path().join(format!("{vm}-nbd.log")),
        user,
    }
}

/// Whether the installed libvirt can be told that a directory is shared between hosts.
pub(crate) fn can_share_directories(programs: &Programs) -> bool {
    programs.libvirt_version >= KNOWS_SHARED_FILESYSTEMS
}

/// The directory that all hosts see.
pub(crate) fn shared(directory: &Directory) -> PathBuf {
    directory.path().join("shared")
}

/// Makes that directory.
pub(crate) fn make_shared(directory: &Directory, user: Option<Unprivileged>) -> Result<(), DemoError> {
    make_directory(&shared(directory), user)
}

fn image(directory: &Directory, vm: &str) -> PathBuf {
    shared(directory).join(format!("{vm}.img"))
}

fn socket(directory: &Directory, vm: &str) -> PathBuf {
    shared(directory).join(format!("{vm}.nbd"))
}

/// Writes the VM's disk: a boot sector and zeroes.
pub(crate) fn write_image(directory: &Directory, user: Option<Unprivileged>, guest: &Guest) -> Result<(), DemoError> {
    let mut disk = vec![0; DISK_SIZE];
    let sector = guest.boot_sector();
    disk[..sector.len()].copy_from_slice(&sector);
    write_file(&image(directory, &guest.name), &disk, user)
}

/// Returns when the disk of the VM called `vm` is being served.
pub(crate) async fn exported(directory: &Directory, vm: &str) -> Result<(), DemoError> {
    while UnixStream::connect(socket(directory, vm)).await.is_err() {
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(libvirt_version: (u32, u32, u32)) -> Programs {
        let unused = PathBuf::new;
        Programs { libvirtd: unused(), virsh: unused(), qemu_nbd: unused(), libvirt_version }
    }

    #[test]
    fn the_storage_is_one_that_libvirt_accepts() {
        let (old, new) = (installed((10, 0, 0)), installed((11, 3, 0)));
        assert_eq!(SharedStorage::Auto.choose(&old).unwrap(), Disks::Nbd);
        assert_eq!(SharedStorage::Auto.choose(&new).unwrap(), Disks::Files);
        assert_eq!(SharedStorage::Nbd.choose(&new).unwrap(), Disks::Nbd);
        let error = SharedStorage::Filesystem.choose(&old).unwrap_err();
        assert!(error.to_string().contains("10.0.0"));
    }
}
