//! The form that starts a migration: in the dialog, and on a page of its own.

use std::time::Duration;

use leptos::{
    html,
    prelude::*,
    web_sys::{FormData, HtmlFormElement},
};
use leptos_router::hooks::use_navigate;
use model::{HostName, Vm, VmId};

use crate::live::Live;
use crate::migrations::{
    destination_card::DestinationCard,
    destination_reports::{DestinationReports, Known},
    host_choice::{HostChoice, HostSearch, OtherHosts},
    migrate_options::MigrateOptions,
    report::Report,
    server_fns::{Measure, Start},
};
use crate::ui::{
    dialog::Question,
    form::CancelButton,
    problem::Alert,
    server_form::{FormAction, ServerForm, fields_of},
};

/// How long nothing may change in the form before the chosen host is checked again.
const PAUSE: Duration = Duration::from_millis(250);

/// The form, for the dialog.
pub(crate) fn migrate_question(live: Live, vm: VmId) -> Question {
    let form =
        move |close| view! { <MigrateForm vm close=Some(close) reports=DestinationReports::none() /> }.into_any();
    Question { href: format!("/vms/{vm}/migrate"), title: migrate_title(live, vm), form: Callback::new(form) }
}

/// The form's heading.
pub(crate) fn migrate_title(live: Live, vm: VmId) -> String {
    format!("Migrate {}", live.vm_name(vm))
}

/// Asks for the destination and the options, shows the preflight report and what will be done, and starts the migration.
#[component]
pub(super) fn MigrateForm(
    vm: VmId,
    /// Closes the dialog it is in.
    close: Option<Callback<()>>,
    /// What is known already.
    reports: DestinationReports,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let navigate = use_navigate();
    let form = NodeRef::<html::Form>::new();
    let known = reports.known;
    let check_again = Callback::new(move |()| {
        if let Some(fields) = form.get_untracked().as_ref().and_then(filled_in) {
            reports.ask(fields);
        }
    });

    let is_sent = RwSignal::new(false);
    let start = FormAction::of::<Start>();
    start.on_success(move |migration| {
        is_sent.set(true);
        let page = format!("/migrations/{}", migration.id);
        live.learn(migration);
        navigate(&page, Default::default());
    });
    let measure = FormAction::of::<Measure>();
    measure.on_success(move |()| check_again.run(()));
    let measure_now = Callback::new(move |()| {
        if let Some(fields) = form.get_untracked().as_ref().and_then(filled_in) {
            measure.send(fields);
        }
    });
    let start_problem = start.problem();
    // A start was refused because of findings: the form then shows them.
    Effect::new(move |_| {
        if start_problem.read().as_ref().is_some_and(|problem| !problem.findings.is_empty()) {
            check_again.run(());
        }
    });

    let start_pending = start.pending();
    let is_starting = move || start_pending.get() || is_sent.get();
    // Once it is sent, the form stays as it was: it would say of every host that the VM is being migrated already.
    let shown = Memo::new(move |before: Option<&Option<Vm>>| match before {
        Some(before) if is_starting() => before.clone(),
        _ => live.vms.value(&vm),
    });
    if close.is_some() {
        live.show_for_a_while(vm);
    }
    let choice = HostChoice::new(live, shown, known);
    follow(vm, shown, choice, reports, check_again);
    let changed = on_change(form, known, check_again);
    let is_complete = completeness(form, known);
    let checked = Memo::new(move |_| known.read().of_chosen().cloned());
    let is_impossible = move || checked.read().as_ref().is_some_and(|checked| !checked.is_possible());
    let plan = move || plan(&known.read(), shown.read().as_ref());

    let on_input = move |_| {
        // What was refused was another form.
        start.clear();
        changed.run(());
    };

    view! {
        <ServerForm action=start node_ref=form on:input=on_input>
            <input type="hidden" name="request[vm]" value=vm.to_string() />
            <fieldset>
                <legend>"Destination"</legend>
                <HostSearch choice />
                <div class="destinations">
                    <For each=move || choice.shown.get() key=HostName::clone let:name>
                        <DestinationCard name vm=shown reports autofocus=close.is_some() />
                    </For>
                </div>
                <OtherHosts choice vm_id=vm />
                // The form's first button is the one that Enter presses: this one starts nothing. Hidden where scripts run.
                <button
                    class="button by-hand"
                    formmethod="get"
                    formaction=format!("/vms/{vm}/migrate")
                    formnovalidate
                    on:click=move |click| click.prevent_default()
                >
                    "Check again"
                </button>
            </fieldset>
            <div class="report" aria-busy=move || (known.read().waiting > 0).then_some("true")>
                <Report vm=shown checked measure=measure_now />
            </div>
            <MigrateOptions vm=shown checked />
            <div class="form-foot">
                <p class="plan" role="status">{plan}</p>
                <Alert problem=reports.problem.into() unasked=true />
                <Alert problem=measure.problem() />
                <Alert problem=start_problem />
                <div class="buttons">
                    <CancelButton close href="/" label="Cancel" />
                    <button
                        class="button primary"
                        disabled=move || is_starting() || is_impossible() || !is_complete.get()
                    >
                        "Start migration"
                    </button>
                </div>
            </div>
        </ServerForm>
    }
}

