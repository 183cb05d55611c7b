//! `/account`: one's password and sessions, and the way out.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::SessionInfo;

use crate::account::server_fns::ChangePassword;
use crate::account::server_fns::EndSession;
use crate::account::server_fns::Sessions;
use crate::ui::Erased;
use crate::ui::form::PostForm;
use crate::ui::loaded::loaded;
use crate::ui::post::Post;
use crate::ui::problem::Alert;
use crate::ui::time::Time;

#[component]
pub(crate) fn AccountPage() -> impl IntoView {
    let changes = RwSignal::new(0_u64);
    let changed = RwSignal::new(false);
    let change = Post::to::<ChangePassword>(move |_| {
        changed.set(true);
        changes.update(|count| *count += 1);
    });
    let end = Post::to::<EndSession>(move |_| changes.update(|count| *count += 1));
    // What is not read by the function asks it again.
    let fields = move || format!("changes={}", changes.get());
    let show = move |(user, sessions)| {
        view! {
            <SignedIn user />
            <SessionList sessions end />
        }
        .erased()
    };
    view! {
        <Title text="Account" />
        <div class="narrow">
            <h1>"Account"</h1>
            {loaded::<Sessions>(fields, show)}
            <Password change changed />
        </div>
    }
    .erased()
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
    .erased()
}

#[component]
fn SessionList(sessions: Vec<SessionInfo>, end: Post) -> impl IntoView {
    view! {
        <section class="card">
            <h2>"Sessions"</h2>
            <p class="hint">"Where you are logged in. End what you do not recognise, then change your password."</p>
            <Alert problem=end.problem />
            <ul class="sessions">
                {sessions.into_iter().map(|session| view! { <Session session end /> }.erased()).collect::<Vec<_>>()}
            </ul>
        </section>
    }
    .erased()
}

#[component]
fn Session(session: SessionInfo, end: Post) -> impl IntoView {
    let SessionInfo { handle, created_at_ms, last_seen_ms, address, user_agent, current } = session;
    view! {
        <li class="row">
            <div class="session">
                <p class="address">
                    <strong>{address}</strong>
                    {current.then(|| view! { <span class="tag">"this one"</span> }.erased())}
                </p>
                <p class="hint">{user_agent}</p>
                <p class="hint">"Since " <Time ms=created_at_ms /> "; last used " <Time ms=last_seen_ms /></p>
            </div>
            {(!current)
                .then(|| {
                    view! {
                        <PostForm post=end>
                            <input type="hidden" name="handle" value=handle />
                            <button class="button">"End"</button>
                        </PostForm>
                    }.erased()
                })}
        </li>
    }
    .erased()
}

#[component]
fn Password(change: Post, changed: RwSignal<bool>) -> impl IntoView {
    let params = use_query_map();
    // Without WASM, the address says it.
    let changed =
        move || change.problem.read().is_none() && (changed.get() || params.read().get_str("changed").is_some());
    let confirmation = move || {
        changed().then(|| {
            view! { <p class="note note-good">"The password is changed, and your other sessions have ended."</p> }
                .erased()
        })
    };
    view! {
        <section class="card">
            <h2>"Password"</h2>
            <PostForm post=change>
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
                        minlength="8"
                        maxlength="1024"
                        aria-describedby="password-hint"
                        required
                    />
                </label>
                <p class="hint" id="password-hint">
                    "At least 8 characters; 15 or more are better. Your other sessions end."
                </p>
                <Alert problem=change.problem />
                <div role="status">{move || confirmation()}</div>
                <button class="button primary" disabled=change.pending>
                    "Change password"
                </button>
            </PostForm>
        </section>
    }
    .erased()
}
