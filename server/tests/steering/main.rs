//! What a running migration can be told, on real libvirt and QEMU: a guest that writes faster than the limit lets pre-copy send is slowed,
//! paused for longer, given more bandwidth, paused until the end, or continues at the destination first. Each move ends, and virsh says
//! that exactly one copy runs.

#[path = "../lab/mod.rs"]
mod lab;
#[path = "../support/mod.rs"]
mod support;

mod console;
mod guest;
mod site;

use engine::{HostErrorKind, MigrationPlan, NotMigrated, StateReason, Throttle, Tuning};
use model::{Acted, ControlFlow, MigrationId, Step};

use console::Console;
use guest::NAME;
use site::{LIMIT_MIB_S, Moving, Site};

/// More than the limit, and than the guest writes.
const PLENTY_MIB_S: u32 = 1_000;

/// All in one sandbox, which takes a while to make.
#[tokio::test]
async fn a_guest_that_never_converges_ends_as_it_is_told_to() {
    let Some(mut site) = Site::enter("a_guest_that_never_converges_ends_as_it_is_told_to").await else { return };
    paused_for_longer(&mut site).await;
    given_more_bandwidth(&mut site).await;
    paused_until_the_end(&mut site).await;
    slowed(&mut site).await;
    told_what_the_link_carries(&mut site).await;
    over_several_connections(&mut site, false).await;
    over_several_connections(&mut site, true).await;
    refused(&mut site).await;
    continued_at_the_destination(&mut site, ControlFlow::PeerToPeer).await;
    continued_at_the_destination(&mut site, ControlFlow::Direct).await;
    broken_off(&mut site).await;
}

/// libvirt 11.2 and 11.3 die of a recovery at the destination, so with an older one.
#[tokio::test]
async fn a_post_copy_that_broke_off_is_recovered() {
    let Some(mut site) = Site::enter_older("a_post_copy_that_broke_off_is_recovered").await else { return };
    let none = site.recover().await.ended().await.expect_err("nothing broke off");
    assert_eq!(none.error().kind, HostErrorKind::WrongState, "{none:?}");
    broken_off(&mut site).await;
    site.recovers().await;
}

/// The same by the console, of a link that was cut for so long that QEMU gave up: both halves stay, also for the next console, and the step
/// that is offered leaves exactly one copy.
#[tokio::test]
async fn the_console_recovers_a_post_copy_that_broke_off() {
    let Some(mut site) = Site::enter_older("the_console_recovers_a_post_copy_that_broke_off").await else { return };
    let console = Console::start(&site).await;
    let id = cut_off(&site, &console).await;
    // TCP would make it notice after a quarter of an hour.
    site.virsh_here(&["domjobabort", NAME, "--postcopy"]);
    site.mend_link();
    let [here, _] = site.configs().map(|host| host.name);
    let step = Step::Recover { host: here };
    console.until_offered(id, &step).await;
    site.assert_states(["paused (post-copy failed)", "running (post-copy failed)"]);
    let console = console.restart(&site).await;
    console.recovers(id, &step).await;
    site.has_moved().await;
    let (record, history) = console.told(id).await;
    assert!(record.acts.iter().any(|act| act.what == Acted::Recovered), "{history:?}");
    assert!(history.iter().any(|text| text.contains("ada chose: Recover the migration")), "{history:?}");
}

/// While the link between the hosts is cut, both halves stay. libvirt at the destination does not notice, and the rest follows by itself
/// once packets pass again.
#[tokio::test]
async fn a_link_that_is_cut_in_post_copy_loses_nothing() {
    let Some(mut site) = Site::enter_older("a_link_that_is_cut_in_post_copy_loses_nothing").await else { return };
    let console = Console::start(&site).await;
    let id = cut_off(&site, &console).await;
    site.mend_link();
    console.until_succeeded(id).await;
    site.has_moved().await;
}

/// A migration of the console's that needs attention, as the link was cut once the VM ran at the destination.
async fn cut_off(site: &Site, console: &Console) -> MigrationId {
    let [_, there] = site.configs().map(|host| host.name);
    let id = console.begin_post_copy(there).await;
    site.cut_link();
    let record = console.until_attention(id).await;
    let fix = record.problem.and_then(|problem| problem.fix).expect("it says what to do");
    assert!(fix.contains("Neither copy may be destroyed") && fix.contains("follows by itself"), "{fix}");
    assert_eq!(record.step, None, "the destination has not noticed, and would refuse");
    site.assert_states(["paused (post-copy failed)", "running (post-copy)"]);
    id
}

async fn paused_for_longer(site: &mut Site) {
    let moving = site.begin(|_| {}).await;
    moving.until_second_pass().await;
    moving.tune(Tuning::PauseLimit { ms: 30_000 }).await.expect("it runs");
    site.arrives("a longer pause", moving).await;
}

async fn given_more_bandwidth(site: &mut Site) {
    let moving = site.begin(|_| {}).await;
    moving.until_second_pass().await;
    moving.tune(Tuning::Bandwidth { mib_s: PLENTY_MIB_S }).await.expect("it runs");
    site.arrives("more bandwidth", moving).await;
}

/// Without a limit, which QEMU would not observe.
async fn over_several_connections(site: &mut Site, compress: bool) {
    let several = |plan: &mut MigrationPlan| {
        (plan.bandwidth_mib_s, plan.connections, plan.compress) = (None, Some(3), compress);
    };
    let moving = site.begin(several).await;
    site.arrives(if compress { "several connections, compressed" } else { "several connections" }, moving).await;
}

