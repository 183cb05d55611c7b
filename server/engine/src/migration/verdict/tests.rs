//! The table of verdicts, and every combination of answers against the rule that exactly one copy runs.

use super::{Presence::*, Verdict::*, *};

const LEFT: Presence = Abandoned { persistent: true };
const LEFT_TRANSIENT: Presence = Abandoned { persistent: false };
const ALL: [Presence; 10] =
    [Unknown, Absent, Inactive, Incoming, Sending, Outgoing, LEFT, LEFT_TRANSIENT, Half, Active];
/// Reasons that decide something, and some that do not.
const REASONS: [StateReason; 11] = [
    StateReason::PostCopy,
    StateReason::Migration,
    StateReason::ApiError,
    StateReason::Migrated,
    StateReason::MigrationCanceled,
    StateReason::Booted,
    StateReason::Crashed,
    StateReason::Failed,
    StateReason::Destroyed,
    StateReason::Shutdown,
    StateReason::Other,
];
const OTHERS: [Others; 4] = [Others::Without, Others::Silent, Others::Moving, Others::Have];

fn answer(presence: Presence) -> Answer {
    let reason = match presence {
        Abandoned { .. } | Incoming | Outgoing => StateReason::Migration,
        _ => StateReason::Other,
    };
    Answer { presence, reason }
}

fn because(presence: Presence, reason: StateReason) -> Answer {
    Answer { presence, reason }
}

/// Of a migration that libvirt accepted, to a host that had no copy, and no other host has one.
fn evidence(mode: Mode, source: Answer, destination: Answer) -> Evidence {
    Evidence {
        mode,
        source,
        destination,
        others: Others::Without,
        succeeded: false,
        kept: false,
        made: true,
        refused: false,
        prompt: false,
    }
}

fn live(source: Presence, destination: Presence) -> Verdict {
    verdict(&evidence(Mode::Live, answer(source), answer(destination)))
}

/// Every combination.
fn everything() -> impl Iterator<Item = Evidence> {
    let answers = || ALL.into_iter().flat_map(|presence| REASONS.map(|reason| Answer { presence, reason }));
    let flags = (0..32u8).flat_map(|bits| [Mode::Live, Mode::Offline].map(|mode| (bits, mode)));
    flags.flat_map(move |(bits, mode)| {
        let flag = move |bit: u8| bits & (1 << bit) != 0;
        answers().flat_map(move |source| {
            answers().flat_map(move |destination| {
                OTHERS.map(|others| Evidence {
                    mode,
                    source,
                    destination,
                    others,
                    succeeded: flag(0) || flag(4),
                    kept: flag(0),
                    made: flag(1),
                    refused: flag(2),
                    prompt: flag(3),
                })
            })
        })
    })
}

/// Whether the guest executes there now, or may without anybody's doing.
fn may_run(presence: Presence) -> bool {
    matches!(presence, Unknown | Incoming | Sending | Outgoing | Half | Active)
}

#[test]
fn a_live_migration() {
    assert_eq!(live(Absent, Active), Moved);
    assert_eq!(live(Inactive, Active), Moved);
    assert_eq!(live(Active, Absent), Stayed);
    assert_eq!(live(Active, Inactive), Stayed);
    assert_eq!(live(Active, Active), Both);
    assert_eq!(live(Absent, Absent), Neither);
    assert_eq!(live(Inactive, Inactive), Neither);
    assert_eq!(live(Outgoing, Active), Undecided);
    assert_eq!(live(Active, Unknown), Undecided);
    assert_eq!(live(Active, Incoming), ToRemove, "if it lasts");
    assert_eq!(live(Sending, Incoming), Undecided);
}

#[test]
fn a_vm_that_was_left_paused_at_the_source() {
    assert_eq!(live(LEFT, Absent), ToResume);
    assert_eq!(live(LEFT, Active), ToDrop);
    assert_eq!(live(LEFT_TRANSIENT, Active), ToDrop);
    assert_eq!(live(LEFT, Inactive), LeftPaused, "it may have run there and been shut down");
    assert_eq!(live(LEFT_TRANSIENT, Absent), LeftPaused, "nor would that leave a trace");
    for destination in [Unknown, Incoming, Outgoing] {
        assert_eq!(live(LEFT, destination), Undecided);
    }
    // libvirt could not let it go on: the disks are locked, by the copy that runs.
    let refused = because(LEFT, StateReason::ApiError);
    assert_eq!(verdict(&evidence(Mode::Live, refused, answer(Active))), ToDrop);
    assert_eq!(verdict(&evidence(Mode::Live, refused, answer(Absent))), ToResume);
    assert_eq!(verdict(&evidence(Mode::Live, refused, answer(LEFT))), LeftPaused, "that may have run");
}

