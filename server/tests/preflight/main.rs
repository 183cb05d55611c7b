//! Preflight and truth agree: obstacles of all kinds are made for real, a preflight is run, and the migration is started regardless
//! of its report.

mod demo_obstacles;
mod disks;
mod guest;
#[path = "../lab/mod.rs"]
mod lab;
mod lab_obstacles;
mod obstacle;
mod off_obstacles;
mod simulated;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod testbed;
mod trial;

use lab::{Entry, Sandbox};
use model::Severity;
use support::Demo;
use table::Row;
use testbed::{Machine, TestBed};

/// The demo's network is 127.0.36.0.
const NETWORK: u8 = 36;
/// The least number of real obstacles, not counting VMs without one, where there can be a lab.
const MIN_OBSTACLES: usize = 75;

#[tokio::test(flavor = "multi_thread")]
async fn preflight_and_truth_agree() {
    let sandbox = match Sandbox::enter("preflight_and_truth_agree") {
        Entry::Inside(sandbox) => Some(sandbox),
        Entry::Done => return,
        Entry::Impossible => None,
    };
    let has_lab = sandbox.is_some();
    let demo = tokio::spawn(on_the_demo());
    let lab = tokio::spawn(in_the_lab(sandbox));
    let (demo, lab) = (demo.await.expect("it ends"), lab.await.expect("it ends"));
    let simulated = simulated::try_all().await;
    let real = [demo, lab].concat();
    table::print("Made for real", &real);
    table::print("Simulated", &simulated);
    let obstacles = real.iter().filter(|row| row.severity != Severity::Ok).count();
    assert!(obstacles >= MIN_OBSTACLES || !has_lab, "there are too few: {obstacles}");
    assert_eq!(table::disagreements(&[real, simulated].concat()), "");
}

async fn on_the_demo() -> Vec<Row> {
    let demo = Demo::start(NETWORK);
    // They are not needed, and keep the processor busy.
    for busy in ["db", "cache"] {
        demo.virsh_succeeds("alpha", &["destroy", busy]);
    }
    let [source, destination] = ["alpha", "beta"].map(|name| Machine::of_demo(&demo, name));
    let bed = TestBed { source, destination, shared: demo.dir().join("shared"), dir: demo.dir().to_owned() };
    let obstacles = [demo_obstacles::all(), off_obstacles::all()].into_iter().flatten().collect::<Vec<_>>();
    trial::try_all(&bed, &obstacles).await
}

/// No rows where there can be no lab.
async fn in_the_lab(sandbox: Option<Sandbox>) -> Vec<Row> {
    let Some(sandbox) = sandbox else { return Vec::new() };
    let lab = sandbox.start().await;
    let bed = |source, destination| TestBed {
        source: Machine::of_lab(source),
        destination: Machine::of_lab(destination),
        shared: sandbox.shared(),
        dir: sandbox.shared(),
    };
    let between_equals = trial::try_all(&bed(&lab.red, &lab.blue), &lab_obstacles::between_equals()).await;
    let Some(old) = &sandbox.start_older().await else { return between_equals };
    let to_older = trial::try_all(&bed(&lab.red, old), &lab_obstacles::to_older()).await;
    let from_older = trial::try_all(&bed(old, &lab.red), &lab_obstacles::from_older()).await;
    [between_equals, to_older, from_older].concat()
}
