//! What is put in a migration's way, and taken out of it again.

use std::{fs, path::PathBuf};

use model::Host;

use crate::support::{Demo, Served, Stream};

/// Another configuration of a host's libvirt daemon, until this is dropped.
pub(crate) struct Reconfigured<'a> {
    demo: &'a Demo,
    host: &'static str,
    file: PathBuf,
    original: String,
}

impl<'a> Reconfigured<'a> {
    /// Starts the daemon anew with `setting` in place of the line that sets the same; the demo does so as soon as it has ended. Returns
    /// when the console knows that it is gone.
    pub(crate) async fn daemon(demo: &'a Demo, host: &'static str, setting: &str, stream: &mut Stream) -> Self {
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

    /// Takes it back, and returns when the console has the host again.
    pub(crate) async fn undone(self, stream: &mut Stream) {
        let host = self.host;
        drop(self);
        stream.until_host(host, Host::is_connected).await;
    }
}

impl Drop for Reconfigured<'_> {
    fn drop(&mut self) {
        fs::write(&self.file, &self.original).expect("it can be written");
        // Only a daemon that could start with the other configuration has to be started anew.
        if self.demo.daemon(self.host).is_some() {
            self.demo.signal_daemon(self.host, "-KILL");
        }
    }
}

/// A second console over the demo's alpha and beta, which knows beta otherwise: `how` is what vmferry.toml says of it beyond name and
/// address.
pub(crate) async fn console_that_knows_beta(demo: &Demo, test: &str, how: &str) -> Served {
    let directory = demo.dir().join(test);
    fs::create_dir(&directory).expect("every test has a name of its own");
    let (alpha, beta) = (demo.address("alpha"), demo.address("beta"));
    let hosts = format!(
        "[[hosts]]\nname = \"alpha\"\ntransport = \"tcp\"\naddress = \"{alpha}\"\ndaemon = \"session\"\n\n\
         [[hosts]]\nname = \"beta\"\ntransport = \"tcp\"\naddress = \"{beta}\"\n{how}\n"
    );
    let console = Served::with_hosts(&directory, &hosts);
    console.login().await.stream().await.until_host("alpha", Host::is_connected).await;
    console
}
