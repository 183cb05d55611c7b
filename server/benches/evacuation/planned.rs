//! The host is emptied by a plan of the console.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use model::Evacuation;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use crate::{
    bed::Bed,
    report::{Estimate, Outcome},
};

/// How often the console is asked how far it is.
const LOOK: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(900);
/// The first fifth: from then on the estimate is judged.
const FIFTH: f64 = 0.2;

/// Empties the host; the time is from the POST that starts the plan until the console says that all have moved.
pub(crate) async fn empty(bed: &Bed) -> Outcome {
    measure(bed).await;
    let subject = json!({ "subject": { "hosts": [bed.hosts[0].name] } });
    let (status, plan) = bed.api.post("/api/evacuations/plans", subject).await;
    assert_eq!(status, StatusCode::CREATED, "{plan:#}");
    let begun = Instant::now();
    let (status, started) = bed.api.post("/api/evacuations", json!({ "plan": plan["id"] })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{started:#}");
    let path = format!("/api/evacuations/{}", started["id"].as_str().expect("it has an id"));
    let (estimate, evacuation) = timeout(LIMIT, follow(bed, &path, begun)).await.expect("it ends");
    let total = begun.elapsed();
    assert_eq!(bed.count_moved(), bed.guests.len());
    let longest_pause_ms = longest_pause(bed, &evacuation).await;
    let ended = json!({ "command": "end" });
    let path = format!("/api/hosts/{}/maintenance", bed.hosts[0].name);
    assert!(bed.api.send(Method::POST, &path, Some(ended)).await.status().is_success());
    Outcome {
        total,
        longest_pause_ms,
        planned: plan["likely_ms"].as_u64().map(Duration::from_millis),
        bound: plan["bound_ms"].as_u64().map(Duration::from_millis),
        estimate: estimate.map(|estimate| estimate.error(total)),
    }
}

/// What guests write is measured, as the console does it by itself while a person looks at the plan.
async fn measure(bed: &Bed) {
    let one = async |name: &str| {
        let path = format!("/plugins/kimchi/vms/{name}/migrate?destination={}&measure=true", bed.hosts[1].name);
        let (status, answer) = bed.api.get(&path).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    };
    stream::iter(&bed.guests).for_each_concurrent(4, |guest| one(&guest.name)).await;
}

/// Looks on until it has ended; the first estimate after the first fifth.
async fn follow(bed: &Bed, path: &str, begun: Instant) -> (Option<Estimate>, Evacuation) {
    let (mut estimate, mut furthest) = (None, 0.0);
    let mut ticks = interval(LOOK);
    loop {
        ticks.tick().await;
        let (_, shown) = bed.api.get(path).await;
        let now: Evacuation = serde_json::from_value(shown["evacuation"].clone()).expect("it is an evacuation");
        assert!(now.fraction >= furthest, "the bar goes back");
        furthest = now.fraction;
        if now.fraction >= FIFTH && estimate.is_none() {
            estimate =
                now.left_ms.map(|left_ms| Estimate { at: begun.elapsed(), left: Duration::from_millis(left_ms) });
        }
        if now.state.has_ended() {
            return (estimate, now);
        }
    }
}

/// The longest pause of its moves by QEMU, in ms.
async fn longest_pause(bed: &Bed, evacuation: &Evacuation) -> Option<u64> {
    let pause = async |item: &model::EvacuationItem| {
        let model::ItemState::Moved { migration: Some(migration) } = &item.state else { return None };
        let (_, shown): (_, Value) = bed.api.get(&format!("/api/migrations/{migration}")).await;
        shown["migration"]["outcome"]["downtime_ms"].as_u64()
    };
    stream::iter(&evacuation.items).then(pause).collect::<Vec<_>>().await.into_iter().flatten().max()
}
