//! What somebody could send in place of names, addresses and ports: all of it is refused by the real room behind the real doors, and
//! no host is connected to.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use engine::{
    Address, Connection, Engine, HostConfig, HostEvent, Hypervisor, Probe,
    sim::{Load, Sim},
};
use libvirt::SshFiles;
use model::{Problem, VmState};
use tokio::sync::mpsc::UnboundedSender;

use super::*;
use crate::console::{Allowed, ServerConsole};

const MIGRATE: &str = "/plugins/kimchi/vms/web/migrate";
const FINGERPRINT: &str = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What can't be an address anywhere.
const NO_ADDRESSES: [&str; 40] = [
    "",
    " ",
    "-oProxyCommand=id",
    "-l root",
    "--",
    "a;id",
    "a|id",
    "a&id",
    "a`id`",
    "$(id)",
    "${HOME}",
    "a b",
    "a\tb",
    "a\nb",
    "a\0b",
    "a'b",
    "a\"b",
    "a\\b",
    "a<b>",
    "a#b",
    "a%2fb",
    "a?command=/bin/sh",
    "a&socket=/tmp/x",
    "../../etc/passwd",
    "/etc/passwd",
    "a/system?no_verify=1",
    "qemu+ssh://root@a/system",
    "root@a",
    "a:22",
    "[2001:db8::7]",
    "fe80::1%eth0",
    "2001:db8::7/64",
    "127.1",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "192.0.2.256",
    "192.0.2.7.",
    "bücher.example",
    "a_b.example",
];
/// What every machine means itself by.
const OWN_ADDRESSES: [&str; 9] =
    ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1"];
const NO_USERS: [&str; 16] = [
    " ",
    "-l",
    "-oProxyCommand=id",
    "root;id",
    "root@a",
    "root:x",
    "a b",
    "a/b",
    "..",
    "Root",
    "größe",
    "$(id)",
    "a\0",
    "a\n",
    "7up",
    "abcdefghijklmnopqrstuvwxyzabcdefg",
];
const NO_FINGERPRINTS: [&str; 8] = [
    "",
    "yes",
    "SHA256:",
    "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
    "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
    "SHA256:$(id)",
    "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
];

/// A world with one host, in which every other attempt to connect is counted.
struct Watched {
    sim: Sim,
    strangers: Arc<AtomicUsize>,
}

#[async_trait]
impl Hypervisor for Watched {
    async fn connect(
        &self,
        host: &HostConfig,
        events: UnboundedSender<HostEvent>,
    ) -> Result<Arc<dyn Connection>, Problem> {
        if host.name.as_str() != "alpha" {
            self.strangers.fetch_add(1, Ordering::Relaxed);
        }
        self.sim.connect(host, events).await
    }

    async fn probe(&self, address: &Address, port: u16) -> Probe {
        self.strangers.fetch_add(1, Ordering::Relaxed);
        self.sim.probe(address, port).await
    }
}

/// The real room, with `web` on alpha.
struct RealHouse {
    router: Router,
    cookie: String,
    strangers: Arc<AtomicUsize>,
    engine: Arc<Engine>,
    _directory: TestDirectory,
}

impl RealHouse {
    async fn new() -> Self {
        let directory = TestDirectory::new();
        let store = SqliteStore::open(directory.path()).await.unwrap();
        let auth = Auth::new(store.clone(), HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default());
        auth.add_user("ada", PASSWORD.into()).await.unwrap();
        let sim = Sim::new();
        let alpha = sim.add_host("alpha");
        sim.add_vm(&alpha.name, "web", VmState::Running, Load { memory_bytes: 64 << 20, dirty_bytes_s: 0 });
        let strangers = Arc::new(AtomicUsize::new(0));
        let hypervisor = Arc::new(Watched { sim, strangers: Arc::clone(&strangers) });
        let engine = Engine::start(vec![alpha], hypervisor, Arc::new(store.clone())).await.unwrap();
        let mut updates = engine.subscribe(None);
        while engine.find("web", None).is_err() {
            updates.recv().await.unwrap();
        }
        let keys = SshFiles::below(directory.path()).into();
        let console = ServerConsole::new(Arc::clone(&engine), auth.clone(), store, keys, Allowed::default());
        let doors = Doors {
            console: Arc::new(console),
            auth,
            site: Site::default(),
            ready: Arc::new(|| true),
            stop: CancellationToken::new(),
        };
        let mut house = Self { router: router(doors), cookie: String::new(), strangers, engine, _directory: directory };
        house.cookie = house.send(login("ada", PASSWORD)).await.cookie();
        house
    }