async fn paused_until_the_end(site: &mut Site) {
    let moving = site.begin(|_| {}).await;
    moving.until_second_pass().await;
    moving.tune(Tuning::PauseGuest).await.expect("it runs");
    site.arrives("a paused guest", moving).await;
}

async fn slowed(site: &mut Site) {
    // Emulated CPUs are much faster than this guest needs: less than this does not make it write less.
    let throttle = Some(Throttle { initial: 99, increment: 1 });
    let moving = site.begin(|plan| plan.throttle = throttle).await;
    moving.until("it is slowed", |figures| figures.throttle_percent == 99).await;
    site.arrives("a slowed guest", moving).await;
}

/// QEMU sends what is left without the limit, and so may begin at once.
async fn told_what_the_link_carries(site: &mut Site) {
    let moving = site.begin(|plan| plan.switchover_mib_s = Some(PLENTY_MIB_S)).await;
    site.arrives("a known link", moving).await;
}

/// What can't be done is refused, and nothing of a migration that was cancelled stays behind.
async fn refused(site: &mut Site) {
    let moving = site.begin(|_| {}).await;
    moving.until_second_pass().await;
    let refusal = moving.tune(Tuning::PostCopy).await.expect_err("it was not prepared for that");
    assert_eq!(refusal.kind, HostErrorKind::NotSupported, "{refusal:?}");
    moving.tune(Tuning::Bandwidth { mib_s: LIMIT_MIB_S + 1 }).await.expect("it runs");
    moving.cancel().await;
    let ended = moving.ended().await.expect_err("it was cancelled");
    assert_eq!(ended.error().kind, HostErrorKind::Cancelled, "{ended:?}");
    assert_eq!(site.kept_limit(), site.limit_at_first(), "the limit was this migration's only");
    site.assert_only_here().await;

    for tuning in [Tuning::Bandwidth { mib_s: 1 }, Tuning::PauseLimit { ms: 1 }, Tuning::PostCopy, Tuning::PauseGuest] {
        let refusal = site.here().tune(site.vm(), tuning).await.expect_err("it is not sent");
        assert_eq!(refusal.kind, HostErrorKind::WrongState, "{refusal:?}");
    }
    assert_eq!(site.kept_limit(), site.limit_at_first());
    site.assert_only_here().await;

    site.virsh_here(&["suspend", NAME]);
    let paused =
        site.begin(|plan| plan.post_copy = true).await.ended().await.expect_err("a paused guest has no post-copy");
    assert!(matches!(&paused, NotMigrated::NotBegun(why) if why.kind == HostErrorKind::NoPostCopy), "{paused:?}");
    site.virsh_here(&["resume", NAME]);
    site.assert_only_here().await;
}

async fn continued_at_the_destination(site: &mut Site, control_flow: ControlFlow) {
    let moving = begin_post_copy(site, |plan| plan.control_flow = control_flow).await;
    let refusal = moving.tune(Tuning::PauseLimit { ms: 500 }).await.expect_err("it runs there");
    assert_eq!(refusal.kind, HostErrorKind::WrongState, "{refusal:?}");
    moving.tune(Tuning::Bandwidth { mib_s: PLENTY_MIB_S }).await.expect("that can be changed");
    site.arrives("post-copy", moving).await;
}

/// What is left at the source when the data breaks off while the VM runs at the destination: two halves, and libvirt's calls must not
/// make the console wait for either.
async fn broken_off(site: &mut Site) {
    let moving = begin_post_copy(site, |_| {}).await;
    moving.until_interrupts_work_there().await;
    site.virsh_here(&["domjobabort", NAME, "--postcopy"]);
    let broken = moving.ended().await;
    assert!(matches!(&broken, Err(NotMigrated::Failed(_))), "{broken:?}");
    let [here, there] = site.copies().await;
    assert_eq!((here.reason, here.state), (StateReason::PostCopyFailed, model::VmState::Paused), "{here:?}");
    assert_eq!((there.reason, there.state), (StateReason::PostCopyFailed, model::VmState::Running), "{there:?}");
    assert!(!here.abandoned && !there.incoming, "{here:?} {there:?}");
    let refusal = site.here().tune(site.vm(), Tuning::Bandwidth { mib_s: 1 }).await.expect_err("it broke off");
    assert_eq!(refusal.kind, HostErrorKind::WrongState, "{refusal:?}");
}

/// A migration that has switched to post-copy, and is slow enough to be looked at.
async fn begin_post_copy(site: &mut Site, change: impl FnOnce(&mut MigrationPlan)) -> Moving {
    let moving = site
        .begin(|plan| {
            plan.post_copy = true;
            change(plan);
        })
        .await;
    moving.until_second_pass().await;
    moving.tune(Tuning::Bandwidth { mib_s: 1 }).await.expect("it runs");
    moving.tune(Tuning::PostCopy).await.expect("it was prepared for that");
    site.until_it_runs_there().await;
    let [here, there] = site.copies().await;
    assert_eq!((here.reason, there.reason), (StateReason::PostCopy, StateReason::PostCopy));
    assert!(!here.abandoned && !there.incoming && there.disks.is_none(), "{here:?} {there:?}");
    moving
}
