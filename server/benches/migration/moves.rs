//! Moves the guest: by a peer's schedule through the engine's connection, or by a policy through the console's API.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use engine::{HostConnection, NotMigrated, Statistics, Tuning};
use model::{Acted, Change, Migration, Phase, Policy};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::sleep};

use crate::{
    bed::Bed,
    guest::{NAME, id},
    options::Link,
    outcome::{End, Mover, Outcome, Steps},
    schedule::{Peer, Schedule, Step},
};

/// How often virsh prints a percentage.
const VIRSH_INTERVAL: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// When something is due that is done again and again.
struct Clock {
    every: Duration,
    next: Duration,
}

impl Clock {
    fn new(every: Duration) -> Self {
        Self { every, next: every }
    }

    fn is_due(&mut self, elapsed: Duration) -> bool {
        let is_due = elapsed >= self.next;
        while self.next <= elapsed {
            self.next += self.every;
        }
        is_due
    }
}

/// A migration that a peer's schedule steers.
struct Steered {
    source: Arc<dyn HostConnection>,
    migrating: JoinHandle<Result<(), NotMigrated>>,
    begun: Instant,
    schedule: Box<dyn Schedule>,
    is_first_pause_set: bool,
    last: Statistics,
    steps: Steps,
    /// Why it was aborted.
    aborted: Option<End>,
}

impl Steered {
    /// Steers it until libvirt says that it is over; what libvirt says, and how long it took.
    async fn run(&mut self, interval: Duration, limit: Duration) -> (Result<(), NotMigrated>, Duration) {
        let (mut looks, mut shown) = (Clock::new(interval), Clock::new(VIRSH_INTERVAL));
        loop {
            tokio::select! {
                ended = &mut self.migrating => return (ended.expect("it does not panic"), self.begun.elapsed()),
                () = sleep(LOOK_AGAIN) => {}
            }
            let elapsed = self.begun.elapsed();
            if elapsed >= limit && self.aborted.is_none() {
                self.abort(End::Limit).await;
            }
            let (is_look_due, is_shown) = (looks.is_due(elapsed), shown.is_due(elapsed));
            if !is_look_due && !is_shown && self.is_first_pause_set {
                continue;
            }
            let Ok(Some(figures)) = self.source.job(id()).await else { continue };
            if figures.data_total == 0 {
                continue;
            }
            self.last = figures;
            if !self.is_first_pause_set {
                // libvirt keeps the limit of the VM's last migration. It refuses this until QEMU has begun.
                let ms = self.schedule.first_pause_ms();
                self.is_first_pause_set = self.source.tune(id(), Tuning::PauseLimit { ms }).await.is_ok();
            }
            if is_shown {
                self.steps.see(100.0 - figures.data_remaining as f64 * 100.0 / figures.data_total as f64);
            }
            if is_look_due && self.aborted.is_none() {
                self.look(elapsed).await;
            }
        }
    }

    async fn look(&mut self, elapsed: Duration) {
        match self.schedule.look(elapsed, &self.last) {
            // It may be over by now.
            Some(Step::Tune(tuning)) => drop(self.source.tune(id(), tuning).await),
            Some(Step::Abort) => self.abort(End::GaveUp).await,
            None => {}
        }
    }

    async fn abort(&mut self, why: End) {
        // It may be over by now, or switch over.
        self.aborted = self.source.abort(id()).await.is_ok().then_some(why);
    }
}

