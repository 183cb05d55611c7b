//! `/account`: the password and the sessions of the user who is logged in, and logging out.

use leptos::{prelude::*, server::ServerActionError};
use model::{Code, SessionInfo};

use crate::account::server_fns::{ChangePassword, EndOtherSessions, EndSession};
use crate::ui::{
    document::{Assets, Document},
    problem::Alert,
    server_form::{FormAction, ServerForm},
    time::Time,
};

/// The page.
pub fn account(
    assets: Assets,
    user: String,
    sessions: Vec<SessionInfo>,
    // The handle of the session in which the password was just changed: only that session's user can know it.
    changed: Option<&str>,
    // Which form was refused, and why.
    refused: Option<ServerActionError>,
) -> Document {
    let is_changed = sessions.iter().any(|session| session.current && changed == Some(session.handle.as_str()));
    Document::of_menu(assets, "/account", "Account", || {
        if let Some(refused) = refused {
            provide_context(refused);
        }
        let changed = "Password changed. Your other sessions have ended.";
        view! {
            {is_changed.then(|| view! { <p class="note note-good" role="status">{changed}</p> })}
            <SignedIn user />
            <SessionList sessions />
            <Password />
        }
    })
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
fn SessionList(sessions: Vec<SessionInfo>) -> impl IntoView {
    let end = FormAction::of::<EndSession>();
    let others = FormAction::of::<EndOtherSessions>();
    let end_others = (sessions.len() > 2).then(|| {
        view! {
            <Alert problem=others.problem() />
            <ServerForm action=others>
                <button class="button">"End all other sessions"</button>
            </ServerForm>
        }
    });
    view! {
        <section class="card">
            <h2>"Sessions"</h2>
            <p class="hint">"Where you are logged in. End a session that you do not recognise, then change your password."</p>
            <Alert problem=end.problem() />
            <ul class="sessions">
                {sessions.into_iter().map(|session| view! { <Session session end /> }).collect_view()}
            </ul>
            {end_others}
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
fn Password() -> impl IntoView {
    let change = FormAction::of::<ChangePassword>();
    let code = change.problem().get_untracked().map(|problem| problem.code);
    // The one that the refusal is about says so.
    let invalid = |about: Code| (code == Some(about)).then_some("true");
    let current = invalid(Code::WrongCredentials);
    let new = invalid(Code::WeakPassword);
    let described = |hint: &str, wrong: Option<&str>| match wrong {
        Some(_) => format!("password-problem {hint}"),
        None => hint.to_owned(),
    };
    view! {
        <section class="card">
            <h2>"Password"</h2>
            <ServerForm action=change>
                <label class="field">
                    <span>"Current password"</span>
                    <input
                        type="password"
                        name="current"
                        autocomplete="current-password"
                        required
                        autofocus=current.is_some()
                        aria-invalid=current
                        aria-describedby=current.map(|_| "password-problem")
                    />
                </label>
                <label class="field">
                    <span>"New password"</span>
                    <input
                        type="password"
                        name="new"
                        autocomplete="new-password"
                        minlength="12"
                        maxlength="1024"
                        autofocus=new.is_some()
                        aria-invalid=new
                        aria-describedby=described("password-hint", new)
                        required
                    />
                </label>
                <p class="hint" id="password-hint">
                    "At least 12 characters. Changing it ends your other sessions."
                </p>
                <div id="password-problem">
                    <Alert problem=change.problem() />
                </div>
                <button class="button primary">
                    "Change password"
                </button>
            </ServerForm>
        </section>
    }
}