#[test]
fn a_vm_that_has_arrived_and_was_never_let_go_on() {
    assert_eq!(live(Active, LEFT), ToRemove);
    assert_eq!(live(Active, LEFT_TRANSIENT), ToRemove);
    assert_eq!(live(LEFT, LEFT_TRANSIENT), ToResume, "and then the other is removed");
    assert_eq!(live(Absent, LEFT), LeftPaused, "it does not run");
    assert_eq!(live(Inactive, LEFT), LeftPaused);
    let had = |source| Evidence { made: false, ..evidence(Mode::Live, answer(source), answer(LEFT)) };
    assert_eq!(verdict(&had(Active)), Both, "the destination had a copy before");
    assert_eq!(verdict(&had(LEFT)), LeftPaused);
    let tried = evidence(Mode::Live, answer(Active), because(LEFT, StateReason::ApiError));
    assert_eq!(verdict(&tried), Both, "somebody has tried to let it go on");
}

#[test]
fn a_vm_in_post_copy() {
    let paused = because(Active, StateReason::PostCopy);
    let runs = because(Active, StateReason::PostCopy);
    let judged = |source, destination| verdict(&evidence(Mode::Live, source, destination));
    assert_eq!(judged(answer(Sending), runs), Undecided, "the rest of its memory follows");
    assert_eq!(judged(paused, runs), Undecided, "nothing at the source says that it is sent");
    assert_eq!(judged(answer(Absent), runs), Undecided, "not all may have arrived");
    assert_eq!(judged(paused, answer(Absent)), Undecided, "it has run there");
    let done = Evidence { succeeded: true, ..evidence(Mode::Live, answer(Absent), runs) };
    assert_eq!(verdict(&done), Moved);
    assert_eq!(verdict(&Evidence { others: Others::Silent, ..done }), Moved);
}

#[test]
fn a_vm_whose_post_copy_broke_off_is_in_two_parts_whatever_else_is_said() {
    assert_eq!(live(Half, Half), Halved);
    for other in [Absent, Inactive, LEFT, Active] {
        assert_eq!(live(Half, other), Halved, "{other:?} there");
        assert_eq!(live(other, Half), Halved, "{other:?} here");
        let claimed = Evidence { succeeded: true, ..evidence(Mode::Live, answer(other), answer(Half)) };
        assert_eq!(verdict(&claimed), Halved, "{other:?} here, and libvirt claims success");
    }
    assert_eq!(live(Half, Unknown), Undecided);
}

#[test]
fn a_vm_that_ended_at_the_source() {
    let ended = |reason, destination| verdict(&evidence(Mode::Live, because(Inactive, reason), destination));
    for reason in [StateReason::Crashed, StateReason::Failed, StateReason::Destroyed, StateReason::Shutdown] {
        assert_eq!(ended(reason, answer(Absent)), Ended, "{reason:?}");
        assert_eq!(ended(reason, because(Inactive, StateReason::Failed)), Ended, "{reason:?}");
        assert_eq!(ended(reason, because(Inactive, StateReason::Shutdown)), Neither, "it may have run there");
    }
    assert_eq!(ended(StateReason::Migrated, answer(Absent)), Neither, "it has left");
    assert_eq!(ended(StateReason::Other, answer(Absent)), Ended, "a daemon that was restarted has forgotten why");
    let evidence = evidence(Mode::Live, answer(Inactive), answer(Absent));
    assert_eq!(verdict(&Evidence { others: Others::Silent, ..evidence }), Neither);
}

#[test]
fn a_vm_without_a_definition_that_ended_at_the_source() {
    let gone = evidence(Mode::Live, because(Absent, StateReason::Shutdown), answer(Absent));
    assert_eq!(verdict(&gone), Ended);
    assert_eq!(verdict(&Evidence { others: Others::Silent, ..gone }), Neither);
    let left = evidence(Mode::Live, because(Absent, StateReason::Migrated), answer(Absent));
    assert_eq!(verdict(&left), Neither, "it has left");
    let came_back = evidence(Mode::Live, because(Absent, StateReason::Shutdown), answer(Inactive));
    assert_eq!(verdict(&came_back), Neither, "it may have run there");
}

#[test]
fn a_vm_that_moved_and_ended_at_once() {
    let arrived =
        |source, reason| Evidence { succeeded: true, ..evidence(Mode::Live, source, because(Inactive, reason)) };
    for reason in [StateReason::Shutdown, StateReason::Destroyed, StateReason::Crashed, StateReason::Saved] {
        for source in [answer(Absent), because(Inactive, StateReason::Migrated)] {
            let evidence = arrived(source, reason);
            assert_eq!(verdict(&evidence), EndedThere, "{reason:?}");
            assert_eq!(
                verdict(&Evidence { succeeded: false, ..evidence }),
                Neither,
                "{reason:?}: it may never have run"
            );
            assert_eq!(verdict(&Evidence { others: Others::Silent, ..evidence }), Neither, "{reason:?}");
        }
    }
    assert_eq!(verdict(&arrived(answer(Absent), StateReason::Failed)), Neither, "it could not start there");
    assert_eq!(verdict(&arrived(answer(Inactive), StateReason::Shutdown)), Neither, "the source has not let it go");
}

