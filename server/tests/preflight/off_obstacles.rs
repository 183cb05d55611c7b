//! Obstacles that keep a VM that is off from starting at the destination, though it can move there. They are made between hosts of the
//! demo; most of these VMs could not start at the source either.

use model::{FindingCode as Code, Severity};

use crate::{
    guest::Parts,
    obstacle::{Obstacle, Outcome},
};

pub fn all() -> Vec<Obstacle> {
    [pinning(), devices(), drivers()].into_iter().flatten().collect()
}

fn pinning() -> Vec<Obstacle> {
    fn elements(elements: &str) -> Parts {
        Parts { elements: elements.to_owned(), ..Parts::default() }
    }
    vec![
        Obstacle::arrives("a virtual CPU pinned to a CPU that is not there", Code::PinnedCpus)
            .parts(|_, _| elements("<cputune><vcpupin vcpu='0' cpuset='4000'/></cputune>")),
        Obstacle::arrives("an emulator pinned to a CPU that is not there", Code::PinnedCpus)
            .parts(|_, _| elements("<cputune><emulatorpin cpuset='4000-4001'/></cputune>")),
        Obstacle::arrives("an I/O thread pinned to a CPU that is not there", Code::PinnedCpus).parts(|_, _| {
            elements("<iothreads>1</iothreads><cputune><iothreadpin iothread='1' cpuset='4000'/></cputune>")
        }),
        // Succeeds where libvirt does not use the cpuset controller.
        Obstacle::unknown("a virtual CPU pinned to CPUs of which one is there", Code::PinnedCpus, Outcome::Succeeds)
            .parts(|_, _| elements("<cputune><vcpupin vcpu='0' cpuset='0,4000'/></cputune>")),
        Obstacle::succeeds("a virtual CPU pinned to a CPU that is there", Code::PinnedCpus, Severity::Ok)
            .parts(|_, _| elements("<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>")),
        Obstacle::arrives("memory of a NUMA node that is not there", Code::NumaNodes)
            .parts(|_, _| elements("<numatune><memory mode='strict' nodeset='63'/></numatune>")),
        Obstacle::succeeds("memory of a NUMA node that is there", Code::NumaNodes, Severity::Ok)
            .parts(|_, _| elements("<numatune><memory mode='strict' nodeset='0'/></numatune>")),
    ]
}

fn devices() -> Vec<Obstacle> {
    vec![
        Obstacle::arrives("a folder that is not there", Code::HostFile).parts(|_, _| {
            Parts::devices("<filesystem type='mount'><source dir='/trial/folder'/><target dir='folder'/></filesystem>")
        }),
        Obstacle::unknown("a serial device that is not there", Code::DeviceFile, Outcome::Arrives)
            .parts(|_, _| Parts::devices("<serial type='dev'><source path='/dev/trial'/></serial>"))
            .off(),
        Obstacle::unknown("an input device that is not there", Code::DeviceFile, Outcome::Arrives)
            .parts(|_, _| Parts::devices("<input type='evdev'><source dev='/dev/input/trial'/></input>"))
            .off(),
        Obstacle::succeeds("a source of random numbers that every host has", Code::DeviceFile, Severity::Ok)
            .parts(|_, _| Parts::devices("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>")),
    ]
}

fn drivers() -> Vec<Obstacle> {
    vec![
        Obstacle::arrives("a label of a security driver that is not used", Code::SecurityLabel).parts(|_, _| Parts {
            elements: "<seclabel type='static' model='trial'><label>trial</label></seclabel>".to_owned(),
            ..Parts::default()
        }),
        Obstacle::unknown("a CD over HTTP whose server does not answer", Code::QemuDriver, Outcome::Arrives)
            .parts(|_, _| {
                let source = "<source protocol='http' name='/cd'><host name='127.0.0.1' port='9'/></source>";
                let drive = "<driver name='qemu' type='raw'/><target dev='hda' bus='ide'/>";
                Parts::devices(format!("<disk type='network' device='cdrom'>{source}{drive}</disk>"))
            })
            .off(),
        Obstacle::unknown("an argument that QEMU does not know", Code::QemuArguments, Outcome::Arrives)
            .parts(|_, _| Parts {
                elements: "<qemu:commandline><qemu:arg value='-trial'/></qemu:commandline>".to_owned(),
                ..Parts::default()
            })
            .off(),
        Obstacle::unknown("an argument that QEMU knows", Code::QemuArguments, Outcome::Succeeds).parts(|_, _| Parts {
            elements: "<qemu:commandline><qemu:arg value='-no-user-config'/></qemu:commandline>".to_owned(),
            ..Parts::default()
        }),
    ]
}
