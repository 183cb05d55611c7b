//! How far it is, and how much longer it takes.

use super::{random::Dice, *};

/// When an evacuation was looked at, what its bar was, and what it said was left: in ms.
type Looked = (u64, f64, u64);

async fn looked_at(seed: u64) -> (u64, Vec<Looked>) {
    let mut dice = Dice(seed);
    let bench = Bench::new().await;
    for number in 0..12 {
        let dirty_bytes_s = if dice.one_in(2) { dice.roll(10) * MIB } else { 0 };
        let load = Load { memory_bytes: (32 + dice.roll(480)) * MIB, dirty_bytes_s };
        bench.vm(&format!("vm-{number}"), VmState::Running, load).await;
    }
    let id = bench.empty("alpha").await;
    let begun = tokio::time::Instant::now();
    let elapsed = || u64::try_from(begun.elapsed().as_millis()).unwrap();
    let mut looked = Vec::new();
    loop {
        let now = bench.evacuation(id).await;
        if now.state.has_ended() {
            return (elapsed(), looked);
        }
        looked.extend(now.left_ms.map(|left_ms| (elapsed(), now.fraction, left_ms)));
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// How far the estimate was off after the first fifth, as a part of what it took.
fn off((total, looked): &(u64, Vec<Looked>)) -> f64 {
    let (at, _, left) = looked.iter().find(|(at, ..)| at * 5 >= *total).expect("it was looked at often");
    (*at as f64 + *left as f64 - *total as f64).abs() / *total as f64
}

#[tokio::test(start_paused = true)]
async fn after_a_fifth_it_is_known_how_long_it_takes() {
    let mut runs = Vec::new();
    for seed in 0..20 {
        runs.push(looked_at(seed).await);
    }
    for (_, looked) in &runs {
        assert!(looked.is_sorted_by(|one, next| one.1 <= next.1), "the bar went back: {looked:?}");
    }
    let mut offs: Vec<f64> = runs.iter().map(off).collect();
    offs.sort_by(f64::total_cmp);
    let median = offs[offs.len() / 2];
    assert!(median <= 0.15, "off by {median:.3} at the median: {offs:.2?}");
}
