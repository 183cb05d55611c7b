//! Hosts as the robot finds them, with libvirt's rules.

use super::*;

const RUNNING: [Reason; 8] = [
    Reason::Booted,
    Reason::Migrated,
    Reason::Unpaused,
    Reason::MigrationCanceled,
    Reason::PostCopy,
    Reason::PostCopyFailed,
    Reason::Restored,
    Reason::Other,
];
const PAUSED: [Reason; 5] =
    [Reason::Migration, Reason::ApiError, Reason::User, Reason::IoError, Reason::PostCopyFailed];
const OFF: [Reason; 6] =
    [Reason::Shutdown, Reason::Crashed, Reason::Destroyed, Reason::Migrated, Reason::Failed, Reason::Other];

/// What a host really has, and whether it says so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Truth {
    pub(super) copy: Option<Seen>,
    pub(super) answers: bool,
}

impl Truth {
    pub(super) fn runs(self) -> bool {
        self.copy.is_some_and(|seen| seen.doing == Doing::Running)
    }
}

/// Everything that one host may have.
pub(super) fn truths() -> Vec<Truth> {
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
pub(super) struct World(pub(super) [Truth; 3]);

impl World {
    pub(super) fn all() -> impl Iterator<Item = Self> {
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

    pub(super) fn said(&self) -> Situation {
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
    pub(super) fn running(&self) -> usize {
        self.0.iter().filter(|truth| truth.runs()).count()
    }

    /// How many run as far as the hosts say.
    pub(super) fn seen_running(&self) -> usize {
        self.0.iter().filter(|truth| truth.answers && truth.runs()).count()
    }

    pub(super) fn moves(&self) -> bool {
        self.0.iter().any(|truth| truth.copy.is_some_and(|seen| seen.doing == Doing::Moving))
    }

    /// Does what libvirt would do. A step that can't be done there is a bug in the advice.
    pub(super) fn take(&mut self, record: &Migration, step: &Step) {
        let at = HOSTS.iter().position(|host| *host == step.host().as_str()).unwrap();
        if matches!(step, Step::Recover { .. }) {
            return self.recover(record);
        }
        let truth = &mut self.0[at];
        assert!(truth.answers, "{step:?} on a host that does not answer");
        let seen = truth.copy.as_mut().unwrap_or_else(|| panic!("{step:?} where no copy is"));
        let (from, to): (&[Doing], _) = match step {
            Step::TurnOff { .. } => (&[Doing::Running, Doing::Paused], (Doing::Off, Reason::Destroyed)),
            Step::Pause { .. } => (&[Doing::Running], (Doing::Paused, Reason::User)),
            Step::Resume { .. } => (&[Doing::Paused], (Doing::Running, Reason::Unpaused)),
            Step::Start { .. } => (&[Doing::Off], (Doing::Running, Reason::Booted)),
            Step::Undefine { .. } => (&[Doing::Off], (Doing::Off, Reason::Other)),
            Step::Recover { .. } => unreachable!(),
        };
        assert!(from.contains(&seen.doing), "{step:?} of {seen:?}");
        (seen.doing, seen.reason) = to;
        let goes_with_definition = *step.host() == record.destination && made_definition(record);
        let is_undefined = matches!(step, Step::Undefine { .. }) || goes_with_definition || !seen.persistent;
        if seen.doing == Doing::Off && is_undefined {
            truth.copy = None;
        }
    }

    /// The rest of the memory follows.
    fn recover(&mut self, record: &Migration) {
        let [here, there] = [&record.source, &record.destination].map(|host| {
            let at = HOSTS.iter().position(|name| *name == host.as_str()).unwrap();
            let truth = self.0[at];
            assert!(truth.answers, "{host} does not answer");
            (at, truth.copy.unwrap_or_else(|| panic!("{host} has no half")))
        });
        for (_, seen) in [here, there] {
            assert_eq!(seen.reason, Reason::PostCopyFailed);
        }
        self.0[here.0].copy = None;
        self.0[there.0].copy = Some(Seen { reason: Reason::Migrated, ..there.1 });
    }
}
