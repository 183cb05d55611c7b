//! Hosts at run time, and ad-hoc destinations: the real engine on simulated hosts.

use std::fs;

use engine::{
    HostConfig,
    testing::{Load, Sim},
};
use model::{AdHocDestination, HostLogin, HostOrigin, HostSettings, MigrationRequest, NewHost, Secret, VmState};
use port::{Hosts, Migrations as _};
use serde_json::json;

use super::*;

const PASSWORD: &str = "hunter2 and more";
/// A key as a file of known hosts has it, and what `ssh-keygen -lf` says of it.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFNYQxGo4KRRGXrYP8+6G1bRNV1ep9QVL2VU5Hw+Ou9m";
const FINGERPRINT: &str = "SHA256:ZGrlJ9+KUjSNHeRSaKyy6zGjmVNUszPCaS8x0Dzs75c";

/// A console with `web` on alpha; gamma is reached by ssh, and is not registered.
struct House {
    console: ServerConsole,
    store: Arc<SqliteStore>,
    sim: Sim,
    gamma: HostConfig,
    directory: TestDirectory,
}

impl House {
    async fn new() -> Self {
        let directory = TestDirectory::new();
        let store = Arc::new(SqliteStore::open(directory.path()).await.unwrap());
        let auth = Auth::new(store.clone(), HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default());
        let sim = Sim::new();
        let (alpha, gamma) = (sim.add_host("alpha"), sim.add_ssh_host("gamma", PASSWORD));
        sim.add_vm(&alpha.name, "web", VmState::Running, Load { memory_bytes: 1 << 20, dirty_bytes_s: 0 });
        let engine = Engine::start(vec![alpha], Arc::new(sim.clone()), store.clone()).await.unwrap();
        let mut updates = engine.subscribe(None, None);
        while engine.find("web", None).is_err() {
            updates.recv().await.unwrap();
        }
        let keys = SshFiles::below(directory.path()).into();
        let console = ServerConsole::new(engine, auth, store.clone(), keys, Allowed::default());
        Self { console, store, sim, gamma, directory }
    }

    /// gamma as a user would write it.
    fn host(&self) -> NewHost {
        let settings = json!({ "name": "gamma", "transport": "ssh", "address": self.gamma.peer_address.to_string() });
        NewHost { settings: serde_json::from_value(settings).unwrap(), login: self.login(PASSWORD) }
    }

    fn login(&self, password: &str) -> HostLogin {
        HostLogin {
            password: Some(Secret::new(password.into())),
            fingerprint: Some(self.sim.key(&self.gamma.name).to_string()),
            ..HostLogin::default()
        }
    }

    async fn migrate(&self, destination: &str, login: HostLogin, register: Option<&str>) -> Result<Migration, Problem> {
        let register = register.map(|name| name.parse().unwrap());
        let destination = AdHocDestination { address: destination.into(), port: None, login, register };
        let vm = self.console.find(&ada(), "web", None).unwrap().id;
        self.console.start(&ada(), MigrationRequest::plain(vm, destination.into())).await
    }

    /// Waits until nothing is under way.
    async fn until_it_has_ended(&self, migration: &Migration) -> Migration {
        let mut updates = self.console.engine.subscribe(None, None);
        loop {
            let (now, _) = self.console.migration(&ada(), migration.id).await.unwrap();
            if now.phase.has_ended() {
                return now;
            }
            updates.recv().await.unwrap();
        }
    }

    fn origins(&self) -> Vec<(String, HostOrigin)> {
        let registered = self.console.registered(&ada()).unwrap();
        registered.into_iter().map(|host| (host.settings.name.to_string(), host.origin)).collect()
    }

    async fn log(&self) -> Vec<(String, String)> {
        let log = self.store.audit_entries(&AuditFilter::newest(100)).await.unwrap();
        log.into_iter().rev().map(|entry| (entry.action, entry.details)).collect()
    }

