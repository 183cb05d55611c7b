//! The hosts red, which is registered, and blue, which is not, with a VM on red and a client of the API.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use model::{Code, ConnectionState, Host, Snapshot};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    guest::{Guest, NAME, until},
    lab::{Entry, Lab, LabHost, Sandbox, pass_over},
    support::{Api, Served},
};

/// The password of root at blue. Its second half is what traces are searched for, so it must not occur in other data.
pub(crate) const PASSWORD: &str = "blue%Zyzzyva+quokka/4711";

/// All that a test works with.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) api: Api,
    pub(crate) guest: Guest,
    sandbox: Sandbox,
    /// The registered hosts, in the form of vmferry.toml.
    hosts: String,
    /// None while the console is stopped.
    served: Option<Served>,
}

impl Site {
    /// Enters a sandbox for the test of this name and prepares everything there; none outside, where nothing is left to do.
    pub(crate) async fn enter(test: &str) -> Option<Self> {
        Self::enter_with(test, |lab| tcp(&lab.red)).await
    }

    /// Enters a sandbox, with blue registered, too.
    pub(crate) async fn enter_with_blue(test: &str) -> Option<Self> {
        Self::enter_with(test, |lab| tcp(&lab.red) + &tcp(&lab.blue)).await
    }

    /// Enters a sandbox, with these hosts in vmferry.toml.
    pub(crate) async fn enter_with(test: &str, hosts: impl FnOnce(&Lab) -> String) -> Option<Self> {
        let Entry::Inside(sandbox) = Sandbox::enter(test) else { return None };
        let lab = sandbox.start().await;
        if !lab.blue.has_sshd() {
            pass_over(&format!("{test}: there is no sshd here (xtask/prepare.sh test unpacks it)"));
            return None;
        }
        for host in [&lab.red, &lab.blue] {
            host.start_sshd().await;
        }
        lab.blue.set_password("root", PASSWORD);
        let guest = Guest::new(&sandbox.shared());
        guest.start(&lab.red).await;
        let hosts = hosts(&lab);
        let served = serve(&sandbox.shared(), &hosts);
        let api = connected(&served).await;
        let site = Self { lab, api, guest, sandbox, hosts, served: Some(served) };
        site.until_vm_is_known().await;
        Some(site)
    }

    /// Requests a migration to blue by its address, with more fields.
    pub(crate) async fn migrate(&self, more: Value) -> (StatusCode, Value) {
        let mut request = json!({"destination": self.lab.blue.address});
        for (key, value) in more.as_object().expect("it is an object") {
            request[key] = value.clone();
        }
        self.api.post(&format!("/plugins/kimchi/vms/{NAME}/migrate"), request).await
    }

    /// Requests a migration to blue with its password, and its key confirmed.
    pub(crate) async fn migrate_with_password(&self, more: Value) -> (StatusCode, Value) {
        let mut all = json!({"user": "root", "password": PASSWORD, "fingerprint": self.lab.blue.fingerprint()});
        for (key, value) in more.as_object().expect("it is an object") {
            all[key] = value.clone();
        }
        self.migrate(all).await
    }

    /// Waits for the end of this migration. Fails unless it succeeded, and virsh and the guest agree.
    pub(crate) async fn arrives(&self, (status, task): (StatusCode, Value)) -> Value {
        let ended = self.ended((status, task)).await;
        assert_eq!(ended["status"], "finished", "{ended}");
        self.assert_only_on(&self.lab.blue).await;
        ended
    }

    /// Waits for the end of this migration; its task.
    pub(crate) async fn ended(&self, (status, task): (StatusCode, Value)) -> Value {
        assert_eq!(status, StatusCode::ACCEPTED, "{task}");
        self.api.ended(&format!("/plugins/kimchi/tasks/{}", task["id"].as_str().expect("a task has an id"))).await
    }

    /// Fails unless the VM runs on this host and makes progress, and does not run on the other.
    pub(crate) async fn assert_only_on(&self, host: &LabHost) {
        let states = [&self.lab.red, &self.lab.blue].map(|host| self.guest.state(host));
        let [here, other] = if host.name == self.lab.red.name { [0, 1] } else { [1, 0] };
        assert_eq!(states[here].as_deref(), Some("running"), "red and blue: {states:?}");
        assert!(matches!(states[other].as_deref(), None | Some("shut off")), "red and blue: {states:?}");
        self.guest.until_alive(host).await;
    }

    /// Starts the VM anew on red, and removes it from blue.
    pub(crate) async fn reset(&self) {
        for host in [&self.lab.red, &self.lab.blue] {
            self.guest.remove(host);
        }
        self.guest.start(&self.lab.red).await;
        self.until_vm_is_known().await;
    }