/// Asks for all hosts that have a card, and again when the VM or a host's connection has changed.
fn follow(
    vm: VmId,
    shown: Memo<Option<Vm>>,
    choice: HostChoice,
    reports: DestinationReports,
    check_again: Callback<()>,
) {
    let live = expect_context::<Live>();
    Effect::new(move |before: Option<(Option<Vm>, Vec<_>)>| {
        let is_connected = |name: &HostName| live.hosts.value(name).is_some_and(|host| host.is_connected());
        let hosts: Vec<_> = choice.shown.get().into_iter().map(|name| (is_connected(&name), name)).collect();
        let now = (shown.get(), hosts);
        let is_known = |host: &HostName| reports.known.read_untracked().of(host).is_some();
        let (has_changed, asked) = match &before {
            None => (false, now.1.iter().filter(|(_, host)| !is_known(host)).collect::<Vec<_>>()),
            Some((before, hosts)) if *before == now.0 => {
                let has_changed =
                    now.1.iter().any(|(is_connected, host)| hosts.contains(&(!is_connected, host.clone())));
                (has_changed, now.1.iter().filter(|host| !hosts.contains(host)).collect())
            }
            Some(_) => (true, now.1.iter().collect()),
        };
        for (_, host) in asked {
            reports.ask_plainly(vm, host.clone());
        }
        // The first hosts may come a moment after the dialog.
        if before.is_none_or(|(_, hosts)| hosts.is_empty()) && !now.1.is_empty() {
            reports.complete_in_time();
        } else if has_changed {
            check_again.run(());
        }
        now
    });
}

/// What follows a change in the form: the destination is chosen at once, and checked when nothing has changed for a moment.
fn on_change(form: NodeRef<html::Form>, known: RwSignal<Known>, check_again: Callback<()>) -> Callback<()> {
    let changes = StoredValue::new(0_u64);
    Callback::new(move |()| {
        known.update(|known| known.chosen = form.get_untracked().as_ref().and_then(destination));
        changes.update_value(|changes| *changes += 1);
        let change = changes.get_value();
        let check_after_the_last = move || {
            if changes.try_get_value() == Some(change) {
                check_again.run(());
            }
        };
        set_timeout(check_after_the_last, PAUSE);
    })
}

/// Whether everything required is filled in and ticked. This includes the fields that a report brings, which are in the page a moment
/// after it has arrived.
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

fn plan(known: &Known, vm: Option<&Vm>) -> String {
    match (known.of_chosen(), vm, &known.chosen) {
        (Some(checked), Some(vm), _) => checked.plan(vm),
        (_, _, Some(host)) => format!("Checking {host}…"),
        (_, _, None) => "Choose a destination.".to_owned(),
    }
}

/// What the form asks for; none while it does not say a destination, or has a field that is no number in its range.
fn filled_in(form: &HtmlFormElement) -> Option<String> {
    destination(form)?;
    let is_invalid = form.query_selector("input[type=number]:invalid").is_ok_and(|found| found.is_some());
    if is_invalid { None } else { fields_of(form) }
}

fn destination(form: &HtmlFormElement) -> Option<HostName> {
    let filled_in = FormData::new_with_form(form).ok()?;
    filled_in.get("request[destination]").as_string()?.parse().ok()
}
