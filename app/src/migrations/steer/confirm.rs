//! The question before a running migration is told what hurts: post-copy, and to pause the guest.

use leptos::prelude::*;
use model::{Migration, MigrationId, Steering, text};

use crate::live::Live;
use crate::migrations::{
    server_fns::Steer,
    steer::{fields::act, suggestion::pause_until_sent_ms},
};
use crate::ui::{dialog::Question, question_form::QuestionForm, server_form::FormAction};

/// What is asked for before.
const CONFIRMED: [Steering; 2] = [Steering::PostCopy, Steering::PauseGuest];

/// Whether it is asked about before it is done.
pub(super) fn is_asked_before(steering: Steering) -> bool {
    CONFIRMED.contains(&steering)
}

/// What the question of this name is about.
#[cfg(any(feature = "ssr", test))]
pub(super) fn confirmed(name: &str) -> Option<Steering> {
    CONFIRMED.into_iter().find(|steering| act(*steering) == name)
}

/// The question, for the dialog.
pub(super) fn confirm_question(id: MigrationId, steering: Steering) -> Question {
    Question {
        href: format!("/migrations/{id}/steer?steering[act]={}", act(steering)),
        title: confirm_title(steering),
        form: Callback::new(move |close| view! { <ConfirmForm id steering close=Some(close) /> }.into_any()),
    }
}

/// The question in a line.
pub(super) fn confirm_title(steering: Steering) -> String {
    format!("{}?", steering.label())
}

/// Says what will happen, and does it.
#[component]
pub(super) fn ConfirmForm(
    id: MigrationId,
    steering: Steering,
    /// Closes the dialog it is in.
    close: Option<Callback<()>>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let consequence = Memo::new(move |_| Some(consequence(&live.migrations.value(&id)?, steering)));
    let steer = FormAction::of::<Steer>();
    view! {
        <QuestionForm
            action=steer
            fields=vec![("id", id.to_string()), ("steering[act]", act(steering).to_owned())]
            consequence
            label=steering.label()
            page=format!("/migrations/{id}")
            close
        />
    }
}

/// What it does to the VM, in a sentence or two.
pub(super) fn consequence(migration: &Migration, steering: Steering) -> String {
    let Migration { source, destination, vm_name: vm, .. } = migration;
    match steering {
        Steering::PostCopy => {
            let again = if migration.post_copy { "" } else { " libvirt begins the migration again for that." };
            format!(
                "{vm} continues on {destination}, and fetches the rest of its memory from {source}. If the link fails before \
                 that has ended, the VM may be lost.{again}"
            )
        }
        _ => match pause_until_sent_ms(migration) {
            Some(ms) => format!("{vm} pauses until its memory is sent, for about {}.", text::duration(ms)),
            None => format!("{vm} pauses until its memory is sent."),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::examples;

    #[test]
    fn what_hurts_is_said_before() {
        let mut migration = examples::migration(1);
        migration.post_copy = true;
        migration.progress.bytes_remaining = 64 << 20;
        migration.progress.throughput_bytes_s = 32 << 20;
        assert_eq!(
            consequence(&migration, Steering::PostCopy),
            "web continues on beta, and fetches the rest of its memory from alpha. If the link fails before that has ended, \
             the VM may be lost."
        );
        assert_eq!(
            consequence(&migration, Steering::PauseGuest),
            "web pauses until its memory is sent, for about 2.0 s."
        );
    }

    #[test]
    fn a_question_is_found_by_its_name() {
        assert_eq!(confirmed("post-copy"), Some(Steering::PostCopy));
        assert_eq!(confirmed("pause-guest"), Some(Steering::PauseGuest));
        assert_eq!(confirmed("slow-guest"), None, "it is harmless");
    }
}
