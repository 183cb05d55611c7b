//! Numbers in words.

/// A number of bytes with a binary unit and at most one decimal: `0 B`, `1.5 KiB`, `64 MiB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    // 1023.95 would be rounded to 1024.0.
    while value >= 1023.95 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    let unit = UNITS[unit];
    // The standard library's own rounding of decimals would be 7 kB more to load.
    match (value * 10.0).round() as u64 {
        tenths if tenths >= 1_000 => format!("{} {unit}", value.round() as u64),
        tenths if tenths % 10 == 0 => format!("{} {unit}", tenths / 10),
        tenths => format!("{}.{} {unit}", tenths / 10, tenths % 10),
    }
}

/// A rate: `32 MiB/s`.
pub fn rate(bytes_s: u64) -> String {
    format!("{}/s", bytes(bytes_s))
}

/// A time of `ms` milliseconds: `23 ms`, `1.4 s`, `2 min 5 s`, `3 h 20 min`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..9_950 => format!("{}.{} s", (ms + 50) / 1_000, (ms + 50) / 100 % 10),
        9_950..59_500 => format!("{} s", (ms + 500) / 1_000),
        _ => {
            let seconds = (ms + 500) / 1_000;
            let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
            match (hours, minutes, seconds % 60) {
                (0, minutes, 0) => format!("{minutes} min"),
                (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
                (hours, 0, _) => format!("{hours} h"),
                (hours, minutes, _) => format!("{hours} h {minutes} min"),
            }
        }
    }
}

/// A percentage without decimals, rounded down, so that 100 means 100.
pub fn percent(percent: f64) -> String {
    format!("{} %", percent as u64)
}

/// A time with its uncertainty: `2 s to 5 s`.
pub fn span(low_ms: u64, high_ms: u64) -> String {
    match (duration(low_ms), duration(high_ms)) {
        (low, high) if low == high => low,
        (low, high) => format!("{low} to {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_read_well() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (64 << 20, "64 MiB"),
            ((1 << 30) - 1, "1 GiB"),
            (3 << 40, "3 TiB"),
            (130 << 20, "130 MiB"),
        ];
        for (value, text) in cases {
            assert_eq!(bytes(value), text);
        }
    }

    #[test]
    fn durations_read_well() {
        let cases = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_400, "1.4 s"),
            (9_999, "10 s"),
            (59_499, "59 s"),
            (59_500, "1 min"),
            (125_000, "2 min 5 s"),
            (3_600_000, "1 h"),
            (12_000_000, "3 h 20 min"),
        ];
        for (value, text) in cases {
            assert_eq!(duration(value), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_rounded_up_to_done(value in 0.0..100.0f64) {
            prop_assert_ne!(percent(value), "100 %");
        }

        #[test]
        fn every_number_of_bytes_is_short(value: u64) {
            prop_assert!(bytes(value).len() <= 9, "{}", bytes(value));
        }
    }
}
