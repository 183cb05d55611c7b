//! Networks, bridges, firewalls, and daemons that do not answer or refuse.

use std::{fs, net::Ipv4Addr};

use model::{ControlFlow, FindingCode as Code, MigrationOptions, Severity};
use tokio::{runtime::Handle, task::block_in_place};

use crate::{
    bed::{Bed, Machine, text},
    guest::{Guest, NAME, Parts},
    obstacle::{Obstacle, Step, Truth},
};

/// An address of the lab's network that no host has.
const UNUSED_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 99);

pub(super) fn networks() -> Vec<Obstacle> {
    let on_network: fn(&Bed<'_>, &Guest) -> Parts = |bed, _| {
        define_network(bed, &bed.source);
        bed.source.virsh(&["net-start", NAME]);
        Parts::devices(format!("<interface type='network'><source network='{NAME}'/></interface>"))
    };
    let on_bridge: fn(&Bed<'_>, &Guest) -> Parts = |bed, _| {
        make_bridge(&bed.source);
        Parts::devices(format!("<interface type='bridge'><source bridge='{NAME}'/></interface>"))
    };
    let remove_bridges: Step = |bed, _| [&bed.source, &bed.destination].into_iter().for_each(remove_bridge);
    vec![
        Obstacle::blocker("a network that is not there", Code::Network).parts(on_network),
        Obstacle::blocker("a network that is not active there", Code::Network)
            .parts(on_network)
            .make(|bed, _| define_network(bed, &bed.destination)),
        Obstacle::goes("a network that both hosts have", Code::Network, Severity::Ok).parts(on_network).make(
            |bed, _| {
                define_network(bed, &bed.destination);
                bed.destination.virsh(&["net-start", NAME]);
            },
        ),
        Obstacle::blocker("a bridge that is not there", Code::Bridge).parts(on_bridge).undo(remove_bridges),
        Obstacle::goes("a bridge that both hosts have", Code::Bridge, Severity::Ok)
            .parts(on_bridge)
            .make(|bed, _| make_bridge(&bed.destination))
            .undo(remove_bridges),
    ]
}

fn define_network(bed: &Bed<'_>, machine: &Machine<'_>) {
    let file = bed.dir.join("network.xml");
    // Without rules for the firewall, which need more of the kernel than some have.
    let xml = format!("<network><name>{NAME}</name><forward mode='open'/><bridge name='{NAME}-net'/></network>");
    fs::write(&file, xml).expect("the directory takes files");
    machine.virsh(&["net-define", &text(&file)]);
}

fn make_bridge(machine: &Machine<'_>) {
    machine.lab().run("ip", &["link", "add", NAME, "up", "type", "bridge"]);
}

fn remove_bridge(machine: &Machine<'_>) {
    machine.lab().run("sh", &["-c", &format!("if ip link show {NAME}; then ip link delete {NAME}; fi 2>/dev/null")]);
}

pub(super) fn firewalls() -> Vec<Obstacle> {
    let open: Step = |bed, _| drop(bed.destination.lab().run("nft", &["delete", "table", "inet", NAME]));
    vec![
        Obstacle::unknown("a firewall in front of the data ports", Code::DataPort, Truth::Fails)
            .make(|bed, _| block(&bed.destination, "tcp dport 49152-49215 drop"))
            .undo(open),
        Obstacle::goes("the same, and memory through the daemons", Code::Tunnelled, Severity::Warning)
            .options(|| by(ControlFlow::Tunnelled))
            .make(|bed, _| block(&bed.destination, "tcp dport 49152-49215 drop"))
            .undo(open),
        Obstacle::unknown("a firewall that lets the console in, not the source", Code::PeerLogin, Truth::Goes)
            .make(keep_source_out)
            .undo(open),
        Obstacle::unknown("the same, and peer-to-peer by all means", Code::PeerLogin, Truth::Fails)
            .options(|| by(ControlFlow::PeerToPeer))
            .make(keep_source_out)
            .undo(open),
        Obstacle::blocker("a daemon that is stopped", Code::DestinationReachable)
            .make(|bed, _| bed.destination.lab().stop_daemon())
            .undo(|bed, _| block_in_place(|| Handle::current().block_on(bed.destination.lab().start_daemon()))),
        Obstacle::blocker("an address that no host has", Code::DestinationReachable)
            .registered(|bed| bed.destination.config_at((UNUSED_ADDRESS, 16509).into())),
        Obstacle::blocker("a daemon that lets itself be looked at only", Code::DestinationWritable)
            .registered(|bed| bed.destination.config_at(bed.destination.lab().serve_read_only())),
    ]
}

fn by(control_flow: ControlFlow) -> MigrationOptions {
    MigrationOptions { control_flow: Some(control_flow), ..MigrationOptions::default() }
}

fn keep_source_out(bed: &Bed<'_>, _: &Guest) {
    let source = &bed.source.lab().address;
    block(&bed.destination, &format!("ip saddr {source} tcp dport 16509 reject"));
}

fn block(machine: &Machine<'_>, rule: &str) {
    for command in ["add table inet trial", "add chain inet trial input { type filter hook input priority 0; }"] {
        machine.lab().run("nft", &[command]);
    }
    machine.lab().run("nft", &[&format!("add rule inet trial input {rule}")]);
}
