//! What nobody should send. Each of these is refused with a 4xx at the real doors, before anything was asked of any host: behind the
//! console stand simulated hosts that write down who connects to what. No program is started and no socket opened.
//!
//! Names in Punycode (`xn--…`) are not among them. They are plain ASCII, are shown as they were written and never as what they stand for,
//! so that nobody takes one for another; the letters that they stand for are refused.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Method, Request, StatusCode, header},
};
use engine::{
    Address, Connection, Engine, HostConfig, HostEvent, Hypervisor, Probe,
    sim::{Load, Sim},
};
use http_body_util::BodyExt;
use libvirt::SshFiles;
use model::{Problem, VmState};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use vmferry::{
    auth::{Auth, HashCost, SessionLimits},
    console::{Allowed, ServerConsole},
    http::{Doors, Site, router},
    store::SqliteStore,
};

const PASSWORD: &str = "a long test password";
/// Documentation's own address (RFC 5737): nobody is there, and nobody is asked whether.
const ELSEWHERE: &str = "192.0.2.7";

const MIGRATE: &str = "/plugins/kimchi/vms/web/migrate";

/// No address, no account, no name and no fingerprint.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "-",
    "-oProxyCommand=touch /tmp/x",
    "--help",
    "alpha;reboot",
    "alpha|reboot",
    "alpha&reboot",
    "alpha&&reboot",
    "$(reboot)",
    "${IFS}",
    "$HOME",
    "`reboot`",
    "alpha reboot",
    " alpha",
    "alpha ",
    "alpha\treboot",
    "alpha\nreboot",
    "alpha\r\nHost: beta",
    "alpha\0",
    "\0",
    "'",
    "\"",
    "al'pha",
    "alpha\"",
    "alpha\\beta",
    "<alpha>",
    "</uri><emulator>/bin/sh</emulator>",
    "alpha?command=/bin/sh",
    "alpha?socket=/run/x",
    "alpha/system?no_verify=1",
    "alpha#x",
    "/../etc/passwd",
    "../alpha",
    "alpha/../beta",
    "/etc/passwd",
    "~root",
    "root@alpha",
    "@alpha",
    "alpha@",
    "alpha:22",
    "qemu:///system",
    "qemu+ssh://root@alpha/system",
    "qemu+ext:///system?command=/bin/sh",
    "test:///default",
    "http://alpha/",
    "file:///etc/passwd",
    "alpha%2fbeta",
    "alpha%00",
    "%61lpha",
    "alpha*",
    "*",
    "alpha,beta",
    "alpha=beta",
    "{alpha}",
    "[::1]",
    "[alpha]",
    "fe80::1%eth0",
    "fe80::1%25eth0",
    "\u{202e}ahpla",
    "al\u{200b}pha",
    "\u{feff}alpha",
    "аlpha", // the first letter is Cyrillic
    "ａｌｐｈａ",
    "bücher",
    "alpha。beta",
    "ß",
    "🦀",
];

/// No address of another machine either.
const NO_ADDRESSES: &[&str] = &[
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f000001",
    "0x7f.0.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "127.0.0.01",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.2.3",
    "0",
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:0.0.0.0",
    "localhost",
    "LOCALHOST",
    "vm.localhost",
    "localhost.localdomain",
    "alpha..beta",
    ".alpha",
    "alpha.",
    "-alpha.example",
    "alpha-.example",
    "al_pha",
    "192.0.2.7:22",
    "192.0.2.7/24",
    "2001:db8::7:::",
];

