//! What a person reads of the moves: a line for each, tables in Markdown, and the picture.

use std::{fmt::Write, fs, path::Path};

use model::{Ending, Policy};

use crate::{
    figures::{median, p90},
    guest::{KINDS, TICKS_PER_S},
    idle::Idle,
    options::Options,
    outcome::{End, Mover, Outcome},
    picture,
    schedule::{LONGEST_PAUSE_MS, Peer},
};

/// All moves of a run.
pub(crate) struct Report {
    pub(crate) idle: Option<Idle>,
    outcomes: Vec<Outcome>,
    options: Options,
    rounds: u32,
}

impl Report {
    pub(crate) fn of(options: &Options) -> Self {
        Self { idle: None, outcomes: Vec::new(), options: options.clone(), rounds: 0 }
    }

    pub(crate) fn add(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
    }

    /// Whether one of these moves did not end by itself with the guest at the destination.
    pub(crate) fn did_not_end(&self, kind: usize, mover: Mover) -> bool {
        self.of_kind(kind, mover).any(|outcome| outcome.end != End::Moved)
    }

    fn of_kind(&self, kind: usize, mover: Mover) -> impl Iterator<Item = &Outcome> + Clone {
        self.outcomes.iter().filter(move |outcome| outcome.kind == kind && outcome.mover == mover)
    }

    fn moved(&self, kind: usize, mover: Mover) -> impl Iterator<Item = &Outcome> + Clone {
        self.of_kind(kind, mover).filter(|outcome| outcome.end == End::Moved)
    }

    /// The median of what the moves that ended took, in s.
    pub(crate) fn total_s(&self, kind: usize, mover: Mover) -> Option<f64> {
        median(self.moved(kind, mover).map(|outcome| outcome.total.as_secs_f64()))
    }

    fn pause_ms(&self, kind: usize, mover: Mover) -> Option<f64> {
        p90(self.moved(kind, mover).filter_map(|outcome| outcome.heartbeat.pause_ms))
    }

    /// After how many seconds a move that does not end is stopped.
    pub(crate) fn limit_s(&self) -> f64 {
        self.options.limit_s as f64
    }

    /// One move, as it is printed while the bench runs.
    pub(crate) fn line(&self, round: u32, outcome: &Outcome) -> String {
        let Outcome { kind, mover, end, total, heartbeat, qemu_pause_ms, bytes, steps, prediction } = outcome;
        let predicted = match prediction {
            Some(Ending::After { likely_ms, .. }) => format!(", predicted {likely_ms} ms"),
            Some(Ending::Never { .. }) => ", predicted never".to_owned(),
            None => String::new(),
        };
        format!(
            "{round} {}: {}: {end:?} after {:.2} s, pause {} ms ({} by QEMU), longest other gap {:.0} ms, {:.1} MiB, {} of {} steps back{predicted}",
            KINDS[*kind].name,
            mover.name(),
            total.as_secs_f64(),
            shown(heartbeat.pause_ms, 0),
            shown(qemu_pause_ms.map(|ms| ms as f64), 0),
            heartbeat.slowest_ms,
            mib(*bytes),
            steps.back,
            steps.all
        )
    }

    /// Writes table and picture, if the options say where.
    pub(crate) fn write(&mut self, round: u32) {
        self.rounds = round;
        let Some(directory) = &self.options.report else { return };
        let write = |name: &str, content: String| {
            // cargo runs a bench in its package's folder.
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(directory).join(name);
            fs::write(&path, content).unwrap_or_else(|error| panic!("{} can't be written: {error}", path.display()));
        };
        write("measured-table.md", self.page());
        write("measured.svg", picture::draw(self));
    }

    /// All tables.
    pub(crate) fn page(&self) -> String {
        let mut page = format!(
            "Round {}, seed {}; a move was stopped after {} s. All moves over {}; the heartbeat's resolution is {} ms.\n\n",
            self.rounds,
            self.options.seed,
            self.options.limit_s,
            self.options.link.describe(),
            1_000 / TICKS_PER_S
        );
        page += &self.comparison();
        if let Some(idle) = &self.idle {
            let _ = write!(page, "\n{}\n", idle.describe());
        }
        for kind in self.kinds() {
            let _ = write!(page, "\n### {}: {}\n\n{}", KINDS[kind].name, KINDS[kind].describe(), self.table(kind));
        }
        page
    }

    /// The kinds that were moved.
    pub(crate) fn kinds(&self) -> Vec<usize> {
        (0..KINDS.len()).filter(|kind| self.outcomes.iter().any(|outcome| outcome.kind == *kind)).collect()
    }

