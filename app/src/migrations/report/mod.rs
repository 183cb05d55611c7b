//! What a preflight found, for the destination that is chosen: findings, disks, how long it will take. Part of the migrate form:
//! findings bring checkboxes for consent, disks the choice of a pool.

mod disks;
mod findings;
mod prediction;

use leptos::prelude::*;
use model::Vm;

pub(crate) use findings::{Findings, Verdict};

use crate::live::Live;
use crate::migrations::checked_destination::CheckedDestination;
use crate::ui::problem::ProblemText;
use disks::Disks;
use prediction::PredictionSection;

/// The report, as long as there is one.
#[component]
pub(super) fn Report(
    vm: Memo<Option<Vm>>,
    checked: Memo<Option<CheckedDestination>>,
    /// Measures what the guest writes.
    measure: Callback<()>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let host = Memo::new(move |_| checked.read().as_ref().map(|checked| checked.name().to_string()));
    let host = move || host.get().unwrap_or_default();
    let preflight = Memo::new(move |_| checked.read().as_ref().and_then(CheckedDestination::preflight).cloned());
    let problem = move || checked.read().as_ref().and_then(|checked| checked.report.preflight.clone().err());
    let findings = Signal::derive(move || preflight.get().map(|found| found.findings).unwrap_or_default());
    let accepted = Signal::derive(move || checked.get().map(|checked| checked.request.accept).unwrap_or_default());
    let disks = Signal::derive(move || preflight.get().map(|found| found.disks).unwrap_or_default());
    let prediction = Memo::new(move |_| preflight.read().as_ref().and_then(|found| found.prediction));
    let budgets_s = Memo::new(move |_| {
        let (checked, vm) = (checked.read(), vm.get()?);
        let defaults = vm.effective_policy_defaults(live.hosts.value(&vm.host).as_ref());
        Some(checked.as_ref()?.budgets_s(&vm, defaults))
    });
    view! {
        <Show when=move || preflight.read().is_some()>
            <input type="hidden" name="looked_at" value=host />
            <h2>{move || format!("Checks on {}", host())}</h2>
            <Findings host=Signal::derive(host) findings accepted />
            <Disks host=Signal::derive(host) disks />
            <PredictionSection prediction budgets_s measure />
        </Show>
        {move || problem().map(|problem| view! { <ProblemText problem /> })}
    }
}
