//! What a guest changes of its memory, by how long one waits. A page that it changes again counts once, so the curve bends where a guest
//! changes the same pages again and again.

/// Each page that QEMU samples stands for 2 MiB (`sample-pages`, 512 for each GiB): how far a measurement is off, in bytes.
const SAMPLE: f64 = (2 << 20) as f64;
/// From so many bytes on a point is trusted more than the curve through all points. It then stands on 32 sampled pages.
const TRUSTED: f64 = (64 << 20) as f64;
/// A curve that bends has one more parameter than a line: it has to fit the better by so much (Akaike's criterion, in chi-square).
const BENDS: f64 = 2.0;
/// How many sizes of a working set are tried, each larger than the one before by a fifth.
const SIZES: i32 = 24;

/// What a guest changed within a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirtyPoint {
    /// In ms, at least 1.
    pub period_ms: u64,
    /// In bytes; a page that was changed twice counts once.
    pub bytes: u64,
}

/// What a guest changes of its memory within a time.
#[derive(Clone, Debug, PartialEq)]
pub struct DirtyCurve {
    measured: Vec<DirtyPoint>,
    /// The measured points without what is noise: in ms and bytes, the shortest period first.
    points: Vec<(f64, f64)>,
    trend: Trend,
    cpu_share: Option<f64>,
}

impl DirtyCurve {
    /// The curve through these points. `cpu_share` is the part of the time that the guest's busiest virtual CPU executed meanwhile, from
    /// 0 to 1; none if that is not known.
    pub fn new(points: impl IntoIterator<Item = DirtyPoint>, cpu_share: Option<f64>) -> Self {
        let mut measured: Vec<DirtyPoint> = points.into_iter().filter(|point| point.period_ms > 0).collect();
        measured.sort_by_key(|point| point.period_ms);
        measured.dedup_by_key(|point| point.period_ms);
        let trend = Trend::through(&measured);
        let mut most = 0.0_f64;
        let smoothed = measured.iter().map(|point| {
            let (period, bytes) = (point.period_ms as f64, point.bytes as f64);
            let trust = bytes / (bytes + TRUSTED);
            most = most.max(trust * bytes + (1.0 - trust) * trend.bytes(period));
            (period, most)
        });
        Self { points: smoothed.collect(), measured, trend, cpu_share: cpu_share.map(|share| share.clamp(0.0, 1.0)) }
    }

    /// What a guest changes that changes so many bytes each second, and never the same twice.
    pub(crate) fn steady(bytes_s: u64) -> Self {
        Self::new([DirtyPoint { period_ms: 1000, bytes: bytes_s }], None)
    }

    /// What it changed within the shortest period, in bytes a second.
    pub fn rate_bytes_s(&self) -> u64 {
        self.measured.first().map_or(0, |point| (point.bytes.saturating_mul(1000)) / point.period_ms)
    }

    /// The part of the time that the guest's busiest virtual CPU executes, from 0 to 1; none if that is not known.
    pub fn cpu_share(&self) -> Option<f64> {
        self.cpu_share
    }

    /// What it changes within so many ms, in bytes. Between two points on the line between them; shorter and longer periods follow the
    /// trend of all points.
    pub fn bytes_within(&self, ms: f64) -> f64 {
        let (Some(&(first_ms, first)), Some(&(last_ms, last))) = (self.points.first(), self.points.last()) else {
            return 0.0;
        };
        if ms <= 0.0 {
            return 0.0;
        }
        if ms <= first_ms {
            return match self.trend.bytes(first_ms) {
                by_trend if by_trend > 0.0 => first * self.trend.bytes(ms) / by_trend,
                _ => first * ms / first_ms,
            };
        }
        if ms >= last_ms {
            return last + self.trend.bytes(ms) - self.trend.bytes(last_ms);
        }
        let after = self.points.partition_point(|(period, _)| *period < ms);
        let ((from_ms, from), (to_ms, to)) = (self.points[after - 1], self.points[after]);
        from + (to - from) * (ms - from_ms) / (to_ms - from_ms)
    }

