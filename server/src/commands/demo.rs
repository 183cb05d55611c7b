//! `vmferry demo`: the console for libvirt hosts and VMs that it starts on this machine and removes at the end.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, ValueEnum};
use demo::{Demo, DemoError, DemoHost, DemoOptions, SharedStorage};
use engine::{Address, AllowedNetworks, Daemon, HostConfig, Networks, Transport};
use libvirt::SystemResolver;
use model::Secret;
use tokio_util::sync::CancellationToken;
use tower_sessions::session::Id;

use super::{
    Failure,
    console::{ADMIN, Console, Kept},
    data_directory, say, stop, told,
};
use crate::{auth::SessionLimits, console::Allowed, http::Site};

/// Starts a demo.
#[derive(Debug, Args)]
pub struct DemoCommand {
    /// Where the console listens; on this machine only.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where all state of the demo lives.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The hosts get the addresses .2 to .5 of this /24.
    #[arg(long, default_value = "127.0.0.0")]
    network: Ipv4Addr,
    /// How all hosts reach the VMs' disks.
    #[arg(long, value_enum, default_value = "auto")]
    storage: Storage,
    /// How many VMs there are: three on alpha, the others on beta and gamma.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(3..=48))]
    guests: u8,
    /// Leave the directory there at the end.
    #[arg(long)]
    keep: bool,
    /// Stop when standard input closes: when the program that started the demo has ended.
    #[arg(long)]
    until_stdin_closes: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Storage {
    Auto,
    Filesystem,
    Nbd,
}

impl DemoCommand {
    pub(super) async fn run(self, password: Option<Secret>) -> Result<(), Failure> {
        if !self.listen.ip().is_loopback() {
            return Err("The demo's console speaks plain HTTP and listens on this machine only: give an address of 127.0.0.0/8.".into());
        }
        let listener = TcpListener::bind(self.listen).map_err(|error| {
            format!("{} can't be listened on: {error}. --listen chooses another address.", self.listen)
        })?;
        let stop = stop::on_signal(self.until_stdin_closes)?;
        say("Starting the demo's hosts and VMs …");
        let started = tokio::select! {
            // A demo that is dropped while it starts takes down what it has started.
            () = stop.cancelled() => return Ok(()),
            started = Demo::start(self.options()) => started,
        };
        let demo = started.map_err(told_by_demo)?;
        let served = serve(&demo, listener, password, stop).await;
        say("Taking the demo down …");
        demo.stop().await.map_err(told_by_demo)?;
        served
    }

    fn options(&self) -> DemoOptions {
        let storage = match self.storage {
            Storage::Auto => SharedStorage::Auto,
            Storage::Filesystem => SharedStorage::Filesystem,
            Storage::Nbd => SharedStorage::Nbd,
        };
        DemoOptions { dir: self.dir.clone(), network: self.network, storage, guests: self.guests, keep: self.keep }
    }
}

async fn serve(
    demo: &Demo,
    listener: TcpListener,
    chosen: Option<Secret>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let address = listener.local_addr()?;
    let directory = demo.dir().join("console");
    let _lock = data_directory::lock(&directory)?;
    let kept = Kept::open(&directory, SessionLimits::default()).await?;
    let password = chosen.as_ref().map_or_else(|| Id::default().to_string(), |chosen| chosen.reveal().to_owned());
    kept.auth.add_user_unchecked(ADMIN, password.clone()).await.map_err(told)?;
    let hosts = demo.hosts().iter().map(|host| config(demo, host)).collect();
    let networks = Arc::new(Networks::new(AllowedNetworks::Any, &[], SystemResolver));
    let console = Console::start(hosts, kept, Allowed { tcp: true, networks }).await?;
    let introduction = introduction(demo, address, chosen.is_none().then_some(&password));
    let ready = console.ready();
    let introduced = tokio::spawn(async move {
        ready.await;
        say(&introduction);
    });
    let site = Site { data_directory: Some(directory.display().to_string()), ..Site::default() };
    let served = console.serve(listener, None, site, stop).await;
    introduced.abort();
    served
}

/// What is printed once a demo has started.
fn introduction(demo: &Demo, address: SocketAddr, password: Option<&String>) -> String {
    let password = match password {
        Some(password) => format!("password {password}"),
        None => "with the password from the environment".to_owned(),
    };
    let mut text = format!("\n  The console:  http://{address}/\n  Log in as     {ADMIN}, {password}\n\n");
    for host in demo.hosts() {
        text += &format!("  virsh -c {} list    looks at {}\n", host.uri(), host.name);
    }
    let spare = demo.unregistered();
    text + &format!(
        "\n  One more host, {}, is yours to add (Hosts, Add a host): TCP, {} port {}, session daemon,\n  shared directory {}\n\n\
         Ctrl-C ends it all.",
        spare.name,
        spare.address,
        spare.port,
        demo.shared_directory().display()
    )
}

/// The configuration of a host of the demo.
fn config(demo: &Demo, host: &DemoHost) -> HostConfig {
    let address = Address::V4(host.address);
    let transport = Transport::Tcp { address: address.clone(), port: host.port, daemon: Daemon::Session };
    HostConfig {
        name: host.name.parse().expect("the demo's names are names"),
        transport: transport.clone(),
        peer_address: address,
        peer_transport: transport,
        bandwidth_mib_s: u32::try_from(host.bandwidth_mib_s).ok(),
        policy_defaults: model::PolicyDefaults::default(),
        shared_directories: vec![demo.shared_directory().display().to_string()],
        budget: model::HostBudget::default(),
    }
}

fn told_by_demo(error: DemoError) -> Failure {
    let details = error.details().map(|details| format!("\n{details}")).unwrap_or_default();
    format!("{error} {}{details}", error.fix()).into()
}
