//! Forty VMs are moved at once while something dies. Each is judged like a single one.

use anyhow::{Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use crate::{
    bed::Bed,
    fault::Struck,
    guest::Facts,
    judge::Judge,
    plan::Plan,
    run::{Clock, Move, Outcome, next, request},
    violation::Violation,
    vm::Vm,
};

/// How many VMs are made at a time.
const AT_ONCE: usize = 4;
/// Of how many VMs the next migration is tried.
const NEXT: usize = 4;

/// Does such a run.
pub async fn run(bed: &mut Bed, plan: &Plan) -> Result<Outcome> {
    let mut clock = Clock::start();
    let crowd = Vm::crowd();
    let before = make(bed, crowd).await?;
    let moved = |vm: &Vm| Move { vm: vm.name, source: 0, destination: plan.destination(0) };
    let mut ids = Vec::new();
    for vm in crowd {
        match bed.console.migrate(vm.name, request(bed, plan, &moved(vm))).await? {
            Ok(id) => ids.push(id),
            Err(refusal) => bail!("the migration of {} was refused: {refusal}", vm.name),
        }
    }
    let mut struck = Struck::default();
    let hit = plan.moment.wait(bed, &moved(&crowd[0]), &ids[0], None).await?;
    plan.fault.strike(bed, &moved(&crowd[0]), &ids[0], &mut struck).await?;
    clock.lap();
    plan.fault.heal(bed, &moved(&crowd[0]), &mut struck).await?;
    let back = Instant::now();
    clock.lap();

    let (mut violations, mut observed, mut ends, mut record) = (Vec::new(), Vec::new(), Vec::new(), None);
    for ((vm, id), before) in crowd.iter().zip(&ids).zip(before) {
        let own = Plan { vm, ..plan.clone() };
        let moved = moved(vm);
        let mut judge = Judge::new(&own, &moved, Some(id), before, None);
        judge.look(bed, &mut Struck::default(), back).await?;
        let of_vm = |violation: Violation| Violation { text: format!("{}: {}", vm.name, violation.text), ..violation };
        ends.push(judge.record["migration"]["phase"].to_string());
        if !judge.violations.is_empty() {
            record = Some(judge.record);
            observed.extend(judge.observed);
        }
        violations.extend(judge.violations.into_iter().map(of_vm));
    }
    clock.lap();
    for vm in &crowd[..NEXT] {
        let own = Plan { vm, ..plan.clone() };
        if let Err(error) = next(bed, &own, &moved(vm), None).await {
            violations.push(Violation::new("next", format!("{}: {error:#}", vm.name)));
        }
    }
    for vm in crowd {
        bed.remove(vm).await?;
        bed.forget(vm);
    }
    clock.lap();
    Ok(Outcome {
        run: plan.run,
        plan: format!("forty at once, {plan}"),
        fault: plan.fault.kind(),
        moment: plan.moment.kind().to_owned(),
        hit,
        end: ends.join(" "),
        ms: clock.laps(),
        violations,
        observed,
        record: record.unwrap_or_default(),
    })
}

/// Makes and starts these VMs on alpha; what their guests did.
pub async fn make(bed: &Bed, vms: &[Vm]) -> Result<Vec<Option<Facts>>> {
    let made = stream::iter(vms).map(async |vm| Ok(bed.make_anew(vm).await?.1));
    made.buffered(AT_ONCE).try_collect().await
}