    /// How far the measurement is off, as a part of it: the fewer changed pages were found, the more.
    pub(crate) fn error(&self) -> f64 {
        let bytes: f64 = self.measured.iter().map(|point| point.bytes as f64).sum();
        if bytes > 0.0 { (SAMPLE / bytes).sqrt().min(1.0) } else { 0.0 }
    }

    /// A guest that changes as many times as much.
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        let factor = factor.max(0.0);
        let points = self.measured.iter().map(|point| {
            let bytes = (point.bytes as f64 * factor) as u64;
            DirtyPoint { bytes, ..*point }
        });
        Self::new(points, self.cpu_share)
    }

    /// This measurement together with an earlier one of the same guest: two are half as far off.
    pub(crate) fn and(self, earlier: &Self) -> Self {
        let periods = |curve: &Self| curve.measured.iter().map(|point| point.period_ms).collect::<Vec<_>>();
        if periods(&self) != periods(earlier) {
            return self;
        }
        let mean = |(one, other): (&DirtyPoint, &DirtyPoint)| DirtyPoint {
            bytes: u64::midpoint(one.bytes, other.bytes),
            ..*one
        };
        Self::new(self.measured.iter().zip(&earlier.measured).map(mean), self.cpu_share.or(earlier.cpu_share))
    }
}

/// The simplest that fits all points: a guest that writes at random in a working set has changed `W (1 - exp(-rate t / W))` of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Trend {
    /// In bytes a ms, at the beginning.
    rate: f64,
    /// In bytes; none if no bend is seen.
    working_set: Option<f64>,
}

impl Trend {
    fn bytes(&self, ms: f64) -> f64 {
        match self.working_set {
            Some(set) => -set * (-self.rate * ms / set).exp_m1(),
            None => self.rate * ms,
        }
    }

    fn through(points: &[DirtyPoint]) -> Self {
        let (bytes, time) = points
            .iter()
            .fold((0.0, 0.0), |(bytes, time), point| (bytes + point.bytes as f64, time + point.period_ms as f64));
        let line = Self { rate: if time > 0.0 { bytes / time } else { 0.0 }, working_set: None };
        let most = points.iter().map(|point| point.bytes).max().unwrap_or_default() as f64;
        if points.len() < 3 || most <= 0.0 {
            return line;
        }
        let sizes = (0..SIZES).map(|step| most * 1.02 * 1.2_f64.powi(step));
        let bent = sizes.map(|set| Self::in_working_set(points, set));
        match bent.min_by(|one, other| one.misfit(points).total_cmp(&other.misfit(points))) {
            Some(bent) if bent.misfit(points) + BENDS < line.misfit(points) => bent,
            _ => line,
        }
    }

    /// With a working set of this size, in bytes: what each point says of the rate, the longer its period the more.
    fn in_working_set(points: &[DirtyPoint], set: f64) -> Self {
        let (sum, time) = points.iter().fold((0.0, 0.0), |(sum, time), point| {
            (sum - set * (-(point.bytes as f64) / set).ln_1p(), time + point.period_ms as f64)
        });
        Self { rate: sum / time, working_set: Some(set) }
    }

