//! A host is emptied, and its VMs come home, while the console and daemons end again and again. Judged is (docs/reliability.md):
//! each VM runs once, in the life that it had, and where it should be; none was ever seen twice.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::{
    bed::Bed,
    crowd,
    fault::{Strike, Struck},
    guest::Facts,
    host::{Host, Sight},
    plan::Plan,
    run::{Clock, Move, Outcome, shown},
    violation::Violation,
    vm::Vm,
};

/// How many VMs leave the host, and come home.
const VMS: usize = 8;
/// How long it may take until nothing moves any more, once all answer.
const LIMIT: Duration = Duration::from_secs(300);
const LOOK_AGAIN: Duration = Duration::from_millis(500);
const WATCH_AGAIN: Duration = Duration::from_secs(1);
/// How often a person has a VM tried again that waits for one.
const MOST_RETRIES: usize = 3;

/// Does such a run.
pub async fn run(bed: &mut Bed, plan: &Plan, strikes: &[Strike]) -> Result<Outcome> {
    let mut clock = Clock::start();
    let vms = &Vm::crowd()[..VMS];
    let before = crowd::make(bed, vms).await?;
    let mut judge = Judge { vms, before, watch: Watch::of(&bed.hosts), violations: Vec::new(), observed: Vec::new() };
    let (out, home) = strikes.split_at(strikes.len() / 2);
    let away = Move { vm: vms[0].name, source: 0, destination: plan.destination(0) };
    let request = json!({ "subject": { "hosts": [bed.hosts[0].name] }, "reason": "a run of the fault matrix" });
    let emptied = carry_out(bed, request, &away, out).await?;
    clock.lap();
    let left = judge.settle(bed, &emptied).await?;
    judge.look(bed, "emptied", |host| host != 0).await?;
    clock.lap();

    let back = Move { source: away.destination, destination: 0, ..away };
    let brought = carry_out(bed, json!({ "subject": { "home": emptied } }), &back, home).await?;
    clock.lap();
    let came = judge.settle(bed, &brought).await?;
    judge.look(bed, "home", |host| host == 0).await?;
    clock.lap();
    judge.watched();
    let records = json!([left, came]);
    for vm in vms {
        bed.remove(vm).await?;
        bed.forget(vm);
    }
    Ok(Outcome {
        run: plan.run,
        plan: plan.to_string(),
        fault: plan.fault.kind(),
        moment: plan.moment.kind().to_owned(),
        hit: true,
        end: format!("{}, {}", state(&left), state(&came)),
        ms: clock.laps(),
        observed: judge.observed,
        record: if judge.violations.is_empty() { Value::Null } else { records },
        violations: judge.violations,
    })
}

/// Starts what is asked for, and strikes; returns the id once all answer again.
async fn carry_out(bed: &mut Bed, request: Value, moved: &Move, strikes: &[Strike]) -> Result<String> {
    bed.console_knows_hosts().await?;
    let (status, plan) = bed.console.ask(Method::POST, "/api/evacuations/plans", Some(request)).await?;
    ensure!(status == StatusCode::CREATED, "the plan was refused: {status} {plan}");
    let moves = plan["moves"].as_array().map_or(0, Vec::len);
    ensure!(moves == VMS, "the plan has {moves} moves: {plan}");
    let start = json!({ "plan": plan["id"] });
    let (status, begun) = bed.console.ask(Method::POST, "/api/evacuations", Some(start)).await?;
    ensure!(status == StatusCode::ACCEPTED, "the start was refused: {status} {begun}");
    let id = begun["id"].as_str().context("it has an id")?.to_owned();
    for Strike { after_ms, deaths } in strikes {
        sleep(Duration::from_millis(*after_ms)).await;
        // Only daemons and consoles end: no VM may.
        deaths.strike(bed, moved, &mut Struck::default());
        deaths.heal(bed, moved).await?;
        bed.ensure_all_answer().await?;
    }
    bed.console_knows_hosts().await?;
    Ok(id)
}

fn state(evacuation: &Value) -> &str {
    evacuation["state"].as_str().unwrap_or("unknown")
}