    /// `balanced` beside the best peer that allows the same pause, and `certain` beside post-copy.
    fn comparison(&self) -> String {
        let mut table = "| guest | `balanced` | best peer with that pause | ratio | longest pause of `balanced` | `certain` | post-copy after pre-copy | ratio |\n\
                         |---|--:|---|--:|--:|--:|--:|--:|\n"
            .to_owned();
        for kind in self.kinds() {
            let [balanced, certain] =
                [Policy::Balanced, Policy::Certain].map(|policy| self.total_s(kind, Mover::Ours(policy)));
            let post_copy = self.total_s(kind, Mover::Peer(Peer::PostCopyAfterPrecopy));
            let best = self.best_peer(kind);
            let ratio = |ours: Option<f64>, theirs: Option<f64>| shown(ours.zip(theirs).map(|(a, b)| a / b), 2);
            let _ = writeln!(
                table,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                KINDS[kind].name,
                seconds(balanced),
                best.map_or("none ended".to_owned(), |(peer, total)| format!(
                    "{} ({})",
                    seconds(Some(total)),
                    peer.name()
                )),
                ratio(balanced, best.map(|(_, total)| total)),
                milliseconds(self.longest_pause_ms(kind, Mover::Ours(Policy::Balanced))),
                seconds(certain),
                seconds(post_copy),
                ratio(certain, post_copy)
            );
        }
        table
    }

    fn longest_pause_ms(&self, kind: usize, mover: Mover) -> Option<f64> {
        self.moved(kind, mover).filter_map(|outcome| outcome.heartbeat.pause_ms).reduce(f64::max)
    }

    /// The peer whose median is the shortest, of those that end without post-copy and never with a longer pause than `balanced` allows.
    fn best_peer(&self, kind: usize) -> Option<(Peer, f64)> {
        let is_short = |peer: &Peer| {
            let pause_ms = self.longest_pause_ms(kind, Mover::Peer(*peer));
            !peer.post_copy() && pause_ms.is_some_and(|ms| ms <= f64::from(LONGEST_PAUSE_MS))
        };
        let total = |peer: Peer| Some((peer, self.total_s(kind, Mover::Peer(peer))?));
        Peer::ALL.into_iter().filter(is_short).filter_map(total).min_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    /// All schedules, of one kind of guest.
    fn table(&self, kind: usize) -> String {
        let mut table = "| moved by | ended | total | pause as the guest saw it | pause by QEMU | longest other gap | sent | steps back | prediction off by |\n\
                         |---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
            .to_owned();
        for mover in Mover::all() {
            let (all, moved) = (self.of_kind(kind, mover), self.moved(kind, mover));
            if all.clone().next().is_none() {
                continue;
            }
            let (steps, back): (u32, u32) = all
                .clone()
                .fold((0, 0), |(steps, back), outcome| (steps + outcome.steps.all, back + outcome.steps.back));
            let _ = writeln!(
                table,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                mover.name(),
                self.ended(kind, mover),
                seconds(self.total_s(kind, mover)),
                milliseconds(self.pause_ms(kind, mover)),
                milliseconds(p90(moved.clone().filter_map(|outcome| outcome.qemu_pause_ms).map(|ms| ms as f64))),
                milliseconds(p90(all.clone().map(|outcome| outcome.heartbeat.slowest_ms))),
                median(all.clone().map(|outcome| mib(outcome.bytes)))
                    .map_or("-".to_owned(), |mib| format!("{mib:.0} MiB")),
                format_args!("{back} of {steps}"),
                self.prediction(kind, mover)
            );
        }
        table
    }

    fn ended(&self, kind: usize, mover: Mover) -> String {
        let (all, moved) = (self.of_kind(kind, mover).count(), self.moved(kind, mover).count());
        let gave_up = self.of_kind(kind, mover).find(|outcome| outcome.end == End::GaveUp);
        let why = gave_up.map_or(String::new(), |one| format!(", gave up after {:.0} s", one.total.as_secs_f64()));
        format!("{moved} of {all}{why}")
    }

    fn prediction(&self, kind: usize, mover: Mover) -> String {
        let all = self.of_kind(kind, mover);
        let never = all.clone().filter(|outcome| matches!(outcome.prediction, Some(Ending::Never { .. }))).count();
        match median(all.filter_map(Outcome::prediction_error_percent)) {
            Some(percent) => format!("{percent:.0} %"),
            None if never > 0 => "\"does not end\"".to_owned(),
            None => "-".to_owned(),
        }
    }
}

fn shown(number: Option<f64>, digits: usize) -> String {
    number.map_or("-".to_owned(), |number| format!("{number:.digits$}"))
}

fn seconds(number: Option<f64>) -> String {
    number.map_or("-".to_owned(), |number| format!("{number:.2} s"))
}

fn milliseconds(number: Option<f64>) -> String {
    number.map_or("-".to_owned(), |number| format!("{number:.0} ms"))
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
