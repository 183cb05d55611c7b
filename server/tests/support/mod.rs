//! A real demo for a test file: real libvirt daemons, real guests, the real console, and what a client of it needs.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use std::{
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr},
    process::{Child, ChildStdin, Command, Stdio},
    sync::LazyLock,
    time::Duration,
};

use futures::{SinkExt, StreamExt};
use model::{Change, Host, Migration, Resume, Snapshot, StreamMessage, Vm};
use reqwest::{Client, Method, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::Mutex, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite};

/// Nothing in a demo takes this long; a test that waits longer has failed.
pub const LIMIT: Duration = Duration::from_secs(90);

pub const PASSWORD: &str = "a long test password";

/// A running `vmferry demo`. It ends when this process does, because its standard input closes then.
pub struct Demo {
    pub base: String,
    network: [u8; 3],
    dir: std::path::PathBuf,
    _child: Child,
    _stdin: ChildStdin,
    _output: BufReader<std::process::ChildStdout>,
}

/// A test file's demo, taken by one test at a time.
pub type Shared = LazyLock<Mutex<Demo>>;

impl Demo {
    /// Starts a demo on the addresses 127.0.`number`.2 to .4.
    pub fn start(number: u8) -> Self {
        let dir = std::env::temp_dir().join(format!("vmferry-test-{number}"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_vmferry"))
            .args(["demo", "--listen", "127.0.0.1:0", "--until-stdin-closes"])
            .args(["--network", &format!("127.0.{number}.0"), "--dir"])
            .arg(&dir)
            .env("VMFERRY_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo starts");
        let stdin = child.stdin.take().expect("it was asked for");
        let mut output = BufReader::new(child.stdout.take().expect("it was asked for"));
        let base = loop {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).expect("it can be read"), 0, "the demo ended before it was ready");
            if let Some(address) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                break address.trim_end_matches('/').to_owned();
            }
        };
        Self { base, network: [127, 0, number], dir, _child: child, _stdin: stdin, _output: output }
    }

    /// The address of alpha (2), beta (3) or gamma (4).
    pub fn address(&self, host: &str) -> IpAddr {
        let last = match host {
            "alpha" => 2,
            "beta" => 3,
            "gamma" => 4,
            other => panic!("the demo has no host {other}"),
        };
        let [a, b, c] = self.network;
        Ipv4Addr::new(a, b, c, last).into()
    }

    /// What virsh, which knows nothing of the console, says.
    pub fn virsh(&self, host: &str, arguments: &[&str]) -> String {
        let uri = format!("qemu+tcp://{}/session", self.address(host));
        let output = Command::new("virsh").args(["-c", &uri]).args(arguments).output().expect("virsh is installed");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The hosts on which virsh sees the VM executing.
    pub fn runs_on(&self, vm: &str) -> Vec<&'static str> {
        let runs = |host: &&str| {
            self.virsh(host, &["list", "--name", "--state-running"]).lines().any(|name| name.trim() == vm)
        };
        ["alpha", "beta", "gamma"].into_iter().filter(runs).collect()
    }

    /// The hosts on which virsh sees a definition of the VM, running or not.
    pub fn defined_on(&self, vm: &str) -> Vec<&'static str> {
        let has = |host: &&str| self.virsh(host, &["list", "--name", "--all"]).lines().any(|name| name.trim() == vm);
        ["alpha", "beta", "gamma"].into_iter().filter(has).collect()
    }

    /// Sends a signal to a host's libvirt daemon.
    pub fn signal_daemon(&self, host: &str, signal: &str) {
        let pid = std::fs::read_to_string(self.dir.join(host).join("run").join("libvirtd.pid"))
            .expect("the daemon writes its process id");
        let status = Command::new("kill").args([signal, pid.trim()]).status().expect("kill exists");
        assert!(status.success());
    }

    /// A program that has logged in.
    pub async fn login(&self) -> Api {
        let api = self.visitor();
        let response = api.send(Method::POST, "/login", Some(json!({"username": "admin", "password": PASSWORD}))).await;
        assert_eq!(response.status(), StatusCode::OK);
        let cookie = response.headers()[header::SET_COOKIE].to_str().expect("a cookie is text");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Api { cookie: Some(cookie), ..api }
    }

    /// A program that has not.
    pub fn visitor(&self) -> Api {
        Api { client: Client::new(), base: self.base.clone(), cookie: None }
    }
}

