//! How long an idle VM takes to move, from the POST until the console says that it has finished. virsh moves the same VM between the
//! same hosts in turn with the console: the ratio says what the console adds, on whatever machine.
//!
//! `cargo bench --package vmferry --bench migration -- 20` makes 20 moves of each kind.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use model::{Phase, VmState};
use support::{Api, Demo, Stream};

/// The demo's hosts are 127.0.38.2 to .4.
const NETWORK: u8 = 38;
/// Moves of each kind, unless the command line says how many.
const MOVES: usize = 20;
const VM: &str = "web";
/// The bandwidth limit of the demo's hosts, in MiB/s. The console observes it, so virsh gets it, too.
const BANDWIDTH_MIB_S: &str = "32";

#[tokio::main]
async fn main() {
    let moves = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(MOVES);
    let mut bench = Bench::start().await;
    let (mut console, mut virsh) = (Vec::new(), Vec::new());
    for _ in 0..=moves.div_ceil(2) {
        for (from, to) in [("alpha", "beta"), ("beta", "alpha")] {
            console.push(bench.move_by_console(from, to).await);
        }
        for (from, to) in [("alpha", "beta"), ("beta", "alpha")] {
            virsh.push(bench.move_by_virsh(from, to).await);
        }
    }
    // The first two of each do not count: each daemon then starts QEMU once to probe its capabilities.
    let (console, virsh) = (Figures::of(console.split_off(2)), Figures::of(virsh.split_off(2)));
    println!("POST to finished: {console}");
    println!("virsh migrate --live --p2p: {virsh}");
    println!("ratio of the medians: {:.3}", console.median.as_secs_f64() / virsh.median.as_secs_f64());
}

/// A demo whose idle VM is moved.
struct Bench {
    demo: Demo,
    api: Api,
    stream: Stream,
}

impl Bench {
    async fn start() -> Self {
        let demo = Demo::start(NETWORK);
        let api = demo.login().await;
        let stream = api.stream().await;
        let mut bench = Self { demo, api, stream };
        bench.until_known("alpha").await;
        bench
    }

    /// From the POST until the update that tells a page that the migration has succeeded.
    async fn move_by_console(&mut self, from: &str, to: &str) -> Duration {
        let begun = Instant::now();
        let task = self.api.migrate(VM, to).await;
        let id = task.rsplit('/').next().expect("a task has an address");
        let has_ended = |state: &model::Migration| state.id.to_string() == id && state.phase.has_ended();
        let end = self.stream.until_migration(VM, has_ended).await;
        let took = begun.elapsed();
        assert_eq!(end.phase, Phase::Succeeded, "from {from} to {to}");
        self.until_known(to).await;
        took
    }

    /// From the start of virsh to its end, with the flags that the console uses.
    async fn move_by_virsh(&mut self, from: &str, to: &str) -> Duration {
        let address = self.demo.address(to);
        let (destination, data) = (format!("qemu+tcp://{address}/session"), format!("tcp://{address}"));
        let flags = ["--live", "--p2p", "--persistent", "--undefinesource", "--bandwidth", BANDWIDTH_MIB_S];
        let arguments = [&["migrate"][..], &flags, &[VM, &destination, &data]].concat();
        let begun = Instant::now();
        self.demo.virsh_succeeds(from, &arguments);
        let took = begun.elapsed();
        self.until_known(to).await;
        took
    }

    /// Waits until the console has seen the VM run on a host.
    async fn until_known(&mut self, host: &str) {
        self.stream.until_vm(VM, |vm| vm.host.as_str() == host && vm.state == VmState::Running).await;
    }
}

/// The figures that are printed of many durations.
struct Figures {
    median: Duration,
    min: Duration,
    max: Duration,
    count: usize,
}

impl Figures {
    /// The figures of at least one duration.
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let count = times.len();
        Self { median: times[count / 2], min: times[0], max: times[count - 1], count }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median, min, max, count } = self;
        let [median, min, max] = [median, min, max].map(Duration::as_millis);
        write!(f, "median {median} ms, min {min} ms, max {max} ms ({count} moves)")
    }
}
