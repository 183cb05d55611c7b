//! What a migration would do, and what speaks for a destination.

use super::{bytes, span};
use crate::{DiskPlan, Ending, HostName, MigrationOptions, Preflight, Severity, Treatment, Vm, VmState};

/// What a migration of `vm` would do, in words, before it is begun.
pub fn plan(vm: &Vm, there: &HostName, options: &MigrationOptions, disks: &[DiskPlan]) -> String {
    let host = &vm.host;
    let mut sentences = vec![how_it_moves(vm, there, options)];
    if let Some(new_name) = &options.new_name {
        sentences.push(format!("There it is called {new_name}."));
    }
    if options.eject_media {
        sentences.push("Media that the destination does not have are ejected first.".to_owned());
    }
    let copied: Vec<&str> = disks
        .iter()
        .filter_map(|disk| match &disk.treatment {
            Treatment::Copy { .. } => Some(disk.target.as_str()),
            Treatment::Shared { .. } | Treatment::Stuck => None,
        })
        .collect();
    for disk in disks {
        if let Treatment::Copy { pool, .. } = &disk.treatment {
            let DiskPlan { target, capacity_bytes, .. } = disk;
            sentences.push(format!("Its disk {target} ({}) is copied to the pool {pool}.", bytes(*capacity_bytes)));
        }
    }
    sentences.push(if options.keep_source_definition {
        format!("{host} keeps its definition.")
    } else {
        format!("Its definition is then removed from {host}.")
    });
    if !copied.is_empty() {
        let (images, are) = if copied.len() == 1 { ("image", "is") } else { ("images", "are") };
        let images = format!("the old {images} of {}", copied.join(", "));
        sentences.push(if options.remove_source_disks {
            format!("Last of all, {images} {are} deleted.")
        } else {
            format!("{host} keeps {images}.")
        });
    }
    sentences.join(" ")
}

fn how_it_moves(vm: &Vm, there: &HostName, options: &MigrationOptions) -> String {
    let Vm { name, host, .. } = vm;
    if !vm.state.is_active() {
        return format!("{name} is {}: its definition moves from {host} to {there}.", vm.state.as_str());
    }
    let meanwhile = match vm.state {
        VmState::Running => "while it keeps running",
        VmState::Suspended => "and stays asleep",
        _ => "and stays paused",
    };
    let limit = options.bandwidth_mib_s.map_or_else(String::new, |limit| format!(" at no more than {limit} MiB/s"));
    format!(
        "{name} moves from {host} to {there} {meanwhile}; its {} of memory are sent{limit}.",
        bytes(vm.memory_bytes)
    )
}

/// What speaks for a destination, in a sentence: `Nothing stands in the way, no disk is copied, and it takes 2 s to 5 s.`
pub fn merits(preflight: &Preflight) -> String {
    let warnings = match preflight.of(Severity::Warning).count() {
        0 => "Nothing stands in the way".to_owned(),
        1 => "Nothing worse than a warning stands in the way".to_owned(),
        warnings => format!("Nothing worse than {warnings} warnings stands in the way"),
    };
    let disks = match preflight.copied_bytes() {
        0 if preflight.disks.is_empty() => None,
        0 => Some("no disk is copied".to_owned()),
        copied => Some(format!("{} of disks are copied", bytes(copied))),
    };
    let ending = preflight.prediction.map(|prediction| match prediction.ending {
        Ending::After { low_ms, high_ms, .. } => format!("it takes {}", span(low_ms, high_ms)),
        Ending::Never { .. } => "it will not finish by itself".to_owned(),
    });
    let parts: Vec<String> = [Some(warnings), disks, ending].into_iter().flatten().collect();
    match parts.as_slice() {
        [all @ .., last] if all.len() > 1 => format!("{}, and {last}.", all.join(", ")),
        parts => format!("{}.", parts.join(", and ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_everything_that_was_chosen() {
        let vm = crate::examples::vm(1, "web", "alpha");
        let beta = "beta".parse().unwrap();
        let limited =
            MigrationOptions { keep_source_definition: true, bandwidth_mib_s: Some(8), ..MigrationOptions::default() };
        assert_eq!(
            plan(&vm, &beta, &limited, &[]),
            "web moves from alpha to beta while it keeps running; its 64 MiB of memory are sent at no more than 8 MiB/s. \
             alpha keeps its definition."
        );
        let disk = |target: &str, treatment| DiskPlan {
            target: target.into(),
            source: format!("/images/{target}"),
            capacity_bytes: 8 << 30,
            treatment,
        };
        let copy = || Treatment::Copy {
            pool: "images".into(),
            volume: "web".into(),
            available_bytes: 0,
            other_pools: Vec::new(),
        };
        let shared = Treatment::Shared { evidence: "The same NFS export.".into() };
        let mut everything =
            MigrationOptions { new_name: Some("web2".into()), eject_media: true, ..Default::default() };
        assert_eq!(
            plan(&vm, &beta, &everything, &[disk("vda", copy()), disk("vdb", shared)]),
            "web moves from alpha to beta while it keeps running; its 64 MiB of memory are sent. There it is called web2. \
             Media that the destination does not have are ejected first. Its disk vda (8 GiB) is copied to the pool images. \
             Its definition is then removed from alpha. alpha keeps the old image of vda."
        );
        everything.remove_source_disks = true;
        let off = Vm { state: VmState::ShutOff, ..vm };
        let removed = plan(&off, &beta, &everything, &[disk("vda", copy()), disk("vdb", copy())]);
        assert!(removed.starts_with("web is shut off: its definition moves from alpha to beta."), "{removed}");
        assert!(removed.ends_with("Last of all, the old images of vda, vdb are deleted."), "{removed}");
    }

    #[test]
    fn what_speaks_for_a_destination() {
        let mut preflight = Preflight {
            control_flow: crate::ControlFlow::PeerToPeer,
            encrypted: false,
            destination: "beta".parse().unwrap(),
            findings: Vec::new(),
            disks: Vec::new(),
            prediction: None,
        };
        assert_eq!(merits(&preflight), "Nothing stands in the way.");
        preflight.disks.push(crate::DiskPlan {
            target: "vda".into(),
            source: "/images/web.qcow2".into(),
            capacity_bytes: 8 << 30,
            treatment: crate::Treatment::Shared { evidence: "The same NFS export.".into() },
        });
        assert_eq!(merits(&preflight), "Nothing stands in the way, and no disk is copied.");
        preflight.prediction = Some(crate::examples::prediction(crate::examples::after(2_000, 5_000)));
        assert_eq!(merits(&preflight), "Nothing stands in the way, no disk is copied, and it takes 2.0 s to 5.0 s.");
        preflight.findings.push(crate::Finding::warning(crate::FindingCode::QemuVersion, "QEMU is older there."));
        preflight.disks[0].treatment = crate::Treatment::Copy {
            pool: "images".into(),
            volume: "web.qcow2".into(),
            available_bytes: 0,
            other_pools: Vec::new(),
        };
        assert_eq!(
            merits(&preflight),
            "Nothing worse than a warning stands in the way, 8 GiB of disks are copied, and it takes 2.0 s to 5.0 s."
        );
    }
}