/// A program that uses the API as curl would.
#[derive(Clone)]
pub struct Api {
    client: Client,
    base: String,
    cookie: Option<String>,
}

impl Api {
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.expect("the console answers")
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.send(Method::GET, path, None).await).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.send(Method::POST, path, Some(body)).await).await
    }

    /// Starts a migration and returns the task's address.
    pub async fn migrate(&self, vm: &str, destination: &str) -> String {
        let path = format!("/plugins/kimchi/vms/{vm}/migrate");
        let (status, task) = self.post(&path, json!({"destination": destination})).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{task}");
        format!("/plugins/kimchi/tasks/{}", task["id"].as_str().expect("a task has an id"))
    }

    /// Polls a task until it has ended, as a script would.
    pub async fn ended(&self, task: &str) -> Value {
        let poll = async {
            loop {
                let (status, now) = self.get(task).await;
                assert_eq!(status, StatusCode::OK, "{now}");
                if now["status"] != "running" {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        timeout(LIMIT, poll).await.expect("the migration ends")
    }

    /// Opens the stream of updates.
    pub async fn stream(&self) -> Stream {
        let url = format!("{}/ws", self.base.replace("http://", "ws://"));
        let mut request = tungstenite::client::IntoClientRequest::into_client_request(url).expect("an address");
        let headers = request.headers_mut();
        headers.insert("cookie", self.cookie.as_deref().unwrap_or_default().parse().expect("a cookie"));
        headers.insert("origin", self.base.parse().expect("an origin"));
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.expect("the stream opens");
        let resume = serde_json::to_string(&Resume { since: None }).expect("it is plain data");
        socket.send(tungstenite::Message::text(resume)).await.expect("the stream takes it");
        Stream { socket, now: Snapshot::default() }
    }
}

async fn answer(response: Response) -> (StatusCode, Value) {
    (response.status(), response.json().await.unwrap_or(Value::Null))
}

/// The stream of updates, as a browser gets it, and what a page would show by now.
pub struct Stream {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    now: Snapshot,
}

impl Stream {
    pub async fn next(&mut self) -> Change {
        loop {
            let message = timeout(LIMIT, self.socket.next()).await.expect("something happens");
            let message = message.expect("the stream goes on").expect("the stream is sound");
            let tungstenite::Message::Text(text) = message else { continue };
            if let StreamMessage::Update(update) = serde_json::from_str(&text).expect("the stream speaks our model") {
                self.apply(&update.change);
                return update.change;
            }
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Snapshot(snapshot) => self.now.clone_from(snapshot),
            Change::Host(host) => {
                self.now.hosts.retain(|known| known.name != host.name);
                self.now.hosts.push(host.clone());
            }
            Change::Vm(vm) => {
                self.now.vms.retain(|known| known.id != vm.id);
                self.now.vms.push(vm.clone());
            }
            Change::VmGone(id) => self.now.vms.retain(|known| known.id != *id),
            Change::Migration(_) => {}
        }
    }

    /// Waits until a host is as wanted, if it is not so already.
    pub async fn until_host(&mut self, name: &str, wanted: impl Fn(&Host) -> bool) {
        self.until(|now| now.hosts.iter().any(|host| host.name.as_str() == name && wanted(host))).await;
    }

    /// Waits until a VM is as wanted, if it is not so already.
    pub async fn until_vm(&mut self, name: &str, wanted: impl Fn(&Vm) -> bool) {
        self.until(|now| now.vms.iter().any(|vm| vm.name == name && wanted(vm))).await;
    }

    async fn until(&mut self, wanted: impl Fn(&Snapshot) -> bool) {
        let wait = async {
            while !wanted(&self.now) {
                self.next().await;
            }
        };
        timeout(LIMIT, wait).await.expect("it happens");
    }

    /// All states of the next migration of a VM, from its beginning to its end.
    pub async fn migration_of(&mut self, vm: &str) -> Vec<Migration> {
        let mut states = Vec::new();
        loop {
            let Change::Migration(migration) = self.next().await else { continue };
            if migration.vm_name == vm {
                states.push(*migration);
                if states.last().is_some_and(|state| state.phase.has_ended()) {
                    return states;
                }
            }
        }
    }
}
