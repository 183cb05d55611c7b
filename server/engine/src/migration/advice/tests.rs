//! A robot follows the advice in every situation, on a model of hosts with libvirt's rules.

mod world;

use std::collections::BTreeMap;

use model::{ControlFlow, examples};
use world::{Truth, World, truths};

use super::*;
use crate::{hypervisor::NoRecovery, migration::settle::only_place};

const HOSTS: [&str; 3] = ["alpha", "beta", "gamma"];
/// More than any advice needs.
const LONGEST: usize = 6;

/// Every kind of migration that advice tells apart.
fn records() -> Vec<Migration> {
    let live = Migration { phase: model::Phase::NeedsAttention, ..examples::migration(1) };
    let disk = model::DiskMove {
        target: "vda".into(),
        source: "/images/web.qcow2".into(),
        pool: "images".into(),
        volume: "web.qcow2".into(),
        path: None,
        created: true,
        proven: false,
    };
    let offline = Migration { mode: Mode::Offline, ..live.clone() };
    let definition = Leftover {
        host: "beta".parse().unwrap(),
        what: LeftoverKind::Definition,
        since_ms: 0,
        machine: None,
        problem: None,
    };
    vec![
        Migration { disks: vec![disk.clone()], ..live.clone() },
        Migration { disks: vec![disk], leftovers: vec![definition.clone()], ..live.clone() },
        Migration { leftovers: vec![definition.clone()], ..live.clone() },
        Migration { leftovers: vec![definition], ..offline.clone() },
        live,
        offline,
    ]
}

fn in_every_situation(check: impl Fn(&Migration, World)) {
    for record in records() {
        for world in World::all() {
            check(&record, world);
        }
    }
}

/// What the page offers: nothing once it is clear where the VM is.
fn offered(record: &Migration, situation: &Situation) -> Option<Step> {
    if only_place(record, situation).is_some() { None } else { advise(record, situation).step }
}

#[test]
fn no_step_makes_more_copies_run_than_one_nor_none_of_one() {
    in_every_situation(|record, mut world| {
        let before = world.clone();
        for _ in 0..LONGEST {
            let Some(step) = offered(record, &world.said()) else { return };
            let (ran, seen_to_run) = (world.running(), world.seen_running());
            world.take(record, &step);
            let runs = world.running();
            assert!(runs <= ran.max(1), "{step:?} doubles it: {before:?}, {world:?}");
            assert!(ran == 0 || runs > 0, "{step:?} ends the only copy: {before:?}, {world:?}");
            assert!(seen_to_run < 2 || runs < ran, "{step:?} leaves as many: {before:?}, {world:?}");
        }
        panic!("there is always another step: {before:?}, {world:?}");
    });
}

#[test]
fn whoever_follows_the_advice_has_exactly_one_copy_or_is_told_that_it_is_not_certain() {
    in_every_situation(|record, mut world| {
        let before = world.clone();
        let mut steps = Vec::new();
        while let Some(step) = offered(record, &world.said()) {
            world.take(record, &step);
            steps.push(step);
        }
        let all_answer = world.0.iter().all(|truth| truth.answers);
        if !steps.is_empty() && all_answer && !world.moves() && record.mode == Mode::Live {
            assert_eq!(world.running(), 1, "{steps:?} from {before:?} to {world:?}");
        }
    });
}

/// A page that was opened earlier still offers what was safe then. The engine looks again.
#[test]
fn a_step_that_is_taken_later_is_the_safe_one_or_refused() {
    in_every_situation(|record, world| {
        let Some(step) = offered(record, &world.said()) else { return };
        for change in truths() {
            let mut later = world.clone();
            later.0[2] = change;
            if offered(record, &later.said()).as_ref() == Some(&step) {
                let ran = later.running();
                later.take(record, &step);
                assert!(later.running() <= ran.max(1), "{step:?}: {world:?}, {later:?}");
            }
        }
    });
}

#[test]
fn nothing_is_let_run_before_every_host_has_said_that_it_does_not_run_it() {
    in_every_situation(|record, world| {
        let step = offered(record, &world.said());
        if matches!(step, Some(Step::Resume { .. } | Step::Start { .. })) {
            assert!(world.0.iter().all(|truth| truth.answers), "{step:?}: {world:?}");
            assert_eq!(world.running(), 0, "{step:?}: {world:?}");
        }
    });
}

#[test]
fn no_copy_is_turned_off_while_it_runs() {
    in_every_situation(|record, world| {
        let Some(Step::TurnOff { host }) = offered(record, &world.said()) else { return };
        let at = HOSTS.iter().position(|name| *name == host.as_str()).unwrap();
        assert!(!world.0[at].runs(), "{world:?}");
    });
}

