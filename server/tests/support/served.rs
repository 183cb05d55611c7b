//! `vmferry serve` for a test's own hosts.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::IpAddr,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use super::{Api, PASSWORD};

/// A running console. It is killed with this value, and may be started again in the same directory.
pub struct Served {
    base: String,
    child: Child,
    _output: BufReader<ChildStdout>,
}

impl Served {
    /// Starts a console whose data is in `directory`, for hosts with these names, addresses and libvirt daemons (`system` or
    /// `session`).
    pub fn start<'a>(directory: &Path, hosts: impl IntoIterator<Item = (&'a str, IpAddr, &'a str)>) -> Self {
        let host = |(name, address, daemon)| {
            format!(
                "[[hosts]]\nname = \"{name}\"\ntransport = \"tcp\"\naddress = \"{address}\"\ndaemon = \"{daemon}\"\n"
            )
        };
        Self::with_hosts(directory, &hosts.into_iter().map(host).collect::<String>())
    }

    /// Starts a console for hosts in the form of vmferry.toml.
    pub fn with_hosts(directory: &Path, hosts: &str) -> Self {
        Self::prepared(directory, hosts, |_| {})
    }

    /// Starts a console with the rest of vmferry.toml, after `prepare` has changed its command.
    pub fn prepared(directory: &Path, config: &str, prepare: impl FnOnce(&mut Command)) -> Self {
        let data = directory.join("console");
        let config =
            format!("listen = \"127.0.0.1:0\"\nprotocol = \"http\"\ndata_dir = \"{}\"\n\n{config}", data.display());
        let file = directory.join("vmferry.toml");
        fs::write(&file, config).expect("the directory takes files");
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmferry"));
        command.args(["serve", "--config"]).arg(file).env("VMFERRY_ADMIN_PASSWORD", PASSWORD).stdout(Stdio::piped());
        prepare(&mut command);
        let mut child = command.spawn().expect("the console starts");
        let mut output = BufReader::new(child.stdout.take().expect("it was asked for"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it can be read");
        let base = line.split_whitespace().find(|word| word.starts_with("http://")).expect("it says where it listens");
        Self { base: base.trim_end_matches('/').to_owned(), child, _output: output }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The port it listens at.
    pub fn port(&self) -> u16 {
        let port = self.base.rsplit(':').next().and_then(|port| port.parse().ok());
        port.expect("the address ends with it")
    }

    /// A client that has not logged in.
    pub fn visitor(&self) -> Api {
        Api::visitor(&self.base)
    }

    /// A client that has logged in.
    pub async fn login(&self) -> Api {
        Api::login(&self.base).await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
