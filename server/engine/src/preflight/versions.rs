//! Whether the destination's libvirt and QEMU are as new as the source's.

use std::cmp::Ordering;

use model::{Finding, FindingCode, Policy};

use super::input::PreflightInput;
use crate::hypervisor::{MachineFit, POST_COPY_CRASH};

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let mut findings = vec![libvirt(input)];
    if input.is_live() {
        findings.push(qemu(input));
        findings.extend(post_copy(input));
    }
    findings
}

fn libvirt(input: &PreflightInput) -> Finding {
    let (code, destination) = (FindingCode::LibvirtVersion, input.destination_name());
    let (from, to) = (input.source.survey.libvirt_version, input.destination.survey.libvirt_version);
    match compare(from, to) {
        None => Finding::unknown(
            code,
            format!("The libvirt versions of {} and {destination} are not known.", input.vm.host),
        ),
        Some(Ordering::Greater) => Finding::warning(
            code,
            format!(
                "libvirt on {destination} is older ({}) than on {} ({}).",
                version(to),
                input.vm.host,
                version(from)
            ),
        )
        .with_fix("Most moves work all the same; if libvirt refuses something it does not know, upgrade it there."),
        Some(_) => Finding::ok(code, format!("{destination} has libvirt {}.", version(to))),
    }
}

/// QEMU keeps what a versioned machine type is, so that one which knows the machine can mostly take it over; it is tested only
/// from older to newer.
fn qemu(input: &PreflightInput) -> Finding {
    let (code, destination) = (FindingCode::QemuVersion, input.destination_name());
    let (from, to) = (input.source.survey.hypervisor_version, input.destination.survey.hypervisor_version);
    match compare(from, to) {
        None => {
            Finding::unknown(code, format!("The QEMU versions of {} and {destination} are not known.", input.vm.host))
        }
        Some(Ordering::Greater) => {
            let older = format!(
                "QEMU on {destination} is older ({}) than on {} ({})",
                version(to),
                input.vm.host,
                version(from)
            );
            let finding = match input.destination.survey.machine {
                MachineFit::Fits => {
                    Finding::warning(code, format!("{older}, but knows the machine {}.", input.domain.machine))
                }
                _ => Finding::warning(code, format!("{older}.")),
            };
            finding.with_fix("Going back to an older QEMU is rarely tested; upgrade it there, or choose another host.")
        }
        Some(_) => Finding::ok(code, format!("{destination} has QEMU {}.", version(to))),
    }
}

/// Only said where it matters: a migration that is to end whatever the guest does may switch to post-copy.
fn post_copy(input: &PreflightInput) -> Option<Finding> {
    let (destination, now) = (input.destination_name(), input.destination.survey.libvirt_version);
    let (code, which) = (FindingCode::PostCopyWindow, format!("libvirt {} on {destination}", version(now)));
    let found = || match input.options.policy.unwrap_or_default() {
        Policy::Certain => {
            Finding::warning(code, format!("{which} dies when a post-copy that broke off is recovered.")).with_fix(
                "Update libvirt there to 11.4 or newer, or choose the policy balanced, which does not use post-copy.",
            )
        }
        Policy::Gentle | Policy::Balanced => {
            Finding::ok(code, format!("{which} can't recover a broken post-copy; this migration uses none."))
        }
    };
    POST_COPY_CRASH.contains(&now).then(found)
}

/// None if either is not known.
fn compare(from: u64, to: u64) -> Option<Ordering> {
    (from > 0 && to > 0).then(|| from.cmp(&to))
}

/// libvirt's number as people write it.
fn version(number: u64) -> String {
    format!("{}.{}.{}", number / 1_000_000, number / 1_000 % 1_000, number % 1_000)
}
