//! The question whether a key that a host shows is its own.

use leptos::prelude::*;
use model::{Code, Problem};

use crate::ui::{
    document::FormProblem,
    icon::{Draw, Icon},
    problem::ProblemText,
};

/// Why a host could not be reached, in front of the form: a problem, or a key to confirm.
#[component]
pub(crate) fn HostRefusal(
    problem: Option<Problem>,
    /// The key that the form was sent with.
    confirmed: Option<String>,
    /// The key that the console knew already.
    known: Option<String>,
) -> impl IntoView {
    let Some(mut problem) = problem else { return ().into_any() };
    let seen = match problem.code {
        Code::HostKeyUnknown | Code::HostKeyChanged => problem.fingerprint.take(),
        _ => None,
    };
    match (problem.code, seen) {
        (Code::HostKeyChanged, seen) => view! { <ChangedKey problem known seen /> }.into_any(),
        (Code::HostKeyUnknown, Some(seen)) => view! { <UnknownKey problem seen /> }.into_any(),
        (Code::HostKeyUnknown, None) => view! { <FormProblem problem /> }.into_any(),
        _ => view! {
            <FormProblem problem />
            {confirmed.map(|key| view! { <Confirmation key checked=true /> })}
        }
        .into_any(),
    }
}

#[component]
fn UnknownKey(problem: Problem, seen: String) -> impl IntoView {
    view! {
        <section class="note note-warn" role="alert">
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <h2>"Is this the host's key?"</h2>
                <p>{problem.sentence}</p>
                <Fingerprint text=seen.clone() />
                <p>"On the host itself, at its console or over a connection that you trust, run this and compare:"</p>
                <pre class="command">"ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"</pre>
                <p class="hint">
                    "If that shows another key, try ssh_host_ecdsa_key.pub and ssh_host_rsa_key.pub. If none is the same, the connection \
                    may be intercepted: do not continue."
                </p>
                <Confirmation key=seen checked=false />
                <p class="hint">"Type the password again: it was not sent, because the key is not confirmed yet."</p>
            </div>
        </section>
    }
}

/// A key that is not the known one. Nothing here accepts it.
#[component]
fn ChangedKey(problem: Problem, known: Option<String>, seen: Option<String>) -> impl IntoView {
    view! {
        <section class="note note-bad" role="alert">
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <ProblemText problem />
                {known.map(|text| view! { <h2>"Known key"</h2> <Fingerprint text /> })}
                {seen.map(|text| view! { <h2>"Key shown now"</h2> <Fingerprint text /> })}
            </div>
        </section>
    }
}

/// A key in groups that an eye can compare; copied, it is in one piece.
#[component]
fn Fingerprint(text: String) -> impl IntoView {
    const GROUP: usize = 11;
    let (kind, hash) = text.split_at(text.find(':').map_or(0, |colon| colon + 1));
    let groups = std::iter::once(kind.as_bytes())
        .chain(hash.as_bytes().chunks(GROUP))
        .map(|group| view! { <span>{String::from_utf8_lossy(group).into_owned()}</span> })
        .collect_view();
    view! { <code class="fingerprint">{groups}</code> }
}

#[component]
fn Confirmation(key: String, checked: bool) -> impl IntoView {
    view! {
        <label class="check">
            <input type="checkbox" name="fingerprint" value=key.clone() checked=checked />
            <span>
                "This is the host's key" {checked.then(|| view! { <small class="key">{key}</small> })}
            </span>
        </label>
    }
}
