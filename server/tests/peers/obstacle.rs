//! Obstacles to a migration: a reconfigured daemon, and a console with other settings of a host.

use std::{fs, path::PathBuf};

use model::Host;

use crate::support::{Demo, Served, Stream};

/// A libvirt daemon with another configuration, until this is dropped.
pub(crate) struct ReconfiguredDaemon<'a> {
    demo: &'a Demo,
    host: &'static str,
    file: PathBuf,
    original: String,
}

impl<'a> ReconfiguredDaemon<'a> {
    /// Replaces a line of the daemon's configuration and kills the daemon, which the demo starts again. Returns when the console has
    /// noticed that it is gone.
    pub(crate) async fn start(demo: &'a Demo, host: &'static str, setting: &str, stream: &mut Stream) -> Self {
        let file = demo.dir().join(host).join("config/libvirt/libvirtd.conf");
        let original = fs::read_to_string(&file).expect("the daemon has a configuration");
        let name = setting.split('=').next().unwrap_or_default();
        let other: Vec<_> = original.lines().filter(|line| !line.starts_with(name)).chain([setting]).collect();
        fs::write(&file, other.join("\n") + "\n").expect("it can be written");
        let reconfigured = Self { demo, host, file, original };
        demo.signal_daemon(host, "-KILL");
        stream.until_host(host, |host| !host.is_connected()).await;
        reconfigured
    }

    /// Restores the configuration, and returns when the console is connected again.
    pub(crate) async fn restore(self, stream: &mut Stream) {
        let host = self.host;
        drop(self);
        stream.until_host(host, Host::is_connected).await;
    }
}

impl Drop for ReconfiguredDaemon<'_> {
    fn drop(&mut self) {
        fs::write(&self.file, &self.original).expect("it can be written");
        // A daemon that could not start with the other configuration is started by the demo anyway.
        if self.demo.daemon(self.host).is_some() {
            self.demo.signal_daemon(self.host, "-KILL");
        }
    }
}

/// A second console for the demo's alpha and beta; `settings` are beta's in vmferry.toml, beside name and address.
pub(crate) async fn console_with_beta(demo: &Demo, test: &str, settings: &str) -> Served {
    let directory = demo.dir().join(test);
    fs::create_dir(&directory).expect("every test has a name of its own");
    let (alpha, beta) = (demo.address("alpha"), demo.address("beta"));
    let hosts = format!(
        "[[hosts]]\nname = \"alpha\"\ntransport = \"tcp\"\naddress = \"{alpha}\"\ndaemon = \"session\"\n\n\
         [[hosts]]\nname = \"beta\"\ntransport = \"tcp\"\naddress = \"{beta}\"\n{settings}\n"
    );
    let console = Served::with_hosts(&directory, &hosts);
    console.login().await.stream().await.until_host("alpha", Host::is_connected).await;
    console
}
