//! The moves of a plan, numbered in the order in which they begin.

use leptos::prelude::*;
use model::{Ending, Finding, Mode, PlannedMove, text};

use crate::migrations::progress::FromTo;
use crate::ui::table::Table;

/// The table.
#[component]
pub(super) fn Moves(moves: Vec<PlannedMove>) -> impl IntoView {
    let rows: Vec<_> =
        moves.into_iter().enumerate().map(|(place, planned)| view! { <Row number=place + 1 planned /> }).collect();
    view! {
        <h2>"In this order"</h2>
        <Table
            class="moves"
            caption="Moves, in the order in which they begin"
            columns=&["No.", "VM", "From and to", "Begins", "Takes", "Pause", "Policy", "Why there"]
        >
            {rows}
        </Table>
    }
}

#[component]
fn Row(number: usize, planned: PlannedMove) -> impl IntoView {
    let (begins, takes, pause) = (begins(&planned), takes(&planned), pause(&planned));
    let PlannedMove { vm, vm_name, source, destination, via, mode, policy, why, findings, .. } = planned;
    let via = via.map(|host| view! { <small class="hint">{format!("waits on {host} until there is room")}</small> });
    let found = (!findings.is_empty()).then(|| view! { <Found findings /> });
    let policy = if mode == Mode::Live { policy.label() } else { "off" };
    view! {
        <tr role="row" data-vm=vm_name>
            <td role="cell" class="place">{number}</td>
            <th role="rowheader">
                <a href=format!("/vms/{vm}")>{vm_name.clone()}</a>
            </th>
            <td role="cell"><FromTo source destination /> {via}</td>
            <td role="cell"><span class="unit">"Begins "</span> {begins}</td>
            <td role="cell"><span class="unit">"Takes "</span> {takes}</td>
            <td role="cell"><span class="unit">"Pause "</span> {pause}</td>
            <td role="cell"><span class="unit">"Policy "</span> {policy}</td>
            <td role="cell">{why.to_string()} {found}</td>
        </tr>
    }
}

/// What was found that is worth knowing.
#[component]
fn Found(findings: Vec<Finding>) -> impl IntoView {
    let summary = match findings.len() {
        1 => "1 remark".to_owned(),
        count => format!("{count} remarks"),
    };
    let entry = |Finding { text, fix, .. }: Finding| {
        view! {
            <li>
                {text}
                {fix.map(|fix| view! { <p class="fix">{fix}</p> })}
            </li>
        }
    };
    view! {
        <details class="raw">
            <summary>{summary}</summary>
            <ul class="found">{findings.into_iter().map(entry).collect_view()}</ul>
        </details>
    }
}

fn begins(planned: &PlannedMove) -> String {
    match planned.at_ms[0] {
        0 => "at once".to_owned(),
        ms => format!("after {}", text::duration(ms)),
    }
}

/// How long it takes, with the uncertainty where there is a prediction of its own.
fn takes(planned: &PlannedMove) -> String {
    match planned.prediction.map(|prediction| prediction.ending) {
        Some(Ending::After { low_ms, high_ms, .. }) => text::span(low_ms, high_ms),
        Some(Ending::Never { .. }) | None => {
            format!("about {}", text::duration(planned.at_ms[1].saturating_sub(planned.at_ms[0])))
        }
    }
}

fn pause(planned: &PlannedMove) -> String {
    match (planned.mode, planned.prediction.map(|prediction| prediction.ending)) {
        (Mode::Offline, _) => "none: it is off".to_owned(),
        (Mode::Live, Some(Ending::After { pause_ms, .. })) => format!("up to {}", text::duration(pause_ms)),
        (Mode::Live, Some(Ending::Never { needed_pause_ms })) => {
            format!("does not end by itself, would take {}", text::duration(needed_pause_ms))
        }
        (Mode::Live, None) => "not known".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{PlanRequest, Subject, examples};

    #[test]
    fn a_row_says_when_how_long_and_which_pause() {
        let plan = examples::plan(PlanRequest::plain(Subject::Hosts(vec!["alpha".parse().unwrap()])));
        let mut planned = plan.moves[0].clone();
        assert_eq!(
            (begins(&planned), takes(&planned), pause(&planned)),
            ("at once".into(), "about 2.0 s".into(), "not known".into())
        );
        planned.at_ms = [61_000, 70_000];
        planned.prediction = Some(examples::prediction(examples::after(8_000, 12_000)));
        assert_eq!(begins(&planned), "after 1 min 1 s");
        assert_eq!((takes(&planned), pause(&planned)), ("8.0 s to 12 s".into(), "up to 300 ms".into()));
        planned.mode = Mode::Offline;
        assert_eq!(pause(&planned), "none: it is off");
    }
}
