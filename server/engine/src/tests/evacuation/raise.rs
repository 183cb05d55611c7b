//! What others leave of the links goes to the moves that are under way still.

use model::{Acted, Steering};

use super::*;

/// alpha's link carries one and a half of what one migration from there may use.
async fn narrow() -> Bench {
    let sim = Sim::new();
    let mut hosts: Vec<HostConfig> = ["alpha", "beta", "gamma"].map(|name| sim.add_host(name)).into();
    (hosts[0].bandwidth_mib_s, hosts[0].budget.outgoing_mib_s) = (Some(32), Some(48));
    let store = Arc::new(MemoryStore::default());
    let engine = Bench::console(&sim, &store, &hosts).await;
    Bench { sim, store, hosts, engine }
}

/// Two that each have half of the link; the small one is over first.
async fn two(bench: &Bench) -> [VmId; 2] {
    let load = |mib: u64| Load { memory_bytes: mib * MIB, dirty_bytes_s: 0 };
    [bench.vm("large", VmState::Running, load(600)).await, bench.vm("small", VmState::Running, load(200)).await]
}

impl Bench {
    /// The limits that a VM's migration was told, with who told them, in MiB/s; the first is that which it began with.
    async fn limits(&self, vm: VmId) -> Vec<(u32, Option<String>)> {
        let filter = MigrationFilter { vm: Some(vm), ..MigrationFilter::newest(1) };
        let migration = self.engine.migrations(&filter).await.unwrap().remove(0);
        let told = migration.acts.into_iter().filter_map(|act| match act.what {
            Acted::Bandwidth { mib_s } => Some((mib_s, act.by)),
            _ => None,
        });
        migration.options.bandwidth_mib_s.map(|mib_s| (mib_s, None)).into_iter().chain(told).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_link_goes_to_what_moves_still() {
    let bench = narrow().await;
    let [large, small] = two(&bench).await;
    let id = bench.empty("alpha").await;
    let end = bench.until_settled(id).await;
    assert!(has_moved(&end, large) && has_moved(&end, small), "{end:#?}");
    assert_eq!(bench.limits(small).await, [(24, None)]);
    assert_eq!(bench.limits(large).await, [(24, None), (32, None)]);
    let migration = match state(&end, large) {
        ItemState::Moved { migration } => migration.unwrap(),
        state => panic!("{state:?}"),
    };
    let told = bench.history(migration).await;
    assert_eq!(told.iter().filter(|text| text.contains("MiB/s from now on")).count(), 1, "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_a_person_has_set_is_left_alone() {
    let bench = narrow().await;
    let [large, small] = two(&bench).await;
    let id = bench.empty("alpha").await;
    let limited = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = bench.evacuation(id).await;
            let ItemState::Moving { migration } = *state(&now, large) else { continue };
            if bench.engine.steer(migration, Steering::Bandwidth { mib_s: 20 }, "ada").await.is_ok() {
                return;
            }
        }
    };
    limited.await;
    let end = bench.until_settled(id).await;
    assert!(has_moved(&end, large) && has_moved(&end, small), "{end:#?}");
    assert_eq!(bench.limits(large).await, [(24, None), (20, Some("ada".to_owned()))]);
}
