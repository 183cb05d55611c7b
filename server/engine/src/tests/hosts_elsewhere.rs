//! Ad-hoc destinations, which are not registered, and logins for one migration only.

use std::time::Duration;

use model::{Code, ControlFlow, Destination, HostOrigin, Phase, Problem, Secret};
use tokio::time::{Instant, sleep};

use super::*;
use crate::{HostCredentials, HostToReach, hosts::Reached};

/// A VM on alpha, and a host that is not registered.
pub(super) struct Elsewhere {
    pub(super) bench: Bench,
    pub(super) vm: VmId,
    pub(super) there: HostConfig,
}

/// The address of the host that is not registered, and the name that it gets.
const ADDRESS: &str = "delta.simulated";
pub(super) const NAME: &str = "delta-simulated";

impl Elsewhere {
    pub(super) async fn new(load: Load) -> Self {
        let bench = Bench::new().await;
        let there = bench.sim.add_ssh_host("delta", "right");
        let vm = bench.vm("web", VmState::Running, load).await;
        Self { bench, vm, there }
    }

    fn typed(&self, password: &str) -> HostCredentials {
        HostCredentials::typed(password, self.bench.sim.key(&self.there.name))
    }

    pub(super) async fn reach(&self, password: &str) -> Result<Reached, Error> {
        self.bench.engine.reach(ADDRESS, None, self.typed(password), None).await
    }

    pub(super) async fn migrate(&self, reached: Reached) -> Result<Migration, Error> {
        let request = request(self.vm, reached.host.as_str());
        self.bench.engine.migrate_to(reached, request, "admin").await
    }

    pub(super) fn shown(&self, name: &str) -> Option<model::Host> {
        self.bench.engine.snapshot(None).hosts.into_iter().find(|shown| shown.name == host(name))
    }

    /// Registers the host, with a password that is kept as long as `login` says.
    async fn register(&self, login: HostCredentials) {
        self.bench.engine.add_host(self.there.clone(), login).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_moves_to_a_host_that_nobody_registered_and_nothing_is_kept() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, vm, there } = &elsewhere;
    let reached = elsewhere.reach("right").await.unwrap();
    let shown = elsewhere.shown(NAME).unwrap();
    assert_eq!((shown.origin, shown.is_connected()), (HostOrigin::Temporary, true));
    let migration = elsewhere.migrate(reached).await.unwrap();
    assert_eq!(migration.unregistered.as_ref().unwrap().address.as_deref(), Some(ADDRESS));
    let end = bench.ended(migration.id).await;
    assert_eq!((end.phase, end.control_flow), (Phase::Succeeded, Some(ControlFlow::Direct)));
    assert_eq!(bench.sim.runs_on(*vm), [host("delta")]);
    bench.until(|_| elsewhere.shown(NAME).is_none()).await;
    assert!(bench.engine.find("web", None).is_err(), "it is not watched there");
    assert!(bench.history(migration.id).await.iter().any(|entry| entry.contains("not registered")));
    assert_eq!((bench.sim.connections(&there.name), bench.engine.registered().len()), (0, 3));
    assert!(bench.store.hosts().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_call_logs_in_and_moves_and_the_limit_of_wrong_passwords_holds() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, vm, there } = &elsewhere;
    let migrate = async |password| {
        let credentials = elsewhere.typed(password);
        let destination = HostToReach { address: ADDRESS.to_owned(), port: None, credentials, register: None };
        bench.engine.migrate(MigrationRequest::plain(*vm, Destination::Address(destination)), "admin").await
    };
    for _ in 0..3 {
        assert_eq!(migrate("wrong").await.unwrap_err().code(), Code::LoginRefused);
    }
    assert_eq!(migrate("right").await.unwrap_err().code(), Code::Throttled);
    assert_eq!(bench.sim.attempts(&there.name), 3);
    sleep(Duration::from_mins(11)).await;
    let migration = migrate("right").await.unwrap();
    assert_eq!(bench.ended(migration.id).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.runs_on(*vm), [host("delta")]);
}