#[test]
fn a_vm_that_others_have_moved() {
    let refused = Evidence { refused: true, ..evidence(Mode::Live, answer(Absent), answer(Active)) };
    assert_eq!(verdict(&refused), MovedElsewhere, "to the same destination");
    let gone = evidence(Mode::Live, answer(Absent), answer(Absent));
    assert_eq!(verdict(&Evidence { others: Others::Have, ..gone }), MovedElsewhere);
    assert_eq!(verdict(&Evidence { others: Others::Moving, ..gone }), Undecided);
    assert_eq!(verdict(&Evidence { others: Others::Silent, ..gone }), Neither);
    let runs = evidence(Mode::Live, answer(Active), answer(Absent));
    assert_eq!(verdict(&Evidence { others: Others::Have, ..runs }), Both);
    let off = Evidence { mode: Mode::Offline, ..gone };
    assert_eq!(verdict(&Evidence { others: Others::Have, ..off }), MovedElsewhere);
}

#[test]
fn a_copy_that_was_started_at_the_destination_did_not_arrive() {
    let booted = because(Active, StateReason::Booted);
    let left = evidence(Mode::Live, answer(LEFT), booted);
    assert_eq!(verdict(&left), LeftPaused, "the source's memory is not thrown away for that");
    let crashed = evidence(Mode::Live, because(Inactive, StateReason::Crashed), booted);
    assert_eq!(verdict(&crashed), MovedElsewhere);
    assert_eq!(verdict(&Evidence { succeeded: true, ..crashed }), Moved, "it was started once more since");
    let gone = evidence(Mode::Live, because(Inactive, StateReason::Migrated), booted);
    assert_eq!(verdict(&gone), Moved, "it was started once more since");
}

#[test]
fn an_offline_migration() {
    let offline = |source, destination| verdict(&evidence(Mode::Offline, answer(source), answer(destination)));
    assert_eq!(offline(Absent, Inactive), Moved);
    assert_eq!(offline(Absent, Active), Moved);
    assert_eq!(offline(Inactive, Inactive), Both);
    assert_eq!(offline(Inactive, Active), Both);
    assert_eq!(offline(Inactive, Absent), Stayed);
    assert_eq!(offline(Absent, Absent), Neither);
    for destination in [Inactive, Active] {
        let evidence = evidence(Mode::Offline, answer(Inactive), answer(destination));
        assert_eq!(verdict(&Evidence { kept: true, ..evidence }), Moved);
    }
}

#[test]
fn an_end_is_only_said_where_it_is_so() {
    for evidence in everything() {
        let Evidence { mode, source, destination, others, .. } = evidence;
        let [source, destination] = [source, destination].map(|answer| answer.presence);
        let is_off = |presence| matches!(presence, Absent | Inactive);
        let is_live = mode == Mode::Live;
        let is_so = match verdict(&evidence) {
            Moved if is_live => is_off(source) && destination == Active && others != Others::Have,
            Stayed if is_live => source == Active && is_off(destination) && others != Others::Have,
            Moved => is_off(source) && destination != Absent,
            Stayed => !matches!(source, Unknown | Absent) && is_off(destination),
            EndedThere => is_live && is_off(source) && destination == Inactive && others != Others::Have,
            Ended => is_live && is_off(source) && is_off(destination) && others != Others::Have,
            MovedElsewhere => is_off(source) && (!is_off(destination) || others == Others::Have || !is_live),
            Neither => is_off(source) && is_off(destination) && others != Others::Have,
            Both | LeftPaused | Halved | ToResume | ToDrop | ToRemove | Undecided => true,
        };
        assert!(is_so, "{:?} of {evidence:?}", verdict(&evidence));
        if [source, destination].contains(&Unknown) {
            assert_eq!(verdict(&evidence), Undecided, "{evidence:?}");
        }
    }
}

/// What the engine does on its own authority, step by step, and what comes of it.
#[test]
fn nothing_that_is_done_leaves_two_running_or_ends_one_that_runs() {
    for evidence in everything() {
        let (mut evidence, mut done) = (evidence, 0);
        loop {
            let [source, destination] = [evidence.source, evidence.destination].map(|answer| answer.presence);
            match verdict(&evidence) {
                ToResume => {
                    assert!(!may_run(source) && !may_run(destination), "{evidence:?}");
                    let is_alone =
                        evidence.others == Others::Without || (evidence.prompt && evidence.others == Others::Silent);
                    assert!(is_alone || evidence.made, "{evidence:?}");
                    assert!(evidence.others < Others::Moving, "{evidence:?}");
                    evidence.source = because(Active, StateReason::Unpaused);
                }
                ToDrop => {
                    assert!(!may_run(source) && destination == Active, "{evidence:?}");
                    evidence.source = because(Inactive, StateReason::Destroyed);
                }
                ToRemove => {
                    assert!(source == Active && destination != Active && evidence.made, "{evidence:?}");
                    evidence.destination = because(Inactive, StateReason::Destroyed);
                }
                _ => break,
            }
            done += 1;
            assert!(done <= 2, "{evidence:?}");
        }
        if done > 0 {
            assert!(matches!(verdict(&evidence), Moved | Stayed | MovedElsewhere), "{evidence:?}");
        }
    }
}
