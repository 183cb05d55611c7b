//! Hosts that want a password: it is tried once, kept as long as the user chose, and never guessed with.

use std::time::Duration;

use model::{Code, ConnectionState, Phase, Secret};
use tokio::time::sleep;

use super::*;
use crate::{Fingerprint, HostCredentials, Transport};

const MINUTES: Duration = Duration::from_mins(11);

impl HostCredentials {
    /// A password, and the host's key.
    pub(super) fn typed(password: &str, fingerprint: Fingerprint) -> Self {
        Self { password: Some(Secret::new(password.to_owned())), fingerprint: Some(fingerprint), ..Self::default() }
    }

    fn until_restart(self) -> Self {
        Self { keep_until_restart: true, ..self }
    }
}

/// A console that knows a host delta, whose password is `right`.
struct Delta {
    bench: Bench,
    config: HostConfig,
}

impl Delta {
    async fn new(keep: bool) -> Self {
        let bench = Bench::new().await;
        let config = bench.sim.add_ssh_host("delta", "right");
        let login = HostCredentials::typed("right", bench.sim.key(&config.name));
        let login = if keep { login.until_restart() } else { login };
        bench.engine.add_host(config.clone(), login).await.unwrap();
        Self { bench, config }
    }

    /// Why it is not connected, if it is not.
    fn problem(&self) -> Option<Code> {
        self.bench.problem(&self.config.name)
    }

    /// The connection breaks, and could be made again.
    async fn drop_connection(&self) {
        let name = &self.config.name;
        self.bench.sim.cut(name);
        self.bench.until(|_| self.problem().is_some()).await;
        self.bench.sim.mend(name);
    }

    async fn until_problem(&self, code: Code) {
        self.bench.until(|_| self.problem() == Some(code)).await;
    }

    async fn log_in(&self, password: &str) -> Result<(), Error> {
        let login = HostCredentials { password: Some(Secret::new(password.to_owned())), ..HostCredentials::default() };
        self.bench.engine.log_in(&self.config.name, login).await
    }

    fn attempts(&self) -> u32 {
        self.bench.sim.attempts(&self.config.name)
    }
}

