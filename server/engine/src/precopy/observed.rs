//! Where a pre-copy is by libvirt's statistics, and what the link carries.

use super::{
    HOPELESS_RATIO, Position,
    learned::{Changed, Learned},
    left_of_pass,
};
use crate::hypervisor::{DirtyCurve, Statistics};

/// Weight of the newest throughput sample (KubeVirt's live migration monitor uses the same).
const SMOOTHING: f64 = 0.2;
/// What was observed of a pre-copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// What the link carries, in bytes a second.
    throughput: f64,
    last: Option<Statistics>,
    /// When the pass began, in ms since the job did.
    pass_began_ms: f64,
    /// What was sent before that, in bytes.
    pass_began_at: f64,
    /// The pass over what the guest changed; none during the first.
    pass: Option<Pass>,
    is_new_pass: bool,
    guest: Learned,
}

/// A pass over what the guest changed during the one before. Its beginning is what counts: within a pass the remainder says
/// nothing, it always shrinks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) number: u64,
    /// What is left at its beginning, in bytes.
    pub(crate) began_with: f64,
    /// What the second pass began with, in bytes.
    pub(crate) first: f64,
    /// The least any pass began with, in bytes.
    least: f64,
    /// What the next pass is expected to begin with, by what this one began with.
    pub(crate) ratio: f64,
    /// Passes in a row, with this one, that began with about the least or more.
    fruitless: u64,
    /// Passes in a row in which the guest changed more than half of what was sent (QEMU slows it at every second one).
    high: u8,
}

/// A pass, as a policy sees its beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassBegun {
    pub(crate) number: u64,
    /// What was left, in bytes.
    pub(crate) remaining: f64,
    /// What the link carries, in bytes a second.
    pub(crate) throughput: f64,
    /// What the next pass is expected to begin with, by what this one began with.
    pub(crate) ratio: f64,
    /// Passes in a row, with this one, that began with about the least or more.
    pub(crate) fruitless: u64,
}

impl Observed {
    /// Takes a sample. `pause_ms` is the pause that the guest may take, `switchover` what QEMU was told that the link carries then (in bytes
    /// a ms), and `curve` what the guest was measured to change before the start.
    pub(crate) fn sample(
        &mut self,
        statistics: &Statistics,
        pause_ms: f64,
        switchover: Option<f64>,
        curve: Option<&DirtyCurve>,
    ) {
        self.measure_throughput(statistics);
        if statistics.memory_pass > self.pass.map_or(1, |pass| pass.number) {
            let began_ms = self.began_ms(statistics, pause_ms, switchover);
            self.begin_pass(statistics, began_ms, curve);
        }
        self.last = Some(*statistics);
    }

    /// Takes a sample of what follows once the VM runs at the destination.
    pub(crate) fn send_on(&mut self, statistics: &Statistics) {
        self.measure_throughput(statistics);
        self.last = Some(*statistics);
    }

    /// What the link carries, in bytes a second.
    pub(crate) fn throughput(&self) -> f64 {
        self.throughput
    }

    /// The last sample.
    pub(crate) fn last(&self) -> Option<&Statistics> {
        self.last.as_ref()
    }

    /// The pass over what the guest changed; none during the first.
    pub(crate) fn pass(&self) -> Option<&Pass> {
        self.pass.as_ref()
    }

    /// The pass that has begun since this was last asked.
    pub(crate) fn take_new_pass(&mut self) -> Option<PassBegun> {
        let pass = self.pass.filter(|_| std::mem::take(&mut self.is_new_pass))?;
        Some(PassBegun {
            number: pass.number,
            remaining: pass.began_with,
            throughput: self.throughput,
            ratio: pass.ratio,
            fruitless: pass.fruitless,
        })
    }

    /// Where it is, `elapsed_ms` after it was asked for; none before the first sample.
    pub(crate) fn position(&self, elapsed_ms: u64, pause_ms: f64) -> Option<Position> {
        let now = self.last?;
        let left = now.data_remaining as f64;
        let (began_with, least) = self.pass.map_or((left, left), |pass| (pass.began_with, pass.least));
        Some(Position {
            elapsed_ms: elapsed_ms as f64,
            pass: self.pass.map_or(1, |pass| pass.number),
            left,
            began_with,
            lasted_ms: (now.elapsed_ms as f64 - self.pass_began_ms).max(0.0),
            least,
            fruitless: self.pass.map_or(0, |pass| pass.fruitless),
            pause_ms,
            slowed: now.throttle_percent,
            high: self.pass.map_or(0, |pass| pass.high),
        })
    }