    /// No file of the console has the password.
    fn has_forgotten_the_password(&self) {
        for file in fs::read_dir(self.directory.path()).unwrap() {
            let contents = fs::read(file.unwrap().path()).unwrap();
            assert!(!contents.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes()));
        }
    }
}

#[tokio::test]
async fn hosts_come_and_go_and_each_wish_is_in_the_log() {
    let house = House::new().await;
    let gamma = &house.gamma.name;
    house.console.test_host(&ada(), house.host()).await.unwrap();
    house.console.add_host(&ada(), house.host()).await.unwrap();
    let known = house.directory.path().join("known_hosts");
    let address = house.gamma.peer_address.to_string();
    fs::write(&known, format!("{address} {KEY}\n")).unwrap();
    let all = house.console.registered(&ada()).unwrap();
    assert_eq!((all.len(), all[1].origin, all[1].fingerprint.as_deref()), (2, HostOrigin::Added, Some(FINGERPRINT)));
    assert_eq!(all[1].settings.user.as_deref(), Some("root"));
    let limited = HostSettings { bandwidth_mib_s: Some(7), ..house.host().settings };
    house.console.change_host(&ada(), gamma, NewHost { settings: limited, ..house.host() }).await.unwrap();
    assert!(fs::read_to_string(&known).unwrap().contains(KEY), "it is where it was");
    house.console.log_in_at_host(&ada(), gamma, house.login(PASSWORD)).await.unwrap();
    house.console.remove_host(&ada(), gamma).await.unwrap();
    assert_eq!(fs::read_to_string(&known).unwrap(), "");
    assert_eq!(house.console.remove_host(&ada(), gamma).await.unwrap_err().code, Code::UnknownHost);
    let log = house.log().await;
    let actions: Vec<&str> = log.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["host-tested", "host-added", "host-changed", "host-login", "host-removed", "host-removed"]);
    assert!(log[1].1.contains(&address), "{log:?}");
    house.has_forgotten_the_password();
}

#[tokio::test]
async fn what_is_refused_is_not_registered() {
    let house = House::new().await;
    let unconfirmed = HostLogin { fingerprint: None, ..house.login(PASSWORD) };
    let problem = house.console.add_host(&ada(), NewHost { login: unconfirmed, ..house.host() }).await.unwrap_err();
    let seen = house.sim.key(&house.gamma.name).to_string();
    assert_eq!((problem.code, problem.fingerprint), (Code::HostKeyUnknown, Some(seen)));
    let wrong = house.login("wrong");
    let problem = house.console.add_host(&ada(), NewHost { login: wrong, ..house.host() }).await.unwrap_err();
    assert_eq!((problem.code, house.sim.attempts(&house.gamma.name)), (Code::LoginRefused, 1));
    assert_eq!(
        house.console.remove_host(&ada(), &"alpha".parse().unwrap()).await.unwrap_err().code,
        Code::HostConfigured
    );
    assert_eq!(house.origins(), [("alpha".into(), HostOrigin::Configured)]);
}

#[tokio::test]
async fn nobody_guesses_passwords_from_here() {
    let house = House::new().await;
    let address = house.gamma.peer_address.to_string();
    let wrong = || NewHost { login: house.login("wrong"), ..house.host() };
    assert_eq!(house.console.test_host(&ada(), wrong()).await.unwrap_err().code, Code::LoginRefused);
    assert_eq!(house.console.add_host(&ada(), wrong()).await.unwrap_err().code, Code::LoginRefused);
    assert_eq!(house.migrate(&address, house.login("wrong"), None).await.unwrap_err().code, Code::LoginRefused);
    for refused in [
        house.console.test_host(&ada(), wrong()).await.map(drop),
        house.console.add_host(&ada(), house.host()).await,
        house.migrate(&address, house.login(PASSWORD), None).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code, Code::Throttled);
    }
    assert_eq!(house.sim.attempts(&house.gamma.name), 3);
}

