//! `/account`: the password and the sessions of the user who is logged in, and logging out.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::SessionInfo;

use crate::account::server_fns::{ChangePassword, EndSession, sessions};
use crate::ui::{
    loaded::{Loaded, page_data},
    problem::Alert,
    server_form::{FormAction, ServerForm},
    time::Time,
};

const PASSWORD_CHANGED: &str = "Password changed. Your other sessions have ended.";

#[component]
pub(crate) fn AccountPage() -> impl IntoView {
    let change = FormAction::of::<ChangePassword>();
    let end = FormAction::of::<EndSession>();
    // Both change which sessions there are.
    let versions = (change.version(), end.version());
    let loaded = page_data(move || (versions.0.get(), versions.1.get()), |_| sessions());
    let params = use_query_map();
    let show = move |(user, sessions): (String, Vec<SessionInfo>)| {
        // Without WASM, the address says it, with the handle of the session in which it was done: only that session's user can know it.
        let changed = sessions.iter().any(|session| {
            session.current && params.read_untracked().get_str("changed") == Some(session.handle.as_str())
        });
        view! {
            {changed.then(|| view! { <p class="note note-good" role="status">{PASSWORD_CHANGED}</p> })}
            <SignedIn user />
            <SessionList sessions end />
        }
        .into_any()
    };
    view! {
        <Title text="Account" />
        <div class="narrow">
            <h1>"Account"</h1>
            <Loaded resource=loaded show />
            <Password change />
        </div>
    }
}

#[component]
fn SignedIn(user: String) -> impl IntoView {
    view! {
        <section class="card row">
            <p>"Logged in as " <strong>{user}</strong></p>
            <form method="post" action="/logout">
                <button class="button">"Log out"</button>
            </form>
        </section>
    }
}

#[component]
fn SessionList(sessions: Vec<SessionInfo>, end: FormAction<()>) -> impl IntoView {
    view! {
        <section class="card">
            <h2>"Sessions"</h2>
            <p class="hint">"Where you are logged in. End a session that you do not recognise, then change your password."</p>
            <Alert problem=end.problem() />
            <ul class="sessions">
                {sessions.into_iter().map(|session| view! { <Session session end /> }).collect_view()}
            </ul>
        </section>
    }
}

#[component]
fn Session(session: SessionInfo, end: FormAction<()>) -> impl IntoView {
    let SessionInfo { handle, created_at_ms, last_seen_ms, address, user_agent, current } = session;
    let end_button = (!current).then(|| {
        view! {
            <ServerForm action=end>
                <input type="hidden" name="handle" value=handle />
                <button class="button">"End session"</button>
            </ServerForm>
        }
    });
    view! {
        <li class="row">
            <div class="session">
                <p class="address">
                    <strong>{address}</strong>
                    {current.then(|| view! { <span class="tag">"this session"</span> })}
                </p>
                <p class="hint">{user_agent}</p>
                <p class="hint">"Since " <Time ms=created_at_ms /> "; last used " <Time ms=last_seen_ms /></p>
            </div>
            {end_button}
        </li>
    }
}

#[component]
fn Password(change: FormAction<()>) -> impl IntoView {
    let answer = change.answer();
    let changed = move || answer.read().as_ref().is_some_and(Result::is_ok);
    view! {
        <section class="card">
            <h2>"Password"</h2>
            <ServerForm action=change>
                <label class="field">
                    <span>"Current password"</span>
                    <input type="password" name="current" autocomplete="current-password" required />
                </label>
                <label class="field">
                    <span>"New password"</span>
                    <input
                        type="password"
                        name="new"
                        autocomplete="new-password"
                        minlength="12"
                        maxlength="1024"
                        aria-describedby="password-hint"
                        required
                    />
                </label>
                <p class="hint" id="password-hint">
                    "At least 12 characters. Changing it ends your other sessions."
                </p>
                <Alert problem=change.problem() />
                <div role="status">
                    <Show when=changed>
                        <p class="note note-good">{PASSWORD_CHANGED}</p>
                    </Show>
                </div>
                <button class="button primary" disabled=change.pending()>
                    "Change password"
                </button>
            </ServerForm>
        </section>
    }
}