/// Hosts that write down who connects to what.
struct Watched {
    sim: Sim,
    asked: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Hypervisor for Watched {
    async fn connect(
        &self,
        host: &HostConfig,
        events: mpsc::UnboundedSender<HostEvent>,
    ) -> Result<Arc<dyn Connection>, Problem> {
        self.asked.lock().expect("nobody panics with it").push(host.transport.address());
        self.sim.connect(host, events).await
    }

    async fn probe(&self, address: &Address, port: u16) -> Probe {
        self.asked.lock().expect("nobody panics with it").push(format!("{address} port {port}"));
        self.sim.probe(address, port).await
    }
}

/// The console, with the hosts alpha and beta and the VM `web` on alpha.
struct House {
    router: Router,
    cookie: String,
    asked: Arc<Mutex<Vec<String>>>,
    directory: PathBuf,
}

impl House {
    async fn new() -> Self {
        let sim = Sim::new();
        let hosts = ["alpha", "beta"].map(|name| sim.add_host(name));
        let load = Load { memory_bytes: 64 << 20, dirty_bytes_s: 0 };
        sim.add_vm(&hosts[0].name, "web", VmState::Running, load);
        let asked = Arc::default();
        let watched = Watched { sim, asked: Arc::clone(&asked) };
        let directory = std::env::temp_dir().join(format!("vmferry-hostile-{}", std::process::id()));
        let store = SqliteStore::open(&directory).await.expect("there is room for a database");
        let auth = Auth::new(store.clone(), HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default());
        auth.add_user("admin", PASSWORD.to_owned()).await.expect("a user can be added");
        let engine =
            Engine::start(hosts.to_vec(), Arc::new(watched), Arc::new(store.clone())).await.expect("it starts");
        let mut updates = engine.subscribe(None);
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
        let mut house = Self { router: router(doors), cookie: String::new(), asked, directory };
        house.log_in().await;
        house
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

    /// Sends it, and sees that it is refused and that nothing came of it.
    async fn refuses(&self, method: Method, path: &str, body: &str) {
        let (status, answer) = self.send(method.clone(), path, body.to_owned()).await;
        // A 409 would mean that it was understood, and that something else was in the way.
        let is_refused = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND].contains(&status);
        assert!(is_refused, "{method} {path} {body}: {status} {answer}");
        let asked = self.asked.lock().expect("nobody panics with it").clone();
        assert!(asked.is_empty(), "{method} {path} {body}: asked {asked:?}");
        assert_eq!(children(), "", "{method} {path} {body}");
    }

    /// Sends what is right, and sees that the host is asked.
    async fn understands(&self, path: &str, body: &Value) {
        let (status, answer) = self.send(Method::POST, path, body.to_string()).await;
        let asked = std::mem::take(&mut *self.asked.lock().expect("nobody panics with it"));
        assert_eq!(asked, [ELSEWHERE], "{path} {body}: {status} {answer}");
    }

