//! Numbers and results in words. One place, so that pages and programs read the same.

use crate::{
    Convergence, Ending, HostName, Migration, MigrationOptions, Mode, Phase, Preflight, Severity, Vm, VmState,
};

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
    if unit == 0 || value >= 99.95 || (value * 10.0).round() % 10.0 == 0.0 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
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
        1_000..9_950 => format!("{:.1} s", ms as f64 / 1_000.0),
        9_950..59_500 => format!("{:.0} s", ms as f64 / 1_000.0),
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
    format!("{} %", percent.floor())
}

/// What a migration of `vm` would do, in a sentence, before it is begun; without a destination, what it would do wherever.
pub fn plan(vm: &Vm, destination: Option<&HostName>, options: MigrationOptions) -> String {
    let Vm { name, host, .. } = vm;
    let there = destination.map_or("the host you choose", HostName::as_str);
    let definition = if options.keep_source_definition {
        format!("{host} keeps its definition.")
    } else {
        format!("Its definition is then removed from {host}.")
    };
    if !vm.state.is_active() {
        return format!(
            "{name} is {}: only its definition moves, from {host} to {there}. {definition}",
            vm.state.as_str()
        );
    }
    let meanwhile = if vm.state == VmState::Running { "while it goes on running" } else { "and stays paused" };
    let limit = options.bandwidth_mib_s.map_or_else(String::new, |limit| format!(" at no more than {limit} MiB/s"));
    format!(
        "{name} moves from {host} to {there} {meanwhile}; its {} of memory are sent{limit}. {definition}",
        bytes(vm.memory_bytes)
    )
}

/// What speaks for a destination, in a sentence: `Nothing stands in the way, no disk is copied, and it takes 2 s to 5 s.`
pub fn merits(preflight: &Preflight) -> String {
    let warnings = match preflight.of(Severity::Warning).count() {
        0 => "Nothing stands in the way".to_owned(),
        1 => "Nothing worse than a warning stands in the way".to_owned(),
        warnings => format!("Nothing worse than {warnings} warnings stands in the way"),
    };
    let disks = match preflight.copied_bytes() {
        0 if preflight.disks.is_empty() => None,
        0 => Some("no disk is copied".to_owned()),
        copied => Some(format!("{} of disks are copied", bytes(copied))),
    };
    let ending = preflight.prediction.map(|prediction| match prediction.ending {
        Ending::After { low_ms, high_ms, .. } => format!("it takes {}", span(low_ms, high_ms)),
        Ending::Never { .. } => "it will not finish by itself".to_owned(),
    });
    let parts: Vec<String> = [Some(warnings), disks, ending].into_iter().flatten().collect();
    match parts.as_slice() {
        [all @ .., last] if all.len() > 1 => format!("{}, and {last}.", all.join(", ")),
        parts => format!("{}.", parts.join(", and ")),
    }
}

/// A time with its uncertainty: `2 s to 5 s`.
pub fn span(low_ms: u64, high_ms: u64) -> String {
    match (duration(low_ms), duration(high_ms)) {
        (low, high) if low == high => low,
        (low, high) => format!("{low} to {high}"),
    }
}

/// Where a migration is or how it ended, in a sentence: `web runs on beta after 1.4 s; paused for 23 ms.`
pub fn summary(migration: &Migration) -> String {
    let Migration { vm_name, source, destination, mode, .. } = migration;
    let total = duration(migration.outcome.map_or(0, |outcome| outcome.total_ms));
    match migration.phase {
        Phase::Succeeded if *mode == Mode::Offline => {
            format!("{vm_name} is defined on {destination} after {total}.")
        }
        Phase::Succeeded => match migration.outcome.and_then(|outcome| outcome.downtime_ms) {
            Some(downtime) => {
                format!("{vm_name} runs on {destination} after {total}; paused for {}.", duration(downtime))
            }
            None => format!("{vm_name} is on {destination} after {total}."),
        },
        Phase::Failed | Phase::Cancelled => {
            let what = if migration.phase == Phase::Failed { "failed" } else { "was cancelled" };
            format!("The migration {what} after {total}; {vm_name} stayed on {source}.")
        }
        Phase::NeedsAttention => {
            format!("It is not certain that exactly one copy of {vm_name} runs. Look at {source} and {destination}.")
        }
        phase => format!("{}, {}", phase.label(), percent(migration.progress.percent)),
    }
}

/// Why a migration will not end by itself, in a sentence with numbers; none while it may.
pub fn convergence(migration: &Migration) -> Option<String> {
    match migration.progress.convergence {
        Convergence::NotConverging { needed_downtime_ms } if !migration.phase.has_ended() => Some(format!(
            "This will not finish at this rate: the guest changes {}, the link carries {}. It would take a pause of {}.",
            rate(migration.progress.dirty_bytes_s),
            rate(migration.progress.throughput_bytes_s),
            duration(needed_downtime_ms),
        )),
        _ => None,
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

    #[test]
    fn a_plan_names_everything_that_was_chosen() {
        let vm = Vm {
            id: crate::VmId(uuid::Uuid::from_u128(1)),
            name: "web".into(),
            host: "alpha".parse().unwrap(),
            state: VmState::Running,
            vcpus: 1,
            memory_bytes: 64 << 20,
            persistent: true,
            other_copies: Vec::new(),
            migration: None,
        };
        let beta = "beta".parse().unwrap();
        assert_eq!(
            plan(
                &vm,
                Some(&beta),
                MigrationOptions {
                    keep_source_definition: true,
                    bandwidth_mib_s: Some(8),
                    ..MigrationOptions::default()
                }
            ),
            "web moves from alpha to beta while it goes on running; its 64 MiB of memory are sent at no more than 8 MiB/s. \
             alpha keeps its definition."
        );
        let off = Vm { state: VmState::ShutOff, ..vm };
        assert_eq!(
            plan(&off, None, MigrationOptions::default()),
            "web is shut off: only its definition moves, from alpha to the host you choose. \
             Its definition is then removed from alpha."
        );
    }

    #[test]
    fn what_speaks_for_a_destination() {
        let mut preflight = Preflight {
            destination: "beta".parse().unwrap(),
            findings: Vec::new(),
            disks: Vec::new(),
            prediction: None,
        };
        assert_eq!(merits(&preflight), "Nothing stands in the way.");
        preflight.disks.push(crate::DiskPlan {
            target: "vda".into(),
            source: "/images/web.qcow2".into(),
            capacity_bytes: 8 << 30,
            treatment: crate::Treatment::Shared { evidence: "The same NFS export.".into() },
        });
        assert_eq!(merits(&preflight), "Nothing stands in the way, and no disk is copied.");
        let ending = Ending::After { low_ms: 2_000, high_ms: 5_000, pause_ms: 300 };
        preflight.prediction =
            Some(crate::Prediction { throughput_bytes_s: 1 << 30, measured: true, dirty_bytes_s: None, ending });
        assert_eq!(merits(&preflight), "Nothing stands in the way, no disk is copied, and it takes 2.0 s to 5.0 s.");
        preflight.findings.push(crate::Finding::warning(crate::FindingCode::QemuVersion, "QEMU is older there."));
        preflight.disks[0].treatment =
            crate::Treatment::Copy { pool: "images".into(), volume: "web.qcow2".into(), other_pools: Vec::new() };
        assert_eq!(
            merits(&preflight),
            "Nothing worse than a warning stands in the way, 8 GiB of disks are copied, and it takes 2.0 s to 5.0 s."
        );
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
