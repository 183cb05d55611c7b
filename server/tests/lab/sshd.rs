//! A host's ssh server: starting it, its accounts, its key, and its log of logins.

use std::{
    fs::{self, File},
    io::Write,
    net::TcpStream,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::LabHost;

/// Where sshd.sh keeps the host's key.
const KEY: &str = "/etc/ssh/lab_host_key";
/// The limit for the server to listen.
const START_LIMIT: Duration = Duration::from_secs(20);

impl LabHost {
    /// Whether the host has an ssh server.
    pub fn has_sshd(&self) -> bool {
        self.within("test", &["-x", "/usr/sbin/sshd"]).status().expect("nsenter exists").success()
    }

    /// Starts the ssh server, and returns when it listens.
    pub async fn start_sshd(&self) {
        let log = File::options().create(true).append(true).open(self.sshd_log_file()).expect("a log can be written");
        let mut sshd = self
            .within(super::script("sshd.sh"), &[""; 0])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nsenter exists");
        let limit = Instant::now() + START_LIMIT;
        while TcpStream::connect((self.address.as_str(), 22)).is_err() {
            let ended = sshd.try_wait().expect("it is our child");
            assert!(ended.is_none() && Instant::now() < limit, "{} has no sshd:\n{}", self.name, self.sshd_log());
            sleep(Duration::from_millis(20)).await;
        }
        *self.sshd.lock().expect("no thread panicked with the lock") = Some(sshd);
    }

    /// Stops the ssh server; sessions that are open stay open.
    pub fn stop_sshd(&self) {
        let sshd = self.sshd.lock().expect("no thread panicked with the lock").take();
        let mut sshd = sshd.expect("it runs");
        self.run("kill", &[sshd.id().to_string()]);
        sshd.wait().expect("it is our child");
    }

    /// Gives the host another key, as a new installation would.
    pub async fn change_key(&self) {
        self.stop_sshd();
        fs::remove_file(self.path(KEY)).expect("it has one");
        self.start_sshd().await;
    }

    /// The fingerprint of the host's key, according to ssh-keygen.
    pub fn fingerprint(&self) -> String {
        let output = self.run("ssh-keygen", &["-l", "-f", &format!("{KEY}.pub")]);
        output.split(' ').nth(1).expect("it is the second word").to_owned()
    }

    /// Sets an account's password.
    pub fn set_password(&self, user: &str, password: &str) {
        let mut program = self.within("chpasswd", &["--crypt-method", "SHA512"]);
        let mut program = program.stdin(Stdio::piped()).spawn().expect("nsenter exists");
        let mut input = program.stdin.take().expect("it was asked for");
        writeln!(input, "{user}:{password}").expect("it reads");
        drop(input);
        assert!(program.wait().expect("it is our child").success(), "{user} got no password on {}", self.name);
    }

    /// Adds a line of a public key file to root's authorized keys.
    pub fn authorize(&self, public_key: &str) {
        let directory = self.path("/root/.ssh");
        fs::create_dir_all(&directory).expect("root has a home");
        let mut file = File::options().create(true).append(true).open(directory.join("authorized_keys"));
        writeln!(file.as_mut().expect("it can be written"), "{}", public_key.trim()).expect("there is room");
    }

    /// How many login attempts were refused so far.
    pub fn refused_logins(&self) -> usize {
        // Asking for the methods ("none") is not an attempt.
        let refused = |line: &&str| line.contains("Failed ") && !line.contains("Failed none");
        self.sshd_log().lines().filter(refused).count()
    }

    /// What the ssh server logged.
    pub fn sshd_log(&self) -> String {
        fs::read_to_string(self.sshd_log_file()).unwrap_or_default()
    }

    fn sshd_log_file(&self) -> PathBuf {
        self.path("/var/log/sshd.log")
    }
}
