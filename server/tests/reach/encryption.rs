//! What can be read of a VM's memory on the network.

use serde_json::json;

use super::{
    guest::MEMORY_MIB,
    lab::{Capture, pass_over},
    site::Site,
    traces::positions,
};

#[tokio::test]
async fn memory_is_encrypted_where_both_hosts_have_certificates() {
    let test = "encryption::memory_is_encrypted_where_both_hosts_have_certificates";
    let Some(site) = Site::enter(test).await else { return };
    if !Capture::is_possible() {
        pass_over(&format!("{test}: there is no tcpdump here (package tcpdump)"));
        return;
    }
    let pki = site.directory().join("pki");
    let hosts = [&site.lab.red, &site.lab.blue];
    let named = hosts.map(|host| format!("{}={}", host.name, host.address));
    site.run_program(&["pki", &pki.to_string_lossy(), &named[0], &named[1]]);
    for host in hosts {
        // As `vmferry pki` tells the user to, but without ssh.
        let tree = pki.join("hosts").join(host.name);
        host.run("cp", &["--recursive", "--no-target-directory", &tree.join("etc").to_string_lossy(), "/etc"]);
    }

    let encrypted = site.captured_move("encrypted", json!({})).await;
    site.reset().await;
    let clear = site.captured_move("clear", json!({"encrypt": false})).await;

    let marker = &clear.marker;
    assert_eq!(*marker, encrypted.marker, "the guest fills its memory with the same data each time");
    let found = positions(marker, &clear.bytes).count();
    assert!(found > 0, "the memory is not in what was captured of a clear migration, {} bytes", clear.bytes.len());
    assert_eq!(positions(marker, &encrypted.bytes).count(), 0, "the memory can be read on the network");
    // The capture is large enough to contain the memory.
    let half_of_memory = (MEMORY_MIB as usize) << 19;
    assert!(encrypted.bytes.len() > half_of_memory, "only {} bytes were captured", encrypted.bytes.len());
}

/// What was captured of a migration.
struct Captured {
    /// Bytes of the guest's memory.
    marker: Vec<u8>,
    bytes: Vec<u8>,
}

impl Site {
    /// Moves the VM to blue and captures what crosses the network.
    async fn captured_move(&self, name: &str, more: serde_json::Value) -> Captured {
        let marker = self.guest.marker(&self.lab.red);
        let capture = Capture::begin(&self.lab.blue, &self.directory().join(format!("{name}.pcap")));
        let arrived = self.arrives(self.migrate_with_password(more).await).await;
        let bytes = capture.end();
        println!("{name}: {} bytes; {arrived}", bytes.len());
        Captured { marker, bytes }
    }
}
