//! The VM itself: whether what it does now, and what libvirt keeps of it, lets it go.
//!
//! libvirt asks most of this before it begins (`qemuMigrationSrcIsAllowed`), and of an offline migration only for snapshots.

use model::{Finding, FindingCode, VmState};

use super::input::{PreflightInput, Route};

/// The first QEMU that keeps a guest asleep across a migration, as libvirt's number: 9.0.0.
const KEEPS_ASLEEP: u64 = 9_000_000;

pub(super) fn findings(input: &PreflightInput, route: &Route) -> Vec<Finding> {
    let mut findings = vec![state(input), snapshots(input, route)];
    findings.extend(checkpoints(input));
    findings.extend(saved_memory(input));
    findings.extend(autostart(input));
    if input.is_live() {
        findings.extend([job(input), block_job(input)]);
        findings.extend(io_error(input));
    }
    findings
}

fn state(input: &PreflightInput) -> Finding {
    let (code, name) = (FindingCode::VmState, &input.vm.name);
    match input.vm.state {
        VmState::ShuttingDown => {
            Finding::warning(code, format!("{name} is shutting down, and may be off before it arrives."))
                .with_fix("Wait until it is off, then move it offline.")
        }
        VmState::Suspended => asleep(input),
        VmState::Paused => Finding::ok(code, format!("{name} is paused, and will be at the destination.")),
        state => Finding::ok(code, format!("{name} is {}.", state.as_str())),
    }
}

/// libvirt lets it run at the destination, and says so; QEMU keeps it suspended, since 9.0 also across a migration.
fn asleep(input: &PreflightInput) -> Finding {
    let (code, name, destination) = (FindingCode::VmState, &input.vm.name, input.destination_name());
    let sides = [&input.source.survey, &input.destination.survey];
    if sides.iter().any(|survey| survey.hypervisor_version < KEEPS_ASLEEP) {
        let text = format!(
            "{name} is asleep, and QEMU before 9.0 forgets that on the way: on {destination} it may never wake up again."
        );
        return Finding::warning(code, text).with_fix("Wake it up, then move it.").needs_consent();
    }
    let text = format!(
        "{name} is asleep, and arrives asleep: it does nothing on {destination} until it is woken up, though libvirt there says that it runs."
    );
    Finding::warning(code, text).with_fix("Wake it up before, or afterwards: vmferry shows it as asleep until then.")
}

/// libvirt leaves the file where it is, also when the definition goes, and a VM that is started there later goes on from it: with disks
/// that have changed since (seen with libvirt 11.3). So this one is not moved, though libvirt would do it.
fn saved_memory(input: &PreflightInput) -> Option<Finding> {
    let (code, name) = (FindingCode::SavedMemory, &input.vm.name);
    let (source, destination) = (&input.source.config.name, input.destination_name());
    if input.domain.saved_memory {
        let text = format!(
            "The memory of {name} is saved on {source} (managed save), and does not move. Should {name} come back, it would go on from \
             there, with disks that have changed since."
        );
        return Some(
            Finding::blocker(code, text)
                .with_fix("Start it, and move it while it runs; or discard what is saved (virsh managedsave-remove)."),
        );
    }
    let text = format!(
        "{destination} keeps saved memory of {name} from before (managed save): when {name} is next started there, it would go on from \
         that, with disks that have changed since."
    );
    let fix = format!("Remove it there: virsh managedsave-remove {name}.");
    input.destination.survey.saved_memory.then(|| Finding::blocker(code, text).with_fix(fix))
}

fn job(input: &PreflightInput) -> Finding {
    let (code, name) = (FindingCode::BusyWithJob, &input.vm.name);
    match &input.domain.other_job {
        Some(job) => Finding::blocker(code, format!("libvirt does something else to {name} just now."))
            .with_fix("Wait until that is done, or abort it (virsh domjobabort).")
            .with_details(job),
        None => Finding::ok(code, format!("libvirt does nothing else to {name}.")),
    }
}

fn io_error(input: &PreflightInput) -> Option<Finding> {
    let text = format!("{} is paused because a disk failed. It would arrive paused.", input.vm.name);
    let fix = "Find out what the disk lacks (space, often), and resume the VM before it moves.";
    input.domain.io_error.then(|| Finding::warning(FindingCode::IoError, text).with_fix(fix))
}

/// The way around loses nothing only where the images move with all that is in them.
fn snapshots(input: &PreflightInput, route: &Route) -> Finding {
    let (code, name) = (FindingCode::Snapshots, &input.vm.name);
    let is_mirrored = input.is_live() && route.copies_disks;
    let fix = if is_mirrored {
        "Shut it off and move it then: the copy of a running VM's disk has no snapshots. Or delete those that are no longer needed \
         (virsh snapshot-delete)."
    } else {
        "Let libvirt forget them for the move, which leaves their contents in the disks: save each definition (virsh \
         snapshot-dumpxml), remove it (virsh snapshot-delete --metadata), and define it again at the destination, with the paths \
         that its disks have there (virsh snapshot-create --redefine)."
    };
    match input.domain.snapshots {
        0 => Finding::ok(code, format!("{name} has no snapshots.")),
        count => Finding::blocker(
            code,
            format!("{name} has {}; libvirt moves no VM that has any.", counted(count, "snapshot")),
        )
        .with_fix(fix),
    }
}

fn checkpoints(input: &PreflightInput) -> Option<Finding> {
    let (name, count) = (&input.vm.name, input.domain.checkpoints);
    let text = format!("libvirt forgets {} of {name} when it moves.", counted(count, "checkpoint"));
    let fix = "Make a full backup afterwards: an incremental one has nothing to stand on.";
    (count > 0).then(|| Finding::warning(FindingCode::Checkpoints, text).with_fix(fix))
}

/// libvirt keeps it beside the definition; vmferry sets it at the end.
fn autostart(input: &PreflightInput) -> Option<Finding> {
    let (code, name, destination) = (FindingCode::Autostart, &input.vm.name, input.destination_name());
    let source = &input.source.config.name;
    match input.domain.autostart {
        _ if !input.vm.persistent && input.is_live() => None,
        Some(false) => None,
        Some(true) => Some(Finding::ok(
            code,
            format!("{source} starts {name} when it boots. Afterwards {destination} does, and {source} no longer."),
        )),
        None => Some(
            Finding::unknown(
                code,
                format!("{source} does not say whether it starts {name} when it boots, so {destination} will not."),
            )
            .with_fix("Set it there by hand afterwards (virsh autostart), and look that the source does not start it."),
        ),
    }
}

fn block_job(input: &PreflightInput) -> Finding {
    let code = FindingCode::BlockJob;
    if input.domain.block_jobs.is_empty() {
        return Finding::ok(code, "No disk is being copied or committed.");
    }
    let disks = input.domain.block_jobs.join(", ");
    Finding::blocker(code, format!("libvirt copies or commits a disk of {} just now: {disks}.", input.vm.name))
        .with_fix("Wait until that is done, or abort it (virsh blockjob --abort).")
}

fn counted(count: u32, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