/// The wait for other passwords that are tried at a host takes nothing of the time that the host and the preflight have.
#[tokio::test(start_paused = true)]
async fn who_waits_for_others_to_log_in_has_as_long_as_they_have() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, there, .. } = &elsewhere;
    let address = ADDRESS.parse().unwrap();
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(bench.engine.begin_attempt(&address).await.unwrap());
    }
    bench.sim.hang_logins(&there.name, true);
    let others_and_the_host = async {
        sleep(Duration::from_millis(2_500)).await;
        others.into_iter().for_each(crate::Attempt::was_not_wrong);
        sleep(Duration::from_secs(8)).await;
        bench.sim.hang_logins(&there.name, false);
    };
    let (reached, ()) = tokio::join!(elsewhere.reach("right"), others_and_the_host);
    let reached = reached.unwrap();
    assert!(reached.deadline() > Instant::now() + Duration::from_secs(1), "there is time for the preflight");
    elsewhere.migrate(reached).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_one_attempt_and_leaves_no_host() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, there, .. } = &elsewhere;
    let unconfirmed = HostCredentials { fingerprint: None, ..elsewhere.typed("right") };
    let unknown = bench.engine.reach(ADDRESS, None, unconfirmed, None).await.unwrap_err();
    assert_eq!((unknown.code(), bench.sim.attempts(&there.name)), (Code::HostKeyUnknown, 0));
    assert_eq!(unknown.told().fingerprint.as_deref(), Some(bench.sim.key(&there.name).as_str()));
    assert_eq!(elsewhere.reach("wrong").await.unwrap_err().code(), Code::LoginRefused);
    sleep(Duration::from_mins(11)).await;
    assert_eq!((bench.sim.attempts(&there.name), bench.engine.registered().len()), (1, 3));
    let nowhere = bench.engine.reach("nowhere.simulated", None, HostCredentials::default(), None).await.unwrap_err();
    assert_eq!(nowhere.code(), Code::HostUnreachable);
    assert_eq!(
        nowhere.told().sentence,
        "nowhere.simulated does not answer (simulated).",
        "no name but the one that was typed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_is_called_as_the_request_calls_it_until_it_is_reached() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, there, .. } = &elsewhere;
    let told = async |register| {
        let refused = bench.engine.reach(ADDRESS, None, elsewhere.typed("wrong"), register).await.unwrap_err();
        refused.told().sentence
    };
    // The name that would be made of the address is another host's, so that a number comes before it.
    let taken = bench.sim.add_host(NAME);
    bench.engine.add_host(taken.clone(), HostCredentials::default()).await.unwrap();
    assert_eq!(told(None).await, format!("{ADDRESS}: the login was refused (simulated)."));
    assert_eq!(told(Some(host("store"))).await, "store: the login was refused (simulated).");
    bench.engine.remove_host(&taken.name).await.unwrap();
    // Here it is the name that an admin gave.
    bench.engine.add_host(HostConfig { name: host(NAME), ..there.clone() }, elsewhere.typed("right")).await.unwrap();
    assert_eq!(told(None).await, format!("{NAME}: the login was refused (simulated)."));
}

#[tokio::test(start_paused = true)]
async fn an_address_is_reached_though_the_host_that_was_there_is_let_go_meanwhile() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, vm, .. } = &elsewhere;
    let reached = elsewhere.reach("right").await.unwrap();
    assert_eq!(bench.engine.find_host(ADDRESS).unwrap(), Some(host(NAME)));
    let (address, credentials) = (ADDRESS.to_owned(), elsewhere.typed("right"));
    let destination = HostToReach { address, port: None, credentials, register: None };
    drop(reached);
    assert_eq!(bench.engine.find_host(ADDRESS).unwrap(), None);
    bench.engine.migrate(MigrationRequest::plain(*vm, Destination::Address(destination)), "admin").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_host_that_can_not_say_what_it_is_does_not_answer() {
    let elsewhere = Elsewhere::new(IDLE).await;
    elsewhere.bench.sim.take_qemu_away(&elsewhere.there.name);
    let refused = elsewhere.reach("right").await.unwrap_err();
    assert_eq!(refused.code(), Code::HostUnreachable);
    assert!(refused.told().details.is_some_and(|details| details.contains("no QEMU")));
    assert_eq!(elsewhere.bench.engine.registered().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_would_be_of_no_use_is_refused() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, there, .. } = &elsewhere;
    elsewhere.register(HostCredentials { keep_until_restart: true, ..elsewhere.typed("right") }).await;
    let confirmed = HostCredentials { password: None, ..elsewhere.typed("") };
    for (port, login) in [(None, confirmed), (Some(2222), HostCredentials::default())] {
        let refused = bench.engine.reach("delta", port, login, None).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidInput, "{}", refused.told().sentence);
    }
    for control_flow in [ControlFlow::PeerToPeer, ControlFlow::Tunnelled] {
        let reached = bench.engine.reach("delta", None, elsewhere.typed("right"), None).await.unwrap();
        let mut wish = request(elsewhere.vm, there.name.as_str());
        wish.options.control_flow = Some(control_flow);
        let refused = bench.engine.migrate_to(reached, wish, "admin").await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidInput, "{}", refused.told().sentence);
    }
}

