//! What a VM's definition names of its host beside disks, networks and devices that are passed through: files, addresses, CPUs.

use std::{collections::BTreeSet, net::IpAddr};

/// What a definition names of its host. The same is read of the other VMs of a destination, to see what they have taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostReferences {
    /// Files, directories, sockets and device files.
    pub files: Vec<FileReference>,
    /// What QEMU listens on: VNC, serial ports over TCP.
    pub listeners: Vec<Listener>,
    /// libvirt networks on whose address QEMU listens.
    pub listen_networks: BTreeSet<String>,
    /// CPUs that it is pinned to, one set a pinned thread. A set of which the host has none keeps it from starting.
    pub cpu_sets: Vec<BTreeSet<u32>>,
    /// NUMA nodes that its memory is taken from. Each has to be there.
    pub numa_nodes: BTreeSet<u32>,
    /// Network filters (`filterref`).
    pub network_filters: BTreeSet<String>,
    /// Names of tap devices that libvirt makes for it; not those that libvirt chose itself.
    pub taps: BTreeSet<String>,
    /// MAC addresses of its interfaces, in lower case.
    pub macs: BTreeSet<String>,
    /// The context ID of its vsock, if it is fixed.
    pub vsock_cid: Option<u32>,
    /// What QEMU has drivers for that are packaged separately: `disks by http`, `the display egl-headless`, `sound by alsa`.
    pub qemu_drivers: BTreeSet<String>,
    /// Security drivers that its fixed labels are for: `selinux`, `apparmor`, `dac`.
    pub security_models: BTreeSet<String>,
    /// Whether it has arguments for QEMU of its own (`qemu:commandline`) or changes the properties of devices (`qemu:override`).
    pub qemu_arguments: bool,
}

/// A file that a definition names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileReference {
    /// What the VM has it for, e.g. `kernel` or `log of serial`: the element's name in the definition.
    pub purpose: String,
    /// The path.
    pub path: String,
    /// What has to be there.
    pub usage: FileUsage,
}

impl FileReference {
    /// The path that has to exist: the file itself, or the directory that it is made in.
    pub fn required_path(&self) -> &str {
        match self.usage {
            FileUsage::Read | FileUsage::Template | FileUsage::Directory | FileUsage::Device => &self.path,
            FileUsage::Made | FileUsage::Served => self.directory(),
        }
    }

    /// The directory that it is in.
    pub fn directory(&self) -> &str {
        self.parts().0
    }

    /// Its name there; empty for `/`.
    pub fn name(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        match self.path.trim_end_matches('/').rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some(parts) => parts,
            None => ("/", ""),
        }
    }
}

/// What QEMU or libvirt does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileUsage {
    /// Reads it at the start.
    Read,
    /// Copies it at the start if the file of the UEFI variables is missing.
    Template,
    /// Uses the directory at the start.
    Directory,
    /// Makes it, if its directory is there.
    Made,
    /// Connects to a program that has to listen there.
    Served,
    /// Opens a device of the host.
    Device,
}

/// An address and port that QEMU listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// What listens: `vnc`, `serial`, …
    pub purpose: String,
    /// The address or name; none is the default, all or loopback.
    pub address: Option<String>,
    /// The port, if it is fixed or known.
    pub port: Option<u16>,
    /// Whether libvirt chooses the port anew at every start.
    pub is_automatic: bool,
    /// What it listens for.
    pub protocol: ListenProtocol,
}

