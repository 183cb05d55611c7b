//! Both hosts have a pool of the same name on the same directory of the same NFS server.
//!
//! The kernel that tests run on may have no NFS client, so sshfs stands in. libvirt goes by the list of mounts: it starts a pool of
//! type netfs without mounting anything if `server:/directory` is mounted there already, and takes a filesystem for shared if its
//! type is one of a few, fuse.glusterfs among them. sshfs lets both be chosen, and needs no ssh for a local directory: it talks to any
//! program that speaks SFTP. (bindfs sets the source's name itself, and Debian 13 has no unionfs.)

use std::{fs, path::Path};

use super::{
    guest,
    lab::{Entry, Sandbox},
    privileged::{Site, files, is_missing, severities},
    vm::file_disk_xml,
};

/// Where both hosts have the server's directory.
const MOUNT: &str = "/var/lib/libvirt/vms";

#[tokio::test]
async fn a_disk_on_the_same_nfs_server_stays_without_a_choice_of_pool() {
    let test = "netfs::a_disk_on_the_same_nfs_server_stays_without_a_choice_of_pool";
    if is_missing("FUSE", Path::new("/dev/fuse").exists()) {
        return;
    }
    let Entry::Inside(sandbox) = Sandbox::enter(test) else { return };
    let mut site = Site::start(sandbox).await;
    let export = site.directory("export");
    guest::write_new_disk(&export.join("ledger.qcow2"));
    let sftp = export.with_file_name("sftp.sh");
    fs::write(&sftp, "exec /usr/lib/openssh/sftp-server\n").unwrap();
    for host in [&site.lab.red, &site.lab.blue] {
        host.run("mkdir", &[MOUNT]);
        // Without caches, because the other host writes there, too.
        let options = format!(
            "ssh_command=sh {},fsname=nfs.example:/vms,subtype=glusterfs,dir_cache=no,attr_timeout=0",
            sftp.display()
        );
        host.run("sshfs", &["-o", &options, &format!("localhost:{}", export.display()), MOUNT]);
        site.start_pool(
            host,
            "vms",
            &format!(
                "<pool type='netfs'>
  <name>vms</name>
  <source><host name='nfs.example'/><dir path='/vms'/><format type='nfs'/></source>
  <target><path>{MOUNT}</path></target>
</pool>"
            ),
        );
    }
    let disk = file_disk_xml(&Path::new(MOUNT).join("ledger.qcow2"));
    let console = site.start_vm("ledger", &disk).await;

    let preflight = site.preflight("ledger").await;
    assert_eq!(severities(&preflight, "disk-shared"), ["ok"], "{preflight}");
    assert_ne!(preflight["severity"], "blocker", "{preflight}");
    assert!(preflight["disks"][0]["treatment"]["shared"].is_object(), "{preflight}");

    site.move_memory_only("ledger", &console).await;
    assert_eq!(files(&export), ["ledger.qcow2"], "no copy, and no token left");
    site.lab.blue.virsh(&["destroy", "ledger"]);
    guest::assert_disk(&export.join("ledger.qcow2"), console.passes());
}
