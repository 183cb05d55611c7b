//! The rules, found by VM.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{HostName, PlacementKind, PlacementRule, PlacementRules, VmId};

/// The rules, found by VM.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    all: &'a [PlacementRule],
    priorities: &'a BTreeMap<VmId, i8>,
    /// The sets kept apart that a VM belongs to, numbered by themselves.
    apart: HashMap<VmId, Vec<usize>>,
    /// The rule of each set kept apart.
    sets: Vec<usize>,
    /// The rules that say where a VM may run.
    may_run_on: HashMap<VmId, Vec<usize>>,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(rules: &'a PlacementRules) -> Self {
        let mut made = Self {
            all: &rules.rules,
            priorities: &rules.priorities,
            apart: HashMap::new(),
            sets: Vec::new(),
            may_run_on: HashMap::new(),
        };
        for (number, rule) in rules.rules.iter().enumerate() {
            let (by_vm, entry) = match rule.kind {
                PlacementKind::KeepApart => {
                    made.sets.push(number);
                    (&mut made.apart, made.sets.len() - 1)
                }
                PlacementKind::KeepTogether => continue,
                PlacementKind::MayRunOn(_) => (&mut made.may_run_on, number),
            };
            for vm in rule.vms.iter().collect::<BTreeSet<_>>() {
                by_vm.entry(*vm).or_default().push(entry);
            }
        }
        made
    }

    /// A rule's name.
    pub(crate) fn name(&self, rule: usize) -> &'a str {
        &self.all[rule].name
    }

    pub(crate) fn priority(&self, vm: VmId) -> i8 {
        self.priorities.get(&vm).copied().unwrap_or_default()
    }

    /// How many sets are kept apart.
    pub(crate) fn sets(&self) -> usize {
        self.sets.len()
    }

    /// The rule of a set kept apart.
    pub(crate) fn rule_of(&self, set: usize) -> usize {
        self.sets[set]
    }

    /// The sets kept apart that a VM belongs to.
    pub(crate) fn apart(&self, vm: VmId) -> &[usize] {
        self.apart.get(&vm).map_or(&[], Vec::as_slice)
    }

    /// The VMs that belong to sets kept apart.
    pub(crate) fn kept_apart(&self) -> impl Iterator<Item = (VmId, &[usize])> {
        self.apart.iter().map(|(vm, sets)| (*vm, sets.as_slice()))
    }

    /// Whether a rule says where a VM may run.
    pub(crate) fn says_where(&self, vm: VmId) -> bool {
        self.may_run_on.contains_key(&vm)
    }

    /// The first rule by which a VM may not run on a host.
    pub(crate) fn forbids(&self, vm: VmId, host: &HostName) -> Option<usize> {
        let forbids = |rule: &usize| matches!(&self.all[*rule].kind, PlacementKind::MayRunOn(on) if !on.contains(host));
        self.may_run_on.get(&vm)?.iter().copied().find(forbids)
    }

    /// The rules that keep VMs together, with their VMs.
    pub(crate) fn together(&self) -> impl Iterator<Item = (usize, &'a [VmId])> {
        let together = |(_, rule): &(usize, &PlacementRule)| rule.kind == PlacementKind::KeepTogether;
        self.all.iter().enumerate().filter(together).map(|(number, rule)| (number, rule.vms.as_slice()))
    }
}
