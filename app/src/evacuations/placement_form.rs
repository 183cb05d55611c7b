//! The forms that change the rules for where VMs may be, as they were filled in.

use model::{Code, PlacementKind, PlacementRule, PlacementRules, Problem, VmId};
use serde::Deserialize;

use crate::ui::fields::about;

/// One of the forms.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PlacementForm {
    /// What is to be done: `add` or `remove` for a rule, `set` for a priority.
    pub(super) command: String,
    /// The rule's name.
    pub(super) name: String,
    /// `keep-apart`, `keep-together` or `may-run-on`.
    pub(super) kind: String,
    /// VMs by name or UUID, one per line.
    pub(super) vms: String,
    /// Hosts, with commas, spaces or lines between them.
    pub(super) hosts: String,
    /// From -100 to 100; 0 is that of VMs which are not named.
    pub(super) priority: Option<i8>,
}

impl PlacementForm {
    /// The VMs that are named, by name or UUID.
    pub fn vms(&self) -> impl Iterator<Item = &str> {
        self.vms.lines().map(str::trim).filter(|name| !name.is_empty())
    }

    /// The rules as they are to be. `vms` are those of [`Self::vms`].
    ///
    /// # Errors
    /// `invalid-input` for a host's name that can't be one, and for what no form sends.
    pub fn change(&self, mut rules: PlacementRules, vms: Vec<VmId>) -> Result<PlacementRules, Problem> {
        match self.command.as_str() {
            "add" => rules.rules.push(PlacementRule { name: self.name.trim().to_owned(), vms, kind: self.kind()? }),
            "remove" => rules.rules.retain(|rule| rule.name != self.name),
            "set" => {
                let priority = self.priority.unwrap_or_default();
                for vm in vms {
                    match priority {
                        0 => rules.priorities.remove(&vm),
                        priority => rules.priorities.insert(vm, priority),
                    };
                }
            }
            _ => return Err(unreadable()),
        }
        Ok(rules)
    }

    fn kind(&self) -> Result<PlacementKind, Problem> {
        let hosts = self.hosts.split([',', ' ', '\r', '\n']).filter(|host| !host.is_empty());
        match self.kind.as_str() {
            "keep-apart" => Ok(PlacementKind::KeepApart),
            "keep-together" => Ok(PlacementKind::KeepTogether),
            "may-run-on" => {
                let hosts = hosts.map(str::parse).collect::<Result<_, _>>().map_err(about("hosts"))?;
                Ok(PlacementKind::MayRunOn(hosts))
            }
            _ => Err(unreadable()),
        }
    }
}

fn unreadable() -> Problem {
    Problem::new(Code::InvalidInput, "This form can't be read.").with_fix("Load the page again, then fill it in again.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fields::read;
    use uuid::Uuid;

    fn id(number: u128) -> VmId {
        VmId(Uuid::from_u128(number))
    }

    fn form(body: &str) -> PlacementForm {
        read(body.as_bytes()).unwrap()
    }

    #[test]
    fn rules_are_added_and_removed() {
        let add = form("command=add&name=+web+&kind=may-run-on&vms=web1%0D%0A+web2+%0D%0A&hosts=alpha,+beta");
        assert_eq!(add.vms().collect::<Vec<_>>(), ["web1", "web2"]);
        let rules = add.change(PlacementRules::default(), vec![id(1), id(2)]).unwrap();
        let hosts = vec!["alpha".parse().unwrap(), "beta".parse().unwrap()];
        let rule = PlacementRule { name: "web".into(), vms: vec![id(1), id(2)], kind: PlacementKind::MayRunOn(hosts) };
        assert_eq!(rules.rules, [rule]);
        assert_eq!(form("command=remove&name=web").change(rules, Vec::new()), Ok(PlacementRules::default()));
    }

    #[test]
    fn a_priority_of_0_is_none() {
        let set = |priority| PlacementForm { command: "set".into(), priority, ..PlacementForm::default() };
        let rules = set(Some(-5)).change(PlacementRules::default(), vec![id(1)]).unwrap();
        assert_eq!(rules.priorities, [(id(1), -5)].into());
        assert_eq!(set(None).change(rules, vec![id(1)]), Ok(PlacementRules::default()));
    }

    #[test]
    fn what_no_form_sends_is_refused() {
        for wrong in ["", "command=drop", "command=add&kind=love", "command=add&kind=may-run-on&hosts=A"] {
            assert!(form(wrong).change(PlacementRules::default(), Vec::new()).is_err(), "{wrong}");
        }
    }
}
