//! Every value in a definition, by who looks at it before a migration.
//!
//! A pattern is the end of a path in libvirt's schema: elements with `/`, an attribute with `@`. `*` is any name, `**` everything below.

use model::FindingCode::{self, *};

/// Who looks at a value.
#[derive(Debug)]
pub(super) enum Treatment {
    /// This finding does.
    LookedAtBy(FindingCode),
    /// No finding does, and why that is right.
    NeedsNone(&'static str),
}

use Treatment::{LookedAtBy, NeedsNone};

type Row = (Treatment, &'static [&'static str]);

#[rustfmt::skip] // A row a treatment, so that the table can be read.
pub(super) const TABLE: &[Row] = &[
    // The VM and its machine.
    (LookedAtBy(NameTaken), &["domain/name"]),
    (LookedAtBy(UuidTaken), &["domain/uuid"]),
    (LookedAtBy(Architecture), &["domain@type"]),
    (LookedAtBy(MachineType), &["type@machine"]),
    (LookedAtBy(Emulator), &["devices/emulator"]),
    (LookedAtBy(Firmware), &["os/loader"]),
    (LookedAtBy(Nvram), &["os/nvram", "nvram/source@**", "nvram/source/**", "nvram@type"]),
    (LookedAtBy(HostFile), &[
        "nvram@template", "os/kernel", "os/initrd", "os/dtb", "os/shim", "acpi/table", "smartcard/database", "binary@path",
        "rom@file", "entry@file", "interface/script@path", "downscript@path", "identity@keyfile", "knownHosts@path", "log@file",
        "backend@logFile", "pstore/path", "audio@path", "filesystem/source@dir", "filesystem/source@file", "graphics@socket",
        "listen@socket", "serial/source@path", "parallel/source@path", "console/source@path", "channel/source@path",
        "redirdev/source@path", "smartcard/source@path", "source/config@file", "graphics@xauth", "memory/source/path"
    ]),
    (LookedAtBy(HostSocket), &[
        "identity@agentsock", "shmem/server@path", "host@socket", "audio@serverName", "audio@runtimeDir",
        "filesystem/source@socket", "rng/backend/source@path", "tpm/backend/source@path", "disk/source@path",
        "interface/source@path", "graphics@display", "graphics@address"
    ]),
    (LookedAtBy(DeviceFile), &[
        "gl@rendernode", "acceleration@rendernode", "rng/backend", "input/source@dev", "source@evdev", "backend@tap",
        "backend@vhost", "audio/input@dev", "audio/output@dev", "blkiotune/device/path"
    ]),
    // CPU and memory.
    (LookedAtBy(Cpu), &["cpu/model", "cpu/vendor", "cpu/feature@name", "model@vendor_id", "maxphysaddr@*"]),
    (LookedAtBy(Invtsc), &["timer@frequency"]),
    (LookedAtBy(Vcpus), &["domain/vcpu", "vcpu@current"]),
    (LookedAtBy(PinnedCpus), &["vcpu@cpuset", "vcpupin@cpuset", "emulatorpin@cpuset", "iothreadpin@cpuset"]),
    (LookedAtBy(NumaNodes), &["numatune/memory@nodeset", "memnode@nodeset", "source/nodemask"]),
    (LookedAtBy(Memory), &["domain/memory", "domain/maxMemory", "domain/currentMemory"]),
    (LookedAtBy(HugePages), &["hugepages/page@size", "hugepages/page@unit", "source/pagesize", "pagesize@unit"]),
    (LookedAtBy(Definition), &[
        "launchSecurity/**", "launchSecurity@*", "cachetune/**", "cachetune@*", "memorytune/**", "memorytune@*"
    ]),
    // Networks.
    (LookedAtBy(Network), &["interface/source@network", "source@portgroup", "listen@network"]),
    (LookedAtBy(Bridge), &[
        "interface/source@bridge", "interface/source@dev", "portForward@dev", "virtualport@type", "virtualport/parameters@*"
    ]),
    (LookedAtBy(NetworkFilter), &["filterref@filter"]),
    (LookedAtBy(InterfaceName), &["interface/target@dev"]),
    (LookedAtBy(MacAddress), &["interface/mac@address"]),
    (LookedAtBy(VsockCid), &["cid@address"]),
    (LookedAtBy(ListenAddress), &[
        "graphics@listen", "listen@address", "source@host", "local@address", "interface/source@address", "portForward@address"
    ]),
    (LookedAtBy(ListenPort), &[
        "graphics@port", "graphics@tlsPort", "graphics@websocket", "source@service", "local@port", "interface/source@port",
        "range@start", "range@end", "range@to"
    ]),
    // Devices of the host.
    (LookedAtBy(HostDevice), &[
        "hostdev/source@**", "hostdev/source/**", "vendor@id", "product@id", "interface/source/address@*", "hostdev@model",
        "hostdev@type", "interface@type"
    ]),
    (LookedAtBy(SharedMemory), &["shmem@name"]),
    (LookedAtBy(SharedFolder), &["filesystem@type", "filesystem/driver@type", "filesystem/source@name"]),
    (LookedAtBy(Tpm), &["tpm/backend/device@path", "backend/profile@*"]),
    // Disks.
    (LookedAtBy(Secret), &["secret@usage", "secret@uuid", "secret@type", "encryption@secret", "auth@username"]),
    (LookedAtBy(DiskShared), &[
        "disk/source@file", "disk/source@dir", "disk/source@name", "disk/source@dev", "source@pool", "source@volume",
        "source/host@name", "source/host@port"
    ]),
    (LookedAtBy(BackingChain), &[
        "backingStore/**", "backingStore@*", "dataStore/**", "dataStore@*", "slice@*", "snapshot@name"
    ]),
    (LookedAtBy(BlockJob), &["mirror/**", "mirror@*"]),
    (LookedAtBy(QemuDriver), &["disk/source@protocol", "graphics@type", "audio@type"]),
    (LookedAtBy(DiskKind), &["disk@type", "disk/source@type", "disk/source@namespace"]),
    (LookedAtBy(DiskFormat), &["disk/driver@type"]),
    (LookedAtBy(QemuArguments), &["commandline/arg@value", "commandline/env@*", "domain/override/**"]),
    (LookedAtBy(SecurityLabel), &[
        "domain/seclabel@model", "domain/seclabel/label", "domain/seclabel/baselabel", "domain/seclabel/imagelabel"
    ]),
    // Which models of devices QEMU knows: libvirt compares with what QEMU says.
    (LookedAtBy(Definition), &[
        "controller@model", "controller@type", "input@model", "input@type", "sound@model", "codec@type", "model@type", "rng@model",
        "crypto@model", "crypto@type", "hub@type", "iommu@model", "memballoon@model", "memory@model", "panic@model", "tpm@model",
        "vsock@model", "watchdog@model", "serial@type", "parallel@type", "console@type", "channel@type", "redirdev@type",
        "smartcard@type", "target@type", "backend@model", "backend@type", "driver@model", "driver@name", "filesystem@model",
        "disk@model", "loader@type", "listen@type", "protocol@type", "memoryBacking/source@type",
        "interface/source@type", "backend/source@type", "domain/iothreads"
    ]),
    // What is not the host's.
    (NeedsNone("it is in the guest, which goes along"), &[
        "address@*", "zpci@*", "alias@name", "acpi@index", "boot@*", "bootmenu@*", "bios@*", "controller@index", "controller@ports",
        "controller@vectors", "controller@maxEventChannels", "controller@maxGrantFrames", "controller/pcihole64", "pcihole64@unit",
        "master@startport", "target@address", "target@busNr", "target@chassis", "target@chassisNr", "target@index", "target@name",
        "target@port", "target@memReserve", "target@rotation_rate", "controller/target/node", "disk/target@dev",
        "filesystem/target@dir", "disk/product", "disk/serial", "disk/vendor", "disk/wwn", "geometry@*", "blockio@*",
        "guest@actual", "guest@dev", "mac@*", "mtu@size", "domain/genid", "sysinfo@type", "sysinfo/entry", "entry@name",
        "sysinfo/bios/entry", "system/entry", "baseBoard/entry", "chassis/entry", "oemStrings/entry", "os/cmdline", "table@type",
        "features/**", "topology@*", "numa/**", "vcpus/vcpu@*", "clock@*", "catchup@*", "memory/uuid", "memory/target/**",
        "graphics@keymap", "resolution@*", "model@ram", "model@vram", "model@vram64", "model@vgamem", "model@heads",
        "sound@streams", "audio@id", "usbdev@*", "teaming@*", "interface/vlan/tag@id", "pstore/size", "shmem/size", "msi@vectors"
    ]),
    (NeedsNone("it is an amount, which every host can give or ignores"), &[
        "memory@unit", "currentMemory@unit", "maxMemory@*", "memtune/*", "hard_limit@unit", "soft_limit@unit",
        "swap_hard_limit@unit", "min_guarantee@unit", "size@unit", "max_size@unit", "metadata_cache/max_size", "alignsize@unit",
        "source/alignsize", "cputune/*", "emulatorsched@priority", "iothreadsched@*", "vcpusched@*", "blkiotune/weight",
        "device/weight", "device/read_bytes_sec", "device/read_iops_sec", "device/write_bytes_sec", "device/write_iops_sec",
        "iotune/*", "throttlegroup/*", "inbound@*", "outbound@*", "frames@max", "bandwidth@classID", "tune/sndbuf", "rate@*",
        "stats@period", "poll@*", "allocation@threads", "defaultiothread@*", "iothread@*", "queue@id", "driver@iothread",
        "driver@queue", "driver@queues", "driver@queue_size", "driver@rx_queue_size", "driver@tx_queue_size", "driver@cmd_per_lun",
        "driver@max_sectors", "driver@aw_bits", "backend@queues", "thread_pool@size", "openfiles@max", "readahead@size",
        "timeout@seconds", "reconnect@*", "space_hard_limit@unit", "space_soft_limit@unit", "filesystem/space_hard_limit",
        "filesystem/space_soft_limit", "filesystem@dmode", "filesystem@fmode", "source@units", "source@usage", "audio@timerPeriod",
        "audio@dspPolicy", "settings@*", "input@bufferCount", "input@bufferLength", "input@latency", "input@voices",
        "output@bufferCount", "output@bufferLength", "output@latency", "output@voices", "backend@debug", "source@index"
    ]),
    (NeedsNone("it names another part of the same definition"), &[
        "page@nodeset", "memnode@cellid", "vcpupin@vcpu", "iothreadpin@iothread", "throttlefilter@group", "domain@id"
    ]),
    (NeedsNone("it is sent to a server or to another program, which is the same for every host"), &[
        "cookie@name", "cookies/cookie", "source@query", "source@tlsHostname", "iqn@name", "identity@user", "identity@username",
        "identity@group", "input@name", "input@clientName", "input@streamName", "input@connectPorts", "input@serverName",
        "output@name", "output@clientName", "output@streamName", "output@connectPorts", "output@serverName", "parameter@name",
        "parameter@value", "source@channel", "source@mode", "cipher@*", "ivgen@*", "smartcard/certificate"
    ]),
    (NeedsNone("it is a password or its end; a migration sends both along"), &[
        "graphics@passwd", "graphics@passwdValidTo", "graphics@username"
    ]),
    (NeedsNone("libvirt writes it for people and programs, and reads it no more"), &[
        "serial@tty", "parallel@tty", "console@tty", "source@portid", "domain/title", "domain/description", "metadata/*"
    ]),
    (NeedsNone("systemd makes the slice when the VM starts"), &["resource/partition", "fibrechannel@appid"]),
    (NeedsNone("a program passes the file to libvirt with the call that starts the VM"), &["source@fdgroup"]),
    (NeedsNone("the lock manager sanlock uses it, whose leases are on storage that all its hosts share"), &[
        "lease/key", "lease/lockspace", "lease/target@path", "lease/target@offset"
    ]),
    (NeedsNone("it is for programs beside QEMU, which get their labels from the security driver"), &[
        "source/seclabel/label", "source/seclabel@model", "seclabel@type"
    ]),
    (NeedsNone("only libvirt's drivers for other hypervisors than QEMU use it (LXC, Xen, VMware, bhyve)"), &[
        "os/init", "os/initarg", "os/initdir", "os/initenv", "initenv@name", "os/initgroup", "os/inituser", "os/root", "idmap/**",
        "domain/namespace/**", "domain/bootloader", "domain/bootloader_args", "domain/datacenterpath", "backenddomain@name",
        "domain/capabilities/**", "filesystem/source@dev", "interface/source@name", "source@master", "source@slave", "ip@*",
        "route@*", "source@switchid", "source@portgroupid", "source@connectionid"
    ]),
];