/// Which ports are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenProtocol {
    /// Graphics over TCP: libvirt reserves the port for all addresses.
    Graphics,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Listener {
    /// The port that has to be free.
    pub fn fixed_port(&self) -> Option<u16> {
        self.port.filter(|_| !self.is_automatic)
    }

    /// Whether any host has the address: none, the unspecified one, loopback.
    pub fn is_everywhere(&self) -> bool {
        let Some(address) = &self.address else { return true };
        let by_ip = |ip: IpAddr| ip.is_unspecified() || ip.to_canonical().is_loopback();
        address.parse().map_or_else(|_| address.eq_ignore_ascii_case("localhost"), by_ip)
    }

    /// Whether two VMs of a host can't listen on both at once.
    pub fn collides_with(&self, other: &Self) -> bool {
        let is_udp = |listener: &Self| listener.protocol == ListenProtocol::Udp;
        let same_port = self.fixed_port().is_some_and(|port| other.port == Some(port)) && is_udp(self) == is_udp(other);
        let both_reserved = [self, other].iter().all(|one| one.protocol == ListenProtocol::Graphics);
        same_port && (both_reserved || self.overlaps(other))
    }

    /// Whether both addresses may be one; a name may be any address.
    fn overlaps(&self, other: &Self) -> bool {
        let ip = |listener: &Self| listener.address.as_ref().and_then(|address| address.parse::<IpAddr>().ok());
        match (ip(self), ip(other)) {
            (Some(one), Some(two)) => one == two || one.is_unspecified() || two.is_unspecified(),
            _ => true,
        }
    }
}

/// Another VM of a host, with what it has taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbour {
    /// Its name.
    pub name: String,
    /// Whether it runs: only then are ports and devices taken.
    pub active: bool,
    /// What its definition names; of one that runs, what it has now.
    pub references: HostReferences,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(protocol: ListenProtocol, address: Option<&str>, port: u16) -> Listener {
        let address = address.map(str::to_owned);
        Listener { purpose: "serial".to_owned(), address, port: Some(port), is_automatic: false, protocol }
    }

    #[test]
    fn addresses_that_every_host_has() {
        let everywhere = |address| listener(ListenProtocol::Tcp, address, 1).is_everywhere();
        for address in [None, Some("0.0.0.0"), Some("::"), Some("127.0.0.9"), Some("::1"), Some("localhost")] {
            assert!(everywhere(address), "{address:?}");
        }
        assert!(!everywhere(Some("192.0.2.1")) && !everywhere(Some("shop.example.org")));
    }

    /// Measured on libvirt 11.3: "Failed to reserve port" is independent of the address.
    #[test]
    fn graphics_ports_collide_whatever_their_addresses() {
        use ListenProtocol::{Graphics, Tcp, Udp};
        let loopback = listener(Graphics, Some("127.0.0.1"), 5950);
        assert!(loopback.collides_with(&listener(Graphics, Some("192.0.2.3"), 5950)));
        assert!(!loopback.collides_with(&listener(Graphics, Some("127.0.0.1"), 5951)));
        assert!(!loopback.collides_with(&listener(Tcp, Some("192.0.2.3"), 5950)));
        assert!(loopback.collides_with(&listener(Tcp, Some("0.0.0.0"), 5950)));
        assert!(loopback.collides_with(&listener(Tcp, None, 5950)));
        assert!(!loopback.collides_with(&listener(Udp, Some("127.0.0.1"), 5950)));
        let automatic = Listener { is_automatic: true, ..loopback.clone() };
        assert!(!automatic.collides_with(&loopback), "it takes another port");
        assert!(loopback.collides_with(&automatic), "it has that port now");
    }

    #[test]
    fn what_is_made_needs_its_directory() {
        let required = |path: &str, usage| {
            let file = FileReference { purpose: String::new(), path: path.to_owned(), usage };
            file.required_path().to_owned()
        };
        assert_eq!(required("/a/b", FileUsage::Read), "/a/b");
        assert_eq!(required("/a/b", FileUsage::Made), "/a");
        assert_eq!(required("/b", FileUsage::Served), "/");
        assert_eq!(required("/a/b/", FileUsage::Directory), "/a/b/");
    }

    #[test]
    fn a_folder_is_in_another() {
        let parts = |path: &str| {
            let file = FileReference { purpose: String::new(), path: path.to_owned(), usage: FileUsage::Directory };
            (file.directory().to_owned(), file.name().to_owned())
        };
        let expected = |directory: &str, name: &str| (directory.to_owned(), name.to_owned());
        for path in ["/srv/share", "/srv/share/", "/srv/share//"] {
            assert_eq!(parts(path), expected("/srv", "share"), "{path}");
        }
        assert_eq!(parts("/srv"), expected("/", "srv"));
        assert_eq!(parts("/"), expected("/", ""));
    }
}
