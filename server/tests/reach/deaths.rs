//! The console is killed during a direct migration. At whatever moment, the VM runs on exactly one host once the console has been
//! started again, is not paused, and the console says what happened.

use std::{
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::{Migration, Phase};
use reqwest::StatusCode;
use serde_json::json;
use tokio::time::sleep;

use super::{
    guest::{NAME, until},
    lab::LabHost,
    site::{PASSWORD, Site, wants_login},
};

/// Slow enough for the guest's memory to take more than a second.
const SLOW_MIB_S: u32 = 24;
/// Slow enough to kill a process before all memory has arrived.
const SLOWER_MIB_S: u32 = 16;
/// In bytes: the message that makes the destination finish is longer than this, a keep-alive ping is shorter.
const LONGER_THAN_PINGS: u64 = 1_000;
/// The environment variable with the seed, to repeat random moments.
const SEED: &str = "VMFERRY_TEST_SEED";

#[tokio::test]
async fn a_vm_moved_to_a_registered_host_survives_the_death_of_the_console() {
    let test = "deaths::a_vm_moved_to_a_registered_host_survives_the_death_of_the_console";
    let Some(mut site) = Site::enter_with_blue(test).await else { return };
    for moment in moments(5) {
        site.survives(&Destination::Registered, moment).await;
    }
}

#[tokio::test]
async fn a_vm_moved_to_an_ad_hoc_destination_survives_the_death_of_the_console() {
    let test = "deaths::a_vm_moved_to_an_ad_hoc_destination_survives_the_death_of_the_console";
    let Some(mut site) = Site::enter(test).await else { return };
    for moment in moments(5) {
        site.survives(&Destination::Unregistered, moment).await;
    }
}

/// Where the VM is moved to.
enum Destination {
    Registered,
    Unregistered,
}

/// When the console is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// As soon as the migration was accepted.
    Accepted,
    /// As soon as the bar has reached this percentage, and then so many ms later.
    Percent(u32, u32),
    /// As soon as this phase is shown.
    SwitchingOver,
    /// When the source has sent all memory and paused the VM, before the destination is asked to run it.
    BeforeFinish,
    /// When it runs at the destination, before the source gets the confirmation.
    BeforeConfirm,
}

/// The moments that matter most, and random ones.
fn moments(random: usize) -> Vec<Moment> {
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").subsec_nanos().into()
    });
    println!("{SEED}={seed} repeats these moments");
    let mut state: u64 = seed;
    let mut below = |limit: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 33).expect("31 bits are left") % limit
    };
    let chosen = [Moment::Accepted, Moment::SwitchingOver, Moment::BeforeFinish, Moment::BeforeConfirm];
    let random = (0..random).map(|_| Moment::Percent(below(98), below(100)));
    chosen.into_iter().chain(random.collect::<Vec<_>>()).collect()
}

impl Moment {
    /// The migration's bandwidth limit.
    fn bandwidth_mib_s(self) -> u32 {
        match self {
            Self::Accepted | Self::Percent(..) | Self::SwitchingOver => SLOW_MIB_S,
            Self::BeforeFinish | Self::BeforeConfirm => SLOWER_MIB_S,
        }
    }
}

impl Site {
    /// Moves the VM, kills the console at this moment and starts it again. Fails unless the VM then runs on the host that the console
    /// names, and only there.
    async fn survives(&mut self, destination: &Destination, moment: Moment) {
        let task = self.begin(destination, moment.bandwidth_mib_s()).await;
        self.until_moment(&task, moment).await;
        self.kill_console();
        self.continue_destination();
        let left = [&self.lab.red, &self.lab.blue].map(|host| self.guest.state(host));

        self.start_console().await;
        if matches!(destination, Destination::Unregistered) {
            self.log_in_if_wanted(&task).await;
        }
        let ended = self.api.ended(&format!("/plugins/kimchi/tasks/{task}")).await;
        let (status, message) = (&ended["status"], &ended["message"]);
        println!("{moment:?}: left {left:?}; then {status}: {message}");
        let host = if status == "finished" { &self.lab.blue } else { &self.lab.red };
        assert!(status == "finished" || status == "failed", "{ended}");
        self.assert_only_on(host).await;
        self.reset().await;
    }

