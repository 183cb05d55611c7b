//! A plan as text: a numbered dry run.

use model::{Choice, Ending, Mode, Plan, PlannedMove, PlannedStay, Prediction, Problem, Severity, Subject, VmId, text};

use super::{
    choices,
    follow::{Outcome, printable},
};

/// Whether all would move.
pub(super) fn outcome(plan: &Plan) -> Outcome {
    let all = plan.shortage.is_none() && plan.stays.iter().all(|stays| stays.problem.is_none());
    if all { Outcome::AllMoved } else { Outcome::Left }
}

/// The plan, in lines without control characters.
pub(super) fn of(plan: &Plan) -> String {
    let mut lines = Vec::new();
    let mut rows = vec![["", "VM", "FROM", "TO", "AT", "TAKES", "PAUSE", "WHY"].map(str::to_owned)];
    rows.extend(plan.moves.iter().enumerate().map(|(index, planned)| row(index + 1, planned)));
    if plan.moves.is_empty() {
        lines.push("Nothing moves.".to_owned());
    } else {
        lines.extend(aligned(&rows));
    }
    for planned in &plan.moves {
        let told = planned.findings.iter().filter(|finding| finding.severity == Severity::Warning);
        lines.extend(told.map(|finding| {
            // A risk that was not accepted keeps a VM from moving.
            let accepted = if finding.consent { " (accepted)" } else { "" };
            format!("{} to {}: {}{accepted}", planned.vm_name, planned.destination, finding.text)
        }));
    }
    lines.extend(plan.stays.iter().flat_map(|stays| [Some(said_of(plan, stays)), otherwise(plan, stays)]).flatten());
    lines.extend(choices::unused(plan));
    if let Some(Problem { sentence, fix, .. }) = &plan.shortage {
        lines.push(format!("{sentence} {}", fix.as_deref().unwrap_or_default()));
    }
    if !plan.moves.is_empty() {
        let Plan { between_ms: [low, high], likely_ms, bound_ms, .. } = plan;
        lines.push(format!(
            "All in all {} ({}), {:.2} times the least possible ({}).",
            text::duration(*likely_ms),
            text::span(*low, *high),
            plan.ratio(),
            text::duration(*bound_ms)
        ));
    }
    lines.iter().map(|line| printable(line.trim_end())).collect::<Vec<_>>().join("\n")
}

fn row(number: usize, planned: &PlannedMove) -> [String; 8] {
    let PlannedMove { vm_name, source, destination, via, mode, at_ms: [begin, end], prediction, why, .. } = planned;
    let expected = text::duration(end.saturating_sub(*begin));
    let (takes, pause) = match (mode, prediction) {
        (Mode::Offline, _) => (expected, "is off".to_owned()),
        (Mode::Live, Some(Prediction { ending: Ending::After { low_ms, high_ms, pause_ms, .. }, .. })) => {
            (text::span(*low_ms, *high_ms), format!("up to {}", text::duration(*pause_ms)))
        }
        (Mode::Live, Some(Prediction { ending: Ending::Never { .. }, .. })) => {
            ("does not finish by itself".to_owned(), String::new())
        }
        (Mode::Live, None) => (expected, "not known".to_owned()),
    };
    let to = via.as_ref().map_or_else(|| destination.to_string(), |via| format!("{destination} (by {via})"));
    let begins = text::duration(*begin);
    [number.to_string(), vm_name.clone(), source.to_string(), to, begins, takes, pause, why.to_string()]
        .map(|cell| printable(&cell))
}

/// That a VM stays, and why.
fn said_of(plan: &Plan, PlannedStay { vm_name, host, is_active, problem, choice, .. }: &PlannedStay) -> String {
    let stays = format!("{vm_name} stays on {host}");
    match (problem, choice) {
        (Some(Problem { sentence, fix, .. }), _) => {
            format!("{stays}: {sentence} {}", fix.as_deref().unwrap_or_default())
        }
        (None, Some(Choice::ShutDown)) if matches!(plan.request.subject, Subject::Home(_)) => {
            format!("{vm_name} was shut down on {host}, and is started again.")
        }
        (None, Some(Choice::ShutDown)) => format!("{stays}, and is shut down."),
        (None, Some(Choice::Leave)) => format!("{stays}, as chosen."),
        (None, _) if !is_active => format!("{stays}, shut off."),
        (None, _) => format!("{stays}."),
    }
}

/// The options that choose otherwise for a VM that stays, indented below it.
fn otherwise(plan: &Plan, PlannedStay { vm, vm_name, problem, choice, choices, .. }: &PlannedStay) -> Option<String> {
    let name = argument(plan, *vm, vm_name);
    let others = choices.iter().filter(|one| *choice != Some(**one));
    // What needs no choice is left as it is.
    let others = others.filter(|one| problem.is_some() || choice.is_some() || **one != Choice::Leave);
    let risks = problem.iter().flat_map(|problem| &problem.findings).filter(|finding| finding.consent);
    let options: Vec<String> = risks
        .map(|finding| format!("--accept {}", finding.code.as_str()))
        .chain(others.map(|one| format!("{} {name}", choices::option(*one))))
        .collect();
    (!options.is_empty()).then(|| format!("    Options: {}", options.join(", ")))
}

/// A VM as an argument: its name, or its UUID where the name is no plain word, or that of another VM, too.
fn argument(plan: &Plan, vm: VmId, name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c)) && !name.starts_with('-');
    let moved = plan.moves.iter().map(|planned| (planned.vm, &planned.vm_name));
    let mut all = moved.chain(plan.stays.iter().map(|stays| (stays.vm, &stays.vm_name)));
    let is_unique = all.all(|(other, other_name)| other == vm || other_name != name);
    if is_plain && is_unique { name.to_owned() } else { vm.to_string() }
}

/// Rows with their columns below each other; the first to the right.
fn aligned(rows: &[[String; 8]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 8] = std::array::from_fn(width);
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:>width$}"),
            _ => format!("{cell:width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect()
}
