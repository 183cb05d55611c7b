//! The form that begins a migration: in the dialog, and on a page of its own.

use std::time::Duration;

use leptos::{html, prelude::*, web_sys::FormData};
use leptos_router::hooks::use_navigate;
use model::{Host, HostName, Migration, Vm, VmId, refusal};

use crate::live::Live;
use crate::migrations::destination_card::DestinationCard;
use crate::migrations::destination_reports::Known;
use crate::migrations::destination_reports::Looks;
use crate::migrations::migrate_options::MigrateOptions;
use crate::migrations::report::Outlook;
use crate::migrations::server_fns::Measure;
use crate::migrations::server_fns::Start;
use crate::ui::Erased;
use crate::ui::form::CancelButton;
use crate::ui::form::PostForm;
use crate::ui::form::filled_in;
use crate::ui::keyed;
use crate::ui::post::Post;
use crate::ui::problem::Alert;

/// How long nothing may change in the form before the chosen host is looked at again.
const PAUSE: Duration = Duration::from_millis(250);

/// Asks for the destination and the options, says what was found and what will be done, and begins it.
#[component]
pub(crate) fn MigrateForm(
    vm: VmId,
    /// Closes the dialog it is in.
    close: Option<Callback<()>>,
    /// What the page has brought.
    known: Vec<Outlook>,
    chosen: Option<HostName>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let navigate = use_navigate();
    let is_sent = RwSignal::new(false);
    let start = Post::to::<Start>(move |json| {
        is_sent.set(true);
        if let Ok(migration) = serde_json::from_str::<Migration>(&json) {
            let address = format!("/migrations/{}", migration.id);
            live.learn(migration);
            navigate(&address, Default::default());
        }
    });
    let form = NodeRef::<html::Form>::new();
    let measured = RwSignal::new(0_u64);
    let measure = Post::to::<Measure>(move |_| measured.update(|count| *count += 1));
    let looks = Looks::new(known, chosen, measure);
    let known = looks.known;
    // Once it is sent, the form stays as it was: it would say of every host that the VM is being migrated already.
    let shown = Memo::new(move |before: Option<&Option<Vm>>| match before {
        Some(before) if start.pending.get() || is_sent.get() => before.clone(),
        _ => live.vms.value(&vm),
    });
    let look_again = Callback::new(move |()| {
        if let Some(fields) = form.get_untracked().as_ref().and_then(filled_in) {
            looks.ask(fields);
        }
    });
    follow(vm, shown, looks, look_again);
    // The chosen host is also asked when it was measured, and when the start was refused for what was found.
    Effect::new(move |before: Option<u64>| {
        let is_refused = start.problem.read().as_ref().is_some_and(|problem| !problem.findings.is_empty());
        let now = measured.get();
        if is_refused || before.is_some_and(|before| before != now) {
            look_again.run(());
        }
        now
    });
    let changes = StoredValue::new(0_u64);
    let changed = move || {
        known.update(|known| known.chosen = form.get_untracked().as_ref().and_then(destination));
        changes.update_value(|changes| *changes += 1);
        let change = changes.get_value();
        let look_after_the_last = move || {
            if changes.try_get_value() == Some(change) {
                look_again.run(());
            }
        };
        set_timeout(look_after_the_last, PAUSE);
    };
    let is_complete = completeness(form, known);
    let is_impossible = move || known.read().of_chosen().is_some_and(|outlook| !outlook.is_possible);
    let report = move || known.read().of_chosen().map(|outlook| outlook.report.clone()).unwrap_or_default();

    view! {
        <PostForm
            post=start
            other=measure
            node=form
            on:input=move |_| changed()
        >
            <input type="hidden" name="request[vm]" value=vm.to_string() />
            <fieldset>
                <legend>"Destination"</legend>
                <div class="destinations">
                    {keyed(
                        move || in_order(live, shown, known),
                        move |name| view! { <DestinationCard name vm=shown looks autofocus=close.is_some() /> }.erased(),
                    )}
                </div>
                // The form's first button, so that it is also what Enter presses: nothing starts by that. Hidden where scripts run.
                <button class="button by-hand" formmethod="get" formaction=format!("/vms/{vm}/migrate") formnovalidate>
                    "Look again"
                </button>
                <a class="elsewhere" href=format!("/vms/{vm}/elsewhere") rel="external">"Another host…"</a>
            </fieldset>
            <div
                class="report"
                aria-busy=move || (known.read().waiting > 0).then_some("true")
                inner_html=report
            ></div>
            <MigrateOptions vm=shown looks />
            <div class="form-foot">
                <p class="plan" role="status">{move || plan(&known.read())}</p>
                <Alert problem=measure.problem />
                <Alert problem=start.problem />
                <div class="buttons">
                    <CancelButton close href="/" label="Cancel" />
                    <button
                        class="button primary"
                        disabled=move || start.pending.get() || is_sent.get() || is_impossible() || !is_complete.get()
                    >
                        "Start migration"
                    </button>
                </div>
            </div>
        </PostForm>
    }
    .erased()
}

/// The hosts as their cards are shown: those that can't take the VM by what the inventory says are last.
fn in_order(live: Live, vm: Memo<Option<Vm>>, known: RwSignal<Known>) -> Vec<HostName> {
    let known = known.read();
    let place = |host: Host| {
        let is_refused = vm.read().as_ref().is_none_or(|vm| refusal(vm, &host, None).is_some());
        (is_refused, known.place(&host.name), host.name)
    };
    let mut hosts: Vec<_> = live.hosts.values().into_iter().map(place).collect();
    hosts.sort_unstable();
    hosts.into_iter().map(|(_, _, name)| name).collect()
}

/// Asks for all hosts, and again when something has happened to the VM or to a host's connection.
fn follow(vm: VmId, shown: Memo<Option<Vm>>, looks: Looks, look_again: Callback<()>) {
    let live = expect_context::<Live>();
    Effect::new(move |before: Option<(Option<Vm>, Vec<_>)>| {
        let hosts: Vec<_> = live.hosts.values().into_iter().map(|host| (host.is_connected(), host.name)).collect();
        let now = (shown.get(), hosts);
        let is_first = before.is_none();
        if before.as_ref() != Some(&now) {
            for (_, host) in &now.1 {
                if !is_first || looks.known.read_untracked().of(host).is_none() {
                    looks.ask_plainly(vm, host);
                }
            }
            if is_first {
                looks.settle_in_time();
            } else {
                look_again.run(());
            }
        }
        now
    });
}

/// Whether all is filled in and ticked that has to be. The fields that the report brings count, too: they are in the page a moment
/// after it has come.
fn completeness(form: NodeRef<html::Form>, known: RwSignal<Known>) -> RwSignal<bool> {
    let is_complete = RwSignal::new(true);
    Effect::new(move |_| {
        known.track();
        request_animation_frame(move || {
            if let Some(form) = form.try_get_untracked().flatten() {
                is_complete.try_set(form.check_validity());
            }
        });
    });
    is_complete
}

fn plan(known: &Known) -> String {
    match (known.of_chosen(), &known.chosen) {
        (Some(outlook), _) => outlook.plan.clone(),
        (None, Some(host)) => format!("Asking {host}…"),
        (None, None) => "Choose a host.".to_owned(),
    }
}

fn destination(form: &leptos::web_sys::HtmlFormElement) -> Option<HostName> {
    let filled_in = FormData::new_with_form(form).ok()?;
    filled_in.get("request[destination]").as_string()?.parse().ok()
}
