//! What a person is asked before something is done: each question has a form, which the dialog shows over the page, and which
//! without WASM is a page.

use leptos::prelude::*;
use model::{MigrationId, VmAction, VmId};

use crate::live::Live;
use crate::migrations::cancel_form::CancelForm;
use crate::migrations::migrate_form::MigrateForm;
use crate::ui::Erased;
use crate::vms::action_form::VmActionForm;
use crate::vms::action_form::action_slug;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Where shall it go?
    Migrate(VmId),
    /// Shall this be done to it?
    Act(VmId, VmAction),
    /// Shall it be cancelled?
    Cancel(MigrationId),
}

impl Question {
    /// The question about a VM that is at `/vms/{id}/{word}`.
    pub fn about_vm(id: VmId, word: &str) -> Option<Self> {
        if word == "migrate" {
            return Some(Self::Migrate(id));
        }
        VmAction::ALL.iter().copied().find(|action| action_slug(*action) == word).map(|action| Self::Act(id, action))
    }

    /// Where it is a page.
    pub fn address(self) -> String {
        match self {
            Self::Migrate(vm) => format!("/vms/{vm}/migrate"),
            Self::Act(vm, action) => format!("/vms/{vm}/{}", action_slug(action)),
            Self::Cancel(id) => format!("/migrations/{id}/cancel"),
        }
    }

    /// Whether there still is what it is about.
    pub fn makes_sense(self, live: Live) -> bool {
        match self {
            Self::Migrate(vm) | Self::Act(vm, _) => live.vms.get(&vm).is_some(),
            Self::Cancel(id) => live.migrations.get(&id).is_some(),
        }
    }

    /// The question in words.
    pub fn title(self, live: Live) -> String {
        match self {
            Self::Migrate(vm) => format!("Migrate {}", live.vm_name(vm)),
            Self::Act(vm, action) => {
                let vm = live.vm_name(vm);
                match action {
                    VmAction::Start => format!("Start {vm}?"),
                    VmAction::ShutDown => format!("Shut down {vm}?"),
                    VmAction::ForceOff => format!("Force {vm} off?"),
                    VmAction::Pause => format!("Pause {vm}?"),
                    VmAction::Resume => format!("Resume {vm}?"),
                }
            }
            Self::Cancel(id) => {
                let name = live.migrations.value(&id).map(|migration| migration.vm_name);
                format!("Cancel the migration of {}?", name.as_deref().unwrap_or("this VM"))
            }
        }
    }

    /// The form; `close` closes the dialog it is in.
    pub fn form(self, close: Option<Callback<()>>) -> AnyView {
        match self {
            Self::Migrate(vm) => view! { <MigrateForm vm close known=Vec::new() chosen=None /> }.erased(),
            Self::Act(vm, action) => view! { <VmActionForm vm action close /> }.erased(),
            Self::Cancel(id) => view! { <CancelForm id close /> }.erased(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_question_is_found_again_at_its_address() {
        let vm = VmId(Uuid::from_u128(1));
        let questions = VmAction::ALL.iter().map(|&action| Question::Act(vm, action)).chain([Question::Migrate(vm)]);
        for question in questions {
            let address = question.address();
            let word = address.rsplit('/').next().unwrap();
            assert_eq!(Question::about_vm(vm, word), Some(question));
        }
        assert_eq!(Question::about_vm(vm, "delete"), None);
    }
}
