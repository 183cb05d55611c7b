//! What the program is asked to do on the command line.

mod admin_password;
pub mod console;
mod data_directory;
mod demo;
pub(crate) mod evacuate;
mod known_hosts;
mod pki;
mod serve;
pub mod stop;
mod user;

use std::{error::Error, io::Write, path::PathBuf, time::Duration};

use clap::Subcommand;
use model::{Problem, Secret};

/// Where the configuration is, unless told otherwise.
const CONFIG: &str = "/etc/vmferry/vmferry.toml";
/// How long threads that wait for something outside are waited for at the end.
const THREADS_LIMIT: Duration = Duration::from_secs(2);

/// Why a command failed, in a sentence or two.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the console for the hosts named in a configuration file.
    Serve(serve::Serve),
    /// Starts real libvirt hosts and VMs on this machine, and the console for them; all is gone at the end.
    Demo(demo::DemoCommand),
    /// Empties hosts, or brings their VMs home: shows the plan, asks, carries it out and follows it.
    Evacuate(Box<evacuate::Evacuate>),
    /// Makes certificates for hosts that have none, and says how to put them there.
    Pki(pki::PkiCommand),
    /// Says by which ssh keys the console knows hosts, and forgets keys that have changed.
    KnownHosts {
        /// The configuration file, which names the directory they are in.
        #[arg(long, default_value = CONFIG, global = true)]
        config: PathBuf,
        #[command(subcommand)]
        #[expect(missing_docs, reason = "the commands document themselves, and clap would show this as help")]
        command: known_hosts::KnownHostsCommand,
    },
    /// Says who may log in.
    User {
        /// The configuration file, which names the database.
        #[arg(long, default_value = CONFIG, global = true)]
        config: PathBuf,
        #[command(subcommand)]
        #[expect(missing_docs, reason = "the commands document themselves, and clap would show this as help")]
        command: user::UserCommand,
    },
}

pub use admin_password::take as take_admin_password;

/// Does it, and returns the exit status when it is done. `password` is for the first administrator, if there is none yet.
///
/// # Errors
/// Whatever kept it from being done, with what to do about it.
pub fn run(command: Command, password: Option<Secret>) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match command {
            Command::Serve(serve) => serve.run(password).await?,
            Command::Demo(demo) => demo.run(password).await?,
            Command::Evacuate(evacuate) => return evacuate.run().await,
            Command::Pki(pki) => pki.run()?,
            Command::KnownHosts { config, command } => known_hosts::run(&config, command).await?,
            Command::User { config, command } => user::run(&config, command).await?,
        }
        Ok(0)
    });
    // A thread that reads standard input or waits for libvirt can't be interrupted, and must not keep the program.
    runtime.shutdown_timeout(THREADS_LIMIT);
    done
}

/// A problem as a command tells it.
fn told(problem: impl Into<Problem>) -> Failure {
    let Problem { sentence, fix, details, .. } = problem.into();
    let parts: Vec<String> = [Some(sentence), fix, details].into_iter().flatten().collect();
    parts.join(" ").into()
}

/// Tells the person who started the command. If the pipe is closed, the command goes on all the same.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
