//! What people type to find VMs: words, each of which has to match something of a VM, and `field:value` for one field only.

use strum::{IntoStaticStr, VariantArray};

use crate::Vm;

/// What a `field:value` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Field {
    /// A part of the VM's name.
    Name,
    /// A part of the name of its host, or of one that has another copy.
    Host,
    /// The beginning of its state, e.g. `state:shut`; or `migrating`.
    State,
    /// A whole tag.
    Tag,
    /// A part of its title.
    Title,
    /// The beginning of its UUID.
    Uuid,
    /// The beginning of an IP address that is known of it. A free word is looked for there if it has a `.` or a `:`.
    Ip,
}

impl Field {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The field as it is typed, e.g. `host`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What was typed, taken apart. A VM is found if every word matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search(Vec<Word>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    /// None looks at all fields.
    field: Option<Field>,
    value: String,
}

impl Search {
    /// Takes apart what was typed. A field that does not exist is a part of a word, and one without a value matches everything.
    pub fn of(typed: &str) -> Self {
        Self(typed.split_whitespace().map(Word::of).collect())
    }

    /// Whether it finds a VM; `has_address` says whether the VM has an IP address that begins so.
    pub fn finds(&self, vm: &Vm, has_address: impl Fn(&str) -> bool) -> bool {
        self.0.iter().all(|word| word.matches(vm, &has_address))
    }
}

impl Word {
    fn of(word: &str) -> Self {
        let named = |(name, value): (&str, &str)| {
            let field = Field::ALL.iter().find(|field| field.as_str().eq_ignore_ascii_case(name))?;
            Some(Self { field: Some(*field), value: value.to_owned() })
        };
        word.split_once(':').and_then(named).unwrap_or_else(|| Self { field: None, value: word.to_owned() })
    }

    fn matches(&self, vm: &Vm, has_address: &impl Fn(&str) -> bool) -> bool {
        match self.field {
            Some(Field::Ip) => has_address(&self.value),
            Some(field) => self.is_in(field, vm),
            None => {
                let may_be_address = self.value.contains(['.', ':']);
                Field::ALL.iter().any(|field| self.is_in(*field, vm)) || may_be_address && has_address(&self.value)
            }
        }
    }

    fn is_in(&self, field: Field, vm: &Vm) -> bool {
        let value = self.value.as_str();
        match field {
            Field::Name => contains(&vm.name, value),
            Field::Host => {
                contains(vm.host.as_str(), value)
                    || vm.other_copies.iter().any(|copy| contains(copy.host.as_str(), value))
            }
            Field::State => {
                starts_with(vm.state.as_str(), value) || vm.migration.is_some() && starts_with("migrating", value)
            }
            Field::Tag => vm.tags.iter().any(|tag| tag.eq_ignore_ascii_case(value)),
            Field::Title => vm.title.as_deref().is_some_and(|title| contains(title, value)),
            Field::Uuid => starts_with(&vm.id.to_string(), value),
            // No part of a VM.
            Field::Ip => false,
        }
    }
}

/// Whether a text contains another one; ASCII letters in any case. Nothing is allocated: a search looks at 10,000 VMs with each key.
fn contains(text: &str, sought: &str) -> bool {
    let (text, sought) = (text.as_bytes(), sought.as_bytes());
    sought.is_empty() || text.windows(sought.len()).any(|part| part.eq_ignore_ascii_case(sought))
}

fn starts_with(text: &str, sought: &str) -> bool {
    text.as_bytes().get(..sought.len()).is_some_and(|start| start.eq_ignore_ascii_case(sought.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MigrationId, VmState, examples};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn vm() -> Vm {
        Vm {
            state: VmState::ShutOff,
            title: Some("Shop of Zürich".into()),
            tags: vec!["web".into(), "prod".into()],
            ..examples::vm(0xabc, "Shop-db", "gamma")
        }
    }

    fn finds(typed: &str) -> bool {
        let addresses = ["192.0.2.7", "2001:db8::7"];
        Search::of(typed).finds(&vm(), |sought| addresses.iter().any(|address| address.starts_with(sought)))
    }

    #[test]
    fn every_word_has_to_match_something() {
        assert!(finds("") && finds("  shop GAM ") && finds("db web") && finds("zürich prod") && finds("00000000-0000"));
        assert!(!finds("shop beta") && !finds("shopdb") && !finds("off"));
    }

    #[test]
    fn a_field_looks_at_nothing_else() {
        assert!(finds("host:gamma state:shut tag:web") && finds("NAME:db") && finds("title:shop") && finds("host:"));
        assert!(!finds("name:gamma") && !finds("tag:we") && !finds("host:shop") && !finds("uuid:abc"));
        assert!(!finds("colour:red"), "no field: a word that is nowhere");
    }

    #[test]
    fn an_address_is_looked_for_by_its_beginning() {
        assert!(
            finds("ip:192.0.2.7")
                && finds("IP:192")
                && finds("192.0.2.")
                && finds("2001:db8::7")
                && finds("shop 192.0.")
        );
        assert!(
            !finds("ip:192.0.2.8") && !finds("192") && !finds("0.2.7") && !finds("name:192.0.2.7") && !finds("10.0")
        );
    }

    #[test]
    fn what_moves_is_in_a_state_of_its_own() {
        let moving = Vm { migration: Some(MigrationId(Uuid::nil())), ..vm() };
        assert!(Search::of("state:migrating").finds(&moving, |_| false) && !finds("state:migrating"));
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_is_too_much(typed in "\\PC{0,40}") {
            let _ = finds(&typed);
        }
    }
}
