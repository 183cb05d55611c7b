//! What is read from pieces of definitions.

use super::*;

fn of(xml: &str) -> HostReferences {
    references(xml::parse(&format!("<domain>{xml}</domain>")).unwrap().root_element())
}

fn files_of(xml: &str) -> Vec<(String, FileUsage)> {
    of(xml).files.into_iter().map(|file| (file.path, file.usage)).collect()
}

#[test]
fn files_are_found_with_what_they_need() {
    use FileUsage::*;
    for (xml, path, usage) in [
        ("<os><kernel>/k</kernel></os>", "/k", Read),
        ("<os><acpi><table type='slic'>/t</table></acpi></os>", "/t", Read),
        ("<os><nvram template='/t'>/v</nvram></os>", "/t", Template),
        ("<devices><serial type='file'><source path='/s'/></serial></devices>", "/s", Made),
        ("<devices><serial type='pty'><log file='/l'/></serial></devices>", "/l", Made),
        ("<devices><serial type='dev'><source path='/dev/ttyS0'/></serial></devices>", "/dev/ttyS0", Device),
        ("<devices><channel type='unix'><source mode='bind' path='/c'/></channel></devices>", "/c", Made),
        ("<devices><channel type='unix'><source mode='connect' path='/c'/></channel></devices>", "/c", Served),
        ("<devices><serial type='pipe'><source path='/p'/></serial></devices>", "/p", Served),
        ("<devices><rng><backend model='random'>/dev/hwrng</backend></rng></devices>", "/dev/hwrng", Device),
        ("<devices><input type='evdev'><source dev='/dev/i'/></input></devices>", "/dev/i", Device),
        ("<devices><input><source evdev='/dev/i'/></input></devices>", "/dev/i", Device),
        ("<devices><graphics type='egl-headless'><gl rendernode='/dev/r'/></graphics></devices>", "/dev/r", Device),
        ("<devices><graphics type='vnc' socket='/g'/></devices>", "/g", Made),
        ("<devices><graphics type='spice'><listen type='socket' socket='/g'/></graphics></devices>", "/g", Made),
        ("<devices><interface><rom file='/r'/></interface></devices>", "/r", Read),
        ("<devices><filesystem><source dir='/d'/></filesystem></devices>", "/d", Directory),
        ("<devices><audio type='file' path='/a.wav'/></devices>", "/a.wav", Made),
        ("<devices><audio type='oss'><output dev='/dev/dsp'/></audio></devices>", "/dev/dsp", Device),
        (
            "<devices><tpm><backend type='external'><source type='unix' path='/t'/></backend></tpm></devices>",
            "/t",
            Served,
        ),
        ("<devices><interface type='vhostuser'><source path='/v' mode='client'/></interface></devices>", "/v", Served),
        ("<devices><shmem><server path='/m'/></shmem></devices>", "/m", Served),
        (
            "<devices><disk type='network'><source protocol='ssh'><knownHosts path='/h'/></source></disk></devices>",
            "/h",
            Read,
        ),
    ] {
        assert_eq!(files_of(xml), [(path.to_owned(), usage)], "{xml}");
    }
    let own = "/run/libvirt/qemu/channel/1-web/org.qemu.guest_agent.0";
    let agent = format!("<devices><channel type='unix'><source mode='bind' path='{own}'/></channel></devices>");
    assert_eq!(files_of(&agent), []);
    let of_the_guest = "<devices><channel type='pty'><source path='/dev/pts/3'/></channel><rng><backend model='egd' type='udp'>\
                        <source mode='connect' host='h' service='1'/></backend></rng><audio type='none'/></devices>";
    assert_eq!(files_of(of_the_guest), []);
}