    /// What its passes have shown of the guest.
    pub(crate) fn guest(&self) -> &Learned {
        &self.guest
    }

    fn measure_throughput(&mut self, statistics: &Statistics) {
        let now = (statistics.elapsed_ms, statistics.data_processed);
        let measured = match self.last.map(|last| (last.elapsed_ms, last.data_processed)) {
            Some((then_ms, then_bytes)) if now.0 > then_ms => {
                // Nothing is sent while the guest is stopped for the switch-over.
                if now.1 <= then_bytes && self.pass.is_some() {
                    return;
                }
                now.1.saturating_sub(then_bytes) as f64 * 1000.0 / (now.0 - then_ms) as f64
            }
            // QEMU's own figure, until two samples give ours.
            None => statistics.memory_bytes_s as f64,
            Some(_) => return,
        };
        self.throughput =
            if self.throughput == 0.0 { measured } else { SMOOTHING * measured + (1.0 - SMOOTHING) * self.throughput };
    }

    fn begin_pass(&mut self, statistics: &Statistics, began_ms: f64, curve: Option<&DirtyCurve>) {
        let began_with = statistics.data_remaining.max(1) as f64;
        let passes = statistics.memory_pass.saturating_sub(self.pass.map_or(1, |pass| pass.number)).max(1) as f64;
        let lasted = ((began_ms - self.pass_began_ms) / passes).max(1.0);
        let processed = statistics.data_processed as f64;
        let sent = ((processed - self.pass_began_at) / passes).max(1.0);
        let changed = self.changed_meanwhile(statistics, lasted, passes);
        let slowed = self.last.map_or(0, |last| last.throttle_percent);
        (self.pass_began_ms, self.pass_began_at) = (began_ms, processed);
        let is_counted_anew = self.last.is_none_or(|last| last.dirty_pages_s != statistics.dirty_pages_s);
        let by_qemu = statistics.dirty_pages_s as f64 * statistics.page_bytes as f64 / 1000.0;
        self.guest.learn(Changed { lasted, slowed, bytes: changed }, is_counted_anew.then_some(by_qemu), curve);
        let before = self.pass;
        let by_rate = changed / sent;
        let is_high = by_rate > 0.5;
        self.is_new_pass = true;
        self.pass = Some(Pass {
            number: statistics.memory_pass,
            began_with,
            first: before.map_or(began_with, |before| before.first),
            least: before.map_or(began_with, |before| before.least.min(began_with)),
            ratio: before.map_or(by_rate, |before| by_rate.max(began_with / before.began_with)),
            fruitless: before
                .map_or(0, |before| if began_with < HOPELESS_RATIO * before.least { 0 } else { before.fruitless + 1 }),
            high: match before {
                _ if statistics.throttle_percent > slowed => 0,
                Some(before) => u8::from(is_high) | before.high,
                None => u8::from(is_high),
            },
        });
    }

    /// When the pass that has begun since the last sample did, in ms since the job did: once what was left then had been sent, but for what
    /// fits into the pause.
    fn began_ms(&self, statistics: &Statistics, pause_ms: f64, switchover: Option<f64>) -> f64 {
        let now = statistics.elapsed_ms as f64;
        let Some(last) = self.last.filter(|_| self.throughput > 0.0) else { return now };
        let throughput = self.throughput / 1000.0;
        let rest = left_of_pass(pause_ms, throughput, switchover);
        let to_send = (last.data_remaining as f64 - rest).max(0.0);
        (last.elapsed_ms as f64 + to_send / throughput).min(now)
    }

    /// What the guest changed in each pass since the last sample but one, in bytes.
    fn changed_meanwhile(&self, statistics: &Statistics, lasted: f64, passes: f64) -> f64 {
        let by_rate = statistics.dirty_pages_s as f64 * statistics.page_bytes as f64 * lasted / 1000.0;
        let Some(last) = self.last.filter(|_| passes < 1.5) else { return by_rate };
        let sent = statistics.data_processed as f64 - last.data_processed as f64;
        (statistics.data_remaining as f64 + sent - last.data_remaining as f64)
            .clamp(0.0, statistics.data_remaining as f64)
    }
}