/// The items of an evacuation in this state, which has something to say.
fn items<'a>(evacuation: &'a Value, state: &'a str) -> impl Iterator<Item = &'a Value> {
    let all = evacuation["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter(move |item| !item["state"][state].is_null())
}

/// Looks at what came of it.
struct Judge {
    vms: &'static [Vm],
    /// What the guests did at the beginning.
    before: Vec<Option<Facts>>,
    watch: Watch,
    violations: Vec<Violation>,
    observed: Vec<String>,
}

impl Judge {
    fn violated(&mut self, kind: &str, text: String) {
        self.violations.push(Violation::new(kind, text));
    }

    /// Waits until it has ended. What waits for a person has to say why, and is tried again by one, after the step that its migration offers.
    async fn settle(&mut self, bed: &Bed, id: &str) -> Result<Value> {
        let path = format!("/api/evacuations/{id}");
        let (begun, mut retries, mut fraction) = (Instant::now(), 0, 0.0);
        loop {
            let (_, answer) = bed.console.ask(Method::GET, &path, None).await?;
            let now = &answer["evacuation"];
            let further = now["fraction"].as_f64().unwrap_or_default();
            if further < fraction {
                self.violated("bar", format!("it went back from {fraction} to {further}"));
            }
            fraction = further;
            if matches!(state(now), "done" | "stopped") {
                return Ok(now.clone());
            }
            if begun.elapsed() > LIMIT {
                self.violated("evacuation", format!("it does not end: {now}"));
                return Ok(now.clone());
            }
            let moves_on = now["items"].as_array().is_some_and(|items| {
                items.iter().any(|item| item["state"] == "waiting" || !item["state"]["moving"].is_null())
            });
            if !moves_on {
                retries += 1;
                if retries > MOST_RETRIES {
                    self.violated("evacuation", format!("VMs still wait for a person: {now}"));
                    return Ok(now.clone());
                }
                self.help(bed, &path, now).await?;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Does what a person does about the VMs that wait for one.
    async fn help(&mut self, bed: &Bed, path: &str, evacuation: &Value) -> Result<()> {
        for item in items(evacuation, "waits-for-person") {
            let sentence = item["state"]["waits-for-person"]["problem"]["sentence"].as_str().unwrap_or_default();
            if sentence.is_empty() {
                self.violated("reason", format!("it waits for a person without a reason: {item}"));
            }
            self.observed.push(format!("{} waits for a person: {sentence}", item["vm_name"]));
            if let Some(migration) = item["tried"].as_array().and_then(|tried| tried.last()?["migration"].as_str()) {
                let record = bed.console.record(migration).await?;
                if let Some(step) = record.step() {
                    let step_path = format!("/api/migrations/{migration}/step");
                    let (status, answer) = bed.console.ask(Method::POST, &step_path, Some(step.clone())).await?;
                    self.observed.push(format!("the step {step}: {status} {answer}"));
                }
            }
            let (status, answer) =
                bed.console.ask(Method::POST, &format!("{path}/retry"), Some(json!({ "vm": item["vm"] }))).await?;
            self.observed.push(format!("tried again: {status} {}", answer["problem"]));
        }
        Ok(())
    }

    /// Each VM runs once, where it should, in the life that it had.
    async fn look(&mut self, bed: &Bed, when: &str, may_be_on: impl Fn(usize) -> bool) -> Result<()> {
        for (number, vm) in self.vms.iter().enumerate() {
            let sights = bed.look(vm.name).await;
            let there: Vec<usize> = (0..sights.len()).filter(|host| sights[*host] != Sight::Absent).collect();
            let [host] = there[..] else {
                self.violated("copies", format!("{when}: {}: {}", vm.name, shown(bed, &sights)));
                continue;
            };
            if !sights[host].runs() || !may_be_on(host) {
                self.violated("place", format!("{when}: {}: {}", vm.name, shown(bed, &sights)));
                continue;
            }
            let now = Facts::read(&bed.hosts[host], vm.name).await?;
            if let Some(wrong) = self.before[number].and_then(|before| now.differs_from_earlier(&before)) {
                self.violated("guest", format!("{when}: {}: {wrong}", vm.name));
            }
            self.before[number] = Some(now);
        }
        Ok(())
    }

    /// What was seen meanwhile.
    fn watched(&mut self) {
        for name in self.watch.doubled() {
            self.violated("copies", format!("{name} ran on two hosts"));
        }
    }
}

/// Looks at all hosts while a run goes on, until it is dropped.
struct Watch {
    doubled: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Watch {
    fn of(hosts: &[Host]) -> Self {
        let (hosts, doubled) = (hosts.to_vec(), Arc::new(Mutex::new(Vec::new())));
        let seen = doubled.clone();
        let task = tokio::spawn(async move {
            let mut last = Vec::new();
            loop {
                let now = twice(&join_all(hosts.iter().map(Host::running)).await.concat());
                // Hosts are not asked at the very same moment: what only one look says may never have been so.
                let both = now.iter().filter(|name| last.contains(*name)).cloned();
                seen.lock().unwrap_or_else(PoisonError::into_inner).extend(both);
                last = now;
                sleep(WATCH_AGAIN).await;
            }
        });
        Self { doubled, task }
    }

    fn doubled(&self) -> Vec<String> {
        let mut doubled = self.doubled.lock().unwrap_or_else(PoisonError::into_inner).clone();
        doubled.sort();
        doubled.dedup();
        doubled
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The names that are there more than once.
fn twice(names: &[String]) -> Vec<String> {
    let is_twice = |name: &&String| names.iter().filter(|other| other == name).count() > 1;
    names.iter().filter(is_twice).cloned().collect()
}
