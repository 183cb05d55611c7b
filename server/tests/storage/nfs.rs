//! A disk that QEMU itself has from an NFS server: a real one, of user space.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{
    guest,
    lab::{Place, World},
    privileged::{Site, files, is_missing, severities},
};

/// nfs-ganesha, unpacked by `xtask/prepare.sh test`.
const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/nfs-server");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/storage/nfs.sh");
/// The world's own address.
const SERVER: &str = "192.0.2.1";

#[tokio::test]
async fn a_disk_that_qemu_has_by_nfs_stays() {
    if is_missing("NFS server that this test can configure (nfs-ganesha 4)", has_server())
        || is_missing("NFS client in QEMU", qemu_has_nfs())
    {
        return;
    }
    let Place::Inside(world) = World::enter("nfs::a_disk_that_qemu_has_by_nfs_stays") else { return };
    let mut site = Site::start(world).await;
    let export = site.directory("export");
    guest::write_new_disk(&export.join("ledger.qcow2"));
    let _server = serve(&export);
    let disk = format!(
        "<disk type='network' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source protocol='nfs' name='{}/ledger.qcow2'><host name='{SERVER}'/><identity user='+0' group='+0'/></source>
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

/// Whether it is the one of Debian 12. Debian 13's (6.5) wants a right that containers lack (PR_SET_IO_FLUSHER), and does not let QEMU's
/// client in when it is told to do without: MNT3ERR_ACCES, the reason is not known yet.
fn has_server() -> bool {
    let Ok(files) = fs::read_dir(Path::new(PACKAGES).join("usr/lib/ganesha")) else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libganesha_nfsd.so.4"))
}

/// Whether QEMU's module for it is installed, for whichever architecture.
fn qemu_has_nfs() -> bool {
    let folders = fs::read_dir("/usr/lib").expect("every Linux has it");
    folders.flatten().any(|folder| folder.path().join("qemu/block-nfs.so").exists())
}

/// Serves a directory by NFS, to the hosts of this world.
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

/// Ended with this value.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already is what we want.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
