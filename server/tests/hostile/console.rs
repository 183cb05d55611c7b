//! The real HTTP routes and console, over simulated hosts that record each connection.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use attack::client::Target;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Method, Request, StatusCode, header},
};
use engine::{
    Address, Engine, HostConfig, HostConnection, HostError, HostEvent, Hypervisor, Probe,
    testing::{Load, Sim},
};
use http_body_util::BodyExt;
use libvirt::SshFiles;
use model::VmState;
use serde_json::{Value, json};
use store::SqliteStore;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;
use vmferry::{
    auth::{Auth, HashCost, SessionLimits},
    console::{Allowed, ServerConsole},
    http::{Doors, Site, router},
};

use crate::UNUSED_ADDRESS;

const PASSWORD: &str = "a long test password";

/// Simulated hosts that record each address that is connected to or probed.
struct Recording {
    sim: Sim,
    contacted: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Hypervisor for Recording {
    async fn connect(
        &self,
        host: &HostConfig,
        called: &str,
        events: mpsc::UnboundedSender<HostEvent>,
    ) -> Result<Arc<dyn HostConnection>, HostError> {
        self.contacted.lock().expect("no thread panicked with the lock").push(host.transport.address());
        self.sim.connect(host, called, events).await
    }

    async fn probe(&self, address: &Address, port: u16) -> Probe {
        self.contacted.lock().expect("no thread panicked with the lock").push(format!("{address} port {port}"));
        self.sim.probe(address, port).await
    }
}

/// The console, with the hosts alpha and beta and the VM `web` on alpha.
pub struct Console {
    router: Router,
    cookie: String,
    pub contacted: Arc<Mutex<Vec<String>>>,
    directory: PathBuf,
}

impl Console {
    pub async fn new() -> Self {
        let sim = Sim::new();
        let hosts = ["alpha", "beta"].map(|name| sim.add_host(name));
        let load = Load { memory_bytes: 64 << 20, dirty_bytes_s: 0 };
        sim.add_vm(&hosts[0].name, "web", VmState::Running, load);
        let contacted = Arc::default();
        let watched = Recording { sim, contacted: Arc::clone(&contacted) };
        let directory = std::env::temp_dir().join(format!("vmferry-hostile-{}-{}", std::process::id(), Uuid::now_v7()));
        let store = Arc::new(SqliteStore::open(&directory).await.expect("there is room for a database"));
        let auth = Auth::new(store.clone(), HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default());
        auth.add_user("admin", PASSWORD.to_owned()).await.expect("a user can be added");
        let engine = Engine::start(hosts.to_vec(), Arc::new(watched), store.clone()).await.expect("it starts");
        let mut updates = engine.subscribe(None, None);
        while !engine.is_ready() || engine.find("web", None).is_err() {
            updates.recv().await.expect("the engine runs");
        }
        let keys = SshFiles::below(&directory).into();
        let console = ServerConsole::new(engine, auth.clone(), store, keys, Allowed::default());
        let doors = Doors {
            console: Arc::new(console),
            auth,
            site: Site::default(),
            ready: Arc::new(|| true),
            stop: CancellationToken::new(),
        };
        let mut this = Self { router: router(doors), cookie: String::new(), contacted, directory };
        this.log_in().await;
        this
    }

    async fn log_in(&mut self) {
        let body = json!({ "username": "admin", "password": PASSWORD }).to_string();
        let response =
            self.router.clone().oneshot(request(Method::POST, "/login", "", body)).await.expect("it answers");
        assert_eq!(response.status(), StatusCode::OK);
        let cookie = response.headers()[header::SET_COOKIE].to_str().expect("it is text").to_owned();
        self.cookie = cookie.split(';').next().expect("there is a first part").to_owned();
    }

    async fn send(&self, method: Method, path: &str, body: String) -> (StatusCode, String) {
        let request = request(method, path, &self.cookie, body);
        let response = self.router.clone().oneshot(request).await.expect("it answers");
        let status = response.status();
        let body = response.into_body().collect().await.expect("it has a body").to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// Fails unless this request is refused, and no host is contacted and no program started for it.
    pub async fn assert_refused(&self, method: Method, path: &str, body: &str) {
        let (status, answer) = self.send(method.clone(), path, body.to_owned()).await;
        // A 409 would mean that the input was accepted, and something else was in the way.
        let is_refused = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND].contains(&status);
        assert!(is_refused, "{method} {path} {body}: {status} {answer}");
        let contacted = self.contacted.lock().expect("no thread panicked with the lock").clone();
        assert!(contacted.is_empty(), "{method} {path} {body}: connected to {contacted:?}");
        assert_eq!(children(), "", "{method} {path} {body}");
    }

    /// Fails unless this valid request makes the console contact the host.
    pub async fn assert_contacts_host(&self, path: &str, body: &Value) {
        let (status, answer) = self.send(Method::POST, path, body.to_string()).await;
        let contacted = std::mem::take(&mut *self.contacted.lock().expect("no thread panicked with the lock"));
        assert_eq!(contacted, [UNUSED_ADDRESS], "{path} {body}: {status} {answer}");
    }

    /// Serves it on a port of the loopback device, until `stop`.
    pub fn serve(&self, stop: CancellationToken) -> (Target, JoinHandle<std::io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let served = tokio::spawn(vmferry::server::serve(listener, None, self.router.clone(), None, stop));
        (Target { address, cookie: self.cookie.clone() }, served)
    }

    pub async fn state(&self) -> [String; 2] {
        let hosts = self.send(Method::GET, "/api/hosts", String::new()).await.1;
        let tasks = self.send(Method::GET, "/plugins/kimchi/tasks", String::new()).await.1;
        let mut hosts: Value = serde_json::from_str(&hosts).expect("it is JSON");
        // Free memory and latency change by themselves.
        for host in hosts.as_array_mut().expect("it is a list") {
            host["state"].take();
        }
        [hosts.to_string(), tasks]
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // If this fails, a directory is left in /tmp.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn request(method: Method, path: &str, cookie: &str, body: String) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1:8443")
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .expect("a test's path and headers are valid");
    let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 4711));
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

/// The child processes of this one, with zombies.
fn children() -> String {
    let tasks = fs::read_dir("/proc/self/task").expect("this is Linux");
    let children = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    children.collect::<Vec<_>>().concat()
}

/// The sockets that this process has open.
pub fn sockets() -> usize {
    let open =
        fs::read_dir("/proc/self/fd").expect("this is Linux").filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
    open.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}
