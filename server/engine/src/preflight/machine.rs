//! The machine: architecture, emulator, machine type, firmware, CPU.

use model::{Finding, FindingCode};

use super::input::PreflightInput;
use crate::hypervisor::{CpuFit, MachineFit};

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let mut findings = fit(input);
    findings.extend(firmware(input));
    findings.extend(nvram(input));
    findings.push(cpu(input));
    findings.extend(invtsc(input));
    findings.extend(definition(input));
    findings
}

fn fit(input: &PreflightInput) -> Vec<Finding> {
    let (domain, destination) = (&input.domain, input.destination_name());
    let (arch, accelerator) = (&domain.arch, &domain.virt_type);
    let runs = || Finding::ok(FindingCode::Architecture, format!("{destination} runs {arch} with {accelerator}."));
    let emulates = || Finding::ok(FindingCode::Emulator, format!("{destination} has {}.", domain.emulator));
    match input.destination.survey.machine {
        MachineFit::Unknown => {
            vec![Finding::unknown(
                FindingCode::MachineType,
                format!("{destination} does not say which machines its QEMU knows."),
            )]
        }
        // libvirt reads no definition whose emulator it can't ask, not even one that it only keeps.
        MachineFit::NoArchitecture => vec![
            Finding::blocker(FindingCode::Architecture, format!("{destination} can't run {arch} with {accelerator}."))
                .with_fix(
                    "Choose a host of the same architecture; for kvm, look whether it is switched on in the firmware.",
                ),
        ],
        MachineFit::NoEmulator => vec![
            Finding::blocker(FindingCode::Emulator, format!("{destination} has no {}.", domain.emulator))
                .with_fix("Install that QEMU there."),
        ],
        MachineFit::NoMachine => vec![
            runs(),
            emulates(),
            input
                .lacking(
                    FindingCode::MachineType,
                    format!("The QEMU of {destination} does not know the machine type {}.", domain.machine),
                )
                .with_fix("Upgrade QEMU there, or choose a host that has a newer one."),
        ],
        MachineFit::Fits => vec![
            runs(),
            emulates(),
            Finding::ok(FindingCode::MachineType, format!("The QEMU of {destination} knows {}.", domain.machine)),
        ],
    }
}

fn firmware(input: &PreflightInput) -> Option<Finding> {
    let (code, path, destination) = (FindingCode::Firmware, input.domain.firmware.as_ref()?, input.destination_name());
    Some(match input.destination.survey.firmware {
        Some(true) => Finding::ok(code, format!("{destination} has {path}.")),
        Some(false) => input
            .lacking(code, format!("{destination} has not the firmware {path}."))
            .with_fix("Install the same firmware package (OVMF or AAVMF) there."),
        None => Finding::unknown(code, format!("Whether {destination} has the firmware {path} can't be told.")),
    })
}

fn nvram(input: &PreflightInput) -> Option<Finding> {
    let (code, name) = (FindingCode::Nvram, &input.vm.name);
    let path = input.domain.nvram.as_ref()?;
    if let Some(evidence) = input.same_file(path) {
        return Some(Finding::ok(code, format!("The UEFI variables of {name}: {evidence}.")));
    }
    if input.is_live() {
        let along = format!("The UEFI variables of {name} go along with its memory");
        if input.domain.nvram_has_template {
            return Some(Finding::ok(code, format!("{along}.")));
        }
        let destination = input.destination_name();
        let text = format!(
            "{along} if libvirt on {destination} has a template for their file, which the definition does not name."
        );
        let fix = format!(
            "Name one (<nvram template='…'>), or make an empty file of the same size at the same path on {destination}."
        );
        return Some(Finding::unknown(code, text).with_fix(fix).with_details(path));
    }
    let text = format!(
        "The UEFI variables of {name} are kept in a file of {}, which does not move.",
        input.source.config.name
    );
    let fix = "Move it while it runs: then they go along. Or copy the file to the same path.";
    Some(Finding::warning(code, text).with_fix(fix).with_details(path).needs_consent())
}

fn cpu(input: &PreflightInput) -> Finding {
    let (code, destination) = (FindingCode::Cpu, input.destination_name());
    match &input.destination.survey.cpu {
        CpuFit::Unknown => Finding::unknown(
            code,
            format!("Whether the CPU of {destination} has what {} uses can't be told.", input.vm.name),
        ),
        CpuFit::Fits if input.domain.cpu_passthrough => Finding::warning(
            code,
            format!(
                "{} has the CPU of its host as it is (host-passthrough): only a host with the very same CPU is safe.",
                input.vm.name
            ),
        )
        .with_fix("Give it a named CPU model that all hosts have."),
        CpuFit::Fits => Finding::ok(code, format!("The CPU of {destination} has what {} uses.", input.vm.name)),
        CpuFit::Lacks(features) => {
            let which = if features.is_empty() { "features".to_owned() } else { features.join(", ") };
            input
                .lacking(code, format!("The CPU of {destination} lacks what {} uses: {which}.", input.vm.name))
                .with_fix("Give it a CPU model that both hosts have, restart it, and try again.")
        }
    }
}

fn invtsc(input: &PreflightInput) -> Option<Finding> {
    let text = format!("{} has an invariant time stamp counter without a fixed frequency.", input.vm.name);
    let fix = "Give its TSC timer a frequency, or take the feature invtsc away; then restart it.";
    (input.is_live() && input.domain.invtsc_without_frequency)
        .then(|| Finding::blocker(FindingCode::Invtsc, text).with_fix(fix))
}

fn definition(input: &PreflightInput) -> Option<Finding> {
    let (code, destination) = (FindingCode::Definition, input.destination_name());
    Some(match input.destination.survey.definition.as_ref()? {
        Ok(()) => Finding::ok(
            code,
            format!(
                "libvirt on {destination} can read the definition. Nothing was started: files, ports and devices were not tried."
            ),
        ),
        Err(words) => input
            .lacking(code, format!("libvirt on {destination} does not accept the definition of {}.", input.vm.name))
            .with_fix("Change what it complains of, at the source or there.")
            .with_details(words),
    })
}
