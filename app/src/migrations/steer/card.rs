//! The forms that steer a running migration, each with what it would do, or why it is not possible now.

use leptos::{ev::MouseEvent, prelude::*};
use model::{Acted, ControlFlow, Migration, Policy, Problem, Steering, text};

use crate::migrations::{
    pause_limit::pause_limit_ms,
    server_fns::Steer,
    steer::{
        confirm::{confirm_question, consequence, is_asked_before},
        fields::act,
        suggestion::longer_pause_ms,
    },
};
use crate::ui::{
    dialog::Asked,
    problem::Alert,
    server_form::{FormAction, ServerForm},
};

/// The card.
#[component]
pub(crate) fn SteerCard(migration: Signal<Migration>) -> impl IntoView {
    let steer = FormAction::of::<Steer>();
    view! {
        <section class="card" id="steer">
            <h2>"Steer"</h2>
            <Alert problem=steer.problem() />
            <ul class="steerings">
                <PauseForm migration steer />
                <BandwidthForm migration steer />
                <PolicyForm migration steer />
                <SteerForm migration steer steering=Steering::SlowGuest hint=slowed />
                <SteerForm migration steer steering=Steering::PostCopy hint=post_copied />
                <SteerForm migration steer steering=Steering::PauseGuest hint=paused />
            </ul>
        </section>
    }
}

/// A form with a button, and a field beside it where there is one. What hurts is asked about before: in the dialog, or on a page where no
/// scripts run.
#[component]
fn SteerForm(
    migration: Signal<Migration>,
    steer: FormAction<Migration>,
    /// Its numbers do not matter: the fields say which are meant.
    steering: Steering,
    /// What it is about, while it is possible.
    hint: fn(&Migration) -> String,
    /// What the button says beside a field that is named already.
    #[prop(optional)]
    short: Option<&'static str>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let asked = expect_context::<Asked>();
    let id = migration.read_untracked().id;
    let refusal = Memo::new(move |_| steering.refusal(&migration.read()));
    let pending = steer.pending();
    let is_disabled = move || refusal.read().is_some() || pending.get();
    let is_asked = is_asked_before(steering);
    let ask = move |click: MouseEvent| {
        if is_asked {
            click.prevent_default();
            asked.set(Some(confirm_question(id, steering)));
        }
    };
    view! {
        <li class="steering" data-act=act(steering)>
            <ServerForm action=steer>
                <input type="hidden" name="id" value=id.to_string() />
                <input type="hidden" name="steering[act]" value=act(steering) />
                <div class="steering-row">
                    {children.map(|children| children())}
                    <button
                        class="button"
                        formmethod=is_asked.then_some("get")
                        formaction=is_asked.then(|| format!("/migrations/{id}/steer"))
                        disabled=is_disabled
                        aria-label=steering.label()
                        aria-describedby=hint_id(steering)
                        on:click=ask
                    >
                        {short.unwrap_or(steering.label())}
                    </button>
                </div>
                <Hint migration steering refusal hint />
            </ServerForm>
        </li>
    }
}

#[component]
fn PauseForm(migration: Signal<Migration>, steer: FormAction<Migration>) -> impl IntoView {
    // A field that a person has changed keeps what was typed: a browser shows this value only before that.
    let suggested = Memo::new(move |_| longer_pause_ms(&migration.read()).to_string());
    view! {
        <SteerForm migration steer steering=Steering::LongestPause { ms: 1 } hint=allowed_pause short="Allow">
            {number("Longest pause, ms", "steering[ms]", Steering::MOST_PAUSE_MS, suggested.into())}
        </SteerForm>
    }
}

#[component]
fn BandwidthForm(migration: Signal<Migration>, steer: FormAction<Migration>) -> impl IntoView {
    let nothing = Signal::stored(String::new());
    view! {
        <SteerForm migration steer steering=Steering::Bandwidth { mib_s: 1 } hint=bandwidth short="Change">
            {number("Bandwidth, MiB/s", "steering[mib_s]", Steering::MOST_BANDWIDTH_MIB_S, nothing)}
        </SteerForm>
    }
}

/// A field for a whole number from 1 to `max`.
fn number(label: &'static str, name: &'static str, max: u32, value: Signal<String>) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input type="number" name=name value=value min="1" max=max.to_string() inputmode="numeric" required />
        </label>
    }
}

#[component]
fn PolicyForm(migration: Signal<Migration>, steer: FormAction<Migration>) -> impl IntoView {
    let current = Memo::new(move |_| migration.read().policy);
    let option = move |policy: Policy| {
        view! {
            <option value=policy.as_str() selected=move || current.get() == policy>
                {policy.label()}
            </option>
        }
    };
    let steering = Steering::Policy { policy: current.get_untracked() };
    view! {
        <SteerForm migration steer steering hint=policy_followed short="Change">
            <label class="field">
                <span>"Policy"</span>
                <select name="steering[policy]">{Policy::ALL.iter().copied().map(option).collect_view()}</select>
            </label>
        </SteerForm>
    }
}

/// Why it is not possible now, or else what it is about.
#[component]
fn Hint(
    migration: Signal<Migration>,
    steering: Steering,
    refusal: Memo<Option<Problem>>,
    hint: fn(&Migration) -> String,
) -> impl IntoView {
    let words = Memo::new(move |_| match refusal.get() {
        Some(Problem { sentence, fix, .. }) => {
            [Some(sentence), fix].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        None => hint(&migration.read()),
    });
    view! {
        <p class="hint" id=hint_id(steering)>
            {words}
        </p>
    }
}

fn hint_id(steering: Steering) -> String {
    format!("about-{}", act(steering))
}

fn policy_followed(migration: &Migration) -> String {
    let can_post_copy = migration.control_flow.is_some_and(ControlFlow::allows_post_copy) && !migration.options.rdma;
    migration.policy.hint(can_post_copy).to_owned()
}

fn allowed_pause(migration: &Migration) -> String {
    format!("Now up to {}.", text::duration(pause_limit_ms(migration).into()))
}

fn bandwidth(migration: &Migration) -> String {
    let steered = migration.acts.iter().rev().find_map(|act| match act.what {
        Acted::Bandwidth { mib_s } => Some(mib_s),
        _ => None,
    });
    match steered.or(migration.options.bandwidth_mib_s) {
        Some(limit) => format!("Now {limit} MiB/s."),
        None => "Now the source host's setting.".to_owned(),
    }
}

fn slowed(_: &Migration) -> String {
    "It then writes less. The migration begins again for that.".to_owned()
}

fn post_copied(migration: &Migration) -> String {
    let again = if migration.post_copy { "" } else { " The migration begins again for that." };
    format!("{} continues on {} at once, and its memory follows.{again}", migration.vm_name, migration.destination)
}

fn paused(migration: &Migration) -> String {
    consequence(migration, Steering::PauseGuest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Act, examples};

    #[test]
    fn the_limit_that_counts_is_the_last_one() {
        let mut migration = examples::migration(1);
        assert_eq!(bandwidth(&migration), "Now the source host's setting.");
        migration.options.bandwidth_mib_s = Some(16);
        assert_eq!(bandwidth(&migration), "Now 16 MiB/s.");
        for mib_s in [32, 64] {
            migration.acts.push(Act { elapsed_ms: 0, what: Acted::Bandwidth { mib_s }, by: None });
        }
        assert_eq!(bandwidth(&migration), "Now 64 MiB/s.");
    }
}
