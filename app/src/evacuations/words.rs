//! What plans and evacuations are called, and how far they are, in words.

use model::{Choice, Evacuation, HostName, ItemState, PlanRequest, Subject, text};

/// What is asked for, as a title: `Empty beta`.
pub(super) fn title(request: &PlanRequest) -> String {
    match &request.subject {
        Subject::Hosts(hosts) => format!("Empty {}", listed(hosts)),
        Subject::Vms(vms) => format!("Move {}", vm_count(vms.len())),
        Subject::Home(_) => "Bring VMs home".to_owned(),
    }
}

/// The same within a title: `empty beta`.
pub(super) fn within_title(request: &PlanRequest) -> String {
    let title = title(request);
    let mut letters = title.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// What an evacuation does, in a sentence without its end: `beta is being emptied`.
pub(super) fn doing(evacuation: &Evacuation) -> String {
    match &evacuation.request.subject {
        Subject::Hosts(hosts) if hosts.len() == 1 => format!("{} is being emptied", listed(hosts)),
        Subject::Hosts(hosts) => format!("{} are being emptied", listed(hosts)),
        Subject::Vms(vms) if vms.len() == 1 => "1 VM moves".to_owned(),
        Subject::Vms(vms) => format!("{} move", vm_count(vms.len())),
        Subject::Home(_) => "VMs come home".to_owned(),
    }
}

/// Hosts in a sentence: `beta and gamma`.
pub(super) fn listed(hosts: &[HostName]) -> String {
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A number of VMs: `1 VM`, `12 VMs`.
pub(super) fn vm_count(count: usize) -> String {
    if count == 1 { "1 VM".to_owned() } else { format!("{count} VMs") }
}

/// How many of its VMs have still to move, and how long that takes: `7 of 12 left, about 4 min`.
pub(super) fn left(evacuation: &Evacuation) -> String {
    let takes_part = |state: &ItemState| {
        matches!(
            state,
            ItemState::Waiting | ItemState::Moving { .. } | ItemState::Moved { .. } | ItemState::WaitsForPerson { .. }
        )
    };
    let left = evacuation.left() + evacuation.stuck();
    if left == 0 {
        let moved = evacuation.count(|state| matches!(state, ItemState::Moved { .. }));
        return format!("{} moved", vm_count(moved));
    }
    let count = format!("{left} of {} left", evacuation.count(takes_part));
    match evacuation.left_ms.filter(|_| evacuation.left() > 0) {
        Some(ms) => format!("{count}, about {}", roughly(ms)),
        None => count,
    }
}

/// A time that is an estimate: seconds below a minute, then minutes.
fn roughly(ms: u64) -> String {
    const MINUTE: u64 = 60_000;
    let rounded = if ms < MINUTE { ms.div_ceil(1_000) * 1_000 } else { (ms + MINUTE / 2) / MINUTE * MINUTE };
    text::duration(rounded)
}

/// How much longer a plan takes than the least possible, in plain words; none if nothing is known of that.
pub(super) fn compared_with_the_least(ratio: f64, bound_ms: u64) -> Option<String> {
    if bound_ms == 0 {
        return None;
    }
    let least = text::duration(bound_ms);
    let percent = ((ratio - 1.0) * 100.0).round().max(0.0) as u64;
    Some(match percent {
        0 => format!("No plan can be faster: the links need {least} for what has to be sent."),
        percent => {
            format!("{percent} % longer than the least possible: the links need {least} for what has to be sent.")
        }
    })
}

/// What is done with a VM that can't move while it runs, as a choice.
pub(super) fn choice(choice: Choice) -> (&'static str, &'static str, &'static str) {
    match choice {
        Choice::Leave => ("leave", "Leave it where it is", ""),
        Choice::ShutDown => {
            ("shut-down", "Shut it down", "Its guest is asked to shut down. It starts again when all come home.")
        }
        Choice::MoveOffline => ("move-offline", "Move it while it is off", "Its definition and its disks move."),
    }
}

/// What was chosen for a VM, once it is carried out.
pub(super) fn chosen(choice: Choice) -> &'static str {
    match choice {
        Choice::Leave => "left where it is, as chosen",
        Choice::ShutDown => "shut down, as chosen",
        Choice::MoveOffline => "moves while it is off, as chosen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{EvacuationId, MigrationId, VmId, examples};
    use uuid::Uuid;

    #[test]
    fn what_is_left_counts_those_that_wait_for_a_person_but_not_those_that_stay() {
        let mut evacuation = examples::evacuation(1, &["a", "b", "c", "d", "e"]);
        evacuation.left_ms = Some(245_000);
        assert_eq!(left(&evacuation), "5 of 5 left, about 4 min");
        evacuation.items[0].state = ItemState::Moved { migration: Some(MigrationId(Uuid::nil())) };
        evacuation.items[1].state = ItemState::Stays { problem: None, choice: Some(Choice::Leave) };
        evacuation.left_ms = Some(4_200);
        assert_eq!(left(&evacuation), "3 of 4 left, about 5.0 s");
        evacuation.items[2].state = ItemState::Skipped { by: "ada".into() };
        evacuation.items[3].state = ItemState::Moved { migration: None };
        let problem = model::Problem::new(model::Code::Blocked, "No.");
        evacuation.items[4].state = ItemState::WaitsForPerson { problem };
        assert_eq!(left(&evacuation), "1 of 3 left", "what waits for a person takes as long as the person does");
    }

    #[test]
    fn a_request_has_a_title() {
        let of = |subject| title(&PlanRequest::plain(subject));
        let hosts = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<HostName>>();
        assert_eq!(of(Subject::Hosts(hosts(&["beta"]))), "Empty beta");
        assert_eq!(of(Subject::Hosts(hosts(&["alpha", "beta", "gamma"]))), "Empty alpha, beta and gamma");
        assert_eq!(of(Subject::Vms(vec![VmId(Uuid::nil())])), "Move 1 VM");
        let home = PlanRequest::plain(Subject::Home(EvacuationId(Uuid::nil())));
        assert_eq!((title(&home).as_str(), within_title(&home).as_str()), ("Bring VMs home", "bring VMs home"));
    }

    #[test]
    fn a_plan_is_compared_with_the_least_possible() {
        assert_eq!(compared_with_the_least(1.0, 0), None);
        let said = |ratio| compared_with_the_least(ratio, 60_000).unwrap();
        assert!(said(1.002).starts_with("No plan can be faster"), "{}", said(1.002));
        assert!(said(1.05).starts_with("5 % longer"), "{}", said(1.05));
    }
}