impl Bench {
    /// Why a host is not connected, if it is not.
    pub(super) fn problem(&self, name: &HostName) -> Option<Code> {
        let hosts = self.engine.snapshot(None).hosts;
        match hosts.into_iter().find(|host| host.name == *name).expect("the host is there").connection {
            ConnectionState::Unreachable { problem, .. } => Some(problem.code),
            ConnectionState::Connecting | ConnectionState::Connected => None,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_told_and_a_confirmed_one_is_remembered() {
    let bench = Bench::new().await;
    let delta = bench.sim.add_ssh_host("delta", "right");
    let key = bench.sim.key(&delta.name);
    let password = Some(Secret::new("right".to_owned()));
    let unconfirmed = HostCredentials { password: password.clone(), ..HostCredentials::default() };
    let told = bench.engine.add_host(delta.clone(), unconfirmed.clone()).await.unwrap_err();
    assert_eq!((told.code(), told.told().fingerprint.as_deref()), (Code::HostKeyUnknown, Some(key.as_str())));
    assert!(bench.store.hosts().await.unwrap().is_empty());
    let test =
        bench.engine.test_host(&delta, &HostCredentials { password, ..HostCredentials::typed("", key) }).await.unwrap();
    assert_eq!((test.vms, test.libvirt_version.as_str()), (0, "simulated"));
    bench.engine.add_host(delta, unconfirmed).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_tried_once() {
    let bench = Bench::new().await;
    let delta = bench.sim.add_ssh_host("delta", "right");
    let login = HostCredentials::typed("wrong", bench.sim.key(&delta.name));
    assert_eq!(bench.engine.add_host(delta.clone(), login).await.unwrap_err().code(), Code::LoginRefused);
    sleep(MINUTES).await;
    assert_eq!(bench.sim.attempts(&delta.name), 1);
}

#[tokio::test(start_paused = true)]
async fn a_kept_password_that_turns_out_wrong_is_tried_once_and_forgotten() {
    let delta = Delta::new(true).await;
    delta.bench.sim.change_password(&delta.config.name, "new");
    delta.drop_connection().await;
    delta.until_problem(Code::LoginRefused).await;
    sleep(MINUTES).await;
    assert_eq!((delta.attempts(), delta.problem()), (2, Some(Code::LoginRefused)));
    let nothing_typed = delta.bench.engine.log_in(&delta.config.name, HostCredentials::default()).await.unwrap_err();
    assert_eq!((nothing_typed.code(), delta.attempts()), (Code::NeedsLogin, 2), "it is not kept any more");
    assert_eq!(delta.log_in("wrong").await.unwrap_err().code(), Code::LoginRefused);
    sleep(MINUTES).await;
    assert_eq!(delta.attempts(), 3);
    delta.log_in("new").await.unwrap();
    assert_eq!(delta.problem(), None);
}

/// The host is connected all the while, so that nothing has told the console that the password is wrong by now.
#[tokio::test(start_paused = true)]
async fn a_kept_password_counts_as_one_that_the_host_gets_to_see() {
    let delta = Delta::new(true).await;
    let (bench, config) = (&delta.bench, &delta.config);
    bench.sim.change_password(&config.name, "new");
    let nothing_typed = HostCredentials::default;
    let mut codes = Vec::new();
    for _ in 0..2 {
        codes.push(bench.engine.test_host(config, &nothing_typed()).await.unwrap_err().code());
        codes.push(bench.engine.log_in(&config.name, nothing_typed()).await.unwrap_err().code());
    }
    codes.push(bench.engine.change_host(&config.name, config.clone(), nothing_typed()).await.unwrap_err().code());
    let [refused, throttled] = [Code::LoginRefused, Code::Throttled];
    assert_eq!(codes, [refused, refused, refused, throttled, throttled]);
    assert_eq!(delta.attempts(), 1 + 3, "the first one was right");
    assert_eq!(delta.log_in("new").await.unwrap_err().code(), Code::Throttled);
    sleep(MINUTES).await;
    delta.log_in("new").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_passwords_that_a_host_refuses_are_counted() {
    let bench = Bench::new().await;
    let delta = bench.sim.add_ssh_host("delta", "right");
    let key = bench.sim.key(&delta.name);
    let unconfirmed = HostCredentials { fingerprint: None, ..HostCredentials::typed("right", key.clone()) };
    let Transport::Ssh(ssh) = delta.transport.clone() else { panic!("it is ssh") };
    let by_key = Transport::Ssh(crate::Ssh { login: crate::SshLogin::AccountKeys, ..ssh });
    let by_key = HostConfig { transport: by_key, ..delta.clone() };
    let confirmed = HostCredentials { password: None, ..HostCredentials::typed("", key.clone()) };
    for _ in 0..5 {
        let unknown = bench.engine.test_host(&delta, &unconfirmed).await.unwrap_err();
        assert_eq!(unknown.code(), Code::HostKeyUnknown);
    }
    for _ in 0..5 {
        let refused = bench.engine.test_host(&by_key, &confirmed).await.unwrap_err();
        assert_eq!(refused.code(), Code::LoginRefused, "keys are not passwords");
    }
    bench.engine.test_host(&delta, &HostCredentials::typed("right", key)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_kept_password_connects_again_until_the_console_is_restarted() {
    let mut delta = Delta::new(true).await;
    sleep(MINUTES).await;
    delta.drop_connection().await;
    delta.bench.until(|_| delta.problem().is_none()).await;
    delta.bench.restart().await;
    delta.until_problem(Code::NeedsLogin).await;
    sleep(MINUTES).await;
    assert_eq!(delta.attempts(), 2, "without a password it is not tried");
    let Transport::Ssh(ssh) = &delta.bench.engine.registered()[2].0.transport else { panic!("it is ssh") };
    assert_eq!(ssh.login, crate::SshLogin::Password(None));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_not_kept_ends_after_ten_minutes() {
    let delta = Delta::new(false).await;
    delta.drop_connection().await;
    delta.bench.until(|_| delta.problem().is_none()).await;
    delta.until_problem(Code::NeedsLogin).await;
    assert_eq!(delta.bench.sim.connections(&delta.config.name), 0);
    sleep(MINUTES).await;
    assert_eq!(delta.attempts(), 2);
    delta.log_in("right").await.unwrap();
    delta.until_problem(Code::NeedsLogin).await;
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_not_kept_lasts_as_long_as_a_migration() {
    let delta = Delta::new(false).await;
    let vm = delta.bench.vm("cache", VmState::Running, NEVER).await;
    let id = delta.bench.start(vm, "delta").await;
    sleep(MINUTES).await;
    assert_eq!(delta.problem(), None);
    delta.bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(delta.bench.ended(id).await.phase, Phase::Cancelled);
    delta.until_problem(Code::NeedsLogin).await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_key_waits_for_a_person_and_no_flag_overrides_it() {
    let delta = Delta::new(true).await;
    let name = &delta.config.name;
    delta.bench.sim.change_key(name);
    delta.drop_connection().await;
    delta.until_problem(Code::HostKeyChanged).await;
    sleep(MINUTES).await;
    assert_eq!((delta.attempts(), delta.problem()), (1, Some(Code::HostKeyChanged)));
    let confirmed = HostCredentials::typed("right", delta.bench.sim.key(name));
    let refused = delta.bench.engine.log_in(name, confirmed).await.unwrap_err();
    assert_eq!((refused.code(), delta.attempts()), (Code::HostKeyChanged, 1));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_may_use_libvirt_again_is_noticed() {
    let delta = Delta::new(true).await;
    delta.bench.sim.permit(&delta.config.name, false);
    delta.drop_connection().await;
    delta.until_problem(Code::NotPermitted).await;
    sleep(MINUTES).await;
    assert!(delta.attempts() < 20, "it is not tried every few seconds");
    delta.bench.sim.permit(&delta.config.name, true);
    delta.bench.until(|_| delta.problem().is_none()).await;
}

/// What forgets passwords must not hang on a host that is watched: here none is.
#[tokio::test(start_paused = true)]
async fn a_password_is_forgotten_also_if_no_host_can_be_reached() {
    let mut bench = Bench::new().await;
    bench.hosts.clear();
    bench.restart().await;
    let config = bench.sim.add_ssh_host("delta", "right");
    let password = Secret::new("right".to_owned());
    let login =
        HostCredentials { password: Some(password.clone()), ..HostCredentials::typed("", bench.sim.key(&config.name)) };
    bench.engine.add_host(config.clone(), login).await.unwrap();
    bench.sim.change_key(&config.name);
    bench.sim.cut(&config.name);
    bench.until(|bench| bench.problem(&config.name).is_some()).await;
    bench.sim.mend(&config.name);
    bench.until(|bench| bench.problem(&config.name) == Some(Code::HostKeyChanged)).await;
    sleep(MINUTES).await;
    assert_eq!(password.holders(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_keeps_the_password_of_the_same_account_only() {
    let delta = Delta::new(true).await;
    let (engine, name) = (&delta.bench.engine, &delta.config.name);
    let faster = HostConfig { bandwidth_mib_s: Some(100), ..delta.config.clone() };
    engine.change_host(name, faster.clone(), HostCredentials::default()).await.unwrap();
    delta.drop_connection().await;
    delta.bench.until(|_| delta.problem().is_none()).await;
    let Transport::Ssh(ssh) = faster.transport.clone() else { panic!("it is ssh") };
    let other_account = crate::Ssh { user: "ada".parse().unwrap(), ..ssh };
    let other = HostConfig { transport: Transport::Ssh(other_account), ..faster };
    assert_eq!(engine.change_host(name, other, HostCredentials::default()).await.unwrap_err().code(), Code::NeedsLogin);
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_has_to_fit_the_host() {
    let delta = Delta::new(true).await;
    let password = HostCredentials { password: Some(Secret::new("right".to_owned())), ..HostCredentials::default() };
    let not_ssh = delta.bench.engine.log_in(&host("alpha"), password.clone()).await.unwrap_err();
    assert_eq!(not_ssh.code(), Code::InvalidInput);
    let other_user = HostCredentials { user: Some("ada".parse().unwrap()), ..password };
    let two_users = delta.bench.engine.test_host(&delta.config, &other_user).await.unwrap_err();
    assert_eq!(two_users.code(), Code::InvalidInput);
    delta.bench.engine.log_in(&host("alpha"), HostCredentials::default()).await.expect("it is tried once more");
}
