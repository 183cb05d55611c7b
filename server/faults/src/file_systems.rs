//! File systems that can fill up, and what is in their directories.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{sandbox, vm::Vm};

/// As root gives a directory a file system of its own, which can fill up.
pub fn mount(directory: &Path, size: &str) -> Result<()> {
    if !sandbox::is_possible() {
        return Ok(());
    }
    let owner = fs::metadata(directory)?;
    let options = format!("size={size},mode=700,uid={},gid={}", owner.uid(), owner.gid());
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(directory).status()?;
    ensure!(mounted.success(), "{} can't be mounted", directory.display());
    Ok(())
}

/// Lazily: a process that is ending may still have a file open there.
pub fn unmount(directory: &Path) {
    if sandbox::is_possible() {
        // What stays mounted goes with the namespace.
        let _ = Command::new("umount").arg("--lazy").arg(directory).status();
    }
}

/// The files of a directory.
pub fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| format!("{} can't be read", directory.display()))?;
    Ok(entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?)
}

/// The files of a directory that are a VM's, by their names.
pub fn files_of(vm: &Vm, directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files(directory)?;
    let of_vm = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().contains(vm.name));
    files.retain(of_vm);
    Ok(files)
}