/// Each has memory that the other lacks. All that may ever be done is to let the rest follow.
#[test]
fn neither_half_of_a_broken_post_copy_is_touched_nor_settles_anything() {
    let is_half = |truth: &Truth| {
        let broken = truth.copy.is_some_and(|seen| seen.doing != Doing::Off && seen.reason == Reason::PostCopyFailed);
        truth.answers && broken
    };
    in_every_situation(|record, world| {
        if world.0.iter().any(is_half) {
            let step = offered(record, &world.said());
            assert!(matches!(step, None | Some(Step::Recover { .. })), "{step:?}: {world:?}");
            assert_eq!(only_place(record, &world.said()), None, "{world:?}");
        }
    });
}

/// alpha and beta have these copies, gamma the third.
fn three(copies: [Option<(Doing, Reason)>; 3]) -> Situation {
    let answer = |copy| match copy {
        Some((doing, reason)) => Answer::Copy(Seen { doing, reason, persistent: true }),
        None => Answer::Absent,
    };
    Situation::of(HOSTS.map(|host| host.parse().unwrap()).into_iter().zip(copies.map(answer)).collect())
}

#[test]
fn a_broken_post_copy_is_recovered_where_both_halves_are_there_and_libvirt_can() {
    let (here, there) = (Some((Doing::Paused, Reason::PostCopyFailed)), Some((Doing::Running, Reason::PostCopyFailed)));
    let record = Migration { phase: model::Phase::NeedsAttention, ..examples::migration(1) };
    let recover = Step::Recover { host: record.source.clone() };
    assert_eq!(offered(&record, &three([here, there, None])), Some(recover.clone()));
    let definition = Some((Doing::Off, Reason::Shutdown));
    assert_eq!(offered(&record, &three([here, there, definition])), Some(recover));
    for incomplete in [
        [here, None, None],
        [None, there, None],
        [there, here, None],
        [here, None, there],
        [here, there, Some((Doing::Running, Reason::Booted))],
        [here, there, Some((Doing::Paused, Reason::User))],
        [Some((Doing::Paused, Reason::PostCopy)), there, None],
    ] {
        assert_eq!(offered(&record, &three(incomplete)), None, "{incomplete:?}");
    }
    for (why, words) in [
        (NoRecovery::Crashes, "Update libvirt on beta to 11.4"),
        (NoRecovery::SourceTooOld, "Update libvirt on alpha to 8.5"),
        (NoRecovery::DestinationTooOld, "Update libvirt on beta to 8.5"),
        (NoRecovery::Unknown, "have not told which libvirt"),
    ] {
        let Advice { problem, step } = advise(&record, &three([here, there, None]).without_recovery(why));
        let fix = problem.fix.unwrap();
        assert_eq!(step, None, "{why:?}");
        assert!(fix.starts_with("Neither copy may be destroyed") && fix.contains(words), "{fix}");
    }
    let waits = three([here, Some((Doing::Running, Reason::PostCopy)), None]);
    let Advice { problem, step } = advise(&record, &waits);
    assert_eq!((step, only_place(&record, &waits)), (None, None));
    assert!(problem.fix.unwrap().contains("beta still waits for the rest."));
    let direct = Migration { control_flow: Some(ControlFlow::Direct), ..record };
    assert_eq!(offered(&direct, &three([here, there, None])), None);
}

/// It may be from before the migration, of other disks.
#[test]
fn a_definition_of_the_destination_s_own_is_not_started_nor_proves_anything() {
    let seen = |doing, reason| Answer::Copy(Seen { doing, reason, persistent: true });
    let off = |reason| seen(Doing::Off, reason);
    let record = Migration { phase: model::Phase::NeedsAttention, ..examples::migration(1) };
    let cases = [
        (off(Reason::Crashed), off(Reason::Shutdown)),
        (Answer::Absent, off(Reason::Crashed)),
        (seen(Doing::Paused, Reason::Migration), off(Reason::Crashed)),
        // The daemon may have ended a VM that ran for hours.
        (seen(Doing::Paused, Reason::Migration), off(Reason::Daemon)),
        // It may have gone on there, and ended.
        (off(Reason::Shutdown), seen(Doing::Paused, Reason::Migration)),
    ];
    for (alpha, beta) in cases {
        let answers = HOSTS.map(|host| host.parse().unwrap()).into_iter().zip([alpha, beta, Answer::Absent]).collect();
        let situation = Situation::of(answers);
        assert_eq!(offered(&record, &situation), None, "{situation:?}");
    }
}

