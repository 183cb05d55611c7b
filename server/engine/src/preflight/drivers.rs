//! Drivers: QEMU's that can't be migrated or that the destination may not have, and security drivers.

use model::{Finding, FindingCode};

use super::input::PreflightInput;
use crate::hypervisor::Neighbour;

/// Formats, by libvirt's names, whose drivers refuse every migration (`migrate_add_blocker` in QEMU's block/*.c).
const NOT_MIGRATABLE: [&str; 3] = ["qcow", "vdi", "vmdk"];
/// Those that refuse it if the guest may write.
const NOT_MIGRATABLE_WRITABLE: [&str; 3] = ["vpc", "ploop", "fat"];

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let disks = input.domain.disks.iter().map(|disk| (&disk.target, &disk.format, disk.read_only));
    // QEMU opens the images below a disk read-only.
    let below = input.domain.backing_formats.iter().map(|(target, format)| (target, format, true));
    let all = disks.chain(below).filter(|_| input.is_live());
    let formats = all.filter_map(|(target, format, read_only)| refused_format(input, target, format, read_only));
    let drivers = input.domain.references.qemu_drivers.iter().map(|driver| qemu_driver(input, driver));
    let labels = input.domain.references.security_models.iter().map(|model| security_label(input, model));
    formats.chain(drivers).chain(qemu_arguments(input)).chain(labels).collect()
}

fn refused_format(input: &PreflightInput, target: &str, format: &str, read_only: bool) -> Option<Finding> {
    let is_refused = NOT_MIGRATABLE.contains(&format) || (!read_only && NOT_MIGRATABLE_WRITABLE.contains(&format));
    let name = &input.vm.name;
    let text = format!(
        "The disk {target} of {name} has an image of the format {format}, which QEMU can't move while it runs."
    );
    is_refused.then(|| {
        Finding::blocker(FindingCode::DiskFormat, text)
            .with_fix("Move it while it is shut off, or convert the image to qcow2 or raw (qemu-img convert).")
    })
}

/// QEMU loads these drivers from files of their own, which distributions put into packages of their own. libvirt does not report
/// which of them a host has.
fn qemu_driver(input: &PreflightInput, driver: &str) -> Finding {
    let (code, name, destination) = (FindingCode::QemuDriver, &input.vm.name, input.destination_name());
    let uses_it = |neighbour: &&Neighbour| neighbour.active && neighbour.references.qemu_drivers.contains(driver);
    match input.destination.survey.provided.neighbours.iter().flatten().find(uses_it) {
        Some(other) => {
            Finding::ok(code, format!("QEMU on {destination} has a driver for {driver}: {} uses it.", other.name))
        }
        None => Finding::unknown(
            code,
            format!("Whether QEMU on {destination} has the driver for {driver} that {name} needs can't be told: libvirt does not report it."),
        )
        .with_fix("Install the same packages with drivers of QEMU there (on Debian qemu-block-extra, qemu-system-modules-…)."),
    }
}

/// QEMU gets them as they are: what they name is known only to the admin who wrote them.
fn qemu_arguments(input: &PreflightInput) -> Option<Finding> {
    let name = &input.vm.name;
    let text = format!(
        "{name} has arguments for QEMU of its own (qemu:commandline, qemu:override); whether they work on {} can't be told.",
        input.destination_name()
    );
    let fix = "Look whether they name files, devices or ports of the source.";
    let has_any = input.domain.references.qemu_arguments;
    has_any.then(|| Finding::unknown(FindingCode::QemuArguments, text).with_fix(fix))
}

/// libvirt starts no VM with a label of a driver that it does not have (`virSecurityManagerCheckModel`).
fn security_label(input: &PreflightInput, model: &str) -> Finding {
    let (code, name, destination) = (FindingCode::SecurityLabel, &input.vm.name, input.destination_name());
    match &input.destination.survey.provided.security_models {
        None => Finding::unknown(
            code,
            format!("{destination} does not say which security drivers it has; {name} has a label of {model}."),
        ),
        Some(models) if models.contains(model) => {
            Finding::ok(code, format!("{destination} has the security driver {model}, of which {name} has a label."))
        }
        Some(_) => input
            .lacking(
                code,
                format!("{name} has a label of the security driver {model}, which {destination} does not use."),
            )
            .with_fix("Take the fixed label (seclabel) out of its definition."),
    }
}
