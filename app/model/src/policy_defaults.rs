//! The policy of migrations that choose none.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{MigrationOptions, Policy, text};

/// The policy of migrations that choose none, and its limits. A host has them for the VMs on it; those of a VM count instead of its
/// host's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyDefaults {
    /// The policy; none is balanced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The longest pause that this policy may allow, in ms (1 to 2,000,000); none is the policy's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_pause_ms: Option<u32>,
    /// How long a migration of this policy may go on without converging, in s (1 to 604,800); none depends on the VM's memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_s: Option<u32>,
}

impl PolicyDefaults {
    /// What a migration has chosen.
    pub fn chosen(options: &MigrationOptions) -> Self {
        let MigrationOptions { policy, longest_pause_ms, budget_s, .. } = *options;
        Self { policy, longest_pause_ms, budget_s }
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These, or the host's where nothing is set for the VM.
    #[must_use]
    pub fn or(self, host: Self) -> Self {
        if self.is_empty() { host } else { self }
    }

    /// The policy of a migration that chooses none.
    pub fn policy(&self) -> Policy {
        self.policy.unwrap_or_default()
    }

    /// How long a migration with this policy tries if it chooses nothing, in s.
    pub fn budget_s(&self, policy: Policy, memory_bytes: u64) -> u64 {
        let set = self.budget_s.filter(|_| policy == self.policy());
        set.map_or_else(|| Policy::budget_s(memory_bytes), u64::from)
    }

    /// Fills in what was not chosen. The limits are those of one policy, and say nothing of another that was chosen: a gentle migration
    /// must not pause for as long as a certain one may.
    #[must_use]
    pub fn fill_in(self, options: MigrationOptions) -> MigrationOptions {
        let limits = if options.policy.is_none_or(|chosen| chosen == self.policy()) { self } else { Self::default() };
        MigrationOptions {
            policy: options.policy.or(self.policy),
            longest_pause_ms: options.longest_pause_ms.or(limits.longest_pause_ms),
            budget_s: options.budget_s.or(limits.budget_s),
            ..options
        }
    }
}

/// In words, with the limits that are not the policy's own: `Gentle, a pause of at most 500 ms, a budget of 2 min`.
impl fmt::Display for PolicyDefaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.policy().label())?;
        if let Some(ms) = self.longest_pause_ms {
            write!(f, ", a pause of at most {}", text::duration(ms.into()))?;
        }
        if let Some(s) = self.budget_s {
            write!(f, ", a budget of {}", text::duration(u64::from(s) * 1_000))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: PolicyDefaults =
        PolicyDefaults { policy: Some(Policy::Certain), longest_pause_ms: Some(4_000), budget_s: Some(60) };

    fn filled_in(chosen: PolicyDefaults) -> PolicyDefaults {
        let PolicyDefaults { policy, longest_pause_ms, budget_s } = chosen;
        let options = MigrationOptions { policy, longest_pause_ms, budget_s, ..MigrationOptions::default() };
        PolicyDefaults::chosen(&PATIENT.fill_in(options))
    }

    #[test]
    fn limits_are_told_where_they_are_set() {
        assert_eq!(PolicyDefaults::default().to_string(), "Balanced");
        let limited = PolicyDefaults { policy: Some(Policy::Gentle), longest_pause_ms: Some(500), budget_s: Some(120) };
        assert_eq!(limited.to_string(), "Gentle, a pause of at most 500 ms, a budget of 2 min");
    }

    #[test]
    fn what_was_chosen_counts() {
        assert_eq!(filled_in(PolicyDefaults::default()), PATIENT);
        let shorter = PolicyDefaults { longest_pause_ms: Some(500), ..PolicyDefaults::default() };
        assert_eq!(filled_in(shorter), PolicyDefaults { longest_pause_ms: Some(500), ..PATIENT });
        let certain = PolicyDefaults { policy: Some(Policy::Certain), ..PolicyDefaults::default() };
        assert_eq!(filled_in(certain), PATIENT);
    }

    #[test]
    fn limits_belong_to_their_policy() {
        let gentle = PolicyDefaults { policy: Some(Policy::Gentle), ..PolicyDefaults::default() };
        assert_eq!(filled_in(gentle), gentle);
        let limits_of_the_usual_one = PolicyDefaults { policy: None, ..PATIENT };
        let balanced = MigrationOptions { policy: Some(Policy::Balanced), ..MigrationOptions::default() };
        assert_eq!(limits_of_the_usual_one.fill_in(balanced).longest_pause_ms, Some(4_000));
    }

    #[test]
    fn a_budget_is_that_of_its_policy_or_of_the_memory() {
        assert_eq!(PATIENT.budget_s(Policy::Certain, 4 << 30), 60);
        assert_eq!(PATIENT.budget_s(Policy::Gentle, 4 << 30), 600);
        assert_eq!(PATIENT.budget_s(Policy::Gentle, 64 << 20), 300);
    }

    #[test]
    fn a_vm_s_own_count_instead_of_its_host_s() {
        let gentle = PolicyDefaults { policy: Some(Policy::Gentle), ..PolicyDefaults::default() };
        assert_eq!(gentle.or(PATIENT), gentle);
        assert_eq!(PolicyDefaults::default().or(PATIENT), PATIENT);
    }
}
