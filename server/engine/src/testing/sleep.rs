//! Guests that sleep on a simulated host. As with the real ones, libvirt says that one that has arrived runs.

use model::{HostName, VmId, VmState};

use super::{Sim, host::SimHost};
use crate::hypervisor::{HostError, HostErrorKind, HostEvent, StateReason};

impl Sim {
    /// The guest puts itself to sleep.
    pub fn fall_asleep(&self, host: &HostName, vm: VmId) {
        let mut world = self.world();
        let host = world.host(host);
        host.asleep.insert(vm);
        host.change(vm, |copy| (copy.state, copy.reason) = (VmState::Suspended, StateReason::Other));
    }

    /// Another program, virsh say, wakes the guest up.
    pub fn wake_up_from_outside(&self, host: &HostName, vm: VmId) {
        self.world().host(host).wake_up(vm).expect("a test wakes up what sleeps");
    }

    /// Whether the guest sleeps, as its QEMU knows.
    pub fn is_asleep(&self, host: &HostName, vm: VmId) -> bool {
        self.world().host(host).asleep.contains(&vm)
    }
}

impl SimHost {
    pub(super) fn wake_up(&mut self, vm: VmId) -> Result<(), HostError> {
        if !self.asleep.remove(&vm) {
            let words = "Unable to wake up: guest is not in suspended state (simulated)";
            return Err(HostError::new(HostErrorKind::WrongState, words));
        }
        // libvirt changes the state only of what it knows to sleep; the event comes in any case.
        self.tell(&HostEvent::WokeUp(vm));
        self.change(vm, |copy| {
            if copy.state == VmState::Suspended {
                (copy.state, copy.reason) = (VmState::Running, StateReason::Wakeup);
            }
        });
        Ok(())
    }
}
