//! Devices and folders of the source host that the VM has, and its TPM.

use model::{Finding, FindingCode};

use super::input::PreflightInput;
use crate::hypervisor::{Folder, Tpm};

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let mut findings = Vec::new();
    if input.is_live() {
        findings.extend(host_devices(input));
        findings.extend(usb_devices(input));
        findings.extend(shared_memory(input));
        findings.extend(shared_folders(input));
        findings.extend(plan9_folders(input));
    }
    findings.extend(folders_left(input));
    findings.extend(tpm(input));
    findings
}

/// All but a few network cards that can hand their state over, which QEMU knows only when it is asked to migrate.
fn host_devices(input: &PreflightInput) -> Option<Finding> {
    let text = format!("{} uses a device of {} itself.", input.vm.name, input.source.config.name);
    let fix = "Detach the device, move the VM, and attach one of the destination's.";
    named(&input.domain.host_devices, Finding::blocker(FindingCode::HostDevice, text).with_fix(fix))
}

fn usb_devices(input: &PreflightInput) -> Option<Finding> {
    let (name, from, destination) = (&input.vm.name, &input.source.config.name, input.destination_name());
    let text = format!("{name} uses a USB device of {from}; it can go if {destination} has the same one.");
    let fix = "Detach the device, or plug one of the same kind in there.";
    named(&input.domain.usb_devices, Finding::unknown(FindingCode::HostDevice, text).with_fix(fix))
}

fn shared_memory(input: &PreflightInput) -> Option<Finding> {
    let (name, from) = (&input.vm.name, &input.source.config.name);
    let text = format!("{name} shares memory with programs on {from}, or with other VMs there.");
    let fix = "Detach the shared memory device, or move the VM while it is shut off.";
    named(&input.domain.shared_memory, Finding::blocker(FindingCode::SharedMemory, text).with_fix(fix))
}

fn shared_folders(input: &PreflightInput) -> Option<Finding> {
    let text = format!("{} uses a folder of {}.", input.vm.name, input.source.config.name);
    let fix = "Unmount it in the guest and detach it, or move the VM while it is shut off.";
    named(&names(&input.domain.shared_folders), Finding::blocker(FindingCode::SharedFolder, text).with_fix(fix))
}

fn plan9_folders(input: &PreflightInput) -> Option<Finding> {
    let (name, from) = (&input.vm.name, &input.source.config.name);
    let text = format!("{name} has a folder of {from} by 9p; it can go while the guest has not mounted it.");
    named(
        &names(&input.domain.plan9_folders),
        Finding::unknown(FindingCode::SharedFolder, text).with_fix("Unmount it in the guest."),
    )
}

/// Folders whose contents stay behind.
fn folders_left(input: &PreflightInput) -> Option<Finding> {
    let domain = &input.domain;
    let virtiofs = if input.is_live() { &[][..] } else { &domain.shared_folders };
    let is_left = |folder: &&Folder| folder.path.as_ref().is_none_or(|path| input.same_file(path).is_none());
    let left: Vec<Folder> = virtiofs.iter().chain(&domain.plan9_folders).filter(is_left).cloned().collect();
    let (name, from, destination) = (&input.vm.name, &input.source.config.name, input.destination_name());
    let text = format!(
        "{name} has a folder of {from}, which does not move: on {destination} it is another folder, if there is one."
    );
    let fix = format!(
        "Copy it to the same path on {destination}. If the hosts share it, list it in both hosts' shared_directories."
    );
    named(&names(&left), Finding::warning(FindingCode::SharedFolder, text).with_fix(fix).needs_consent())
}

fn names(folders: &[Folder]) -> Vec<String> {
    folders.iter().map(|folder| folder.name.clone()).collect()
}

/// The finding, if there is anything to name in it.
fn named(items: &[String], finding: Finding) -> Option<Finding> {
    (!items.is_empty()).then(|| finding.with_details(items.join(", ")))
}

fn tpm(input: &PreflightInput) -> Option<Finding> {
    let (code, name, from) = (FindingCode::Tpm, &input.vm.name, &input.source.config.name);
    let behind = "What the guest keeps in it (keys of encrypted disks, often) stays behind.";
    let risk = |text: String, fix| Finding::warning(code, format!("{text} {behind}")).with_fix(fix).needs_consent();
    let shared = input.domain.tpm_state.as_ref().and_then(|path| input.same_file(path));
    Some(match (input.domain.tpm?, input.is_live()) {
        (Tpm::Emulator, false) if let Some(evidence) = shared => {
            Finding::ok(code, format!("The state of {name}'s TPM: {evidence}."))
        }
        (Tpm::Emulator, true) => {
            let destination = input.destination_name();
            Finding::unknown(
                code,
                format!("The state of {name}'s TPM goes along if {destination} has a swtpm that can take it."),
            )
        }
        (Tpm::Emulator, false) => risk(
            format!("The state of {name}'s TPM is kept in a file of {from}, which does not move."),
            "Move it while it runs: then the state goes along. Or have a recovery key at hand.",
        ),
        (Tpm::Passthrough, _) => risk(format!("{name} uses the TPM of {from} itself."), "Have a recovery key at hand."),
        (Tpm::External, _) => Finding::unknown(
            code,
            format!("{name}'s TPM is run by an external program; whether its state follows depends on that program."),
        ),
    })
}
