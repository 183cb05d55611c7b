//! Random numbers that are the same for the same seed, on every machine and with every version of the compiler.

use std::ops::Range;

/// A sequence of random numbers: SplitMix64.
pub struct Dice(u64);

impl Dice {
    /// The sequence of the run with this number.
    pub fn new(seed: u64, run: u64) -> Self {
        let mut dice = Self(seed);
        let own = dice.next();
        Self(own ^ run.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of the range, which must not be empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// Whether something happens that happens `percent` times in a hundred.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.within(0..100) < percent
    }

    /// One of these, of which there must be one at least.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let index = self.within(0..choices.len() as u64);
        &choices[usize::try_from(index).unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_run_are_the_same_sequence() {
        let drawn = |seed, run| {
            let mut dice = Dice::new(seed, run);
            [dice.within(0..1000), dice.within(0..1000), dice.within(0..1000)]
        };
        assert_eq!(drawn(1, 2), drawn(1, 2));
        assert_ne!(drawn(1, 2), drawn(1, 3));
        assert_ne!(drawn(1, 2), drawn(2, 2));
    }
}
