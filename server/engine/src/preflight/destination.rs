//! What the destination has already: a copy of the VM, another VM of its name; and whether anything may be changed there.

use model::{Finding, FindingCode, Maintenance, MaintenanceStage, Problem};

use super::input::PreflightInput;

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let (name, destination) = (input.wanted_name(), input.destination_name());
    let mut findings = vec![
        Finding::ok(FindingCode::DestinationReachable, format!("{destination} answers.")),
        Finding::ok(FindingCode::SameHost, format!("{destination} is another machine.")),
        writable(input),
        maintenance(input),
    ];
    match input.destination.survey.name_taken_by {
        Some(other) => findings.push(
            Finding::blocker(FindingCode::NameTaken, format!("{destination} has another VM called {name}."))
                .with_fix("Give this one a new name there, or rename or remove the other.")
                .with_details(other.to_string()),
        ),
        None => {
            findings.push(Finding::ok(FindingCode::NameTaken, format!("The name {name} is free on {destination}.")));
        }
    }
    findings.extend(copy(input));
    findings
}

/// Whoever asks for it by name may have a reason; nothing goes there by itself.
fn maintenance(input: &PreflightInput) -> Finding {
    let (code, destination) = (FindingCode::Maintenance, input.destination_name());
    let Some(Maintenance { stage, reason, by, .. }) = &input.destination.maintenance else {
        return Finding::ok(code, format!("{destination} is in use."));
    };
    let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let text = match stage {
        MaintenanceStage::Draining => format!("{by} has {destination} emptied{why}."),
        MaintenanceStage::Empty | MaintenanceStage::InMaintenance => {
            format!("{by} has had {destination} emptied, to work on it{why}.")
        }
        MaintenanceStage::ComingBack => format!("The VMs of {destination} are coming home{why}."),
    };
    Finding::warning(code, text)
        .with_fix("Choose another host, or accept that it may go down, or have no room for its own VMs.")
        .needs_consent()
}

fn writable(input: &PreflightInput) -> Finding {
    let (code, destination) = (FindingCode::DestinationWritable, input.destination_name());
    if input.destination.survey.writable {
        return Finding::ok(code, format!("The console may make changes on {destination}."));
    }
    Finding::blocker(code, format!("The console may only look at {destination}, not change anything."))
        .with_fix("Let its account manage libvirt there: polkit, the group libvirt, or a socket that is not read-only.")
}

/// A copy that is shut off. One that runs is refused before anything else is asked.
fn copy(input: &PreflightInput) -> Option<Finding> {
    let (destination, copy) = (input.destination_name(), input.copy_there.as_ref()?);
    if let Some(twin) = another(input) {
        return Some(twin);
    }
    if copy.name != input.wanted_name() {
        let text = format!("{destination} has this VM already, shut off, under the name {}.", copy.name);
        return Some(
            Finding::blocker(FindingCode::UuidTaken, text)
                .with_fix(format!("Remove that definition there, or move the VM under the name {}.", copy.name)),
        );
    }
    if input.may_be_another_there {
        let text = format!(
            "{destination} has a definition of {} with other disks, shut off, which no migration of this console explains. It may be \
             another VM. It will be replaced.",
            copy.name
        );
        let fix =
            format!("Look at it on {destination}. If it is another VM, give that a name and a UUID of its own first.");
        return Some(Finding::warning(FindingCode::StaleDefinition, text).with_fix(fix).needs_consent());
    }
    let text = format!("{destination} keeps an old definition of {}, shut off. It will be replaced.", copy.name);
    Some(Finding::warning(FindingCode::StaleDefinition, text))
}

/// Another VM that has this one's UUID: libvirt would replace its definition, or refuse, going by the name.
fn another(input: &PreflightInput) -> Option<Finding> {
    input.vm.twins.iter().find(|twin| &twin.host == input.destination_name())?;
    let Problem { sentence, fix, details, .. } = input.vm.shares_uuid()?;
    Some(Finding { fix, details, ..Finding::blocker(FindingCode::UuidTaken, sentence) })
}
