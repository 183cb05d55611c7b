//! How far an evacuation is, and what it can be told, in one card.

use leptos::prelude::*;
use model::{Evacuation, EvacuationState, text};

use crate::evacuations::words;

/// The card. `link` is a link to the evacuation, where the card is not on its page.
#[component]
pub(super) fn ProgressCard(
    evacuation: Evacuation,
    #[prop(strip_option, default = None)] link: Option<&'static str>,
) -> impl IntoView {
    let percent =
        (evacuation.fraction * 100.0).clamp(0.0, if evacuation.state == EvacuationState::Done { 100.0 } else { 99.9 });
    let doing = words::doing(&evacuation);
    let (state, is_stuck) = (evacuation.state, evacuation.stuck() > 0);
    let slug: &str = state.into();
    // The bar's colours are those of migrations.
    let phase = match state {
        EvacuationState::Done => "succeeded",
        EvacuationState::Stopped => "cancelled",
        EvacuationState::Running | EvacuationState::Paused | EvacuationState::Stopping => "copying-memory",
    };
    let left = words::left(&evacuation);
    let stuck = is_stuck.then(|| match evacuation.stuck() {
        1 => "1 VM waits for a person.".to_owned(),
        count => format!("{count} VMs wait for a person."),
    });
    let link = link.map(|label| view! { <p><a href=format!("/evacuations/{}", evacuation.id)>{label}</a></p> });
    view! {
        <section class="card big evacuation" data-state=slug>
            <div class="big-head">
                <p class="phase" data-phase=phase>{state.label()}</p>
                <p class="big-percent">{text::percent(percent)}</p>
            </div>
            <progress
                class="bar"
                data-phase=phase
                max="100"
                value=format!("{percent:.1}")
                aria-label=doing
                aria-valuetext=format!("{}, {left}", text::percent(percent))
            ></progress>
            <p class="left">{left}</p>
            {stuck.map(|words| view! { <p class="fix">{words}</p> })}
            <Commands evacuation />
            {link}
        </section>
    }
}

/// Pause or continue, and stop.
#[component]
fn Commands(evacuation: Evacuation) -> impl IntoView {
    let Evacuation { id, state, .. } = evacuation;
    let (command, label) = match state {
        EvacuationState::Running => ("pause", "Pause"),
        EvacuationState::Paused => ("continue", "Continue"),
        EvacuationState::Stopping | EvacuationState::Stopped | EvacuationState::Done => return ().into_any(),
    };
    view! {
        <form method="post" action=format!("/evacuations/{id}/tell") class="buttons">
            <a class="button" id="stop" href=format!("/evacuations/{id}/stop") rel="external">
                "Stop"
            </a>
            <button class="button primary" id="pause" name="command" value=command>
                {label}
            </button>
        </form>
    }
    .into_any()
}
