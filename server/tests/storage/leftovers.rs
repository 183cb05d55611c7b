//! What a migration leaves on a host that freezes or dies, and that it is removed when the host answers.

use std::time::Duration;

use model::{Host, Phase};
use tokio::{
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::{
    DEMO,
    support::{Demo, LIMIT},
    vm::Vm,
};

/// MiB/s. There is time to freeze the destination during the copy.
const SLOWLY: u32 = 1;

/// A daemon that is frozen for longer than keep-alive lasts finds, when it goes on, that the source has given up. libvirt then keeps
/// the definition of the VM that was to arrive, shut off, about every second time.
#[tokio::test]
async fn a_destination_that_was_frozen_is_left_with_nothing() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let vm = Vm::start(&demo, "frost").await;
    stream.until_vm(vm.name, |found| found.state.is_active()).await;

    let task = vm.begin_copy(&api, &mut stream, SLOWLY).await;
    demo.signal_daemon("beta", "-STOP");
    stream.until_host("beta", |host| !host.is_connected()).await;
    eventually("the source gives up", || !migrates(&demo, "alpha", vm.name)).await;
    demo.signal_daemon("beta", "-CONT");
    stream.until_host("beta", Host::is_connected).await;
    let end = stream.until_migration(vm.name, |now| now.phase.has_ended() && now.leftovers.is_empty()).await;
    assert_eq!(end.phase, Phase::Failed, "{end:?}");
    assert_eq!(api.ended(&task).await["leftovers"].as_array(), None);
    vm.assert_nothing_on("beta");
    assert_eq!((demo.runs_on(vm.name), demo.defined_on(vm.name)), (vec!["alpha"], vec!["alpha"]));
    vm.console.until_two_more_passes().await;
    vm.stop("alpha");
}

/// Frozen just after the guest was paused, the destination's daemon keeps the definition before it hears that the source has given up.
#[tokio::test]
async fn a_destination_that_was_frozen_at_the_switch_over_keeps_no_definition() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let guest = "web";
    let mut paused = demo.event("alpha", guest);
    let task = api.migrate(guest, "beta").await;
    let seen = spawn_blocking(move || paused.next()).await.expect("it is read");
    demo.signal_daemon("beta", "-STOP");
    assert!(seen.is_some_and(|line| line.contains("Suspended")), "it was paused");
    stream.until_host("beta", |host| !host.is_connected()).await;
    eventually("the source gives up", || !migrates(&demo, "alpha", guest)).await;
    demo.signal_daemon("beta", "-CONT");
    let end = stream.until_migration(guest, |now| now.phase.has_ended() && now.leftovers.is_empty()).await;
    assert_eq!(demo.runs_on(guest).len(), 1, "{end:?}");
    assert_eq!(demo.defined_on(guest), demo.runs_on(guest), "{end:?}");
    assert_eq!(api.ended(&task).await["leftovers"].as_array(), None);
}

/// Whether libvirt on a host is migrating the VM away.
fn migrates(demo: &Demo, host: &str, vm: &str) -> bool {
    demo.virsh(host, &["domjobinfo", vm]).contains("Outgoing migration")
}

async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(LIMIT, waiting).await.expect(what);
}
