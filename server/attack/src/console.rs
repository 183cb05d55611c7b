//! The console that is attacked: a demo of its own, as its first user finds it.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use attack::client::Target;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

const START_LIMIT: Duration = Duration::from_secs(120);
const END_LIMIT: Duration = Duration::from_secs(60);
/// The limit of open files. `vmferry serve` raises its own; the demo, whose daemons would inherit it, does not.
const FILES: u32 = 4_096;
const USER: &str = "admin";
const PASSWORD: &str = "a long password of the attack";

/// A running demo. It ends when its standard input closes: with this process, however that ends.
pub struct Console {
    child: Child,
    directory: PathBuf,
    /// The console, with its user logged in.
    pub target: Target,
}

impl Console {
    /// Starts it on this /24 of the loopback device, with as many files as `vmferry serve` needs.
    pub async fn start(program: &Path, network: Ipv4Addr) -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("vmf-attack-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -Sn {FILES}; exec \"$@\""), "sh"])
            .arg(program)
            .args([
                "demo",
                "--until-stdin-closes",
                "--listen",
                "127.0.0.1:0",
                "--network",
                &network.to_string(),
                "--dir",
            ])
            .arg(directory.join("demo"))
            .env("VMFERRY_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(directory.join("console.log"))?)
            .spawn()
            .with_context(|| format!("{} can't be run", program.display()))?;
        let output = child.stdout.take().context("it was asked for")?;
        let address = timeout(START_LIMIT, address(output)).await.context("the demo does not start")??;
        let target = Target::log_in(address, USER, PASSWORD).await?;
        Ok(Self { child, directory, target })
    }

    /// Its process id.
    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("the console has ended")
    }

    /// What it wrote.
    pub fn log(&self) -> PathBuf {
        self.directory.join("console.log")
    }

    /// Ends it, and leaves its log behind only if that is wanted.
    pub async fn end(mut self, keep_log: bool) -> Result<()> {
        drop(self.child.stdin.take());
        let status = timeout(END_LIMIT, self.child.wait()).await.context("the demo does not end")??;
        ensure!(status.success(), "the demo ended with {status}");
        if !keep_log {
            std::fs::remove_dir_all(&self.directory)?;
        }
        Ok(())
    }
}

/// The console's address, as the demo prints it. What follows is read, too, so that the demo can go on to print.
async fn address(output: impl tokio::io::AsyncRead + Unpin + Send + 'static) -> Result<SocketAddr> {
    let mut lines = BufReader::new(output).lines();
    loop {
        let line = lines.next_line().await?.context("the demo ended before it was ready")?;
        let Some(url) = line.split_whitespace().find_map(|word| word.strip_prefix("http://")) else { continue };
        let address = url.trim_end_matches('/').parse()?;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        return Ok(address);
    }
}
