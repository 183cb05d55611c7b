//! Many evacuations with deaths, refusals and newcomers at random moments: no VM is stopped, lost or doubled, each ends where it
//! should or waits for a person with a reason, and those that can come home do.

use std::env;

use model::{EvacuationCommand, EvacuationState};

use super::*;
use crate::testing::Fault;

/// How many are tried; `EVACUATIONS=1000` tries more.
const USUAL: u64 = 40;

/// A generator that is the same everywhere (splitmix64, public domain).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    pub(super) fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

/// What may go wrong with a move so that the VM survives it.
fn fault(dice: &mut Dice) -> Fault {
    match dice.roll(6) {
        0 => Fault::ResultLost,
        1 => Fault::FalseSuccess,
        2 => Fault::Panics,
        3 => Fault::LeftReceiving,
        4 => Fault::TakenForALogin,
        _ => Fault::Refused("operation failed (simulated)".into()),
    }
}

struct World {
    bench: Bench,
    dice: Dice,
    vms: Vec<VmId>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let bench = Bench::new().await;
        let mut vms = Vec::new();
        for number in 0..3 + dice.roll(8) {
            let load = Load {
                memory_bytes: (16 + dice.roll(240)) * MIB,
                dirty_bytes_s: if dice.one_in(3) { dice.roll(12) * MIB } else { 0 },
            };
            vms.push(bench.vm(&format!("vm-{number}"), VmState::Running, load).await);
        }
        for vm in &vms {
            if dice.one_in(3) {
                bench.sim.fail_next(*vm, fault(&mut dice));
            } else if dice.one_in(12) {
                bench.sim.fail_always(*vm, Some(Fault::Refused("never (simulated)".into())));
            }
        }
        Self { bench, dice, vms }
    }

    /// Lets things happen while an evacuation goes on.
    async fn disturb(&mut self) {
        for _ in 0..1 + self.dice.roll(4) {
            tokio::time::sleep(Duration::from_millis(200 + self.dice.roll(15_000))).await;
            match self.dice.roll(4) {
                0 => self.bench.restart().await,
                1 => {
                    let name = ["alpha", "beta", "gamma"][self.dice.roll(3) as usize];
                    self.bench.sim.kill(&host(name));
                    tokio::time::sleep(Duration::from_millis(500 + self.dice.roll(20_000))).await;
                    self.bench.sim.revive(&host(name));
                }
                2 => {
                    let name = ["alpha", "beta", "gamma"][self.dice.roll(3) as usize];
                    self.bench.sim.cut(&host(name));
                    tokio::time::sleep(Duration::from_millis(500 + self.dice.roll(20_000))).await;
                    self.bench.sim.mend(&host(name));
                }
                _ => {
                    let load = Load { memory_bytes: 32 * MIB, dirty_bytes_s: 0 };
                    let name = format!("late-{}", self.vms.len());
                    self.vms.push(self.bench.sim.add_vm(&host("alpha"), &name, VmState::Running, load));
                }
            }
        }
    }

    /// A person has another look at all that waits for one, until nothing changes any more.
    async fn until_settled(&mut self, id: EvacuationId) -> Evacuation {
        self.bench.until(|bench| bench.engine.snapshot(None).hosts.iter().all(model::Host::is_connected)).await;
        let mut settled = self.bench.until_settled(id).await;
        for _ in 0..4 {
            let stuck: Vec<VmId> = settled
                .items
                .iter()
                .filter(|item| matches!(item.state, ItemState::WaitsForPerson { .. }))
                .map(|item| item.vm)
                .collect();
            for vm in stuck {
                // It may have been helped by itself meanwhile.
                let _ = self.bench.engine.tell_evacuation(id, EvacuationCommand::Retry(vm), "ada").await;
            }
            settled = self.bench.until_settled(id).await;
        }
        settled
    }

    fn assert_safe(&self, seed: u64) {
        for vm in &self.vms {
            let at = self.bench.sim.runs_on(*vm);
            assert_eq!(at.len(), 1, "seed {seed}: {vm} runs on {at:?}");
        }
    }
}

async fn one(seed: u64) {
    let mut world = World::new(seed).await;
    let id = world.bench.empty("alpha").await;
    world.disturb().await;
    let end = world.until_settled(id).await;
    world.assert_safe(seed);
    for vm in &world.vms {
        let at = world.bench.sim.runs_on(*vm).remove(0);
        match &end.item(*vm).map(|item| &item.state) {
            Some(ItemState::Moved { .. }) => assert_ne!(at, host("alpha"), "seed {seed}"),
            Some(ItemState::WaitsForPerson { problem }) => assert!(!problem.sentence.is_empty(), "seed {seed}"),
            // It came once all others had left.
            None if end.state == EvacuationState::Done => assert_eq!(at, host("alpha"), "seed {seed}"),
            other => {
                let filter = MigrationFilter { vm: Some(*vm), ..MigrationFilter::newest(9) };
                let moves = world.bench.engine.migrations(&filter).await.unwrap();
                let mut histories = Vec::new();
                for one in &moves {
                    histories.push(world.bench.history(one.id).await);
                }
                let told = world.bench.was_told(id).await;
                panic!("seed {seed}: {vm} on {at} is {other:?}: {told:#?} {histories:#?}")
            }
        }
    }
    if !end.state.has_ended() {
        world.bench.engine.tell_evacuation(id, EvacuationCommand::Stop { cancel: false }, "ada").await.unwrap();
    }
    let end = world.bench.until_evacuation(id, |now| now.state.has_ended()).await;
    come_home(&mut world, seed, &end).await;
}

async fn come_home(world: &mut World, seed: u64, end: &Evacuation) {
    let plan = world.bench.engine.plan(PlanRequest::plain(Subject::Home(end.id))).await.unwrap();
    if plan.moves.is_empty() {
        return;
    }
    let home = world.bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    if world.dice.one_in(2) {
        tokio::time::sleep(Duration::from_millis(world.dice.roll(5_000))).await;
        world.bench.restart().await;
    }
    let back = world.until_settled(home).await;
    world.assert_safe(seed);
    for planned in &plan.moves {
        let at = world.bench.sim.runs_on(planned.vm).remove(0);
        assert_eq!(at, host("alpha"), "seed {seed}: {} is not home: {back:#?}", planned.vm_name);
    }
    assert_eq!(back.state, EvacuationState::Done, "seed {seed}");
}

#[tokio::test(start_paused = true)]
async fn evacuations_survive_whatever_happens() {
    let count = env::var("EVACUATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(USUAL);
    let first = env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    for seed in first..first + count {
        one(seed).await;
    }
}
