//! A robot follows the advice in every situation, on a model of hosts with libvirt's rules.

use std::collections::BTreeMap;

use model::examples;

use super::*;
use crate::migration::settle::only_place;

const HOSTS: [&str; 3] = ["alpha", "beta", "gamma"];
/// More than any advice needs.
const LONGEST: usize = 6;

const RUNNING: [Reason; 7] = [
    Reason::Booted,
    Reason::Migrated,
    Reason::Unpaused,
    Reason::MigrationCanceled,
    Reason::PostCopy,
    Reason::Restored,
    Reason::Other,
];
const PAUSED: [Reason; 5] =
    [Reason::Migration, Reason::ApiError, Reason::User, Reason::IoError, Reason::PostCopyFailed];
const OFF: [Reason; 6] =
    [Reason::Shutdown, Reason::Crashed, Reason::Destroyed, Reason::Migrated, Reason::Failed, Reason::Other];

/// What a host really has, and whether it says so.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Truth {
    copy: Option<Seen>,
    answers: bool,
}

impl Truth {
    fn runs(self) -> bool {
        self.copy.is_some_and(|seen| seen.doing == Doing::Running)
    }
}

/// Everything that one host may have.
fn truths() -> Vec<Truth> {
    let seen = |doing, reason, persistent| Some(Seen { doing, reason, persistent });
    let mut copies = vec![None, seen(Doing::Moving, Reason::Migration, false)];
    copies.extend(RUNNING.map(|reason| seen(Doing::Running, reason, true)));
    copies.extend(PAUSED.map(|reason| seen(Doing::Paused, reason, true)));
    copies.extend(OFF.map(|reason| seen(Doing::Off, reason, true)));
    copies.push(seen(Doing::Running, Reason::Migrated, false));
    copies.push(seen(Doing::Paused, Reason::Migration, false));
    let heard = copies.iter().map(|copy| Truth { copy: *copy, answers: true });
    // Of one that is silent only matters whether it runs.
    let unheard = [None, seen(Doing::Running, Reason::Other, true), seen(Doing::Paused, Reason::Migration, true)];
    heard.chain(unheard.map(|copy| Truth { copy, answers: false })).collect()
}

#[derive(Clone, Debug)]
struct World([Truth; 3]);

impl World {
    fn all() -> impl Iterator<Item = Self> {
        let truths = truths();
        let (first, second) = (truths.clone(), truths.clone());
        first.into_iter().flat_map(move |alpha| {
            let thirds = truths.clone();
            second
                .clone()
                .into_iter()
                .flat_map(move |beta| thirds.clone().into_iter().map(move |gamma| Self([alpha, beta, gamma])))
        })
    }

    fn said(&self) -> Situation {
        let answer = |truth: &Truth| match truth {
            Truth { answers: false, .. } => Answer::Silent,
            Truth { copy: None, .. } => Answer::Absent,
            Truth { copy: Some(seen), .. } => Answer::Copy(*seen),
        };
        let answers: BTreeMap<HostName, Answer> =
            HOSTS.iter().zip(&self.0).map(|(host, truth)| (host.parse().unwrap(), answer(truth))).collect();
        Situation::of(answers)
    }

    /// How many copies run in truth.
    fn running(&self) -> usize {
        self.0.iter().filter(|truth| truth.runs()).count()
    }

    /// How many run as far as the hosts say.
    fn seen_running(&self) -> usize {
        self.0.iter().filter(|truth| truth.answers && truth.runs()).count()
    }

    fn moves(&self) -> bool {
        self.0.iter().any(|truth| truth.copy.is_some_and(|seen| seen.doing == Doing::Moving))
    }

    /// Does what libvirt would do. A step that can't be done there is a bug in the advice.
    fn take(&mut self, record: &Migration, step: &Step) {
        let at = HOSTS.iter().position(|host| *host == step.host().as_str()).unwrap();
        let truth = &mut self.0[at];
        assert!(truth.answers, "{step:?} on a host that does not answer");
        let seen = truth.copy.as_mut().unwrap_or_else(|| panic!("{step:?} where no copy is"));
        let (from, to): (&[Doing], _) = match step {
            Step::TurnOff { .. } => (&[Doing::Running, Doing::Paused], (Doing::Off, Reason::Destroyed)),
            Step::Pause { .. } => (&[Doing::Running], (Doing::Paused, Reason::User)),
            Step::Resume { .. } => (&[Doing::Paused], (Doing::Running, Reason::Unpaused)),
            Step::Start { .. } => (&[Doing::Off], (Doing::Running, Reason::Booted)),
            Step::Undefine { .. } => (&[Doing::Off], (Doing::Off, Reason::Other)),
        };
        assert!(from.contains(&seen.doing), "{step:?} of {seen:?}");
        (seen.doing, seen.reason) = to;
        let goes_with_definition = *step.host() == record.destination && made_definition(record);
        let is_undefined = matches!(step, Step::Undefine { .. }) || goes_with_definition || !seen.persistent;
        if seen.doing == Doing::Off && is_undefined {
            truth.copy = None;
        }
    }
}

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
        Migration { disks: vec![disk], ..live.clone() },
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
fn only_what_is_proven_to_be_needless_is_turned_off_while_it_runs() {
    in_every_situation(|record, world| {
        let Some(Step::TurnOff { host }) = offered(record, &world.said()) else { return };
        let copy = |name: &str| world.0[HOSTS.iter().position(|host| *host == name).unwrap()].copy;
        let Some(seen) = copy(host.as_str()).filter(|seen| seen.doing == Doing::Running) else { return };
        let other = copy(if host.as_str() == "alpha" { "beta" } else { "alpha" }).unwrap();
        match host.as_str() {
            "alpha" => assert!(is_fresh(seen) && other.reason == Reason::Migrated, "{world:?}"),
            "beta" => assert!(matches!(other.reason, Reason::MigrationCanceled | Reason::Unpaused), "{world:?}"),
            _ => panic!("a third host's copy is no leftover of this migration: {world:?}"),
        }
    });
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
    }
}

const ACTS: [&str; 14] = [
    "turn", "force", "pause", "resume", "start", "remove", "undefine", "destroy", "kill", "restart", "reboot", "boot",
    "delete", "suspend",
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
