//! Preflight and truth agree: obstacles of all kinds are made for real, the preflight looks at each, and the migration is
//! started anyway.

mod bed;
mod demo_obstacles;
mod disks;
mod guest;
#[path = "../lab/mod.rs"]
mod lab;
mod lab_obstacles;
mod obstacle;
mod simulated;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod trial;

use bed::{Bed, Machine};
use lab::{Place, World};
use model::Severity;
use support::Demo;
use table::Row;

/// The demo's network is 127.0.36.0.
const NETWORK: u8 = 36;
/// At least so many different obstacles (not counting VMs that nothing is in the way of) have to be made for real where there can be a lab.
const FOR_REAL: usize = 25;

#[tokio::test(flavor = "multi_thread")]
async fn preflight_and_truth_agree() {
    let world = match World::enter("preflight_and_truth_agree") {
        Place::Inside(world) => Some(world),
        Place::Done => return,
        Place::Impossible => None,
    };
    let has_lab = world.is_some();
    let demo = tokio::spawn(on_the_demo());
    let lab = tokio::spawn(in_the_lab(world));
    let (demo, lab) = (demo.await.expect("it ends"), lab.await.expect("it ends"));
    let simulated = simulated::try_all().await;
    let real = [demo, lab].concat();
    table::print("Made for real", &real);
    table::print("Simulated", &simulated);
    let obstacles = real.iter().filter(|row| row.severity != Severity::Ok).count();
    assert!(obstacles >= FOR_REAL || !has_lab, "there are too few: {obstacles}");
    assert_eq!(table::disagreements(&[real, simulated].concat()), "");
}

async fn on_the_demo() -> Vec<Row> {
    let demo = Demo::start(NETWORK);
    // They keep the processor busy, and are not needed.
    for busy in ["db", "cache"] {
        demo.virsh_succeeds("alpha", &["destroy", busy]);
    }
    let [source, destination] = ["alpha", "beta"].map(|name| Machine::of_demo(&demo, name));
    let bed = Bed { source, destination, shared: demo.dir().join("shared"), dir: demo.dir().to_owned() };
    trial::try_all(&bed, &demo_obstacles::all()).await
}

/// Nothing where there can be no lab.
async fn in_the_lab(world: Option<World>) -> Vec<Row> {
    let Some(world) = world else { return Vec::new() };
    let lab = world.start().await;
    let bed = |source, destination| Bed {
        source: Machine::of_lab(source),
        destination: Machine::of_lab(destination),
        shared: world.shared(),
        dir: world.shared(),
    };
    let between_equals = trial::try_all(&bed(&lab.red, &lab.blue), &lab_obstacles::between_equals()).await;
    let Some(old) = &world.start_older().await else { return between_equals };
    let to_older = trial::try_all(&bed(&lab.red, old), &lab_obstacles::to_older()).await;
    let from_older = trial::try_all(&bed(old, &lab.red), &lab_obstacles::from_older()).await;
    [between_equals, to_older, from_older].concat()
}
