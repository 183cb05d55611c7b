//! Networks, bridges, firewalls, and daemons that refuse or do not answer.

use std::{fs, net::Ipv4Addr};

use model::{ControlFlow, FindingCode as Code, MigrationOptions, Severity};
use tokio::{runtime::Handle, task::block_in_place};

use crate::{
    guest::{Guest, NAME, Parts, run_other},
    obstacle::{Obstacle, Outcome, Step},
    testbed::{Machine, TestBed, text},
};

/// An address of the lab's network that no host has.
const UNUSED_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 99);

pub(super) fn networks() -> Vec<Obstacle> {
    let on_network: fn(&TestBed<'_>, &Guest) -> Parts = |bed, _| {
        define_network(bed, &bed.source);
        bed.source.virsh(&["net-start", NAME]);
        Parts::devices(format!("<interface type='network'><source network='{NAME}'/></interface>"))
    };
    let on_bridge: fn(&TestBed<'_>, &Guest) -> Parts = |bed, _| {
        make_bridge(&bed.source);
        Parts::devices(format!("<interface type='bridge'><source bridge='{NAME}'/></interface>"))
    };
    let remove_bridges: Step = |bed, _| [&bed.source, &bed.destination].into_iter().for_each(remove_bridge);
    vec![
        Obstacle::blocker("a network that the destination lacks", Code::Network).parts(on_network),
        Obstacle::blocker("a network that is not active at the destination", Code::Network)
            .parts(on_network)
            .make(|bed, _| define_network(bed, &bed.destination)),
        Obstacle::succeeds("a network that both hosts have", Code::Network, Severity::Ok).parts(on_network).make(
            |bed, _| {
                define_network(bed, &bed.destination);
                bed.destination.virsh(&["net-start", NAME]);
            },
        ),
        Obstacle::blocker("a bridge that the destination lacks", Code::Bridge).parts(on_bridge).undo(remove_bridges),
        Obstacle::succeeds("a bridge that both hosts have", Code::Bridge, Severity::Ok)
            .parts(on_bridge)
            .make(|bed, _| make_bridge(&bed.destination))
            .undo(remove_bridges),
    ]
}

/// Names and addresses that another VM or device of the destination may have.
pub(super) fn names() -> Vec<Obstacle> {
    let with_tap: fn(&TestBed<'_>, &Guest) -> Parts = |bed, _| {
        make_bridge(&bed.source);
        make_bridge(&bed.destination);
        Parts::devices(TAP)
    };
    let remove_bridges: Step = |bed, _| [&bed.source, &bed.destination].into_iter().for_each(remove_bridge);
    vec![
        Obstacle::blocker("a tap device of a name that another VM has", Code::InterfaceName)
            .parts(with_tap)
            .make(|bed, guest| run_other(bed, guest, TAP))
            .undo(remove_bridges),
        Obstacle::unknown("a tap device of a name that the destination has", Code::InterfaceName, Outcome::Fails)
            .parts(with_tap)
            .make(|bed, _| drop(bed.destination.lab().run("ip", &["tuntap", "add", TAP_NAME, "mode", "tap"])))
            .undo(|bed, _| {
                bed.destination.lab().run("ip", &["link", "delete", TAP_NAME]);
                [&bed.source, &bed.destination].into_iter().for_each(remove_bridge);
            }),
        Obstacle::unknown("a tap device of a name that is free", Code::InterfaceName, Outcome::Succeeds)
            .parts(with_tap)
            .undo(remove_bridges),
        Obstacle::succeeds("another VM of its MAC address", Code::MacAddress, Severity::Warning)
            .parts(|_, _| Parts::devices(MAC))
            .make(|bed, guest| run_other(bed, guest, MAC)),
    ]
}

/// The name of trials' tap devices.
const TAP_NAME: &str = "trial-tap";
const TAP: &str = "<interface type='bridge'><source bridge='trial'/><target dev='trial-tap'/></interface>";
const MAC: &str = "<interface type='user'><mac address='52:54:00:12:34:56'/></interface>";

pub(super) fn filters() -> Vec<Obstacle> {
    vec![
        // Also where the destination has no driver for network filters at all.
        Obstacle::arrives("a network filter that the destination lacks", Code::NetworkFilter)
            .parts(|bed, _| {
                make_bridge(&bed.source);
                make_bridge(&bed.destination);
                let bridge = format!("<source bridge='{NAME}'/>");
                Parts::devices(format!("<interface type='bridge'>{bridge}<filterref filter='{NAME}'/></interface>"))
            })
            .undo(|bed, _| [&bed.source, &bed.destination].into_iter().for_each(remove_bridge)),
    ]
}

fn define_network(bed: &TestBed<'_>, machine: &Machine<'_>) {
    let file = bed.dir.join("network.xml");
    // Without libvirt's firewall rules, which not every kernel supports.
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
    let unblock: Step = |bed, _| drop(bed.destination.lab().run("nft", &["delete", "table", "inet", NAME]));
    vec![
        Obstacle::unknown("a firewall in front of the data ports", Code::DataPort, Outcome::Fails)
            .make(|bed, _| block(&bed.destination, "tcp dport 49152-49215 drop"))
            .undo(unblock),
        Obstacle::succeeds("the same firewall, and a tunnelled migration", Code::Tunnelled, Severity::Warning)
            .options(|| with_control_flow(ControlFlow::Tunnelled))
            .make(|bed, _| block(&bed.destination, "tcp dport 49152-49215 drop"))
            .undo(unblock),
        Obstacle::unknown("a firewall that blocks the source, not the console", Code::PeerLogin, Outcome::Succeeds)
            .make(keep_source_out)
            .undo(unblock),
        Obstacle::unknown("the same firewall, and peer-to-peer required", Code::PeerLogin, Outcome::Fails)
            .options(|| with_control_flow(ControlFlow::PeerToPeer))
            .make(keep_source_out)
            .undo(unblock),
        Obstacle::blocker("a daemon that is stopped", Code::DestinationReachable)
            .make(|bed, _| bed.destination.lab().stop_daemon())
            .undo(|bed, _| block_in_place(|| Handle::current().block_on(bed.destination.lab().start_daemon()))),
        Obstacle::blocker("an address that no host has", Code::DestinationReachable)
            .registered(|bed| bed.destination.config_at((UNUSED_ADDRESS, 16509).into())),
        Obstacle::blocker("a daemon that is reached read-only", Code::DestinationWritable)
            .registered(|bed| bed.destination.config_at(bed.destination.lab().serve_read_only())),
    ]
}

fn with_control_flow(control_flow: ControlFlow) -> MigrationOptions {
    MigrationOptions { control_flow: Some(control_flow), ..MigrationOptions::default() }
}

fn keep_source_out(bed: &TestBed<'_>, _: &Guest) {
    let source = &bed.source.lab().address;
    block(&bed.destination, &format!("ip saddr {source} tcp dport 16509 reject"));
}

fn block(machine: &Machine<'_>, rule: &str) {
    for command in ["add table inet trial", "add chain inet trial input { type filter hook input priority 0; }"] {
        machine.lab().run("nft", &[command]);
    }
    machine.lab().run("nft", &[&format!("add rule inet trial input {rule}")]);
}
