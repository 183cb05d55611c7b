//! How long it will take, as HTML.

use leptos::{prelude::*, server_fn::ServerFn};
use model::{Preflight, text};

use crate::migrations::server_fns::Measure;
use crate::ui::Erased;

/// The prediction, and the button that measures what the guest writes: it is asked for, since measuring takes a second.
pub(super) fn section(preflight: &Preflight) -> AnyView {
    let Some(prediction) = preflight.prediction else { return ().into_any() };
    let label = if prediction.dirty_bytes_s.is_some() { "Measure again" } else { "Measure what it writes" };
    view! {
        <h3>"How long"</h3>
        <p>{text::prediction(&prediction)}</p>
        <button
            class="button"
            id="measure"
            formaction=Measure::PATH
            formnovalidate
        >
            {label}
        </button>
    }
    .erased()
}
