//! The question whether a key that a host shows is its own.

use leptos::prelude::*;
use model::{Code, Problem};

use crate::ui::Erased;
use crate::ui::document::alert;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;
use crate::ui::problem::ProblemText;

/// What an attempt to reach a host came to, in front of the form: a problem, or a key to confirm. `confirmed` is the key that the form
/// was sent with, `known` the one that the console knew already.
pub(crate) fn refusal(problem: Option<Problem>, confirmed: Option<&str>, known: Option<&str>) -> AnyView {
    match problem {
        Some(problem) if problem.code == Code::HostKeyChanged => changed(problem, known),
        Some(mut problem) if problem.code == Code::HostKeyUnknown => match problem.fingerprint.take() {
            Some(seen) => unknown(problem, seen),
            None => alert(problem),
        },
        Some(problem) => view! {
            {alert(problem)}
            {confirmed.map(|key| confirmation(key.to_owned(), true))}
        }
        .into_any(),
        None => ().into_any(),
    }
}

fn unknown(problem: Problem, seen: String) -> AnyView {
    view! {
        <section class="note note-warn" role="alert">
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <h2>"Is this the host's key?"</h2>
                <p>{problem.sentence}</p>
                {fingerprint(&seen)}
                <p>"Ask the host itself, on its own screen or wherever you trust what you see. It has to say the same:"</p>
                <pre class="command">"ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"</pre>
                <p class="hint">
                    "If it shows another, try ssh_host_ecdsa_key.pub and ssh_host_rsa_key.pub. If none is the same, somebody may stand \
                    between: do not go on."
                </p>
                {confirmation(seen, false)}
                <p class="hint">"A password has to be typed once more: it was not sent to a host that nobody knew."</p>
            </div>
        </section>
    }
    .erased()
}

/// A key that is not the known one. Nothing here accepts it.
fn changed(mut problem: Problem, known: Option<&str>) -> AnyView {
    let seen = problem.fingerprint.take();
    view! {
        <section class="note note-bad" role="alert">
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <ProblemText problem />
                {known.map(|known| view! { <h2>"The key it had"</h2> {fingerprint(known)} }.into_any())}
                {seen.map(|seen| view! { <h2>"The key that was shown now"</h2> {fingerprint(&seen)} }.into_any())}
            </div>
        </section>
    }
    .erased()
}

/// A key in groups that an eye can compare; copied, it is in one piece.
fn fingerprint(text: &str) -> AnyView {
    const GROUP: usize = 11;
    let (kind, hash) = text.split_at(text.find(':').map_or(0, |colon| colon + 1));
    let groups: Vec<AnyView> = std::iter::once(kind.as_bytes())
        .chain(hash.as_bytes().chunks(GROUP))
        .map(|group| view! { <span>{String::from_utf8_lossy(group).into_owned()}</span> }.erased())
        .collect();
    view! { <code class="fingerprint">{groups}</code> }.erased()
}

fn confirmation(key: String, is_checked: bool) -> AnyView {
    view! {
        <label class="check">
            <input type="checkbox" name="fingerprint" value=key.clone() checked=is_checked />
            <span>
                "This is its key" {is_checked.then(|| view! { <small class="key">{key}</small> }.erased())}
            </span>
        </label>
    }
    .erased()
}