    /// How far the points are from it, in what a measurement is off by itself (chi-square): the pages that are found changed are counted,
    /// so the square of the error grows with their number.
    fn misfit(&self, points: &[DirtyPoint]) -> f64 {
        let misfit = |point: &DirtyPoint| {
            let expected = self.bytes(point.period_ms as f64);
            (point.bytes as f64 - expected).powi(2) / (SAMPLE * expected + SAMPLE * SAMPLE)
        };
        points.iter().map(misfit).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: f64 = (1 << 20) as f64;

    fn curve(mib: [u64; 3]) -> DirtyCurve {
        let point = |(period_ms, mib)| DirtyPoint { period_ms, bytes: mib << 20 };
        DirtyCurve::new([1000, 2000, 4000].into_iter().zip(mib).map(point), None)
    }

    fn within(curve: &DirtyCurve, ms: u64) -> f64 {
        curve.bytes_within(ms as f64) / MIB
    }

    #[test]
    fn a_guest_that_never_changes_a_page_twice_goes_on_as_it_began() {
        let steady = curve([100, 200, 400]);
        for (ms, mib) in [(0, 0.0), (10, 1.0), (1000, 100.0), (3000, 300.0), (60_000, 6000.0)] {
            assert!((within(&steady, ms) - mib).abs() < 1e-6, "{ms}: {}", within(&steady, ms));
        }
        assert_eq!(DirtyCurve::steady(7).rate_bytes_s(), 7);
        assert_eq!(DirtyCurve::new([], None).bytes_within(5.0), 0.0);
    }

    /// `cache` of the demo, as measured: it changes 64 MiB a second, 192 MiB in all.
    #[test]
    fn a_working_set_is_found() {
        let cache = curve([73, 124, 196]);
        assert_eq!(cache.rate_bytes_s(), 73 << 20);
        assert!((60.0..80.0).contains(&within(&cache, 1000)), "{}", within(&cache, 1000));
        assert!((190.0..350.0).contains(&within(&cache, 60_000)), "{}", within(&cache, 60_000));
        let small = curve([44, 44, 44]);
        assert!((43.0..46.0).contains(&within(&small, 60_000)), "{}", within(&small, 60_000));
        assert!(within(&small, 300) > 17.0, "within 0.3 s it changes more than 0.3 of what it changes within 1 s");
    }

    /// `db` of the demo, as measured: it changes 8 MiB a second, and 32 sampled pages more or less make no working set.
    #[test]
    fn what_few_sampled_pages_say_is_smoothed() {
        for measured in [[8, 22, 24], [4, 30, 36]] {
            let db = curve(measured);
            assert!((6.0..14.0).contains(&within(&db, 1000)), "{measured:?}: {}", within(&db, 1000));
            assert!((20.0..50.0).contains(&within(&db, 4000)), "{measured:?}: {}", within(&db, 4000));
        }
        let both = curve([8, 22, 24]).and(&curve([4, 30, 36]));
        assert_eq!(both.rate_bytes_s(), 6 << 20);
        let other_periods = DirtyCurve::steady(9);
        assert_eq!(other_periods.clone().and(&both), other_periods);
    }

    proptest! {
        #[test]
        fn more_time_is_never_less_changed(
            mib in proptest::array::uniform3(0u64..1 << 20), times in proptest::collection::vec(0u64..1_000_000, 2..20),
        ) {
            let (curve, mut times) = (curve(mib), times);
            times.sort_unstable();
            let changed: Vec<f64> = times.iter().map(|ms| curve.bytes_within(*ms as f64)).collect();
            prop_assert!(changed.iter().all(|bytes| bytes.is_finite() && *bytes >= 0.0));
            // Rounding of numbers this large is less than a byte.
            prop_assert!(changed.windows(2).all(|pair| pair[0] <= pair[1] + 1.0), "{changed:?}");
        }

        #[test]
        fn the_curve_stays_between_its_points_and_the_trend(mib in proptest::array::uniform3(1u64..1 << 20)) {
            let curve = curve(mib);
            for point in &curve.measured {
                let (low, high) = (point.bytes as f64, curve.trend.bytes(point.period_ms as f64));
                let at = curve.bytes_within(point.period_ms as f64);
                prop_assert!(at >= low.min(high) - 1.0, "{at} is below {low} and {high}");
            }
        }

        #[test]
        fn nonsense_makes_no_panic(points in proptest::collection::vec((any::<u64>(), any::<u64>()), 0..5), ms: f64) {
            let curve = DirtyCurve::new(points.iter().map(|&(period_ms, bytes)| DirtyPoint { period_ms, bytes }), None);
            let _ = (curve.rate_bytes_s(), curve.bytes_within(ms));
        }
    }
}
