//! A host: one libvirt daemon in session mode, with directories and an address of its own.

use std::net::{Ipv4Addr, TcpListener};

use crate::{
    DemoError,
    directory::Directory,
    programs::Programs,
    service::Service,
    storage,
    user::{Unprivileged, make_directory, write_file},
};

/// The hosts' names; their addresses end in .2 to .5. Not in .1: libvirtd refuses to migrate through 127.0.0.1.
const NAMES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
/// libvirt's own port for TCP.
const PORT: u16 = 16509;
/// How fast a host may send a VM, in MiB/s: slow enough to watch, and slower than the VM `cache` dirties its memory.
const BANDWIDTH: u64 = 32;

/// A host of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoHost {
    /// Its short name: alpha, beta, gamma or delta.
    pub name: &'static str,
    /// Where its libvirt daemon listens, without authentication, and where VMs come in.
    pub address: Ipv4Addr,
    /// The daemon's TCP port.
    pub port: u16,
    /// The bandwidth that migrations from this host may use, in MiB/s.
    pub bandwidth_mib_s: u64,
}

/// The hosts, on .2 to .5 of the network.
pub(crate) fn hosts(network: Ipv4Addr) -> Result<Vec<DemoHost>, DemoError> {
    if !network.is_loopback() {
        return Err(DemoError::NetworkNotLoopback { network });
    }
    let [a, b, c, _] = network.octets();
    let host =
        |(name, last)| DemoHost { name, address: Ipv4Addr::new(a, b, c, last), port: PORT, bandwidth_mib_s: BANDWIDTH };
    Ok(NAMES.into_iter().zip(2..).map(host).collect())
}

impl DemoHost {
    /// What virsh and other libvirt clients call this host.
    pub fn uri(&self) -> String {
        format!("qemu+tcp://{}:{}/session", self.address, self.port)
    }

    /// Says so if the address is already in use: libvirtd itself would only end.
    pub(crate) fn check_address_is_free(&self) -> Result<(), DemoError> {
        let Self { name: host, address, port, .. } = *self;
        TcpListener::bind((address, port)).map(drop).map_err(|source| DemoError::AddressUnavailable {
            host,
            address,
            port,
            source,
        })
    }

    /// Writes the configuration and says how to run the daemon.
    pub(crate) fn prepare(
        &self,
        directory: &Directory,
        programs: &Programs,
        user: Option<Unprivileged>,
    ) -> Result<Service, DemoError> {
        let home = directory.path().join(self.name);
        let [config, cache, data, run] = ["config", "cache", "data", "run"].map(|part| home.join(part));
        for path in [&home, &config, &cache, &data, &run, &config.join("libvirt")] {
            make_directory(path, user)?;
        }
        let pid_file = run.join("libvirtd.pid");
        write_file(&config.join("libvirt/libvirtd.conf"), self.libvirtd_conf().as_bytes(), user)?;
        write_file(&config.join("libvirt/qemu.conf"), self.qemu_conf(directory).as_bytes(), user)?;
        Ok(Service {
            name: format!("libvirtd of host {}", self.name),
            program: programs.libvirtd.clone(),
            arguments: vec!["--listen".into(), "--pid-file".into(), pid_file.into()],
            environment: vec![
                ("XDG_CONFIG_HOME", config),
                ("XDG_CACHE_HOME", cache),
                ("XDG_DATA_HOME", data),
                ("XDG_RUNTIME_DIR", run),
            ],
            home,
            log: directory.path().join(format!("{}.log", self.name)),
            user,
        })
    }

    /// The host's UUID, by which libvirt tells hosts apart ("vmferry", then the address).
    fn uuid(&self) -> String {
        let [a, b, c, d] = self.address.octets();
        format!("766d6665-7272-4900-8000-0000{a:02x}{b:02x}{c:02x}{d:02x}")
    }

    fn libvirtd_conf(&self) -> String {
        let Self { address, port, .. } = self;
        format!(
            "host_uuid = \"{}\"\n\
             listen_tls = 0\n\
             listen_tcp = 1\n\
             listen_addr = \"{address}\"\n\
             tcp_port = \"{port}\"\n\
             auth_tcp = \"none\"\n\
             log_outputs = \"3:stderr\"\n",
            self.uuid()
        )
    }

    /// VMs come in on the host's own address, so all hosts can use the same ports. The daemon's end is not the VMs' end
    /// (`auto_shutdown_*`, which libvirt before 11.2 does not know and ignores, like `shared_filesystems`).
    fn qemu_conf(&self, directory: &Directory) -> String {
        let Self { address, .. } = self;
        format!(
            "stdio_handler = \"file\"\n\
             vnc_listen = \"{address}\"\n\
             security_driver = \"none\"\n\
             migration_host = \"{address}\"\n\
             migration_address = \"{address}\"\n\
             shared_filesystems = [ \"{}\" ]\n\
             auto_shutdown_try_save = \"none\"\n\
             auto_shutdown_try_shutdown = \"none\"\n\
             auto_shutdown_poweroff = \"none\"\n",
            storage::shared(directory).display()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_get_addresses_of_the_network() {
        let hosts = hosts(Ipv4Addr::new(127, 0, 5, 0)).unwrap();
        let shown: Vec<_> = hosts.iter().map(|host| (host.name, host.uri())).collect();
        let expected = [("alpha", 2), ("beta", 3), ("gamma", 4), ("delta", 5)]
            .map(|(name, last)| (name, format!("qemu+tcp://127.0.5.{last}:16509/session")));
        assert_eq!(shown, expected);
        assert_eq!(hosts[1].uuid(), "766d6665-7272-4900-8000-00007f000503");
    }

    #[test]
    fn hosts_without_a_password_stay_on_this_machine() {
        let network = Ipv4Addr::new(192, 0, 2, 0);
        assert!(matches!(hosts(network), Err(DemoError::NetworkNotLoopback { .. })));
    }

    #[test]
    fn an_address_in_use_is_noticed() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let host = DemoHost { name: "alpha", address: Ipv4Addr::LOCALHOST, port, bandwidth_mib_s: 1 };
        let error = host.check_address_is_free().unwrap_err();
        assert!(error.fix().contains("end it"), "{error}");
        drop(taken);
        // A process that another test is just starting may have it for a moment longer.
        while host.check_address_is_free().is_err() {
            std::thread::yield_now();
        }
    }
}
