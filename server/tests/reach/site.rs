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
    lab::{Lab, LabHost, Place, World, pass_over},
    support::{Api, Served},
};

/// The password of root at blue, unlike anything else. What is searched for is its end, too: memory that was freed has its first
/// bytes overwritten by the allocator.
pub(crate) const PASSWORD: &str = "blue%Zyzzyva+quokka/4711";

/// All that a test works with.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) api: Api,
    pub(crate) guest: Guest,
    world: World,
    /// The registered ones, as vmferry.toml has them.
    hosts: String,
    /// None while it is dead.
    served: Option<Served>,
}

impl Site {
    /// Enters a world for the test of this name and makes everything there; none outside, where nothing is left to do.
    pub(crate) async fn enter(test: &str) -> Option<Self> {
        Self::enter_with(test, |lab| tcp(&lab.red)).await
    }

    /// The same with blue registered, too.
    pub(crate) async fn enter_with_blue(test: &str) -> Option<Self> {
        Self::enter_with(test, |lab| tcp(&lab.red) + &tcp(&lab.blue)).await
    }

    /// The same with these hosts of vmferry.toml.
    pub(crate) async fn enter_with(test: &str, hosts: impl FnOnce(&Lab) -> String) -> Option<Self> {
        let Place::Inside(world) = World::enter(test) else { return None };
        let lab = world.start().await;
        if !lab.blue.has_sshd() {
            pass_over(&format!("{test}: there is no sshd here (xtask/prepare.sh test brings it)"));
            return None;
        }
        for host in [&lab.red, &lab.blue] {
            host.start_sshd().await;
        }
        lab.blue.set_password("root", PASSWORD);
        let guest = Guest::new(&world.shared());
        guest.start(&lab.red).await;
        let hosts = hosts(&lab);
        let served = serve(&world.shared(), &hosts);
        let api = connected(&served).await;
        let site = Self { lab, api, guest, world, hosts, served: Some(served) };
        site.sees_the_vm().await;
        Some(site)
    }

    /// Asks for the VM to be moved to blue by its address, with more fields.
    pub(crate) async fn ask(&self, more: Value) -> (StatusCode, Value) {
        let mut request = json!({"destination": self.lab.blue.address});
        for (key, value) in more.as_object().expect("it is an object") {
            request[key] = value.clone();
        }
        self.api.post(&format!("/plugins/kimchi/vms/{NAME}/migrate"), request).await
    }

    /// The same with blue's password and its key confirmed.
    pub(crate) async fn ask_with_password(&self, more: Value) -> (StatusCode, Value) {
        let mut all = json!({"user": "root", "password": PASSWORD, "fingerprint": self.lab.blue.fingerprint()});
        for (key, value) in more.as_object().expect("it is an object") {
            all[key] = value.clone();
        }
        self.ask(all).await
    }

    /// Waits for the migration that was just begun, which has to succeed, by virsh's word and the guest's.
    pub(crate) async fn arrives(&self, (status, task): (StatusCode, Value)) -> Value {
        let ended = self.ended((status, task)).await;
        assert_eq!(ended["status"], "finished", "{ended}");
        self.is_only_on(&self.lab.blue).await;
        ended
    }

    /// Waits for the migration that was just begun; its task.
    pub(crate) async fn ended(&self, (status, task): (StatusCode, Value)) -> Value {
        assert_eq!(status, StatusCode::ACCEPTED, "{task}");
        self.api.ended(&format!("/plugins/kimchi/tasks/{}", task["id"].as_str().expect("a task has an id"))).await
    }

    /// Fails unless the VM runs here, goes on, and the other host has nothing of it that runs.
    pub(crate) async fn is_only_on(&self, host: &LabHost) {
        let states = [&self.lab.red, &self.lab.blue].map(|host| self.guest.state(host));
        let [here, elsewhere] = if host.name == self.lab.red.name { [0, 1] } else { [1, 0] };
        assert_eq!(states[here].as_deref(), Some("running"), "red and blue: {states:?}");
        assert!(matches!(states[elsewhere].as_deref(), None | Some("shut off")), "red and blue: {states:?}");
        self.guest.until_alive(host).await;
    }