#[tokio::test]
async fn a_vm_moves_to_a_host_that_nobody_registered_and_nothing_stays_of_the_login() {
    let house = House::new().await;
    let address = house.gamma.peer_address.to_string();
    let migration = house.migrate(&address, house.login(PASSWORD), None).await.unwrap();
    let ended = house.until_it_has_ended(&migration).await;
    assert_eq!(ended.phase, Phase::Succeeded, "{:?}", ended.problem);
    assert_eq!(house.sim.runs_on(migration.vm), std::slice::from_ref(&house.gamma.name));
    let log = house.log().await;
    assert_eq!(log[0].0, "migration-elsewhere");
    assert!(log[0].1.contains(&address), "{log:?}");
    house.has_forgotten_the_password();
}

#[tokio::test]
async fn a_destination_is_registered_with_its_migration() {
    let house = House::new().await;
    let address = house.gamma.peer_address.to_string();
    let migration = house.migrate(&address, house.login(PASSWORD), Some("rack7")).await.unwrap();
    house.until_it_has_ended(&migration).await;
    assert_eq!(house.origins(), [("alpha".into(), HostOrigin::Configured), ("rack7".into(), HostOrigin::Added)]);
    house.has_forgotten_the_password();
}

#[tokio::test]
async fn a_destination_that_is_refused_leaves_nothing_behind() {
    let house = House::new().await;
    let address = house.gamma.peer_address.to_string();
    for (login, code) in [
        (HostLogin::default(), Code::HostKeyUnknown),
        (house.login("wrong"), Code::LoginRefused),
        (HostLogin { password: Some(Secret::new("a\0b".into())), ..HostLogin::default() }, Code::InvalidInput),
    ] {
        assert_eq!(house.migrate(&address, login, Some("rack7")).await.unwrap_err().code, code);
    }
    for (destination, code) in [
        ("127.0.0.1", Code::SameHost),
        ("::", Code::SameHost),
        ("127.1", Code::InvalidInput),
        ("nobody", Code::HostUnreachable),
    ] {
        assert_eq!(
            house.migrate(destination, house.login(PASSWORD), None).await.unwrap_err().code,
            code,
            "{destination}"
        );
    }
    assert_eq!(house.sim.attempts(&house.gamma.name), 1);
    assert_eq!(house.origins(), [("alpha".into(), HostOrigin::Configured)]);
    assert!(house.console.snapshot(&ada(), None).unwrap().migrations.is_empty());
    house.has_forgotten_the_password();
}

#[tokio::test]
async fn a_key_is_neither_set_up_nor_taken_away_without_a_password() {
    let house = House::new().await;
    let gamma = &house.gamma.name;
    let kept = HostLogin { keep_until_restart: true, ..house.login(PASSWORD) };
    house.console.add_host(&ada(), NewHost { login: kept, ..house.host() }).await.unwrap();
    let before = house.console.registered(&ada()).unwrap();
    for refused in [
        house.console.set_up_key(&ada(), gamma, HostLogin::default()).await,
        house.console.remove_key(&ada(), gamma, HostLogin::default()).await,
    ] {
        assert_eq!(refused.unwrap_err().code, Code::NeedsLogin);
    }
    assert_eq!(house.console.registered(&ada()).unwrap(), before);
}

#[tokio::test]
async fn the_key_of_a_host_of_the_configuration_is_not_ours_to_set_up() {
    let house = House::new().await;
    let alpha = "alpha".parse().unwrap();
    for refused in [
        house.console.set_up_key(&ada(), &alpha, HostLogin::default()).await,
        house.console.remove_key(&ada(), &alpha, HostLogin::default()).await,
    ] {
        assert_eq!(refused.unwrap_err().code, Code::HostConfigured);
    }
    house.console.add_host(&ada(), house.host()).await.unwrap();
    let problem = house.console.set_up_key(&ada(), &house.gamma.name, house.login(PASSWORD)).await.unwrap_err();
    assert_eq!(problem.code, Code::NotSupported, "there is no passphrase to encrypt it with");
}
