//! The figures of a migration while it runs, and the button that cancels it.

use leptos::prelude::*;
use model::{Host, Migration, Progress, text};

use crate::hosts::page::{HostLink, wants_login};
use crate::live::Live;
use crate::migrations::cancel_form::cancel_question;
use crate::ui::{
    dialog::QuestionLink,
    fact::Fact,
    icon::{Draw, Icon},
    time::Elapsed,
};

/// The figures, and what can be done.
#[component]
pub(super) fn Running(migration: Signal<Migration>) -> impl IntoView {
    let live = expect_context::<Live>();
    let id = migration.read_untracked().id;
    let convergence = Memo::new(move |_| text::convergence(&migration.read()));
    // While it waits for a host, an admin who has cancelled before can cancel again, to give up.
    let cancel_requested = Memo::new(move |_| migration.read().cancel_requested && migration.read().problem.is_none());
    let warning = move || {
        convergence.get().map(|sentence| {
            view! {
                <div class="note note-warn">
                    <Draw icon=Icon::Warning />
                    <p class="note-text">{sentence}</p>
                </div>
            }
        })
    };
    let cancel = move || {
        view! {
            <QuestionLink class="button danger" question=move || cancel_question(live, id)>
                "Cancel"
            </QuestionLink>
        }
    };
    view! {
        <div role="status">{warning}</div>
        <Figures migration />
        <div class="buttons">
            {move || logins(live, &migration.read())}
            <Show when=move || cancel_requested.get() fallback=cancel>
                <p class="hint">"Cancelling: waiting for the source host to confirm."</p>
            </Show>
        </div>
    }
}

#[component]
fn Figures(migration: Signal<Migration>) -> impl IntoView {
    let progress = move |words: fn(&Progress) -> String| move || words(&migration.read().progress);
    view! {
        <dl class="figures">
            <Fact name="Sent">
                {progress(|p| format!("{} of {}", text::bytes(p.bytes_processed), text::bytes(p.bytes_total)))}
            </Fact>
            <Fact name="Throughput">{progress(|p| text::rate(p.throughput_bytes_s))}</Fact>
            <Fact name="Guest writes">{progress(written)}</Fact>
            <Fact name="Memory pass">{progress(|p| p.memory_pass.max(1).to_string())}</Fact>
            <Fact name="Running for">
                <Elapsed migration />
            </Fact>
            <Fact name="Time left">{progress(time_left)}</Fact>
        </dl>
    }
}

/// Links to log in at a host that has to be asked, and needs a login.
fn logins(live: Live, migration: &Migration) -> impl IntoView + use<> {
    let id = migration.id;
    let hosts = [&migration.source, &migration.destination].into_iter().filter_map(|name| live.hosts.value(name));
    let login = move |Host { name, .. }: Host| {
        view! {
            <HostLink href=format!("/hosts/{name}/login?next=/migrations/{id}") is_main=true>
                {format!("Log in at {name}")}
            </HostLink>
        }
    };
    hosts.filter(wants_login).map(login).collect_view()
}

fn written(progress: &Progress) -> String {
    match progress.memory_pass {
        0 | 1 => "not measured yet".to_owned(),
        _ => text::rate(progress.dirty_bytes_s),
    }
}

fn time_left(progress: &Progress) -> String {
    progress.time_left.map_or_else(|| "not known yet".to_owned(), |left| text::span(left.low_ms, left.high_ms))
}
