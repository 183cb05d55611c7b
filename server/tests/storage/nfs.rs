//! A disk that QEMU itself has from an NFS server: a real one, of user space.

use std::{
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{
    guest,
    lab::{Place, World},
    privileged::{Site, files, severities},
};

/// nfs-ganesha, unpacked by `xtask/prepare.sh test`.
const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/nfs-server");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/storage/nfs.sh");
/// The world's own address.
const SERVER: &str = "192.0.2.1";

#[tokio::test]
async fn a_disk_that_qemu_has_by_nfs_stays() {
    if !Path::new(PACKAGES).exists() {
        // Not by a macro: the test harness would keep that to itself.
        let _ = writeln!(io::stderr(), "\nPASSED OVER: there is no NFS server in {PACKAGES}\n");
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

/// Serves a directory by NFS, to the hosts of this world.
fn serve(directory: &Path) -> Child {
    let mut server = Command::new("unshare")
        .args(["--mount", SCRIPT, PACKAGES])
        .arg(directory)
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare exists");
    let mut ready = String::new();
    BufReader::new(server.stdout.take().expect("it was asked for")).read_line(&mut ready).expect("it is text");
    assert_eq!(ready, "ready\n", "the NFS server has to start");
    server
}
