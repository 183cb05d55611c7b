//! What the destination has already: a copy of the VM, another VM of its name; and whether anything may be changed there.

use model::{Finding, FindingCode};

use super::input::Case;

pub(super) fn findings(case: &Case) -> Vec<Finding> {
    let (name, there) = (case.wanted_name(), case.there());
    let mut findings = vec![
        Finding::ok(FindingCode::DestinationReachable, format!("{there} answers.")),
        Finding::ok(FindingCode::SameHost, format!("{there} is another machine.")),
        writable(case),
    ];
    match case.destination.survey.name_taken_by {
        Some(other) => findings.push(
            Finding::blocker(FindingCode::NameTaken, format!("{there} has another VM called {name}."))
                .with_fix("Give this one a new name there, or rename or remove the other.")
                .with_details(other.to_string()),
        ),
        None => findings.push(Finding::ok(FindingCode::NameTaken, format!("The name {name} is free on {there}."))),
    }
    findings.extend(copy(case));
    findings
}

fn writable(case: &Case) -> Finding {
    let (code, there) = (FindingCode::DestinationWritable, case.there());
    if case.destination.survey.writable {
        return Finding::ok(code, format!("The console may make changes on {there}."));
    }
    Finding::blocker(code, format!("The console may only look at {there}, not change anything."))
        .with_fix("Let its account manage libvirt there: polkit, the group libvirt, or a socket that is not read-only.")
}

/// A copy that is shut off. One that runs is refused before anything else is asked.
fn copy(case: &Case) -> Option<Finding> {
    let (there, copy) = (case.there(), case.copy_there.as_ref()?);
    if copy.name != case.wanted_name() {
        let text = format!("{there} has this VM already, shut off, under the name {}.", copy.name);
        return Some(
            Finding::blocker(FindingCode::UuidTaken, text)
                .with_fix(format!("Remove that definition there, or move the VM under the name {}.", copy.name)),
        );
    }
    let text = format!("{there} keeps an old definition of {}, shut off. It will be replaced.", copy.name);
    Some(Finding::warning(FindingCode::StaleDefinition, text))
}
