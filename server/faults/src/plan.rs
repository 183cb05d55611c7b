//! What is done in a run: drawn from the seed and the run's number alone, so that both repeat it.

use std::fmt;

use crate::{
    bed::HOSTS,
    dice::Dice,
    fault::Fault,
    moment::Moment,
    vm::{Disk, Vm},
};

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
    /// Whether old images are removed.
    pub remove_source_disks: bool,
    /// When it goes wrong.
    pub moment: Moment,
    /// What goes wrong.
    pub fault: Fault,
}

impl Plan {
    /// Draws the plan of a run.
    pub fn draw(seed: u64, run: u64) -> Self {
        let mut dice = Dice::new(seed, run);
        // Such runs take as long as twenty others.
        let (crowd, evacuation) = (run % 200 == 199, run % 200 == 99);
        let vm = if crowd || evacuation { &Vm::crowd()[0] } else { dice.one_of(Vm::ALL) };
        let step = if dice.happens(50) { 1 } else { 2 };
        let (direct, bandwidth_mib_s) = (dice.happens(30), dice.within(12..30));
        let remove_source_disks = vm.disk == Disk::Copied && dice.happens(40);
        let moment = Moment::draw(&mut dice, vm);
        let fault = match (crowd, evacuation) {
            (true, _) => Fault::draw_for_crowd(&mut dice),
            (_, true) => Fault::draw_for_evacuation(&mut dice),
            _ => Fault::draw(&mut dice, vm),
        };
        Self {
            run,
            vm,
            step,
            direct,
            // The disk is smaller than the memory: a copy takes as long with less.
            bandwidth_mib_s: fault.bandwidth_mib_s().unwrap_or(if vm.runs {
                bandwidth_mib_s
            } else {
                bandwidth_mib_s / 4
            }),
            remove_source_disks,
            moment: fault.moment(&mut dice).unwrap_or(moment),
            fault,
        }
    }

    /// Where the VM moves to from a host.
    pub fn destination(&self, source: usize) -> usize {
        (source + self.step) % HOSTS
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vm, direct, bandwidth_mib_s, remove_source_disks, moment, fault, .. } = self;
        let way = if *direct { "direct" } else { "peer-to-peer" };
        let removing = if *remove_source_disks { ", removes old images" } else { "" };
        write!(formatter, "{} {way} at {bandwidth_mib_s} MiB/s{removing}; {moment}: {fault}", vm.name)
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
