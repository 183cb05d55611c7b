//! What the destination has to give: CPUs, memory, huge pages, secrets.

use model::{Finding, FindingCode, text};

use super::input::PreflightInput;

/// The memory that a VM takes on its host, with what QEMU needs beside it, in bytes.
pub(crate) fn memory_needed(memory_bytes: u64, vcpus: u32) -> u64 {
    memory_bytes + overhead(memory_bytes, vcpus)
}

/// What QEMU takes beside the guest's memory, in bytes: page tables, 8 MiB a virtual CPU, and what devices need
/// (KubeVirt's `GetMemoryOverhead`, without its own processes).
fn overhead(memory_bytes: u64, vcpus: u32) -> u64 {
    const MIB: u64 = 1 << 20;
    memory_bytes / 512 + u64::from(vcpus) * 8 * MIB + 40 * MIB
}

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let mut findings = Vec::new();
    if input.is_live() {
        findings.extend([vcpus(input), huge_pages(input).unwrap_or_else(|| memory(input))]);
    }
    findings.extend(secrets(input));
    findings
}

fn vcpus(input: &PreflightInput) -> Finding {
    let (code, destination) = (FindingCode::Vcpus, input.destination_name());
    match (input.domain.vcpus, input.destination.survey.cpus) {
        (_, 0) => Finding::unknown(code, format!("{destination} does not say how many CPUs it has.")),
        (wanted, has) if wanted > has => Finding::warning(
            code,
            format!("{} has {wanted} virtual CPUs, {destination} only {has} CPUs.", input.vm.name),
        )
        .with_fix("It will run, but slower than it could."),
        (wanted, has) => Finding::ok(code, format!("{destination} has {has} CPUs for {wanted} virtual ones.")),
    }
}

/// Less free memory than wanted is no certain failure: the kernel promises more than it has, and may swap. More than there is
/// at all is one. What evacuations have reserved is free still, and they may find no room any more.
fn memory(input: &PreflightInput) -> Finding {
    let (code, destination) = (FindingCode::Memory, input.destination_name());
    let wanted = memory_needed(input.domain.memory_bytes, input.domain.vcpus);
    let (free, all) = (input.destination.survey.memory_free_bytes, input.destination.memory_bytes);
    let needs = format!("{} needs {}", input.vm.name, text::bytes(wanted));
    let reserved = match input.reserved_bytes {
        0 => String::new(),
        bytes => format!(", of which {} are reserved for VMs of evacuations", text::bytes(bytes)),
    };
    if all > 0 && input.domain.memory_bytes > all {
        return Finding::blocker(
            code,
            format!("{needs}, more than the {} that {destination} has at all.", text::bytes(all)),
        )
        .with_fix("Choose a larger host.");
    }
    match free {
        0 => Finding::unknown(code, format!("{needs}; {destination} does not say what is free.")),
        free if free < wanted => Finding::warning(
            code,
            format!("{needs}; {destination} has {} that is free or can be freed{reserved}.", text::bytes(free)),
        )
        .with_fix("Choose a host with more free memory: it may fail there, or push others into swap."),
        free if free.saturating_sub(input.reserved_bytes) < wanted => Finding::warning(
            code,
            format!("{needs}; {destination} has {} that is free or can be freed{reserved}.", text::bytes(free)),
        )
        .with_fix("Choose another host, or wait until these have moved: there may be no room for them any more."),
        free => Finding::ok(code, format!("{needs}; {destination} has {} free{reserved}.", text::bytes(free))),
    }
}

fn huge_pages(input: &PreflightInput) -> Option<Finding> {
    let (code, destination) = (FindingCode::HugePages, input.destination_name());
    input.domain.huge_page_bytes?;
    let needs = format!("{} needs {} of huge pages", input.vm.name, text::bytes(input.domain.memory_bytes));
    Some(match input.destination.survey.huge_pages_free_bytes {
        None => Finding::unknown(code, format!("{needs}; {destination} does not say how many are free.")),
        Some(free) if free < input.domain.memory_bytes => {
            Finding::blocker(code, format!("{needs}; {destination} has {} of that size free.", text::bytes(free)))
                .with_fix("Reserve more of them there (vm.nr_hugepages), or choose another host.")
        }
        Some(free) => Finding::ok(code, format!("{needs}; {destination} has {} free.", text::bytes(free))),
    })
}

fn secrets(input: &PreflightInput) -> Option<Finding> {
    let (code, destination) = (FindingCode::Secret, input.destination_name());
    if input.domain.secrets.is_empty() {
        return None;
    }
    Some(match input.destination.survey.missing_secrets.as_deref() {
        None => Finding::unknown(code, format!("{destination} does not say which secrets it has.")),
        Some([]) => Finding::ok(code, format!("{destination} has the secrets of all disks.")),
        Some(disks) => input
            .lacking(code, format!("{destination} has not the secret of {}.", disks.join(", ")))
            .with_fix("Define the same secrets there (virsh secret-define), with their values."),
    })
}
