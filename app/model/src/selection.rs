//! VMs that a user chose in the list, and something that is to be done to all of them.

use std::{cmp::Reverse, collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Code, HostName, MigrationId, Problem, SelectionId, VmAction, VmId, VmQuery};

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

/// What is to be done to the VMs of a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkAction {
    /// Each moves to another host.
    Migrate,
    /// What the menu of a VM has.
    Act(VmAction),
}

impl BulkAction {
    /// All of them, in the order that pages show them.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Migrate).chain(VmAction::ALL.iter().copied().map(Self::Act))
    }

    /// The action as a button says it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Migrate => "Migrate",
            Self::Act(action) => action.label(),
        }
    }

    /// The action as it stands in forms, e.g. `force-off`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Migrate => "migrate",
            Self::Act(action) => action.as_str(),
        }
    }

    /// Whether it interrupts what guests do.
    pub fn needs_confirmation(self) -> bool {
        matches!(self, Self::Act(action) if action.needs_confirmation())
    }
}

impl FromStr for BulkAction {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::all().find(|action| action.as_str() == text).ok_or_else(|| {
            Problem::new(Code::InvalidInput, "This is nothing that can be done to several VMs.")
                .with_fix("Choose the VMs again, then what is to be done to them.")
        })
    }
}

/// Where the VMs of a selection go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Each where it fits best.
    Best,
    /// All to this host.
    Host(HostName),
}

/// How far a selection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It is not chosen yet where the VMs go.
    Placement,
    /// Hosts are asked whether the VMs can go there. Nothing is changed.
    Checking,
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
    pub action: BulkAction,
    /// How far it is.
    pub stage: Stage,
    /// Where the VMs go; none of what does not move them, or before it is chosen.
    pub placement: Option<Placement>,
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
    Planned {
        /// Where it goes, if it moves.
        destination: Option<HostName>,
        /// What is to be known before, in sentences.
        warnings: Vec<String>,
    },
    /// Nothing was found out in time. It will be tried, and is checked as it begins.
    Unchecked {
        /// Where it goes.
        destination: HostName,
    },
    /// It will not be done, for this reason.
    Excluded(Problem),
    /// It was done.
    Done {
        /// The migration that has begun, if it moves.
        migration: Option<(MigrationId, HostName)>,
    },
    /// It was tried, and refused or failed.
    Failed(Problem),
}

impl Turn {
    /// Whether it is still to come.
    pub fn is_to_come(&self) -> bool {
        matches!(self, Self::Planned { .. } | Self::Unchecked { .. })
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
    use uuid::Uuid;

    fn vm(id: u128, name: &str, turn: Turn) -> SelectedVm {
        SelectedVm { id: VmId(Uuid::from_u128(id)), name: name.into(), host: "alpha".parse().ok(), turn }
    }

    fn selection(vms: Vec<SelectedVm>) -> Selection {
        let action = BulkAction::Act(VmAction::Start);
        let id = SelectionId(Uuid::nil());
        Selection { id, action, stage: Stage::Ready, placement: None, at_ms: 0, vms }
    }

    fn excluded(sentence: &str) -> Turn {
        Turn::Excluded(Problem::new(Code::WrongState, sentence))
    }

    #[test]
    fn an_action_is_found_again_by_what_forms_say() {
        for action in BulkAction::all() {
            assert_eq!(action.as_str().parse(), Ok(action));
        }
        assert_eq!(BulkAction::all().count(), VmAction::ALL.len() + 1);
        for nonsense in ["", "delete", "Start", "Migrate"] {
            assert_eq!(nonsense.parse::<BulkAction>().unwrap_err().code, Code::InvalidInput, "{nonsense:?}");
        }
    }

    #[test]
    fn vms_with_one_reason_are_told_together_the_most_first() {
        let planned = Turn::Planned { destination: None, warnings: Vec::new() };
        let selection = selection(vec![
            vm(1, "db", excluded("db has crashed on alpha.")),
            vm(2, "web", excluded("web is running: “start” makes no sense now.")),
            vm(3, "two words", excluded("two words is running: “start” makes no sense now.")),
            vm(4, "run", excluded("run is paused: “start” makes no sense now.")),
            vm(5, "cache", planned),
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

    #[test]
    fn only_what_is_to_come_will_be_done() {
        let destination: HostName = "beta".parse().unwrap();
        assert!(Turn::Unchecked { destination: destination.clone() }.is_to_come());
        assert!(Turn::Planned { destination: Some(destination), warnings: vec![String::new()] }.is_to_come());
        assert!(!excluded("no").is_to_come() && !Turn::Done { migration: None }.is_to_come());
    }
}