#[test]
fn it_is_settled_only_where_exactly_one_host_can_have_it() {
    in_every_situation(|record, world| {
        let said = world.said();
        let Some(host) = only_place(record, &said) else { return };
        assert!(matches!(said.at(host), Answer::Copy(_)), "{world:?}");
        let known: Vec<&Truth> = world.0.iter().filter(|truth| truth.answers).collect();
        let in_memory = |truth: &&&Truth| truth.copy.is_some_and(|seen| seen.doing != Doing::Off);
        assert!(known.iter().filter(in_memory).count() <= 1, "{world:?}");
        assert!(world.0[0].answers && world.0[1].answers, "{world:?}");
        if record.mode == Mode::Live && known.iter().filter(in_memory).count() == 0 {
            assert_eq!(host.as_str(), "alpha", "nothing runs, so it did not succeed: {world:?}");
        }
    });
}

/// The words for each step's act. "Paused" and "started" describe; these ask for something.
fn verbs(step: Option<&Step>) -> &'static [&'static str] {
    match step {
        None => &[],
        Some(Step::TurnOff { .. }) => &["turn"],
        Some(Step::Pause { .. }) => &["pause"],
        Some(Step::Resume { .. }) => &["resume"],
        Some(Step::Start { .. }) => &["start"],
        Some(Step::Undefine { .. }) => &["remove"],
        Some(Step::Recover { .. }) => &["recover"],
    }
}

const ACTS: [&str; 15] = [
    "turn", "force", "pause", "resume", "start", "remove", "undefine", "destroy", "kill", "restart", "reboot", "boot",
    "delete", "suspend", "recover",
];

#[test]
fn every_act_that_a_sentence_names_is_its_step() {
    in_every_situation(|record, world| {
        let Advice { problem, step } = advise(record, &world.said());
        let text = format!("{} {}", problem.sentence, problem.fix.unwrap());
        let words: Vec<String> = text.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase).collect();
        let named: Vec<&str> = ACTS.into_iter().filter(|act| words.iter().any(|word| word == act)).collect();
        assert_eq!(named, verbs(step.as_ref()), "{text}");
        if let Some(step) = step {
            assert!(text.contains(&step.label()), "{step:?} is not in: {text}");
        }
        assert!(text.ends_with('.') && !text.contains("  ") && !text.contains(".."), "{text}");
    });
}

/// What libvirt 11.3 was seen to leave behind when daemons died at the switch-over.
#[test]
fn what_libvirt_was_seen_to_leave_has_its_step() {
    let seen = |doing, reason| Answer::Copy(Seen { doing, reason, persistent: true });
    let turn_off = |host: &str| Some(Step::TurnOff { host: host.parse().unwrap() });
    let pause = |host: &str| Some(Step::Pause { host: host.parse().unwrap() });
    let canceled = || seen(Doing::Running, Reason::MigrationCanceled);
    let arrived = || seen(Doing::Running, Reason::Migrated);
    let cases = [
        // The guest at the source had halted: the other one had gone on with the disk.
        (canceled(), arrived(), pause("alpha")),
        (seen(Doing::Running, Reason::Unpaused), arrived(), pause("alpha")),
        (seen(Doing::Running, Reason::Booted), arrived(), pause("alpha")),
        (seen(Doing::Paused, Reason::User), arrived(), turn_off("alpha")),
        (seen(Doing::Paused, Reason::ApiError), arrived(), turn_off("alpha")),
        (seen(Doing::Paused, Reason::Migration), arrived(), turn_off("alpha")),
        (seen(Doing::Paused, Reason::Migration), Answer::Absent, Some(Step::Resume { host: "alpha".parse().unwrap() })),
        (Answer::Absent, seen(Doing::Off, Reason::Crashed), Some(Step::Start { host: "beta".parse().unwrap() })),
        // Settled without a step.
        (canceled(), seen(Doing::Off, Reason::Daemon), None),
        (Answer::Absent, arrived(), None),
    ];
    let record = records().remove(2);
    for (alpha, beta, step) in cases {
        let answers = HOSTS.map(|host| host.parse().unwrap()).into_iter().zip([alpha, beta, Answer::Absent]).collect();
        let situation = Situation::of(answers);
        assert_eq!(offered(&record, &situation), step, "{situation:?}");
        assert_eq!(only_place(&record, &situation).is_none(), step.is_some(), "{situation:?}");
    }
}
