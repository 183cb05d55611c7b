//! The VM of a trial: a minimal definition, and what its obstacle adds. Its firmware finds nothing to boot and sleeps.

use std::fs;

use model::VmId;
use uuid::Uuid;

use crate::testbed::{Machine, TestBed, text};

/// The name of another VM in a trial.
pub const OTHER: &str = "trial-other";
/// The name of trials' VMs, pools, networks and devices, which distinguishes them from others.
pub const NAME: &str = "trial";

/// What an obstacle adds to the definition.
#[derive(Default)]
pub struct Parts {
    /// None is QEMU's newest.
    pub machine: Option<&'static str>,
    /// None is 1.
    pub vcpus: Option<usize>,
    /// In `<os>`.
    pub os: String,
    /// Beside `<devices>`.
    pub elements: String,
    /// In `<devices>`.
    pub devices: String,
}

impl Parts {
    /// Nothing but these devices.
    pub fn devices(devices: impl Into<String>) -> Self {
        Self { devices: devices.into(), ..Self::default() }
    }
}

/// A VM.
pub struct Guest {
    pub number: usize,
    pub id: VmId,
}

impl Guest {
    /// A VM that is not defined yet.
    pub fn new(number: usize) -> Self {
        Self { number, id: VmId(Uuid::now_v7()) }
    }

    /// Its definition.
    pub fn xml(&self, parts: &Parts) -> String {
        self.xml_as(NAME, self.id, parts)
    }

    /// The same definition with another name or UUID.
    pub fn xml_as(&self, name: &str, id: VmId, parts: &Parts) -> String {
        let Parts { machine, vcpus, os, elements, devices } = parts;
        let (machine, vcpus) = (machine.unwrap_or("pc"), vcpus.unwrap_or(1));
        format!(
            "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name>
  <uuid>{id}</uuid>
  <memory unit='MiB'>32</memory>
  <vcpu>{vcpus}</vcpu>
  <os><type arch='x86_64' machine='{machine}'>hvm</type>{os}</os>
  <features><acpi/><tcg><tb-cache unit='MiB'>4</tb-cache></tcg></features>
  <clock offset='utc'><timer name='hpet' present='no'/></clock>
  {elements}
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    {devices}
  </devices>
</domain>
"
        )
    }
}

/// Runs another VM at the destination, with these devices.
pub fn run_other(bed: &TestBed<'_>, guest: &Guest, devices: &str) {
    let other = VmId(Uuid::now_v7());
    define(bed, &bed.destination, &guest.xml_as(OTHER, other, &Parts::devices(devices)));
    bed.destination.virsh(&["start", OTHER]);
}

/// Defines a VM on a host.
pub fn define(bed: &TestBed<'_>, machine: &Machine<'_>, xml: &str) {
    let file = bed.dir.join(format!("{NAME}.xml"));
    fs::write(&file, xml).expect("the directory takes files");
    machine.virsh(&["define", &text(&file)]);
}