/// Moves the guest by a peer's schedule.
pub(crate) async fn by_peer(bed: &mut Bed, kind: usize, peer: Peer, link: Link, limit: Duration) -> Outcome {
    let mut plan = bed.plan(link.bandwidth_mib_s());
    (plan.throttle, plan.post_copy) = (peer.throttle(), peer.post_copy());
    let (source, destination) = (Arc::clone(bed.here()), bed.destination_address());
    let driver = Arc::clone(&source);
    bed.heartbeats.clear();
    let begun = Instant::now();
    let migrating = tokio::spawn(async move { driver.migrate(&plan).await });
    let (last, steps) = (Statistics::default(), Steps::default());
    let schedule = peer.schedule();
    let mut steered =
        Steered { source, migrating, begun, schedule, is_first_pause_set: false, last, steps, aborted: None };
    let (reported, total) = steered.run(peer.interval(), limit).await;
    let Steered { last, steps, aborted, .. } = steered;
    let has_moved = bed.settle().await;
    let completed = if has_moved { bed.here().completed_job(id()).await.ok().flatten() } else { None };
    let end = match (has_moved, aborted, reported) {
        (true, ..) => End::Moved,
        (false, Some(why), _) => why,
        (false, None, reported) => End::Failed(format!("{:?}", reported.map_err(NotMigrated::into_error))),
    };
    if has_moved {
        bed.heartbeats.until_from(destination).await;
    }
    Outcome {
        kind,
        mover: Mover::Peer(peer),
        end,
        total,
        heartbeat: bed.heartbeats.seen(destination),
        qemu_pause_ms: completed.and_then(|figures| figures.downtime_ms),
        bytes: completed.map_or(last.memory_processed, |figures| figures.memory_processed),
        steps,
        prediction: None,
    }
}

/// Measures the guest's writes, for the prediction of its next move by the console.
pub(crate) async fn measure(bed: &Bed) {
    let path = format!("/plugins/kimchi/vms/{NAME}/migrate?destination={}&measure=true", bed.destination());
    let (status, answer) = bed.api.get(&path).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

/// What the console is asked for.
#[derive(Default)]
pub(crate) struct Request {
    pub(crate) policy: Policy,
    pub(crate) bandwidth_mib_s: Option<u32>,
    pub(crate) budget_s: Option<u32>,
}

impl Request {
    fn body(&self, destination: &str) -> Value {
        let mut body = json!({"destination": destination, "policy": self.policy.as_str()});
        for (name, value) in [("bandwidth_mib_s", self.bandwidth_mib_s), ("budget_s", self.budget_s)] {
            if let Some(value) = value {
                body[name] = Value::from(value);
            }
        }
        body
    }
}

/// How good the predictions of all moves by the console were, without the moves.
pub(crate) async fn predictions(bed: &Bed) -> Value {
    let (status, mut answer) = bed.api.get("/api/predictions").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer.as_object_mut().map(|answer| answer.remove("newest"));
    answer
}

/// Moves the guest by a policy; from the POST until the update that says that it is over.
pub(crate) async fn by_policy(bed: &mut Bed, kind: usize, request: Request, limit: Duration) -> Outcome {
    let destination = bed.destination_address();
    let mut stream = bed.api.stream().await;
    stream.until(|now| !now.vms.is_empty()).await;
    bed.heartbeats.clear();
    let begun = Instant::now();
    let task = bed.api.migrate_with(NAME, request.body(bed.destination())).await;
    let (mut steps, mut is_cancelled) = (Steps::default(), false);
    let (record, total) = loop {
        let Change::Migration(record) = stream.next().await else { continue };
        if !task.ends_with(&record.id.to_string()) {
            continue;
        }
        steps.see(record.progress.percent);
        if record.phase.has_ended() {
            break (*record, begun.elapsed());
        }
        if begun.elapsed() >= limit && !is_cancelled {
            is_cancelled = bed.api.send(Method::DELETE, &task, None).await.status().is_success();
        }
    };
    let has_moved = bed.settle().await;
    if has_moved {
        bed.heartbeats.until_from(destination).await;
    }
    let outcome = record.outcome.unwrap_or_default();
    Outcome {
        kind,
        mover: Mover::Ours(request.policy),
        end: end(&record, has_moved, is_cancelled),
        total,
        heartbeat: bed.heartbeats.seen(destination),
        qemu_pause_ms: outcome.downtime_ms,
        bytes: outcome.bytes,
        steps,
        prediction: record.prediction.map(|prediction| prediction.ending),
    }
}

fn end(record: &Migration, has_moved: bool, is_cancelled: bool) -> End {
    let gave_up = record.acts.iter().any(|act| act.what == Acted::GaveUp);
    match record.phase {
        Phase::Succeeded if has_moved => End::Moved,
        _ if gave_up => End::GaveUp,
        Phase::Cancelled if is_cancelled => End::Limit,
        phase => End::Failed(format!("{}: {:?}", phase.as_str(), record.problem)),
    }
}
