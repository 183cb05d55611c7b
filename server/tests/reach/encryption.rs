//! What others on the network see of a VM's memory.

use serde_json::json;

use super::{
    guest::MEMORY_MIB,
    lab::{Capture, pass_over},
    remains::places,
    site::Site,
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
        // What `vmferry pki` says to do, without ssh.
        let tree = pki.join("hosts").join(host.name);
        host.run("cp", &["--recursive", "--no-target-directory", &tree.join("etc").to_string_lossy(), "/etc"]);
    }

    let encrypted = site.captured_move("encrypted", json!({})).await;
    site.again().await;
    let clear = site.captured_move("clear", json!({"encrypt": false})).await;

    let marker = &clear.marker;
    assert_eq!(*marker, encrypted.marker, "the guest fills its memory alike each time");
    let found = places(marker, &clear.bytes).count();
    assert!(found > 0, "the memory is not in what was captured of a clear migration, {} bytes", clear.bytes.len());
    assert_eq!(places(marker, &encrypted.bytes).count(), 0, "the memory can be read on the network");
    // It was the memory that was captured.
    let half_of_memory = (MEMORY_MIB as usize) << 19;
    assert!(encrypted.bytes.len() > half_of_memory, "only {} bytes were captured", encrypted.bytes.len());
}

/// A migration as the network saw it.
struct Seen {
    /// Bytes of the guest's memory.
    marker: Vec<u8>,
    bytes: Vec<u8>,
}

impl Site {
    /// Moves the VM to blue and captures what crosses the network.
    async fn captured_move(&self, name: &str, more: serde_json::Value) -> Seen {
        let marker = self.guest.marker(&self.lab.red);
        let capture = Capture::begin(&self.lab.blue, &self.directory().join(format!("{name}.pcap")));
        let arrived = self.arrives(self.ask_with_password(more).await).await;
        let bytes = capture.end();
        println!("{name}: {} bytes; {arrived}", bytes.len());
        Seen { marker, bytes }
    }
}