    async fn state(&self) -> [String; 2] {
        let hosts = self.send(Method::GET, "/api/hosts", String::new()).await.1;
        let tasks = self.send(Method::GET, "/plugins/kimchi/tasks", String::new()).await.1;
        let mut hosts: Value = serde_json::from_str(&hosts).expect("it is JSON");
        // What changes by itself: memory that is free, latency.
        for host in hosts.as_array_mut().expect("it is a list") {
            host["state"].take();
        }
        [hosts.to_string(), tasks]
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // A directory that stays costs some room below /tmp, no more.
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
        .expect("all of it is a test's own");
    let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 4711));
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

/// The processes that this one has started and that are still there, also as zombies.
fn children() -> String {
    let tasks = fs::read_dir("/proc/self/task").expect("this is Linux");
    let children = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    children.collect::<Vec<_>>().concat()
}

/// The sockets that this process has open.
fn sockets() -> usize {
    let open =
        fs::read_dir("/proc/self/fd").expect("this is Linux").filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
    open.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// What is typed instead of text.
fn no_texts() -> [Value; 5] {
    [json!(7), json!(-1.5), json!([]), json!(["alpha"]), json!({ "alpha": 1 })]
}

fn no_ports() -> [Value; 10] {
    let huge: Value = serde_json::from_str("1e99").expect("it is a number");
    [
        json!(0),
        json!(-1),
        json!(65536),
        json!(u64::MAX),
        huge,
        json!(22.5),
        json!("22"),
        json!(true),
        json!([22]),
        json!({}),
    ]
}

/// `hostile` of each length that is too long for it.
fn too_long() -> [String; 3] {
    ["a".repeat(300), format!("{}.example", "a".repeat(64)), vec!["a".repeat(60); 5].join(".")]
}

/// All values of a field that nobody should send.
fn hostile(field: &str) -> Vec<Value> {
    let mut values: Vec<Value> = HOSTILE.iter().map(|text| json!(text)).collect();
    match field {
        "port" | "peer_port" => return no_ports().to_vec(),
        "destination" | "address" | "peer_address" => values.extend(NO_ADDRESSES.iter().map(|text| json!(text))),
        "user" | "peer_user" => values.extend(["Root", "0root", "root:x", "al.pha"].map(|text| json!(text))),
        "name" | "register" => values.extend(["Alpha", "-alpha", "alpha-", "al_pha", "al.pha"].map(|text| json!(text))),
        "fingerprint" => values.extend(fingerprints()),
        other => panic!("no field is called {other}"),
    }
    values.extend(too_long().map(Value::from));
    values.extend(no_texts());
    values
}

fn fingerprints() -> Vec<Value> {
    let md5 = "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48";
    let [short, long, padded] = ["A".repeat(42), "A".repeat(44), format!("{}=", "A".repeat(43))];
    let of = |hash: &str| format!("SHA256:{hash}");
    [md5.to_owned(), of(&short), of(&long), of(&padded), of(""), of(&"-".repeat(43))].map(Value::from).to_vec()
}

#[tokio::test]
async fn what_nobody_should_send_is_refused_and_nothing_comes_of_it() {
    let house = House::new().await;
    let asked: Vec<String> = std::mem::take(&mut *house.asked.lock().expect("nobody panics with it"));
    assert!(asked.contains(&"alpha.simulated".to_owned()), "what is asked is written down: {asked:?}");
    let (before, sockets_before) = (house.state().await, sockets());
    destinations(&house).await;
    hosts(&house).await;
    paths(&house).await;
    assert_eq!(house.state().await, before);
    assert_eq!(sockets(), sockets_before);
    house.understands(MIGRATE, &migration()).await;
    for path in ["/api/hosts/test", "/api/hosts"] {
        house.understands(path, &registration()).await;
    }
}

/// A migration to a host that nobody registered, with nothing wrong.
fn migration() -> Value {
    json!({
        "destination": ELSEWHERE,
        "port": 2222,
        "user": "root",
        "password": "secret",
        "fingerprint": format!("SHA256:{}", "A".repeat(43)),
        "register": "gamma",
    })
}

/// A host to be registered, with nothing wrong.
fn registration() -> Value {
    json!({
        "settings": {
            "name": "gamma",
            "transport": "ssh",
            "address": ELSEWHERE,
            "port": 2222,
            "user": "root",
            "peer_address": ELSEWHERE,
            "peer_port": 2222,
            "peer_user": "root",
        },
        "login": { "password": "secret", "fingerprint": format!("SHA256:{}", "A".repeat(43)) },
    })
}

/// Migrations to hosts that nobody registered.
async fn destinations(house: &House) {
    for field in ["destination", "user", "fingerprint", "port", "register"] {
        for value in hostile(field) {
            let mut body = migration();
            body[field] = value;
            house.refuses(Method::POST, MIGRATE, &body.to_string()).await;
        }
    }
    for field in ["remote_host", "uri", "destination_uri", "command", "socket", "keyfile", "known_hosts"] {
        let mut body = migration();
        body[field] = json!("qemu+ext:///system?command=/bin/sh");
        house.refuses(Method::POST, MIGRATE, &body.to_string()).await;
    }
    for password in ["a\0b", &"a".repeat(1025)] {
        let mut body = migration();
        body["password"] = json!(password);
        house.refuses(Method::POST, MIGRATE, &body.to_string()).await;
    }
}

/// Hosts that are registered, changed, tried and logged in to.
async fn hosts(house: &House) {
    let mut bodies = Vec::new();
    for field in ["name", "address", "user", "port", "peer_address", "peer_user", "peer_port"] {
        for value in hostile(field) {
            let mut body = registration();
            body["settings"][field] = value;
            bodies.push(body.to_string());
        }
    }
    for field in ["user", "fingerprint"] {
        for value in hostile(field) {
            let mut body = registration();
            body["login"][field] = value;
            bodies.push(body.to_string());
        }
    }
    for (field, value) in [("uri", "qemu+ext:///system?command=/bin/sh"), ("transport", "ext"), ("login", "keyfile=/x")]
    {
        let mut body = registration();
        body["settings"][field] = json!(value);
        bodies.push(body.to_string());
    }
    bodies.extend(["", "null", "[]", "7", "{", "\"alpha\"", "{\"settings\":{}}"].map(str::to_owned));
    bodies.push("[".repeat(10_000));
    for body in &bodies {
        for (method, path) in
            [(Method::POST, "/api/hosts"), (Method::POST, "/api/hosts/test"), (Method::PUT, "/api/hosts/alpha")]
        {
            house.refuses(method, path, body).await;
        }
    }
}

/// Names in the path.
async fn paths(house: &House) {
    let login = json!({ "password": "secret" }).to_string();
    let texts = HOSTILE.iter().map(|text| (*text).to_owned()).chain(too_long());
    for text in texts.filter(|text| !text.is_empty()) {
        let name = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let path = format!("/plugins/kimchi/vms/{name}/migrate");
        house.refuses(Method::POST, &path, &migration().to_string()).await;
        for (method, what) in
            [(Method::POST, "login"), (Method::POST, "key"), (Method::DELETE, "key"), (Method::DELETE, "")]
        {
            let path = format!("/api/hosts/{name}/{what}");
            house.refuses(method, path.trim_end_matches('/'), &login).await;
        }
    }
}