    async fn send(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo("127.0.0.1:4711".parse::<SocketAddr>().unwrap()));
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    async fn is_refused(&self, path: &str, body: &Value) {
        let answer = self.send(post(path, &self.cookie, body)).await;
        assert!(answer.status.is_client_error(), "{path} {body}: {} {}", answer.status, answer.body);
    }
}

/// All hostile values, each in the field that it is meant for and with all else as it should be.
fn hostile() -> Vec<(&'static str, Value)> {
    let long = "a".repeat(300);
    let labels = ["a"; 150].join(".");
    let mut all = Vec::new();
    for address in NO_ADDRESSES.into_iter().chain(OWN_ADDRESSES).chain([long.as_str(), labels.as_str()]) {
        all.push((MIGRATE, json!({ "destination": address, "password": "x", "fingerprint": FINGERPRINT })));
        all.push((MIGRATE, json!({ "remote_host": address, "register": "rack7" })));
        for path in ["/api/hosts", "/api/hosts/test"] {
            let ssh = json!({ "name": "rack7", "transport": "ssh", "address": address });
            all.push((path, json!({ "settings": ssh, "login": { "password": "x", "fingerprint": FINGERPRINT } })));
            let peer = json!({ "name": "rack7", "transport": "tls", "address": "192.0.2.7", "peer_address": address });
            all.push((path, json!({ "settings": peer })));
        }
    }
    for user in NO_USERS {
        all.push((MIGRATE, json!({ "destination": "192.0.2.7", "user": user, "password": "x" })));
        for settings in [
            json!({ "name": "rack7", "transport": "ssh", "address": "192.0.2.7", "user": user }),
            json!({ "name": "rack7", "transport": "ssh", "address": "192.0.2.7", "peer_user": user }),
        ] {
            all.push(("/api/hosts", json!({ "settings": settings })));
        }
    }
    for fingerprint in NO_FINGERPRINTS {
        all.push((MIGRATE, json!({ "destination": "192.0.2.7", "fingerprint": fingerprint })));
    }
    for (port, register) in [
        (json!(0), json!(false)),
        (json!(65536), json!(false)),
        (json!(-1), json!(false)),
        (json!("22 -oA"), json!(false)),
        (json!(22), json!("-a")),
        (json!(22), json!("../a")),
        (json!(22), json!("alpha")),
    ] {
        all.push((MIGRATE, json!({ "destination": "192.0.2.7", "port": port, "register": register })));
    }
    for settings in [
        json!({ "name": "rack7", "transport": "tcp", "address": "192.0.2.7" }),
        json!({ "name": "rack7", "transport": "tls", "address": "192.0.2.7", "peer_transport": "tcp" }),
        json!({ "name": "rack7", "transport": "ssh", "address": "192.0.2.7", "port": 0 }),
        json!({ "name": "rack7", "transport": "ssh", "address": "192.0.2.7", "login": "program" }),
        json!({ "name": "rack7", "transport": "local" }),
        json!({ "name": "rack7", "transport": "local", "peer_transport": "local", "peer_address": "192.0.2.7" }),
        json!({ "name": "rack7", "transport": "ssh", "address": "192.0.2.7", "shared_directories": ["/a/../b"] }),
        json!({ "name": "rack7", "transport": "ext", "address": "192.0.2.7" }),
        json!({ "name": "rack7", "transport": "ssh", "address": "192.0.2.7", "command": "/bin/sh" }),
        json!({ "name": "rack7", "transport": "ssh", "address": "192.0.2.7", "keyfile": "/etc/shadow" }),
        json!({ "name": "alpha", "transport": "ssh", "address": "192.0.2.7" }),
        json!({ "name": "rack7", "transport": "ssh", "address": "alpha.simulated" }),
        json!({ "name": "rack 7", "transport": "ssh", "address": "192.0.2.7" }),
    ] {
        all.push(("/api/hosts", json!({ "settings": settings })));
    }
    all
}

#[tokio::test]
async fn hostile_input_is_refused_and_nobody_is_connected_to() {
    let house = RealHouse::new().await;
    for (path, body) in hostile() {
        house.is_refused(path, &body).await;
        assert_eq!(house.strangers.load(Ordering::Relaxed), 0, "{path} {body}");
    }
    assert_eq!(house.engine.registered().len(), 1);
    assert!(house.engine.snapshot().migrations.is_empty());
}

#[tokio::test]
async fn what_is_no_attack_is_connected_to() {
    let house = RealHouse::new().await;
    house
        .is_refused(MIGRATE, &json!({ "destination": "192.0.2.7", "password": "x", "fingerprint": FINGERPRINT }))
        .await;
    assert_eq!(house.strangers.load(Ordering::Relaxed), 1, "and does not answer");
    assert_eq!(house.engine.registered().len(), 1);
}