    /// Begins anew: the VM on red, and nothing of it on blue.
    pub(crate) async fn again(&self) {
        for host in [&self.lab.red, &self.lab.blue] {
            self.guest.remove(host);
        }
        self.guest.start(&self.lab.red).await;
        self.sees_the_vm().await;
    }

    /// Waits until the console knows that the VM runs on red.
    async fn sees_the_vm(&self) {
        let runs = |vm: &model::Vm| vm.host.as_str() == "red" && vm.state.is_active() && vm.migration.is_none();
        self.api.stream().await.until_vm(NAME, runs).await;
    }

    /// Waits until the console has these hosts, in this order.
    pub(crate) async fn until_hosts_are(&self, names: &[&str]) {
        let are = |now: &Snapshot| now.hosts.iter().map(|host| host.name.as_str()).eq(names.iter().copied());
        self.api.stream().await.until(are).await;
    }

    /// Waits until the console is told that a host wants a password.
    pub(crate) async fn until_host_wants_login(&self, name: &str) {
        self.api.stream().await.until_host(name, wants_login).await;
    }

    /// Makes a key for the account that the console runs as.
    pub(crate) fn make_account_key(&self) {
        fs::create_dir_all(self.ssh_directory()).expect("it has a home");
        let key = self.ssh_directory().join("id_ed25519");
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key.to_string_lossy()]);
    }

    /// That key's public half.
    pub(crate) fn account_key(&self) -> String {
        fs::read_to_string(self.ssh_directory().join("id_ed25519.pub")).expect("it was made")
    }

    fn ssh_directory(&self) -> PathBuf {
        // The world has given root another home (world.sh).
        PathBuf::from(std::env::var_os("HOME").expect("the world has set it")).join(".ssh")
    }

    /// Runs another command of the console's program.
    pub(crate) fn run_program(&self, arguments: &[&str]) {
        run(env!("CARGO_BIN_EXE_vmferry"), arguments);
    }

    /// The console's configuration.
    pub(crate) fn config(&self) -> String {
        self.directory().join("vmferry.toml").display().to_string()
    }

    /// What the console answers at an address.
    pub(crate) async fn text(&self, address: &str) -> String {
        let answer = self.api.send(Method::GET, address, None).await;
        assert!(answer.status().is_success(), "{address}: {}", answer.status());
        answer.text().await.expect("it is text")
    }

    /// Hangs up, and waits until the console has noticed.
    pub(crate) async fn hang_up(&mut self) {
        let served = self.served.as_ref().expect("it lives");
        self.api = served.visitor();
        let port = format!("sport = :{}", served.port());
        until("the console hangs up", || run("ss", &["-H", "-n", "-t", "state", "connected", &port]).is_empty()).await;
    }

    /// Ends the console without warning.
    pub(crate) fn kill_console(&mut self) {
        self.served = None;
    }

    /// Starts the console again, with what it wrote down.
    pub(crate) async fn start_console(&mut self) {
        let served = serve(&self.world.shared(), &self.hosts);
        self.api = connected(&served).await;
        self.served = Some(served);
    }

    /// The console's process.
    pub(crate) fn console(&self) -> u32 {
        self.served.as_ref().expect("it lives").pid()
    }

    /// Where the console keeps what it has.
    pub(crate) fn data(&self) -> PathBuf {
        self.world.shared().join("console")
    }

    /// All that consoles logged.
    pub(crate) fn log(&self) -> Vec<u8> {
        fs::read(log_file(&self.world.shared())).expect("there is one")
    }

    /// A directory for files of the test.
    pub(crate) fn directory(&self) -> PathBuf {
        self.world.shared()
    }
}

fn log_file(directory: &Path) -> PathBuf {
    directory.join("console.log")
}

fn serve(directory: &Path, hosts: &str) -> Served {
    let log = File::options().create(true).append(true).open(log_file(directory)).expect("a log can be written");
    // As much as there is: a password must not be there either.
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

/// A host as vmferry.toml has it.
pub(crate) fn tcp(host: &LabHost) -> String {
    format!("[[hosts]]\nname = \"{}\"\ntransport = \"tcp\"\naddress = \"{}\"\n", host.name, host.address)
}

/// The same for a host that the console reaches by ssh, with a password that a user has to type.
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
