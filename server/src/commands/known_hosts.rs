//! `vmferry known-hosts`: the ssh keys by which the console knows hosts. A key that has changed is never accepted while the old one is
//! known, so an admin who changed it on purpose removes the old one here.

use std::path::Path;

use clap::Subcommand;
use engine::Address;
use ssh::KnownHosts;
use store::Action;

use super::{Failure, console::Kept, say, told};
use crate::{auth::COMMAND_LINE, config::Config};

/// What to do with known hosts.
#[derive(Debug, Subcommand)]
pub enum KnownHostsCommand {
    /// Lists all hosts whose keys are known, and the keys' fingerprints.
    List,
    /// Forgets the keys of a host. Whoever connects next has to confirm the key that it has then.
    Forget {
        /// The host's name or IP address, as it is registered or was given.
        #[arg(value_parser = address)]
        address: Address,
        /// The port of its ssh server.
        #[arg(long, default_value_t = 22)]
        port: u16,
    },
}

fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(|error: engine::InvalidInput| error.sentence)
}

pub(super) async fn run(config: &Path, command: KnownHostsCommand) -> Result<(), Failure> {
    let config = Config::read(config)?;
    let Kept { store, ssh, .. } = Kept::open_beside(&config.data_dir, config.session_limits()).await?;
    let known = KnownHosts::at(ssh.known_hosts);
    match command {
        KnownHostsCommand::List => {
            for (names, key) in known.all().map_err(told)? {
                say(&format!("{names} {key}"));
            }
        }
        KnownHostsCommand::Forget { address, port } => {
            if known.of(&address, port).map_err(told)?.is_empty() {
                return Err(format!(
                    "No key is known of {address}, port {port}: `vmferry known-hosts list` names all."
                )
                .into());
            }
            store.audit(COMMAND_LINE, Action::HostKeysForgotten(&address.to_string(), port)).await?;
            known.forget(&address, port).map_err(told)?;
        }
    }
    store.close().await;
    Ok(())
}