#[test]
fn what_listens_is_found() {
    let ports = |xml: &str| {
        let listeners = of(&format!("<devices>{xml}</devices>")).listeners.into_iter();
        listeners.map(|one| (one.address.clone(), one.fixed_port(), one.protocol)).collect::<Vec<_>>()
    };
    let some = |address: &str| Some(address.to_owned());
    use ListenProtocol::*;
    let vnc = "<graphics type='vnc' port='5950' autoport='no' listen='192.0.2.1'><listen type='address' address='192.0.2.1'/></graphics>";
    assert_eq!(ports(vnc), [(some("192.0.2.1"), Some(5950), Graphics)]);
    let automatic = "<graphics type='vnc' port='5900' autoport='yes' listen='::1'/>";
    assert_eq!(ports(automatic), [(some("::1"), None, Graphics)]);
    let websocket = "<graphics type='vnc' port='-1' autoport='yes' websocket='5700'/>";
    assert_eq!(ports(websocket), [(None, Some(5700), Graphics)]);
    assert_eq!(ports("<graphics type='spice'><listen type='none'/></graphics>"), []);
    let serial = "<serial type='tcp'><source mode='bind' host='192.0.2.2' service='4555'/></serial>";
    assert_eq!(ports(serial), [(some("192.0.2.2"), Some(4555), Tcp)]);
    assert_eq!(ports("<serial type='tcp'><source mode='connect' host='192.0.2.2' service='4555'/></serial>"), []);
    let udp = "<interface type='udp'><source address='192.0.2.9' port='1'><local address='192.0.2.2' port='9'/></source></interface>";
    assert_eq!(ports(udp), [(some("192.0.2.2"), Some(9), Udp)]);
    let forward =
        "<interface type='user'><portForward proto='tcp'><range start='2022' to='22'/></portForward></interface>";
    assert_eq!(ports(forward), [(None, Some(2022), Tcp)]);
    let by_network =
        "<devices><graphics type='vnc'><listen type='network' network='lan' address='192.0.2.1'/></graphics></devices>";
    assert_eq!(of(by_network).listen_networks.into_iter().collect::<Vec<_>>(), ["lan"]);
    assert!(of(by_network).listeners.iter().all(|listener| listener.address.is_none()));
}

#[test]
fn pinning_is_found() {
    let found =
        of("<vcpu cpuset='0-3,^2'>1</vcpu><cputune><vcpupin vcpu='0' cpuset='7'/><emulatorpin cpuset='1'/></cputune>\
         <numatune><memory mode='strict' nodeset='1'/><memnode cellid='0' mode='strict' nodeset='2'/></numatune>");
    assert_eq!(found.cpu_sets, [BTreeSet::from([0, 1, 3]), BTreeSet::from([7]), BTreeSet::from([1])]);
    assert_eq!(found.numa_nodes, BTreeSet::from([1, 2]));
    assert!(of("<vcpu placement='auto' cpuset='0-3'>1</vcpu>").cpu_sets.is_empty());
}

#[test]
fn interfaces_have_filters_names_and_addresses() {
    let found = of(
        "<devices><interface><mac address='52:54:00:AA:BB:CC'/><target dev='web0'/><filterref filter='clean'/></interface>\
         <interface><target dev='vnet3'/></interface><interface><target dev='own' managed='no'/></interface>\
         <vsock><cid auto='no' address='7'/></vsock></devices>",
    );
    assert_eq!(found.network_filters, BTreeSet::from(["clean".to_owned()]));
    assert_eq!(found.taps, BTreeSet::from(["web0".to_owned()]));
    assert_eq!(found.macs, BTreeSet::from(["52:54:00:aa:bb:cc".to_owned()]));
    assert_eq!(found.vsock_cid, Some(7));
    assert_eq!(of("<devices><vsock><cid auto='yes' address='7'/></vsock></devices>").vsock_cid, None);
}

#[test]
fn drivers_are_those_that_not_every_qemu_has() {
    let drivers = |devices: &str| {
        let found = of(&format!("<devices>{devices}</devices>")).qemu_drivers;
        found.into_iter().collect::<Vec<_>>()
    };
    let disk = |protocol: &str| format!("<disk type='network'><source protocol='{protocol}' name='a'/></disk>");
    assert_eq!(drivers(&disk("https")), ["disks by https"]);
    assert!(drivers(&disk("nbd")).is_empty());
    assert_eq!(drivers("<graphics type='egl-headless'/><graphics type='vnc'/>"), ["the display egl-headless"]);
    assert_eq!(drivers("<audio id='1' type='alsa'/><sound><audio id='1'/></sound>"), ["sound by alsa"]);
    assert!(drivers("<audio id='1' type='none'/>").is_empty());
}

#[test]
fn fixed_labels_and_own_arguments_are_found() {
    let models = |label: &str| of(label).security_models.into_iter().collect::<Vec<_>>();
    assert_eq!(models("<seclabel type='static' model='apparmor'><label>x</label></seclabel>"), ["apparmor"]);
    assert!(models("<seclabel type='dynamic' model='apparmor'/>").is_empty());
    let arguments =
        "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-s'/></q:commandline>";
    assert!(of(arguments).qemu_arguments && !of("").qemu_arguments);
}