    /// Begins a direct migration; the id of its task.
    async fn begin(&self, destination: &Destination, bandwidth_mib_s: u32) -> String {
        let slowly = json!({"bandwidth_mib_s": bandwidth_mib_s});
        let (status, task) = match destination {
            Destination::Unregistered => self.migrate_with_password(slowly).await,
            Destination::Registered => {
                let request = json!({"destination": "blue", "way": "direct", "bandwidth_mib_s": bandwidth_mib_s});
                self.api.post(&format!("/plugins/kimchi/vms/{NAME}/migrate"), request).await
            }
        };
        assert_eq!(status, StatusCode::ACCEPTED, "{task}");
        task["id"].as_str().expect("a task has an id").to_owned()
    }

    /// Returns at the moment to kill the console.
    async fn until_moment(&self, task: &str, moment: Moment) {
        let mut stream = self.api.stream().await;
        // The migration may end before.
        let mut until_migration = async |reached: &dyn Fn(&Migration) -> bool| {
            let now = |migration: &Migration| {
                migration.id.to_string() == task && (migration.phase.has_ended() || reached(migration))
            };
            stream.until(|snapshot| snapshot.migrations.iter().any(now)).await;
        };
        match moment {
            Moment::Accepted => {}
            Moment::Percent(percent, more_ms) => {
                until_migration(&|migration| migration.progress.percent >= f64::from(percent)).await;
                sleep(Duration::from_millis(more_ms.into())).await;
            }
            Moment::SwitchingOver => until_migration(&|migration| migration.phase >= Phase::SwitchingOver).await,
            Moment::BeforeFinish => {
                until_migration(&|migration| migration.phase >= Phase::CopyingMemory).await;
                signal(self.console(), "-STOP");
                self.source_has_sent_all().await;
            }
            Moment::BeforeConfirm => {
                until_migration(&|migration| migration.phase >= Phase::CopyingMemory).await;
                self.lab.blue.signal_daemon("-STOP");
                let before = unread(&self.lab.blue);
                if !self.source_has_sent_all().await {
                    return;
                }
                // The console asks the stopped destination to finish, and is stopped before the answer.
                until("the destination is asked to finish", || unread(&self.lab.blue) > before + LONGER_THAN_PINGS)
                    .await;
                signal(self.console(), "-STOP");
                self.lab.blue.signal_daemon("-CONT");
                until("the VM runs at the destination", || {
                    self.guest.state(&self.lab.blue).as_deref() == Some("running")
                })
                .await;
            }
        }
    }

    /// Waits until the VM no longer runs at the source; whether it is paused there for the end of the migration.
    async fn source_has_sent_all(&self) -> bool {
        let state = || self.guest.state(&self.lab.red);
        until("the source has sent all", || state().as_deref() != Some("running")).await;
        state().as_deref() == Some("paused")
    }

    /// Continues the destination's daemon, which may be stopped.
    fn continue_destination(&self) {
        self.lab.blue.signal_daemon("-CONT");
    }

    /// Logs in at blue if the console needs that to find out what happened.
    async fn log_in_if_wanted(&self, task: &str) {
        let name = "192-0-2-3";
        let has_ended = |migration: &Migration| migration.id.to_string() == task && migration.phase.has_ended();
        let mut stream = self.api.stream().await;
        let mut wanted = false;
        stream
            .until(|now| {
                wanted = now.hosts.iter().any(|host| host.name.as_str() == name && wants_login(host));
                wanted || now.migrations.iter().any(has_ended)
            })
            .await;
        if wanted {
            let login = json!({"user": "root", "password": PASSWORD});
            let (status, answer) = self.api.post(&format!("/api/hosts/{name}/login"), login).await;
            assert!(status.is_success(), "{status} {answer}");
        }
    }
}

/// Bytes that have arrived for the host's libvirt daemon, by TCP or by its socket, and are not read yet.
fn unread(host: &LabHost) -> u64 {
    let sockets = host.run("ss", &["-H", "-n", "-t", "-x", "state", "established"]);
    let queue = |line: &str| line.split_whitespace().nth(1).and_then(|bytes| bytes.parse::<u64>().ok());
    let of_libvirt = |line: &&str| line.contains(":16509") || line.contains("libvirt-sock");
    sockets.lines().filter(of_libvirt).filter_map(queue).sum()
}

fn signal(process: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &process.to_string()]).status().expect("kill exists").success());
}