    /// Waits until the console knows that the VM runs on red.
    async fn until_vm_is_known(&self) {
        let runs = |vm: &model::Vm| vm.host.as_str() == "red" && vm.state.is_active() && vm.migration.is_none();
        self.api.stream().await.until_vm(NAME, runs).await;
    }

    /// Waits until the console has these hosts, in this order.
    pub(crate) async fn until_hosts_are(&self, names: &[&str]) {
        let are = |now: &Snapshot| now.hosts.iter().map(|host| host.name.as_str()).eq(names.iter().copied());
        self.api.stream().await.until(are).await;
    }

    /// Waits until the console shows that a host needs a password.
    pub(crate) async fn until_host_wants_login(&self, name: &str) {
        self.api.stream().await.until_host(name, wants_login).await;
    }

    /// Makes a key for the account that the console runs as.
    pub(crate) fn make_account_key(&self) {
        fs::create_dir_all(self.ssh_directory()).expect("the home directory takes files");
        let key = self.ssh_directory().join("id_ed25519");
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key.to_string_lossy()]);
    }

    /// That key's public half.
    pub(crate) fn account_key(&self) -> String {
        fs::read_to_string(self.ssh_directory().join("id_ed25519.pub")).expect("it was made")
    }

    fn ssh_directory(&self) -> PathBuf {
        // The sandbox has given root another home (sandbox.sh).
        PathBuf::from(std::env::var_os("HOME").expect("the sandbox has set it")).join(".ssh")
    }

    /// Runs another command of vmferry.
    pub(crate) fn run_program(&self, arguments: &[&str]) {
        run(env!("CARGO_BIN_EXE_vmferry"), arguments);
    }

    /// The path of the console's configuration.
    pub(crate) fn config(&self) -> String {
        self.directory().join("vmferry.toml").display().to_string()
    }

    /// What the console answers at an address.
    pub(crate) async fn text(&self, address: &str) -> String {
        let answer = self.api.send(Method::GET, address, None).await;
        assert!(answer.status().is_success(), "{address}: {}", answer.status());
        answer.text().await.expect("it is text")
    }

    /// Closes the client's connections, and waits until the console has closed them.
    pub(crate) async fn hang_up(&mut self) {
        let served = self.served.as_ref().expect("it lives");
        self.api = served.visitor();
        let port = format!("sport = :{}", served.port());
        until("the connections are closed", || run("ss", &["-H", "-n", "-t", "state", "connected", &port]).is_empty())
            .await;
    }

    /// Kills the console.
    pub(crate) fn kill_console(&mut self) {
        self.served = None;
    }

    /// Starts the console again with the same data.
    pub(crate) async fn start_console(&mut self) {
        let served = serve(&self.sandbox.shared(), &self.hosts);
        self.api = connected(&served).await;
        self.served = Some(served);
    }

    /// The console's process id.
    pub(crate) fn console(&self) -> u32 {
        self.served.as_ref().expect("it lives").pid()
    }

    /// The console's data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.sandbox.shared().join("console")
    }

    /// The logs of all consoles of this test.
    pub(crate) fn log(&self) -> Vec<u8> {
        fs::read(log_file(&self.sandbox.shared())).expect("there is one")
    }

    /// A directory for files of the test.
    pub(crate) fn directory(&self) -> PathBuf {
        self.sandbox.shared()
    }
}

fn log_file(directory: &Path) -> PathBuf {
    directory.join("console.log")
}

fn serve(directory: &Path, hosts: &str) -> Served {
    let log = File::options().create(true).append(true).open(log_file(directory)).expect("a log can be written");
    // At the most verbose level, which must not contain a password either.
    Served::prepared(directory, hosts, |command| {
        command.env("RUST_LOG", "trace").stderr(log);
    })
}

async fn connected(served: &Served) -> Api {
    let api = served.login().await;
    api.stream()
        .await
        .until(|now| !now.hosts.is_empty() && now.hosts.iter().all(|host| host.is_connected() || wants_login(host)))
        .await;
    api
}

/// A host that is reached by TCP, in the form of vmferry.toml.
pub(crate) fn tcp(host: &LabHost) -> String {
    format!("[[hosts]]\nname = \"{}\"\ntransport = \"tcp\"\naddress = \"{}\"\n", host.name, host.address)
}

/// A host that is reached by ssh with a password that a user has to type, in the form of vmferry.toml.
pub(crate) fn by_password(host: &LabHost) -> String {
    let (name, address) = (host.name, &host.address);
    format!(
        "[[hosts]]\nname = \"{name}\"\ntransport = \"ssh\"\naddress = \"{address}\"\nuser = \"root\"\nlogin = \"password\"\n"
    )
}

/// Whether a host waits for a user to log in there.
pub(crate) fn wants_login(host: &Host) -> bool {
    matches!(&host.connection, ConnectionState::Unreachable { problem, .. } if problem.code == Code::NeedsLogin)
}

/// Runs a program, which has to succeed; its output.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("it is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