#[tokio::test(start_paused = true)]
async fn a_definition_stays_only_where_it_is_seen_that_the_vm_runs_elsewhere() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let bench = &elsewhere.bench;
    for (register, expected) in [(None, Some(Code::InvalidInput)), (Some(host("delta")), None)] {
        let reached = bench.engine.reach(ADDRESS, None, elsewhere.typed("right"), register).await.unwrap();
        let mut wish = request(elsewhere.vm, reached.host.as_str());
        wish.options.keep_source_definition = true;
        let begun = bench.engine.migrate_to(reached, wish, "admin").await;
        assert_eq!(begun.err().map(|problem| problem.code()), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_given_up_is_gone() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let reached = elsewhere.reach("right").await.unwrap();
    let unknown = request(VmId(uuid::Uuid::nil()), NAME);
    let refused = elsewhere.bench.engine.migrate_to(reached, unknown, "admin").await.unwrap_err();
    assert_eq!(refused.code(), Code::UnknownVm);
    assert!(elsewhere.shown(NAME).is_none());
    elsewhere.bench.until(|bench| bench.sim.connections(&elsewhere.there.name) == 0).await;
}

#[tokio::test(start_paused = true)]
async fn two_share_a_destination_and_each_has_to_log_in() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let (first, second) = tokio::join!(elsewhere.reach("right"), elsewhere.reach("right"));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((&first.host, elsewhere.bench.engine.registered().len()), (&second.host, 4));
    assert_eq!(elsewhere.reach("wrong").await.unwrap_err().code(), Code::LoginRefused);
    drop(first);
    assert!(elsewhere.shown(NAME).is_some(), "the second lease needs it");
    drop(second);
    assert!(elsewhere.shown(NAME).is_none());
}

