//! What the destination has to give: CPUs, memory, huge pages, secrets.

use model::{Finding, FindingCode, text};

use super::input::Case;

/// What QEMU takes beside the guest's memory, in bytes: page tables, 8 MiB a virtual CPU, and what devices need
/// (KubeVirt's `GetMemoryOverhead`, without its own processes).
fn overhead(memory_bytes: u64, vcpus: u32) -> u64 {
    const MIB: u64 = 1 << 20;
    memory_bytes / 512 + u64::from(vcpus) * 8 * MIB + 40 * MIB
}

pub(super) fn findings(case: &Case) -> Vec<Finding> {
    let mut findings = Vec::new();
    if case.is_live() {
        findings.extend([vcpus(case), huge_pages(case).unwrap_or_else(|| memory(case))]);
    }
    findings.extend(secrets(case));
    findings
}

fn vcpus(case: &Case) -> Finding {
    let (code, there) = (FindingCode::Vcpus, case.there());
    match (case.domain.vcpus, case.destination.survey.cpus) {
        (_, 0) => Finding::unknown(code, format!("{there} does not say how many CPUs it has.")),
        (wanted, has) if wanted > has => {
            Finding::warning(code, format!("{} has {wanted} virtual CPUs, {there} only {has} CPUs.", case.vm.name))
                .with_fix("It will run, but slower than it could.")
        }
        (wanted, has) => Finding::ok(code, format!("{there} has {has} CPUs for {wanted} virtual ones.")),
    }
}

/// Less free memory than wanted is no certain failure: the kernel promises more than it has, and may swap. More than there is
/// at all is one.
fn memory(case: &Case) -> Finding {
    let (code, there) = (FindingCode::Memory, case.there());
    let wanted = case.domain.memory_bytes + overhead(case.domain.memory_bytes, case.domain.vcpus);
    let (free, all) = (case.destination.survey.memory_free_bytes, case.destination.memory_bytes);
    let needs = format!("{} needs {}", case.vm.name, text::bytes(wanted));
    if all > 0 && case.domain.memory_bytes > all {
        return Finding::blocker(code, format!("{needs}, more than the {} that {there} has at all.", text::bytes(all)))
            .with_fix("Choose a larger host.");
    }
    match free {
        0 => Finding::unknown(code, format!("{needs}; {there} does not say what is free.")),
        free if free < wanted => {
            Finding::warning(code, format!("{needs}; {there} has {} that is free or can be freed.", text::bytes(free)))
                .with_fix("Choose a host with more free memory: it may fail there, or push others into swap.")
        }
        free => Finding::ok(code, format!("{needs}; {there} has {} free.", text::bytes(free))),
    }
}

fn huge_pages(case: &Case) -> Option<Finding> {
    let (code, there) = (FindingCode::HugePages, case.there());
    case.domain.huge_page_bytes?;
    let needs = format!("{} needs {} of huge pages", case.vm.name, text::bytes(case.domain.memory_bytes));
    Some(match case.destination.survey.huge_pages_free_bytes {
        None => Finding::unknown(code, format!("{needs}; {there} does not say how many are free.")),
        Some(free) if free < case.domain.memory_bytes => {
            Finding::blocker(code, format!("{needs}; {there} has {} of that size free.", text::bytes(free)))
                .with_fix("Reserve more of them there (vm.nr_hugepages), or choose another host.")
        }
        Some(free) => Finding::ok(code, format!("{needs}; {there} has {} free.", text::bytes(free))),
    })
}

fn secrets(case: &Case) -> Option<Finding> {
    let (code, there) = (FindingCode::Secret, case.there());
    if case.domain.secrets.is_empty() {
        return None;
    }
    Some(match case.destination.survey.missing_secrets.as_deref() {
        None => Finding::unknown(code, format!("{there} does not say which secrets it has.")),
        Some([]) => Finding::ok(code, format!("{there} has the secrets of all disks.")),
        Some(disks) => case
            .lacking(code, format!("{there} has not the secret of {}.", disks.join(", ")))
            .with_fix("Define the same secrets there (virsh secret-define), with their values."),
    })
}
