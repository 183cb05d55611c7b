//! The open evacuations on the list of VMs, a line each.

use leptos::prelude::*;
use model::Evacuation;

use crate::evacuations::words;
use crate::ui::icon::{Draw, Icon};

#[component]
pub(super) fn OpenLines(open: Vec<Evacuation>) -> impl IntoView {
    let line = |evacuation: Evacuation| {
        let words = format!("{}: {}", words::doing(&evacuation), words::left(&evacuation));
        let stuck = (evacuation.stuck() > 0).then(|| format!(" ({} wait for a person)", evacuation.stuck()));
        view! {
            <div class="note note-warn" data-evacuation=evacuation.id.to_string()>
                <Draw icon=Icon::Migrations />
                <p class="note-text">
                    <a href=format!("/evacuations/{}", evacuation.id)>{words} {stuck}</a>
                </p>
            </div>
        }
    };
    // One element in any case: what is empty would be asked for again.
    view! { <div class="banners evacuations">{open.into_iter().map(line).collect_view()}</div> }
}
