//! A migration at a glance: its bar, its phase, from where to where. The bar never goes back, and is full only once the VM runs at the
//! destination.

use leptos::prelude::*;
use model::{HostName, Migration, Phase, text};

use crate::live::bar_percent;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;

/// A migration's bar, in percent with one decimal. A sample that goes back, were there one, does not move it.
pub(crate) fn percent_memo(migration: Signal<Migration>) -> Memo<f64> {
    Memo::new(move |before: Option<&f64>| {
        let migration = migration.read();
        let percent = (bar_percent(migration.phase, migration.progress.percent) * 10.0).floor() / 10.0;
        before.copied().unwrap_or_default().max(percent)
    })
}

/// The bar itself; `percent` is a [`percent_memo`].
#[component]
pub(crate) fn Bar(migration: Signal<Migration>, percent: Memo<f64>) -> impl IntoView {
    let phase = Memo::new(move |_| migration.read().phase);
    let label = {
        let migration = migration.read_untracked();
        format!("Migration of {} to {}", migration.vm_name, migration.destination)
    };
    view! {
        <progress
            class="bar"
            data-phase=move || phase.get().as_str()
            max="100"
            value=move || tenths(percent.get())
            aria-label=label
            aria-valuetext=move || format!("{}, {}", text::percent(percent.get()), phase.get().label())
        ></progress>
    }
}

/// With one decimal. The standard library's own way to write fractions would be some kilobytes more to load.
fn tenths(percent: f64) -> String {
    let tenths = (percent * 10.0).round() as u64;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A phase as a coloured word.
#[component]
pub(crate) fn PhaseBadge(#[prop(into)] phase: Signal<Phase>) -> impl IntoView {
    view! {
        <span class="phase" data-phase=move || phase.get().as_str()>
            {move || phase.get().label()}
        </span>
    }
}

/// From where to where.
#[component]
pub(crate) fn FromTo(source: HostName, destination: HostName) -> impl IntoView {
    view! {
        <span class="from-to">
            {source.to_string()} <Draw icon=Icon::Arrow /> <span class="hidden">" to "</span> {destination.to_string()}
        </span>
    }
}
