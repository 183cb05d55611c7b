//! A disk that QEMU opens by NFS itself, from a real NFS server in user space.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{
    guest,
    lab::{Entry, SANDBOX_ADDRESS, Sandbox},
    privileged::{Site, files, is_missing, severities},
};

/// nfs-ganesha, unpacked by `xtask/prepare.sh test`.
const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/nfs-server");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/storage/nfs.sh");

#[tokio::test]
async fn a_disk_that_qemu_has_by_nfs_stays() {
    if is_missing("NFS server that this test can configure (nfs-ganesha 4)", has_server())
        || is_missing("NFS client in QEMU", qemu_has_nfs())
    {
        return;
    }
    let Entry::Inside(sandbox) = Sandbox::enter("nfs::a_disk_that_qemu_has_by_nfs_stays") else { return };
    let mut site = Site::start(sandbox).await;
    let export = site.directory("export");
    guest::write_new_disk(&export.join("ledger.qcow2"));
    let _server = serve(&export);
    let disk = format!(
        "<disk type='network' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source protocol='nfs' name='{}/ledger.qcow2'><host name='{SANDBOX_ADDRESS}'/><identity user='+0' group='+0'/></source>
      <target dev='vda' bus='virtio'/>
    </disk>",
        export.display()
    );
    let console = site.start_vm("ledger", &disk).await;

    let preflight = site.preflight("ledger").await;
    assert_eq!(severities(&preflight, "disk-shared"), ["ok"], "{preflight}");
    assert_ne!(preflight["severity"], "blocker", "{preflight}");

    site.move_memory_only("ledger", &console).await;
    assert_eq!(files(&export), ["ledger.qcow2"]);
    site.lab.blue.virsh(&["destroy", "ledger"]);
    guest::assert_disk(&export.join("ledger.qcow2"), console.passes());
}

/// Whether Debian 12's nfs-ganesha was unpacked. Debian 13's (6.5) needs a capability that containers lack (PR_SET_IO_FLUSHER); without
/// it, it refuses QEMU's client with MNT3ERR_ACCES, for a reason that is not known yet.
fn has_server() -> bool {
    let Ok(files) = fs::read_dir(Path::new(PACKAGES).join("usr/lib/ganesha")) else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libganesha_nfsd.so.4"))
}

/// Whether QEMU's NFS module is installed, for any architecture.
fn qemu_has_nfs() -> bool {
    let folders = fs::read_dir("/usr/lib").expect("every Linux has it");
    folders.flatten().any(|folder| folder.path().join("qemu/block-nfs.so").exists())
}

/// Serves a directory by NFS to the hosts of this sandbox.
fn serve(directory: &Path) -> Server {
    let mut server = Command::new("unshare")
        .args(["--mount", SCRIPT, PACKAGES])
        .arg(directory)
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare exists");
    let mut ready = String::new();
    BufReader::new(server.stdout.take().expect("it was asked for")).read_line(&mut ready).expect("it is text");
    assert_eq!(ready, "ready\n", "the NFS server has to start");
    Server(server)
}

/// A running NFS server, killed on drop.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
