//! What is done in a run: drawn from the seed and the run's number alone, so that both repeat it.

use std::fmt;

use crate::{bed::HOSTS, dice::Dice, fault::Fault, moment::Moment, vm::Vm};

/// A run's plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The run's number.
    pub run: u64,
    /// The VM that is moved.
    pub vm: &'static Vm,
    /// Which of the two other hosts it moves to.
    pub step: usize,
    /// Whether the console drives the migration, and not the source's libvirt.
    pub direct: bool,
    /// The bandwidth that the migration may use, in MiB/s: the guest's memory takes one to three seconds.
    pub bandwidth_mib_s: u64,
    /// When it goes wrong.
    pub moment: Moment,
    /// What goes wrong.
    pub fault: Fault,
}

impl Plan {
    /// Draws the plan of a run.
    pub fn draw(seed: u64, run: u64) -> Self {
        let mut dice = Dice::new(seed, run);
        Self {
            run,
            vm: dice.one_of(Vm::ALL),
            step: if dice.happens(50) { 1 } else { 2 },
            direct: dice.happens(30),
            bandwidth_mib_s: dice.within(12..30),
            moment: Moment::draw(&mut dice),
            fault: Fault::draw(&mut dice),
        }
    }

    /// Where the VM moves to from a host.
    pub fn destination(&self, source: usize) -> usize {
        (source + self.step) % HOSTS
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vm, direct, bandwidth_mib_s, moment, fault, .. } = self;
        let way = if *direct { "direct" } else { "peer-to-peer" };
        write!(formatter, "{} {way} at {bandwidth_mib_s} MiB/s; {moment}: {fault}", vm.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_run_are_the_same_plan() {
        assert_eq!(Plan::draw(7, 3).to_string(), Plan::draw(7, 3).to_string());
        assert_ne!(Plan::draw(7, 3).to_string(), Plan::draw(7, 4).to_string());
    }

    #[test]
    fn a_fifth_of_the_runs_hits_the_switch_over() {
        let switches = (0..1000).filter(|&run| Plan::draw(1, run).moment.kind() == "switch").count();
        assert!(switches >= 200, "{switches}");
    }
}
