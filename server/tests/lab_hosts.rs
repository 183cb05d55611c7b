//! The lab itself: its hosts are hosts, and nothing of them is left.

mod lab;

use lab::{Place, World};

const VM: &str = "<domain type='qemu'><name>idle</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><controller type='usb' model='none'/><memballoon model='none'/></devices></domain>";

#[tokio::test]
async fn a_vm_moves_between_privileged_hosts() {
    let world = match World::enter("a_vm_moves_between_privileged_hosts") {
        Place::Inside(world) => world,
        Place::Done | Place::Impossible => return,
    };
    let lab = world.start().await;
    let file = world.shared().join("idle.xml");
    std::fs::write(&file, VM).expect("the world has room");
    lab.red.virsh(&["create", &file.display().to_string()]);
    lab.red.virsh(&["migrate", "--live", "--p2p", "idle", &lab.blue.uri(), &format!("tcp://{}", lab.blue.address)]);
    assert_eq!((lab.red.virsh(&["list", "--name"]).trim(), lab.blue.virsh(&["list", "--name"]).trim()), ("", "idle"));
    if let Some(old) = &lab.old {
        assert!(old.virsh(&["version"]).contains("QEMU 7.2"), "an older QEMU");
    }
}
