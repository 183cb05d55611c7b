//! What the passes of a migration show of its guest.

use super::{Guest, slowed_to};
use crate::hypervisor::DirtyCurve;

/// Weight of the newest pass in what is known of the guest: what it does changes.
const NEWEST: f64 = 0.7;
/// From so many passes on they say more of the guest than what was measured before the start.
const PASSES_THAT_TELL: usize = 2;
/// How many passes show whether the guest changes the same pages again and again.
const PASSES: usize = 4;
/// What passes say that are so much longer, and change less than the square root of that more: it does.
const LONGER: f64 = 1.2;
/// From so much of its working set on a guest is taken to have changed all of it, and so many times faster than was seen.
const NEARLY_ALL: f64 = 0.9;
const SOONER: f64 = 1.5;
/// The first pass takes longer than any period that was measured before: if it changes less than the curve says, but more than this part
/// of it, the guest has a working set; if still less, it writes less.
const BENT: f64 = 0.4;
/// How long a pass has to be for its changes to be counted by samples, in ms. Those of shorter ones QEMU counts, a second at a time.
const COUNTED_MS: f64 = 900.0;

/// What passes have shown of a guest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learned {
    /// What the guest changed during the last passes, newest last.
    changed: Vec<Changed>,
    /// What it changes when it is not slowed, in bytes a ms, smoothed.
    rate: Option<f64>,
    /// The part of the time that it executes when it is not slowed, by what slowing it has done.
    cpu_share: Option<f64>,
    /// By what the logarithm of what it changes differs from its curve.
    off_curve: Option<f64>,
    /// What the first pass changed, in bytes, if that bounds what the curve says of so long a time.
    bent: Option<f64>,
    /// How far the last forecasts of a pass were off (the square of the logarithm), smoothed.
    surprise: Option<f64>,
}

/// What a guest changed during a pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    /// How long the pass was, in ms.
    pub(super) lasted: f64,
    /// How much the guest was slowed, in percent.
    pub(super) slowed: u8,
    pub(super) bytes: f64,
}

impl Learned {
    /// What the guest is expected to change; none if nothing is known of it.
    pub(crate) fn expected<'a>(&self, curve: Option<&'a DirtyCurve>) -> Option<Guest<'a>> {
        let working_set = self.working_set();
        // A pass that changed all of it says only that less time would have done, too.
        let is_full =
            working_set.is_some_and(|set| self.changed.last().is_some_and(|newest| newest.bytes > NEARLY_ALL * set));
        if let Some(curve) = curve.filter(|_| is_full || self.changed.len() < PASSES_THAT_TELL) {
            let guest = Guest::measured(curve).scaled(self.off_curve.unwrap_or(0.0).exp());
            return Some(guest.within(working_set.or(self.bent)));
        }
        let rate = if is_full { SOONER * self.rate? } else { self.rate? };
        Some(Guest::seen(rate, self.cpu_share(curve)).within(working_set))
    }

    /// How far the forecasts of the last passes were off (the standard deviation of the logarithm); none before the third pass.
    pub(crate) fn surprise(&self) -> Option<f64> {
        self.surprise.map(f64::sqrt)
    }

    /// The part of the time that it executes when it is not slowed: as measured, or by what slowing it has done.
    fn cpu_share(&self, curve: Option<&DirtyCurve>) -> f64 {
        curve.and_then(DirtyCurve::cpu_share).or(self.cpu_share).unwrap_or(1.0)
    }

    /// What it changes again and again, in bytes; none if passes don't show that.
    fn working_set(&self) -> Option<f64> {
        let share = self.cpu_share.unwrap_or(1.0);
        let time = |one: &Changed| one.lasted * slowed_to(one.slowed, share);
        let newest = self.changed.last()?;
        let shows = |other: &Changed| {
            let (longer, shorter) = if time(other) > time(newest) { (other, newest) } else { (newest, other) };
            let times = time(longer) / time(shorter);
            let grows = longer.bytes / shorter.bytes.max(1.0);
            times > LONGER && (1.0 / times.sqrt()..times.sqrt()).contains(&grows)
        };
        let most = self.changed.iter().map(|one| one.bytes).fold(0.0, f64::max);
        self.changed.iter().any(shows).then_some(most)
    }

    /// Learns from a pass that is over. `by_qemu` is what QEMU says that the guest changed, in bytes a ms, if it has counted anew.
    pub(super) fn learn(&mut self, pass: Changed, by_qemu: Option<f64>, curve: Option<&DirtyCurve>) {
        let is_counted = pass.lasted >= COUNTED_MS;
        let Some(rate) = (if is_counted { Some(pass.bytes / pass.lasted) } else { by_qemu }) else { return };
        if let Some(guest) = self.expected(curve) {
            let expected = guest.bytes_within(pass.lasted * guest.slowed_to(pass.slowed)) / pass.lasted;
            let off = ((rate + 1.0) / (expected + 1.0)).ln().clamp(-3.0, 3.0);
            self.surprise = Some(self.surprise.map_or(off.powi(2), |before| f64::midpoint(off.powi(2), before)));
            let times = off.exp();
            if curve.is_some() && self.changed.is_empty() && (BENT..1.0).contains(&times) {
                self.bent = Some(pass.bytes);
            } else if curve.is_some() {
                let weight = if self.off_curve.is_some() { NEWEST } else { 1.0 };
                self.off_curve = Some(self.off_curve.unwrap_or(0.0) + weight * off);
            }
        }
        if let Some(before) = self.rate.filter(|_| pass.slowed > 0) {
            let left = 1.0 - f64::from(pass.slowed) / 100.0;
            self.cpu_share = Some((left / (rate / before.max(1.0)).clamp(left, 1.0)).clamp(0.0, 1.0));
        }
        let unslowed = rate / slowed_to(pass.slowed, self.cpu_share(curve));
        // A longer pass before may have changed all of a working set: then it says nothing of the rate.
        let was_longer = self.changed.last().is_some_and(|before| before.lasted > LONGER * pass.lasted);
        self.rate = Some(match self.rate {
            Some(before) if !(was_longer && unslowed > before) => {
                ((unslowed + 1.0).ln() * NEWEST + (before + 1.0).ln() * (1.0 - NEWEST)).exp() - 1.0
            }
            _ => unslowed,
        });
        if self.changed.len() == PASSES {
            self.changed.remove(0);
        }
        self.changed.push(pass);
    }
}
