//! VMs that a user chose in the list, and something that is to be done to all of them. What moves them is a [`crate::Plan`].

use std::{cmp::Reverse, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use crate::{HostName, Problem, SelectionId, VmAction, VmId, VmQuery};

/// Which VMs a user chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// These.
    Vms(Vec<VmId>),
    /// All that a query finds, but these.
    Matching {
        /// The query.
        query: VmQuery,
        /// What is left out.
        except: Vec<VmId>,
    },
    /// Those of another selection.
    Again(SelectionId),
}

/// How far a selection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// What will happen is known; nothing was done yet.
    Ready,
    /// It is being done.
    Running,
    /// Each VM had its turn.
    Done,
}

/// VMs that a user chose, and what is to be done to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The id.
    pub id: SelectionId,
    /// What is to be done.
    pub action: VmAction,
    /// How far it is.
    pub stage: Stage,
    /// When what is said of the VMs was found out, in ms since 1970.
    pub at_ms: u64,
    /// The VMs, by name.
    pub vms: Vec<SelectedVm>,
}

/// A VM of a selection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelectedVm {
    /// The VM.
    pub id: VmId,
    /// What it was called when it was chosen; its UUID if no host had it any more.
    pub name: String,
    /// Where it was then; nothing is done to it elsewhere.
    pub host: Option<HostName>,
    /// What is known of its turn.
    pub turn: Turn,
}

/// What will be done to a VM of a selection, or was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// It will be done.
    Planned,
    /// It will not be done, for this reason.
    Excluded(Problem),
    /// It was done.
    Done,
    /// It was tried, and refused or failed.
    Failed(Problem),
}

impl Turn {
    /// Whether it is still to come.
    pub fn is_to_come(&self) -> bool {
        *self == Self::Planned
    }
}

impl Selection {
    /// The most VMs of a selection.
    pub const LARGEST: usize = 10_000;

    /// How many VMs are where this says.
    pub fn count(&self, is_counted: impl Fn(&Turn) -> bool) -> usize {
        self.vms.iter().filter(|vm| is_counted(&vm.turn)).count()
    }

    /// The VMs that something will not be done to or was not, by the reason, the most frequent first. VMs have the same reason if only
    /// their names and hosts differ in it; the problem is that of the first.
    pub fn by_reason(&self, is_told: impl Fn(&Turn) -> Option<&Problem>) -> Vec<(&Problem, Vec<&SelectedVm>)> {
        let mut groups: BTreeMap<(&str, String), (&Problem, Vec<&SelectedVm>)> = BTreeMap::new();
        for vm in &self.vms {
            if let Some(problem) = is_told(&vm.turn) {
                let reason = (problem.code.as_str(), without_names(problem, vm));
                groups.entry(reason).or_insert_with(|| (problem, Vec::new())).1.push(vm);
            }
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|(_, vms)| (Reverse(vms.len()), &vms[0].name));
        groups
    }
}

/// A problem's sentence as it would be of another VM.
fn without_names(problem: &Problem, vm: &SelectedVm) -> String {
    let migration = problem.migration.map(|id| id.to_string());
    let names = [Some(vm.name.as_str()), vm.host.as_ref().map(HostName::as_str), migration.as_deref()];
    names.into_iter().flatten().fold(problem.sentence.clone(), |sentence, name| without(&sentence, name))
}

/// A sentence without this name, where it is a word.
fn without(sentence: &str, name: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let (mut rest, mut told) = (0, String::new());
    for (at, name) in sentence.match_indices(name).filter(|(_, name)| !name.is_empty()) {
        let end = at + name.len();
        if !sentence[..at].ends_with(is_part) && !sentence[end..].starts_with(is_part) {
            told = told + &sentence[rest..at] + "…";
            rest = end;
        }
    }
    told + &sentence[rest..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;
    use uuid::Uuid;

    fn vm(id: u128, name: &str, turn: Turn) -> SelectedVm {
        SelectedVm { id: VmId(Uuid::from_u128(id)), name: name.into(), host: "alpha".parse().ok(), turn }
    }

    fn selection(vms: Vec<SelectedVm>) -> Selection {
        let id = SelectionId(Uuid::nil());
        Selection { id, action: VmAction::Start, stage: Stage::Ready, at_ms: 0, vms }
    }

    fn excluded(sentence: &str) -> Turn {
        Turn::Excluded(Problem::new(Code::WrongState, sentence))
    }

    #[test]
    fn vms_with_one_reason_are_told_together_the_most_first() {
        let selection = selection(vec![
            vm(1, "db", excluded("db has crashed on alpha.")),
            vm(2, "web", excluded("web is running: “start” makes no sense now.")),
            vm(3, "two words", excluded("two words is running: “start” makes no sense now.")),
            vm(4, "run", excluded("run is paused: “start” makes no sense now.")),
            vm(5, "cache", Turn::Planned),
        ]);
        let told = |turn: &Turn| matches!(turn, Turn::Excluded(_));
        assert_eq!(selection.count(told), 4);
        let groups = selection.by_reason(|turn| match turn {
            Turn::Excluded(problem) => Some(problem),
            _ => None,
        });
        let names: Vec<Vec<&str>> =
            groups.iter().map(|(_, vms)| vms.iter().map(|vm| vm.name.as_str()).collect()).collect();
        assert_eq!(names, [vec!["web", "two words"], vec!["db"], vec!["run"]]);
    }
}
