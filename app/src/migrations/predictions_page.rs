//! `/predictions`: how good the predictions of earlier migrations were. Nothing on it changes while it is read.

use leptos::prelude::*;
use model::{Ending, Predicted, Predictions, text};

use crate::migrations::progress::FromTo;
use crate::ui::{
    document::{Assets, Back, Document},
    fact::Fact,
    icon::{Draw, Icon},
    table::Table,
};

/// The page.
pub fn predictions(assets: Assets, predictions: Predictions) -> Document {
    Document::wide(assets, Back::to_migrations(), "Predictions", || view! { <Shown predictions /> })
}

#[component]
fn Shown(predictions: Predictions) -> impl IntoView {
    if predictions.newest.is_empty() {
        return view! {
            <div class="empty">
                <Draw icon=Icon::Migrations />
                <h2>"No predictions to compare yet"</h2>
                <p>"Each migration that was predicted is compared here with what came of it, once it has ended."</p>
            </div>
        }
        .into_any();
    }
    let steered = match predictions.steered {
        0 => None,
        1 => Some("1 more was steered by a user, and is listed only.".to_owned()),
        steered => Some(format!("{steered} more were steered by users, and are listed only.")),
    };
    view! {
        <section class="card quality">
            <Quality predictions=predictions.clone() />
            {steered.map(|words| view! { <p class="hint">{words}</p> })}
        </section>
        <Rows rows=predictions.newest />
    }
    .into_any()
}

/// The figures over all of them.
#[component]
fn Quality(predictions: Predictions) -> impl IntoView {
    let Predictions { compared, coverage_percent, median_error_percent, pause_error_p90_ms, wrong_verdicts, .. } =
        predictions;
    let percent = |percent: f64| format!("{percent} %");
    let known = |figure: Option<String>| figure.unwrap_or_else(|| "–".to_owned());
    view! {
        <dl class="figures">
            <Fact name="Migrations compared">{compared}</Fact>
            <Fact name="Within the predicted time">{known(coverage_percent.map(percent))}</Fact>
            <Fact name="Median error of the time">{known(median_error_percent.map(percent))}</Fact>
            <Fact name="Pause error, 90 % within">{known(pause_error_p90_ms.map(text::duration))}</Fact>
            <Fact name="Wrong on whether it ends">{wrong_verdicts}</Fact>
        </dl>
    }
}

#[component]
fn Rows(rows: Vec<Predicted>) -> impl IntoView {
    view! {
        <Table
            class="predictions"
            caption="Predictions beside what came, newest first"
            columns=&["VM", "From and to", "Policy", "Predicted", "Outcome"]
        >
            {rows.into_iter().map(|row| view! { <Row row /> }).collect_view()}
        </Table>
    }
}

#[component]
fn Row(row: Predicted) -> impl IntoView {
    let (predicted, came, remark) = (predicted(&row), came(&row), remark(&row));
    let Predicted { id, vm_name, source, destination, policy, .. } = row;
    view! {
        <tr role="row">
            <th role="rowheader">
                <a href=format!("/migrations/{id}")>{vm_name}</a>
            </th>
            <td role="cell"><FromTo source destination /></td>
            <td role="cell">{policy.label()}</td>
            <td role="cell">
                <span class="unit">"Predicted "</span>
                {predicted}
            </td>
            <td role="cell">
                <span class="unit">"Outcome "</span>
                {came}
                {remark.map(|remark| view! { " · " <span class="remark">{remark}</span> })}
            </td>
        </tr>
    }
}

fn predicted(row: &Predicted) -> String {
    match row.prediction.ending {
        Ending::After { low_ms, high_ms, pause_ms, .. } => {
            format!("{}, pause {}", text::span(low_ms, high_ms), text::duration(pause_ms))
        }
        Ending::Never { needed_pause_ms } => format!("no end by itself, pause {}", text::duration(needed_pause_ms)),
    }
}

fn came(row: &Predicted) -> String {
    let total = text::duration(row.total_ms);
    match (row.moved, row.pause_ms) {
        (true, Some(pause)) => format!("{total}, pause {}", text::duration(pause)),
        (true, None) => total,
        (false, _) => format!("gave up after {total}"),
    }
}

/// What is to be known of a row beside its numbers.
fn remark(row: &Predicted) -> Option<&'static str> {
    if row.steered {
        Some("steered")
    } else if row.is_wrong_verdict() {
        Some("not as predicted")
    } else {
        (row.is_within() == Some(false)).then_some("outside")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{MigrationId, Policy, examples};
    use uuid::Uuid;

    fn row(ending: Ending) -> Predicted {
        Predicted {
            id: MigrationId(Uuid::from_u128(1)),
            vm_name: "web".into(),
            source: "alpha".parse().unwrap(),
            destination: "beta".parse().unwrap(),
            policy: Policy::Balanced,
            created_at_ms: 0,
            prediction: examples::prediction(ending),
            moved: true,
            total_ms: 14_000,
            pause_ms: Some(110),
            helped: false,
            longest_pause_ms: 1_000,
            steered: false,
        }
    }

    #[test]
    fn a_row_says_what_was_predicted_and_what_came() {
        let mut row = row(examples::after(12_000, 20_000));
        assert_eq!((predicted(&row), came(&row)), ("12 s to 20 s, pause 300 ms".into(), "14 s, pause 110 ms".into()));
        assert_eq!(remark(&row), None);
        row.total_ms = 21_000;
        assert_eq!(remark(&row), Some("outside"));
        row.helped = true;
        assert_eq!(remark(&row), Some("not as predicted"));
        row.steered = true;
        assert_eq!(remark(&row), Some("steered"));
    }

    #[test]
    fn what_did_not_move_gave_up() {
        let gave_up = Predicted { moved: false, helped: true, ..row(Ending::Never { needed_pause_ms: 1_900 }) };
        assert_eq!(predicted(&gave_up), "no end by itself, pause 1.9 s");
        assert_eq!((came(&gave_up), remark(&gave_up)), ("gave up after 14 s".into(), None));
    }
}
