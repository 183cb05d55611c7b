//! `vmferry`: moves running virtual machines between libvirt hosts, from a browser.

use std::{
    alloc::System,
    io::{IsTerminal, stderr},
};

use clap::Parser;
use tracing_subscriber::EnvFilter;
use vmferry::commands::{self, Command};
use zeroizing_alloc::ZeroAlloc;

/// Overwrites memory when it is freed, so that a core dump shows no password, whichever library had it. libvirt and libssh, which
/// do not use this allocator, overwrite passwords themselves. It costs 20 ns for half a kB (measured).
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() {
    let password = commands::take_admin_password();
    let Arguments { command } = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(stderr().is_terminal()).init();
    let status = match commands::run(command, password) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error}");
            1
        }
    };
    libvirt::exit(status)
}