#[tokio::test(start_paused = true)]
async fn this_machine_is_no_destination() {
    let bench = Bench::new().await;
    for address in ["localhost", "127.0.0.1", "127.9.9.9", "::1", "::", "0.0.0.0", "::ffff:127.0.0.1"] {
        let refused = bench.engine.reach(address, None, HostCredentials::default(), None).await.unwrap_err();
        assert_eq!(refused.code(), Code::SameHost, "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_host_is_told_beside_those_that_are_registered() {
    let bench = Bench::new().await;
    let registered = "registered are: alpha, beta, gamma.";
    let fix = async |typed: &str| {
        let refused = bench.engine.reach(typed, None, HostCredentials::default(), None).await.unwrap_err();
        let problem = Problem::from(refused);
        assert_eq!(problem.code, Code::HostUnreachable, "{typed}");
        problem.fix.unwrap_or_default()
    };
    assert!(fix("bteta").await.contains(registered));
    assert!(!fix("192.0.2.7").await.contains(registered), "no one takes that for a name");
    let unknown = Problem::from(bench.engine.host("bteta").unwrap_err());
    assert!(unknown.fix.is_some_and(|fix| fix.contains("alpha, beta, gamma")));
}

#[tokio::test(start_paused = true)]
async fn a_registered_host_is_known_by_another_address_too() {
    let elsewhere = Elsewhere::new(IDLE).await;
    elsewhere.bench.sim.register_again(&host("gamma"), "other-name");
    let reached = elsewhere.bench.engine.reach("other-name.simulated", None, elsewhere.typed("right"), None).await;
    assert_eq!(reached.unwrap().host, host("gamma"));
    let (typed, name) = (elsewhere.typed("right"), Some(host("new")));
    let refused = elsewhere.bench.engine.reach("other-name.simulated", None, typed.clone(), name.clone()).await;
    assert_eq!(refused.unwrap_err().code(), Code::HostExists);
    let refused = elsewhere.bench.engine.reach("gamma", None, typed, name).await;
    assert_eq!(refused.unwrap_err().code(), Code::HostExists);
    assert_eq!(elsewhere.bench.engine.registered().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_login_for_one_move_stands_in_for_a_registered_host_s_own() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, there, .. } = &elsewhere;
    elsewhere.register(HostCredentials { keep_until_restart: true, ..elsewhere.typed("right") }).await;
    bench.sim.change_password(&there.name, "new");
    let refused = bench.engine.reach("delta", None, elsewhere.typed("right"), None).await.unwrap_err();
    assert_eq!((refused.code(), elsewhere.bench.problem(&there.name)), (Code::LoginRefused, None));
    let reached = bench.engine.reach(ADDRESS, None, elsewhere.typed("new"), None).await.unwrap();
    assert_eq!((&reached.host, bench.engine.registered().len()), (&there.name, 4));
    let migration = elsewhere.migrate(reached).await.unwrap();
    assert_eq!((migration.unregistered, migration.options.control_flow), (None, Some(ControlFlow::Direct)));
    // The simulator lets a direct migration in by the login in its plan only: the registered one is wrong by now.
    let end = bench.ended(migration.id).await;
    assert_eq!((end.phase, end.control_flow), (Phase::Succeeded, Some(ControlFlow::Direct)), "{:?}", end.problem);
    assert_eq!(bench.engine.find("web", None).unwrap().host, there.name);
}

#[tokio::test(start_paused = true)]
async fn a_login_for_one_move_connects_a_host_that_waits_for_one() {
    let mut elsewhere = Elsewhere::new(NEVER).await;
    elsewhere.register(elsewhere.typed("right")).await;
    elsewhere.bench.restart().await;
    let Elsewhere { bench, there, vm } = &elsewhere;
    bench.until(|bench| bench.problem(&there.name) == Some(Code::NeedsLogin)).await;
    bench.until(|bench| bench.engine.snapshot(None).hosts.iter().filter(|host| host.is_connected()).count() == 3).await;
    let refused = bench.engine.reach("delta", None, HostCredentials::default(), None).await.unwrap_err();
    assert_eq!(refused.code(), Code::NeedsLogin);
    let reached = bench.engine.reach("delta", None, elsewhere.typed("right"), None).await.unwrap();
    let id = elsewhere.migrate(reached).await.unwrap().id;
    sleep(Duration::from_mins(11)).await;
    assert_eq!(bench.problem(&there.name), None);
    bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::Cancelled);
    bench.until(|bench| bench.problem(&there.name) == Some(Code::NeedsLogin)).await;
    assert_eq!(bench.sim.runs_on(*vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn another_machine_at_a_registered_host_s_address_is_not_that_host() {
    let elsewhere = Elsewhere::new(IDLE).await;
    elsewhere.register(elsewhere.typed("right")).await;
    elsewhere.bench.sim.become_another_machine(&elsewhere.there.name);
    let refused = elsewhere.bench.engine.reach("delta", None, elsewhere.typed("right"), None).await.unwrap_err();
    assert_eq!(refused.code(), Code::HostUnreachable);
    assert!(refused.told().sentence.contains("Another machine"), "{refused:?}");
    let refused = elsewhere.bench.engine.log_in(&host("delta"), elsewhere.typed("right")).await.unwrap_err();
    assert!(refused.told().sentence.contains("Another machine"), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_destination_is_registered_once_its_migration_has_begun() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, .. } = &elsewhere;
    let reach = |name| bench.engine.reach(ADDRESS, None, elsewhere.typed("right"), Some(host(name)));
    assert_eq!(reach("alpha").await.unwrap_err().code(), Code::HostExists);
    let reached = reach("store").await.unwrap();
    assert_eq!(elsewhere.shown("store").unwrap().origin, HostOrigin::Temporary);
    assert!(bench.store.hosts().await.unwrap().is_empty());
    assert_eq!(reach("other").await.unwrap_err().code(), Code::HostInUse);
    let migration = elsewhere.migrate(reached).await.unwrap();
    assert_eq!(elsewhere.shown("store").unwrap().origin, HostOrigin::Added);
    let stored = bench.store.hosts().await.unwrap();
    assert_eq!((stored.len(), stored[0].name.as_str()), (1, "store"));
    assert_eq!(bench.ended(migration.id).await.phase, Phase::Succeeded);
    assert!(!bench.history(migration.id).await.iter().any(|entry| entry.contains("not registered")));
    // The password was for the move only.
    bench.until(|bench| bench.problem(&host("store")) == Some(Code::NeedsLogin)).await;
    assert_eq!(bench.engine.find("web", None).unwrap().host, host("store"));
}

#[tokio::test(start_paused = true)]
async fn a_restarted_console_waits_for_a_user_to_log_in_at_the_destination() {
    let mut elsewhere = Elsewhere::new(BUSY).await;
    let reached = elsewhere.reach("right").await.unwrap();
    let id = elsewhere.migrate(reached).await.unwrap().id;
    elsewhere.bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
    elsewhere.bench.restart().await;
    let bench = &elsewhere.bench;
    bench.until(|bench| bench.problem(&host(NAME)) == Some(Code::NeedsLogin)).await;
    assert_eq!(elsewhere.shown(NAME).unwrap().origin, HostOrigin::Temporary);
    let attempts = bench.sim.attempts(&elsewhere.there.name);
    bench.engine.log_in(&host(NAME), elsewhere.typed("right")).await.unwrap();
    assert_eq!(bench.sim.attempts(&elsewhere.there.name), attempts + 1, "the console tried nothing by itself");
    bench.ended(id).await;
    bench.until(|_| elsewhere.shown(NAME).is_none()).await;
    assert_eq!(bench.sim.runs_on(elsewhere.vm).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_here_for_one_migration_is_offered_to_no_other_vm() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, vm, there } = &elsewhere;
    let theirs = bench.sim.add_vm(&there.name, "theirs", VmState::Running, IDLE);
    let _reached = elsewhere.reach("right").await.unwrap();
    let offered = bench.engine.destinations(&bench.engine.vm(*vm).unwrap().host);
    assert!(!offered.is_empty() && offered.iter().all(|destination| destination.name != host(NAME)), "{offered:?}");
    let refused = bench.engine.migrate_to_host(request(theirs, "beta"), "admin").await.unwrap_err();
    assert_eq!(refused.code(), Code::WrongState);
    assert!(refused.told().fix.unwrap().contains("Register"));
    let removed = bench.engine.remove_host(&host(NAME)).await.unwrap_err();
    assert_eq!(removed.code(), Code::HostInUse);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_removed_while_it_is_reached_is_not_reached() {
    let elsewhere = Elsewhere::new(IDLE).await;
    elsewhere.register(elsewhere.typed("right")).await;
    let Elsewhere { bench, there, .. } = &elsewhere;
    bench.sim.hang_logins(&there.name, true);
    let (engine, login) = (Arc::clone(&bench.engine), elsewhere.typed("right"));
    let reaching = tokio::spawn(async move { engine.reach("delta", None, login, None).await });
    bench.sim.until_a_client_knocks(&there.name).await;
    bench.engine.remove_host(&there.name).await.unwrap();
    bench.sim.hang_logins(&there.name, false);
    assert_eq!(reaching.await.unwrap().unwrap_err().code(), Code::UnknownHost);
    assert_eq!(bench.engine.registered().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_typed_password_is_held_by_nobody_afterwards() {
    let elsewhere = Elsewhere::new(IDLE).await;
    let password = Secret::new("right".to_owned());
    let login = HostCredentials { password: Some(password.clone()), ..elsewhere.typed("") };
    let reached = elsewhere.bench.engine.reach(ADDRESS, None, login, None).await.unwrap();
    assert!(password.holders() > 1);
    let id = elsewhere.migrate(reached).await.unwrap().id;
    elsewhere.bench.ended(id).await;
    elsewhere.bench.until(|_| password.holders() == 1).await;
}
