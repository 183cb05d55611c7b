//! Numbers and results in words. One place, so that pages and programs read the same.

use crate::{
    Convergence, DiskPlan, Ending, HostName, Leftover, Migration, MigrationOptions, Mode, Phase, PolicyPrediction,
    Prediction, Preflight, Severity, Treatment, Vm, VmState,
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

/// What a migration of `vm` would do, in words, before it is begun.
pub fn plan(vm: &Vm, there: &HostName, options: &MigrationOptions, disks: &[DiskPlan]) -> String {
    let host = &vm.host;
    let mut sentences = vec![how_it_moves(vm, there, options)];
    if let Some(new_name) = &options.new_name {
        sentences.push(format!("There it is called {new_name}."));
    }
    if options.eject_media {
        sentences.push("Media that the destination does not have are ejected first.".to_owned());
    }
    let copied: Vec<&str> = disks
        .iter()
        .filter_map(|disk| match &disk.treatment {
            Treatment::Copy { .. } => Some(disk.target.as_str()),
            Treatment::Shared { .. } | Treatment::Stuck => None,
        })
        .collect();
    for disk in disks {
        if let Treatment::Copy { pool, .. } = &disk.treatment {
            let DiskPlan { target, capacity_bytes, .. } = disk;
            sentences.push(format!("Its disk {target} ({}) is copied to the pool {pool}.", bytes(*capacity_bytes)));
        }
    }
    sentences.push(if options.keep_source_definition {
        format!("{host} keeps its definition.")
    } else {
        format!("Its definition is then removed from {host}.")
    });
    if !copied.is_empty() {
        let (images, are) = if copied.len() == 1 { ("image", "is") } else { ("images", "are") };
        let images = format!("the old {images} of {}", copied.join(", "));
        sentences.push(if options.remove_source_disks {
            format!("Last of all, {images} {are} deleted.")
        } else {
            format!("{host} keeps {images}.")
        });
    }
    sentences.join(" ")
}

fn how_it_moves(vm: &Vm, there: &HostName, options: &MigrationOptions) -> String {
    let Vm { name, host, .. } = vm;
    if !vm.state.is_active() {
        return format!("{name} is {}: its definition moves from {host} to {there}.", vm.state.as_str());
    }
    let meanwhile = match vm.state {
        VmState::Running => "while it keeps running",
        VmState::Suspended => "and stays asleep",
        _ => "and stays paused",
    };
    let limit = options.bandwidth_mib_s.map_or_else(String::new, |limit| format!(" at no more than {limit} MiB/s"));
    format!(
        "{name} moves from {host} to {there} {meanwhile}; its {} of memory are sent{limit}.",
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

/// How long a live migration will take, in a sentence with numbers, and what is not known about it.
pub fn prediction(prediction: &Prediction) -> String {
    let link = rate(prediction.throughput_bytes_s);
    let link = if prediction.throughput_measured {
        format!("{link}, as measured in earlier migrations to this host")
    } else {
        format!("{link}, which is its limit and was not measured")
    };
    let written = prediction.dirty_bytes_s.map(rate);
    match prediction.ending {
        Ending::After { .. } => {
            let written = written.map_or_else(
                || "What the guest writes meanwhile is not measured.".to_owned(),
                |written| format!("The guest writes {written}."),
            );
            format!("About {}, if the link carries {link}. {written}", ending(&prediction.ending))
        }
        Ending::Never { needed_pause_ms } => {
            let written = written.as_deref().unwrap_or("too much");
            let pause = duration(needed_pause_ms);
            let does = format!(
                "Does not end by itself at this rate: the guest writes {written}, the link carries {link}. It would take a pause of {pause}"
            );
            let ends = |predicted: &&PolicyPrediction| matches!(predicted.ending, Ending::After { .. });
            match prediction.policies.iter().find(ends) {
                Some(PolicyPrediction { policy, ending: with }) => {
                    format!("{does}. With {} about {}.", policy.as_str(), ending(with))
                }
                None => format!("{does}."),
            }
        }
    }
}

/// When a migration ends, without a full stop: `12 s to 16 s, with a pause of at most 300 ms`.
pub fn ending(ending: &Ending) -> String {
    match *ending {
        Ending::After { low_ms, high_ms, pause_ms, guest_percent, post_copy, .. } => {
            let mut parts = vec![span(low_ms, high_ms)];
            if guest_percent < 100 {
                parts.push(format!("the guest slowed to {guest_percent} %"));
            }
            if post_copy {
                parts.push("with post-copy".to_owned());
            }
            parts.push(format!("with a pause of at most {}", duration(pause_ms)));
            parts.join(", ")
        }
        Ending::Never { needed_pause_ms } => {
            format!("does not end by itself, it would take a pause of {}", duration(needed_pause_ms))
        }
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
    let there = migration.name_on(destination);
    let total = duration(migration.outcome.map_or(0, |outcome| outcome.total_ms));
    match migration.phase {
        Phase::Succeeded if *mode == Mode::Offline => {
            format!("{there} is defined on {destination} after {total}.")
        }
        // What it did there is the problem's sentence.
        Phase::Succeeded if migration.problem.is_some() => format!("{there} moved to {destination} after {total}."),
        Phase::Succeeded if migration.asleep => format!("{there} is asleep on {destination} after {total}."),
        Phase::Succeeded => match migration.outcome.and_then(|outcome| outcome.downtime_ms) {
            Some(downtime) => {
                format!("{there} runs on {destination} after {total}; paused for {}.", duration(downtime))
            }
            None => format!("{there} is on {destination} after {total}."),
        },
        Phase::Failed | Phase::Cancelled => {
            let what = if migration.phase == Phase::Failed { "failed" } else { "was cancelled" };
            format!("The migration {what} after {total}; {vm_name} stayed on {source}.")
        }
        Phase::MovedElsewhere => {
            format!("Another console or program moved {vm_name}; this migration ended without moving it after {total}.")
        }
        Phase::NeedsAttention => {
            format!("It is not certain that exactly one copy of {vm_name} runs.")
        }
        phase => format!("{}, {}", phase.label(), percent(migration.progress.percent)),
    }
}

/// What an ended migration has left on hosts or has still to set there, a sentence each, and what becomes of it.
pub fn leftovers(migration: &Migration) -> Vec<String> {
    if !migration.phase.has_ended() {
        return Vec::new();
    }
    let told = |leftover: &Leftover| {
        let (name, host) = (leftover.name(), &leftover.host);
        match &leftover.problem {
            _ if migration.phase == Phase::NeedsAttention => {
                format!("May be left: {name}. vmferry looks after it once it is certain where the VM is.")
            }
            None => format!("Left: {name}. vmferry removes it when {host} answers."),
            Some(problem) => {
                format!("Left: {name}. It could not be removed: {} vmferry tries again every minute.", problem.sentence)
            }
        }
    };
    migration.leftovers.iter().map(told).chain(autostart_pending(migration)).collect()
}

/// The hosts that were not told yet whether they start the VM, a sentence each.
fn autostart_pending(migration: &Migration) -> impl Iterator<Item = String> {
    let told = |host: &HostName| {
        let name = migration.name_on(host);
        format!("Whether {host} starts {name} when it boots is still to be set. vmferry does it when {host} answers.")
    };
    migration.autostart_pending().iter().map(told)
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
        let vm = crate::examples::vm(1, "web", "alpha");
        let beta = "beta".parse().unwrap();
        let limited =
            MigrationOptions { keep_source_definition: true, bandwidth_mib_s: Some(8), ..MigrationOptions::default() };
        assert_eq!(
            plan(&vm, &beta, &limited, &[]),
            "web moves from alpha to beta while it keeps running; its 64 MiB of memory are sent at no more than 8 MiB/s. \
             alpha keeps its definition."
        );
        let disk = |target: &str, treatment| DiskPlan {
            target: target.into(),
            source: format!("/images/{target}"),
            capacity_bytes: 8 << 30,
            treatment,
        };
        let copy = || Treatment::Copy {
            pool: "images".into(),
            volume: "web".into(),
            available_bytes: 0,
            other_pools: Vec::new(),
        };
        let shared = Treatment::Shared { evidence: "The same NFS export.".into() };
        let mut everything =
            MigrationOptions { new_name: Some("web2".into()), eject_media: true, ..Default::default() };
        assert_eq!(
            plan(&vm, &beta, &everything, &[disk("vda", copy()), disk("vdb", shared)]),
            "web moves from alpha to beta while it keeps running; its 64 MiB of memory are sent. There it is called web2. \
             Media that the destination does not have are ejected first. Its disk vda (8 GiB) is copied to the pool images. \
             Its definition is then removed from alpha. alpha keeps the old image of vda."
        );
        everything.remove_source_disks = true;
        let off = Vm { state: VmState::ShutOff, ..vm };
        let removed = plan(&off, &beta, &everything, &[disk("vda", copy()), disk("vdb", copy())]);
        assert!(removed.starts_with("web is shut off: its definition moves from alpha to beta."), "{removed}");
        assert!(removed.ends_with("Last of all, the old images of vda, vdb are deleted."), "{removed}");
    }

    #[test]
    fn what_is_left_is_named_with_what_becomes_of_it() {
        let left = |problem| Leftover {
            host: "beta".parse().unwrap(),
            what: crate::LeftoverKind::Definition,
            since_ms: 0,
            machine: None,
            problem,
        };
        let mut migration = crate::examples::migration(1);
        migration.leftovers = vec![left(None)];
        assert!(leftovers(&migration).is_empty(), "it is under way");
        migration.phase = Phase::Failed;
        assert_eq!(leftovers(&migration), ["Left: the VM's definition on beta. vmferry removes it when beta answers."]);
        let refused = crate::Problem::new(crate::Code::Hypervisor, "libvirt refused.");
        migration.leftovers = vec![left(Some(refused))];
        let expected = "Left: the VM's definition on beta. It could not be removed: libvirt refused. vmferry tries again every minute.";
        assert_eq!(leftovers(&migration), [expected]);
        migration.phase = Phase::NeedsAttention;
        assert!(leftovers(&migration)[0].starts_with("May be left: the VM's definition on beta."));
    }

    #[test]
    fn a_vm_is_called_by_the_name_that_it_has_where_it_is() {
        let mut migration = crate::examples::migration(1);
        migration.options.new_name = Some("shop".into());
        migration.phase = Phase::Failed;
        assert_eq!(summary(&migration), "The migration failed after 0 ms; web stayed on alpha.");
        migration.phase = Phase::Succeeded;
        assert_eq!(summary(&migration), "shop is on beta after 0 ms.");
        migration.outcome = Some(crate::Outcome { downtime_ms: Some(23), ..crate::Outcome::default() });
        assert_eq!(summary(&migration), "shop runs on beta after 0 ms; paused for 23 ms.");
        migration.mode = Mode::Offline;
        assert_eq!(summary(&migration), "shop is defined on beta after 0 ms.");
        migration.autostart =
            Some(crate::Autostart { enabled: true, pending: vec!["alpha".parse().unwrap(), "beta".parse().unwrap()] });
        assert!(migration.needs_care());
        let still = leftovers(&migration);
        assert!(still[0].starts_with("Whether alpha starts web") && still[1].starts_with("Whether beta starts shop"));
    }

    #[test]
    fn a_vm_that_sleeps_is_not_said_to_run() {
        let mut migration = crate::examples::migration(1);
        (migration.phase, migration.asleep) = (Phase::Succeeded, true);
        assert_eq!(summary(&migration), "web is asleep on beta after 0 ms.");
        assert!(migration.needs_care(), "until it is awake");
        let vm = Vm { state: VmState::Suspended, ..crate::examples::vm(1, "web", "alpha") };
        let planned = plan(&vm, &migration.destination, &MigrationOptions::default(), &[]);
        assert!(planned.starts_with("web moves from alpha to beta and stays asleep;"), "{planned}");
    }

    #[test]
    fn a_prediction_says_what_it_stands_on() {
        let mut known = crate::examples::prediction(after(100, false));
        assert_eq!(
            prediction(&known),
            "About 2.0 s to 5.0 s, with a pause of at most 300 ms, if the link carries 100 MiB/s, which is its limit and \
             was not measured. What the guest writes meanwhile is not measured."
        );
        known.throughput_measured = true;
        known.dirty_bytes_s = Some(200 << 20);
        known.ending = Ending::Never { needed_pause_ms: 1_500 };
        assert_eq!(
            prediction(&known),
            "Does not end by itself at this rate: the guest writes 200 MiB/s, the link carries 100 MiB/s, as measured in \
             earlier migrations to this host. It would take a pause of 1.5 s. With gentle about 2.0 s to 5.0 s, with a pause of \
             at most 300 ms."
        );
        known.policies[0].ending = known.ending;
        known.policies[1].ending = after(40, false);
        assert!(prediction(&known).ends_with(
            "It would take a pause of 1.5 s. With balanced about 2.0 s to 5.0 s, the guest slowed to 40 %, with a pause of at most \
             300 ms."
        ));
        known.policies = known.policies.map(|predicted| PolicyPrediction { ending: known.ending, ..predicted });
        assert!(prediction(&known).ends_with("It would take a pause of 1.5 s."));
    }

    fn after(guest_percent: u8, post_copy: bool) -> Ending {
        let (low_ms, likely_ms, high_ms, pause_ms, likely_pause_ms) = (2_000, 3_000, 5_000, 300, 100);
        Ending::After { low_ms, likely_ms, high_ms, pause_ms, likely_pause_ms, guest_percent, post_copy }
    }

    #[test]
    fn an_ending_says_what_becomes_of_the_guest() {
        assert_eq!(ending(&after(100, true)), "2.0 s to 5.0 s, with post-copy, with a pause of at most 300 ms");
        let never = Ending::Never { needed_pause_ms: 1_500 };
        assert_eq!(ending(&never), "does not end by itself, it would take a pause of 1.5 s");
    }

    #[test]
    fn what_speaks_for_a_destination() {
        let mut preflight = Preflight {
            control_flow: crate::ControlFlow::PeerToPeer,
            encrypted: false,
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
        preflight.prediction = Some(crate::examples::prediction(after(100, false)));
        assert_eq!(merits(&preflight), "Nothing stands in the way, no disk is copied, and it takes 2.0 s to 5.0 s.");
        preflight.findings.push(crate::Finding::warning(crate::FindingCode::QemuVersion, "QEMU is older there."));
        preflight.disks[0].treatment = crate::Treatment::Copy {
            pool: "images".into(),
            volume: "web.qcow2".into(),
            available_bytes: 0,
            other_pools: Vec::new(),
        };
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
