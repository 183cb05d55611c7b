//! The numbers in the picture that stand for acts in the list below it.

use model::Act;

use super::axes::{Axes, SIZE};

/// Acts nearer than this to each other share a mark: on a phone, a mark like `10–12` is as wide.
const NEAR: u64 = SIZE / 9;

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Where it is, from 0 to [`SIZE`].
    pub x: u64,
    /// The numbers of its acts: `3`, or `3–5`.
    pub label: String,
}

/// The marks of all acts, from left to right.
pub(super) fn marks(axes: &Axes, acts: &[Act]) -> Vec<Mark> {
    let mut groups: Vec<(u64, usize, usize)> = Vec::new();
    for (number, act) in acts.iter().enumerate().map(|(at, act)| (at + 1, act)) {
        let x = axes.x(act.elapsed_ms);
        match groups.last_mut() {
            Some((begin, _, last)) if x < *begin + NEAR => *last = number,
            _ => groups.push((x, number, number)),
        }
    }
    let mark = |(x, first, last): (u64, usize, usize)| {
        let label = if first == last { first.to_string() } else { format!("{first}–{last}") };
        Mark { x, label }
    };
    groups.into_iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Acted;

    #[test]
    fn acts_that_are_near_share_a_mark() {
        let axes = Axes { from_ms: 0, to_ms: 10_000, step_ms: 5_000, most_bytes_s: 1, most_bytes: 1 };
        let act = |elapsed_ms| Act { elapsed_ms, what: Acted::BegunAgain, by: None };
        let acts = [1_000, 4_000, 4_100, 5_000, 5_200, 9_000].map(act);
        let marks = marks(&axes, &acts);
        let labels: Vec<_> = marks.iter().map(|mark| (mark.x, mark.label.as_str())).collect();
        assert_eq!(labels, [(100, "1"), (400, "2–4"), (520, "5"), (900, "6")]);
    }
}
