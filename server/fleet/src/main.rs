//! `cargo xtask fleet`: the real console over hundreds of simulated hosts with thousands of VMs, of which some migrate all the time.
//!
//! Only the hosts are simulated (the engine's `testing`), and every page says so. `world` makes them, `traffic` keeps migrations going,
//! `broken` keeps one whose post-copy broke off.

mod broken;
mod dice;
mod traffic;
mod world;

use std::{
    alloc::System,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use clap::Parser;
use engine::{AllowedNetworks, Networks};
use libvirt::SystemResolver;
use tower_sessions::session::Id;
use tracing_subscriber::EnvFilter;
use vmferry::{
    auth::SessionLimits,
    commands::{
        Failure,
        console::{ADMIN, Console, Kept},
        stop,
    },
    console::Allowed,
    http::Site,
};
use zeroizing_alloc::ZeroAlloc;

use crate::{traffic::Traffic, world::World};

/// The allocator of the real program, whose memory and time are measured here.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Runs the console over simulated hosts.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// How many hosts there are; at least 3 more than unreachable ones.
    #[arg(long, default_value_t = 200)]
    hosts: usize,
    /// How many of them do not answer any more.
    #[arg(long, default_value_t = 20)]
    unreachable: usize,
    /// How many VMs there are.
    #[arg(long, default_value_t = 10_000)]
    vms: usize,
    /// How many of them migrate at any time.
    #[arg(long, default_value_t = 300)]
    migrating: usize,
    /// Where the console listens; on this machine only.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Decides names, sizes, and which VM migrates where.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop when standard input closes: when the program that started the fleet has ended.
    #[arg(long)]
    until_stdin_closes: bool,
}

fn main() -> Result<(), Failure> {
    let password = vmferry::commands::take_admin_password();
    let options = Options::parse();
    if !options.listen.ip().is_loopback() {
        return Err("The fleet's console listens on this machine only: give an address of 127.0.0.0/8.".into());
    }
    if options.hosts < options.unreachable + 3 {
        return Err("At least three hosts have to be reachable.".into());
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let chosen = password.map(|password| password.reveal().to_owned());
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(options, chosen))
}

async fn run(options: Options, chosen: Option<String>) -> Result<(), Failure> {
    vmferry::server::allow_many_files();
    let listener = TcpListener::bind(options.listen)
        .map_err(|error| format!("{} can't be listened on: {error}. --listen chooses another.", options.listen))?;
    let address = listener.local_addr()?;
    let stop = stop::on_signal(options.until_stdin_closes)?;
    let directory = tempfile::tempdir()?;
    let kept = Kept::open(directory.path(), SessionLimits::default()).await?;
    let password = chosen.unwrap_or_else(|| Id::default().to_string());
    kept.auth.add_user_unchecked(ADMIN, password.clone()).await?;
    let networks = Arc::new(Networks::new(AllowedNetworks::Any, &[], SystemResolver));
    let world = World::new(options.hosts, options.vms, options.seed);
    let sim = Arc::new(world.sim.clone());
    let console = Console::over(sim, world.hosts.clone(), kept, Allowed { tcp: true, networks }).await?;
    console.ready().await;
    let traffic = Traffic::new(world, console.engine(), options.unreachable, options.seed);
    println!("\n  {} simulated hosts, {} VMs", options.hosts, options.vms);
    println!("  The console:  http://{address}/\n  Log in as     {ADMIN}, password {password}\n\n  Ctrl-C ends it.");
    let going = tokio::spawn(traffic.keep_going(options.migrating));
    let site = Site { simulated: true, ..Site::default() };
    let served = console.serve(listener, None, site, stop).await;
    going.abort();
    served
}
