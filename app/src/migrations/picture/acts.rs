//! What the policy and people have done to a migration, as a list. Its numbers are the marks in the picture.

use leptos::prelude::*;
use model::{Act, text};

/// The list, where anything was done.
#[component]
pub(super) fn Acts(acts: Memo<Vec<Act>>) -> impl IntoView {
    let entry = |(at, act): (usize, Act)| {
        view! {
            <li>
                <span class="mark" aria-hidden="true">
                    {at + 1}
                </span>
                <span>{told(&act)}</span>
            </li>
        }
    };
    view! {
        <Show when=move || !acts.read().is_empty()>
            <h3 class="hidden">"What was done"</h3>
            <ol class="acts">
                {move || acts.get().into_iter().enumerate().map(entry).collect_view()}
            </ol>
        </Show>
    }
}

/// An act in a line: `12.3 s: Pause up to 640 ms, by the policy`.
fn told(act: &Act) -> String {
    let by = act.by.as_deref().unwrap_or("the policy");
    format!("{}: {}, by {by}", moment(act.elapsed_ms), act.what.label())
}

/// A moment in a migration, to a tenth of a second in its first minute.
pub(super) fn moment(ms: u64) -> String {
    match (ms + 50) / 100 {
        tenths @ 0..600 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => text::duration(ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Acted;

    #[test]
    fn an_act_says_when_what_and_by_whom() {
        let mut act = Act { elapsed_ms: 12_340, what: Acted::Pause { ms: 640 }, by: None };
        assert_eq!(told(&act), "12.3 s: Pause up to 640 ms, by the policy");
        act = Act { elapsed_ms: 75_000, by: Some("ada".into()), ..act };
        assert_eq!(told(&act), "1 min 15 s: Pause up to 640 ms, by ada");
    }
}
