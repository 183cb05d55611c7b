//! The machine: architecture, emulator, machine type, firmware, CPU.

use model::{Finding, FindingCode};

use super::input::Case;
use crate::{CpuFit, MachineFit};

pub(super) fn findings(case: &Case) -> Vec<Finding> {
    let mut findings = fit(case);
    findings.extend(firmware(case));
    findings.extend(nvram(case));
    findings.push(cpu(case));
    findings.extend(invtsc(case));
    findings.extend(definition(case));
    findings
}

fn fit(case: &Case) -> Vec<Finding> {
    let (domain, there) = (&case.domain, case.there());
    let (arch, accelerator) = (&domain.arch, &domain.virt_type);
    let runs = || Finding::ok(FindingCode::Architecture, format!("{there} runs {arch} with {accelerator}."));
    let emulates = || Finding::ok(FindingCode::Emulator, format!("{there} has {}.", domain.emulator));
    match case.destination.survey.machine {
        MachineFit::Unknown => {
            vec![Finding::unknown(
                FindingCode::MachineType,
                format!("{there} does not say which machines its QEMU knows."),
            )]
        }
        // libvirt reads no definition whose emulator it can't ask, not even one that it only keeps.
        MachineFit::NoArchitecture => vec![
            Finding::blocker(FindingCode::Architecture, format!("{there} can't run {arch} with {accelerator}."))
                .with_fix(
                    "Choose a host of the same architecture; for kvm, look whether it is switched on in the firmware.",
                ),
        ],
        MachineFit::NoEmulator => vec![
            Finding::blocker(FindingCode::Emulator, format!("{there} has no {}.", domain.emulator))
                .with_fix("Install that QEMU there."),
        ],
        MachineFit::NoMachine => vec![
            runs(),
            emulates(),
            case.lacking(
                FindingCode::MachineType,
                format!("The QEMU of {there} does not know the machine type {}.", domain.machine),
            )
            .with_fix("Upgrade QEMU there, or choose a host that has a newer one."),
        ],
        MachineFit::Fits => vec![
            runs(),
            emulates(),
            Finding::ok(FindingCode::MachineType, format!("The QEMU of {there} knows {}.", domain.machine)),
        ],
    }
}

fn firmware(case: &Case) -> Option<Finding> {
    let (code, path, there) = (FindingCode::Firmware, case.domain.firmware.as_ref()?, case.there());
    Some(match case.destination.survey.firmware {
        Some(true) => Finding::ok(code, format!("{there} has {path}.")),
        Some(false) => case
            .lacking(code, format!("{there} has not the firmware {path}."))
            .with_fix("Install the same firmware package (OVMF or AAVMF) there."),
        None => Finding::unknown(code, format!("Whether {there} has the firmware {path} can't be told.")),
    })
}

fn nvram(case: &Case) -> Option<Finding> {
    let (code, name) = (FindingCode::Nvram, &case.vm.name);
    let path = case.domain.nvram.as_ref()?;
    if case.is_live() {
        return Some(Finding::ok(code, format!("The UEFI variables of {name} go along with its memory.")));
    }
    let text =
        format!("The UEFI variables of {name} are kept in a file of {}, which does not move.", case.source.config.name);
    let fix = "Move it while it runs: then they go along. Or copy the file to the same path.";
    Some(Finding::warning(code, text).with_fix(fix).with_details(path).needs_consent())
}

fn cpu(case: &Case) -> Finding {
    let (code, there) = (FindingCode::Cpu, case.there());
    match &case.destination.survey.cpu {
        CpuFit::Unknown => {
            Finding::unknown(code, format!("Whether the CPU of {there} has what {} uses can't be told.", case.vm.name))
        }
        CpuFit::Fits if case.domain.cpu_passthrough => Finding::warning(
            code,
            format!(
                "{} has the CPU of its host as it is (host-passthrough): only a host with the very same CPU is safe.",
                case.vm.name
            ),
        )
        .with_fix("Give it a named CPU model that all hosts have."),
        CpuFit::Fits => Finding::ok(code, format!("The CPU of {there} has what {} uses.", case.vm.name)),
        CpuFit::Lacks(features) => {
            let which = if features.is_empty() { "features".to_owned() } else { features.join(", ") };
            case.lacking(code, format!("The CPU of {there} lacks what {} uses: {which}.", case.vm.name))
                .with_fix("Give it a CPU model that both hosts have, restart it, and try again.")
        }
    }
}

fn invtsc(case: &Case) -> Option<Finding> {
    let text = format!("{} has an invariant time stamp counter without a fixed frequency.", case.vm.name);
    let fix = "Give its TSC timer a frequency, or take the feature invtsc away; then restart it.";
    (case.is_live() && case.domain.invtsc_without_frequency)
        .then(|| Finding::blocker(FindingCode::Invtsc, text).with_fix(fix))
}

fn definition(case: &Case) -> Option<Finding> {
    let (code, there) = (FindingCode::Definition, case.there());
    Some(match case.destination.survey.definition.as_ref()? {
        Ok(()) => Finding::ok(code, format!("libvirt on {there} accepts the definition.")),
        Err(words) => case
            .lacking(code, format!("libvirt on {there} does not accept the definition of {}.", case.vm.name))
            .with_fix("Change what it complains of, at the source or there.")
            .with_details(words),
    })
}
