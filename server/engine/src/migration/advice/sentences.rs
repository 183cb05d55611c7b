//! The sentences of advice. Each gets the step that it speaks of, and names no other act.

use model::{HostName, Migration, Step};

use super::{Found, Placed, Reason};

/// What sentences are about.
pub(super) struct Sentences<'a> {
    pub(super) record: &'a Migration,
    /// The hosts that do not answer.
    pub(super) silent: Vec<&'a HostName>,
    /// Those that are not asked, as they are not the machines any more that they were.
    pub(super) strangers: Vec<&'a HostName>,
    /// The hosts that have another VM with its UUID.
    pub(super) twins: Vec<&'a HostName>,
}

/// What is said where a person can do nothing but see that hosts answer.
pub(super) const BY_ITSELF: &str = "vmferry asks again by itself, and settles it as soon as that is clear.";

impl Sentences<'_> {
    pub(super) fn runs_twice(&self, [one, other]: [Placed<'_>; 2], step: Step) -> Found {
        let vm = &self.record.vm_name;
        let kept = if *one.0 == *step.host() { other.0 } else { one.0 };
        let then = format!(
            "{}, which can be undone: only {kept} then runs it, and there is time to find out which copy is the right one.",
            step.label()
        );
        Found {
            sentence: format!("{vm} runs on {} and {} at the same time.", one.0, other.0),
            fix: format!(
                "{} The copy on {}; the one on {}. {then}",
                self.disks(),
                came_to_run(one),
                came_to_run(other)
            ),
            step: Some(step),
        }
    }

    pub(super) fn runs_often(&self, running: &[Placed<'_>], step: Step) -> Found {
        Found {
            sentence: format!("{} runs on {} at the same time.", self.record.vm_name, hosts(running)),
            fix: format!("{} {}, which can be undone, and so on until only one runs.", self.disks(), step.label()),
            step: Some(step),
        }
    }

    pub(super) fn moves(&self, moving: &[Placed<'_>]) -> Found {
        self.only_said(
            format!(
                "{} is still being moved: {} has not decided yet what becomes of its copy.",
                self.record.vm_name,
                hosts(moving)
            ),
            BY_ITSELF.to_owned(),
        )
    }

    pub(super) fn also_paused(&self, runs: &HostName, paused: &HostName, step: Step) -> Found {
        let vm = &self.record.vm_name;
        Found {
            sentence: format!("{vm} runs on {runs}, and {paused} has a paused copy of it."),
            fix: format!(
                "Look first whether {vm} works as it should on {runs}. Then: {}. What only that copy has in memory is lost.",
                step.label()
            ),
            step: Some(step),
        }
    }

    pub(super) fn runs(&self, host: &HostName) -> Found {
        let vm = self.record.name_on(host);
        match self.silent.is_empty() && self.strangers.is_empty() && self.twins.is_empty() {
            true => self.only_said(format!("{vm} runs on {host}, and only there."), BY_ITSELF.to_owned()),
            false => self.only_said(
                format!("{vm} runs on {host}. Whether it runs elsewhere, too, is not known: {}.", self.no_answer()),
                format!("See that {}. {BY_ITSELF}", self.answers()),
            ),
        }
    }

    pub(super) fn unknown(&self) -> Found {
        let vm = &self.record.vm_name;
        self.only_said(
            format!("Where {vm} runs is not known: {}, and the other hosts do not run it.", self.no_answer()),
            format!(
                "It may run there, so leave {vm} alone on the other hosts. See that {}. {BY_ITSELF}",
                self.answers()
            ),
        )
    }

    pub(super) fn never_ran_there(&self, step: Step) -> Found {
        let Migration { vm_name, source, destination, .. } = self.record;
        Found {
            sentence: format!("{source} has {vm_name} paused, and it has never run on {destination}."),
            fix: format!("{}: all hosts have said that they do not run it.", step.label()),
            step: Some(step),
        }
    }

    pub(super) fn ran_there_and_ended(&self, step: Step) -> Found {
        let Migration { vm_name, source, destination, .. } = self.record;
        Found {
            sentence: format!(
                "{vm_name} ran on {destination} and ended there. {source} still has a paused copy from before."
            ),
            fix: format!("{}: what it has in memory is older than the disks.", step.label()),
            step: Some(step),
        }
    }

    pub(super) fn may_have_run_there(&self) -> Found {
        let Migration { vm_name, source, destination, .. } = self.record;
        self.only_said(
            format!("{source} has {vm_name} paused, and it may have run on {destination} and ended there or moved on."),
            format!(
                "Look into libvirt's log on {destination} whether it has run there, before anything is done to the copy on {source}: if so, \
                 that one is older than the disks."
            ),
        )
    }

    pub(super) fn arrived_paused(&self, step: Step) -> Found {
        let Migration { source, destination, .. } = self.record;
        let vm = self.record.name_on(destination);
        Found {
            sentence: format!("{vm} has arrived on {destination} paused, and {source} does not run it any more."),
            fix: format!("{}: all hosts have said that they do not run it.", step.label()),
            step: Some(step),
        }
    }

    pub(super) fn may_have_gone_on(&self) -> Found {
        let Migration { vm_name, source, destination, .. } = self.record;
        self.only_said(
            format!("{vm_name} is off on {source}, and {destination} has it paused since the migration."),
            format!(
                "It may have gone on on {source} before it ended there: then what {destination} has in memory is older than the disks. Look into \
                 libvirt's log on {source} before anything is done to the copy on {destination}."
            ),
        )
    }

    pub(super) fn arrived_in_part(&self) -> Found {
        let Migration { vm_name, source, destination, .. } = self.record;
        self.only_said(
            format!("{vm_name} ended on {source} while it was moved. {destination} has it paused, perhaps without all of its disks."),
            format!("What {source} has on its disks is complete. Look into the guest's disks on {destination} before they are used."),
        )
    }

    pub(super) fn is_paused(&self, host: &HostName) -> Found {
        let vm = self.record.name_on(host);
        self.only_said(format!("{vm} is paused on {host}, and is on no other host."), BY_ITSELF.to_owned())
    }

    pub(super) fn both_paused(&self, step: Step) -> Found {
        let Migration { vm_name, source, destination, .. } = self.record;
        Found {
            sentence: format!("{vm_name} does not run: {source} and {destination} both have it paused."),
            fix: format!("{}: it has never run on {destination}.", step.label()),
            step: Some(step),
        }
    }

    pub(super) fn all_paused(&self, paused: &[Placed<'_>]) -> Found {
        self.only_said(
            format!("{} does not run: it is paused on {}.", self.record.vm_name, hosts(paused)),
            "It may have run on each of them. Look into libvirt's logs there which copy ran last: only that one is as new as the disks."
                .to_owned(),
        )
    }

    pub(super) fn is_gone(&self) -> Found {
        let vm = &self.record.vm_name;
        self.only_said(
            format!("No host has {vm}, not even its definition."),
            format!(
                "If it was not removed on purpose, look on which machine {} was when it moved.",
                self.record.destination
            ),
        )
    }

    pub(super) fn is_off(&self, off: &[Placed<'_>]) -> Found {
        self.only_said(
            format!("{} is off, and defined on {}.", self.record.vm_name, hosts(off)),
            "All of it is as it was before the migration, or as it should be after it. Use it on one host only."
                .to_owned(),
        )
    }

    pub(super) fn defined_twice(&self, step: Option<Step>) -> Found {
        let Migration { vm_name, source, destination, .. } = self.record;
        let fix = match &step {
            Some(step) => format!("{}: the migration made it.", step.label()),
            None => "Use it on one of them only: its disks must not be written to from both.".to_owned(),
        };
        Found {
            sentence: format!("{source} and {destination} both have the definition of {vm_name}. It is off on both."),
            fix,
            step,
        }
    }

    pub(super) fn runs_nowhere(&self, off: &[Placed<'_>], step: Option<Step>) -> Found {
        let vm = &self.record.vm_name;
        let ends: Vec<String> = off.iter().map(|placed| ended(*placed)).collect();
        let fix = match &step {
            Some(step) => format!("{}, unless it was shut down on purpose.", step.label()),
            None => format!(
                "Where it ran last can't be told. Look into libvirt's logs on these hosts before {vm} is used again: its disks may be older on \
                 one of them."
            ),
        };
        Found { sentence: format!("{vm} runs on no host: {}.", ends.join("; ")), fix, step }
    }

    pub(super) fn only_said(&self, sentence: String, fix: String) -> Found {
        Found { sentence, fix, step: None }
    }

    /// Whether two running copies damage anything.
    fn disks(&self) -> String {
        let targets: Vec<&str> = self.record.disks.iter().map(|disk| disk.target.as_str()).collect();
        match targets[..] {
            [] => "If both write to the same disks, these are being damaged now.".to_owned(),
            _ => {
                format!("Each has a {} of its own, but any other disk is being written to by both.", targets.join(", "))
            }
        }
    }

    fn no_answer(&self) -> String {
        let verb = if self.silent.len() == 1 { "does" } else { "do" };
        let silent = (!self.silent.is_empty()).then(|| format!("{} {verb} not answer", names(&self.silent)));
        let verb = if self.strangers.len() == 1 { "is" } else { "are" };
        let strangers = (!self.strangers.is_empty()).then(|| {
            format!("{} {verb} not registered any more, or another machine has that name", names(&self.strangers))
        });
        let twins = self.twins.iter().map(|host| format!("{host} has another VM with its UUID"));
        silent.into_iter().chain(strangers).chain(twins).collect::<Vec<_>>().join(", and ")
    }

    fn answers(&self) -> String {
        let verb = if self.silent.len() == 1 { "answers" } else { "answer" };
        let silent = (!self.silent.is_empty()).then(|| format!("{} {verb} again", names(&self.silent)));
        let verb = if self.strangers.len() == 1 { "is" } else { "are" };
        let strangers = (!self.strangers.is_empty())
            .then(|| format!("{} {verb} registered under that name, as the machine of then", names(&self.strangers)));
        let twins = self.twins.iter().map(|host| format!("the VM on {host} gets a UUID of its own"));
        silent.into_iter().chain(strangers).chain(twins).collect::<Vec<_>>().join(", and that ")
    }
}

/// How a running copy came to run.
fn came_to_run((host, seen): Placed<'_>) -> String {
    let how = match seen.reason {
        Reason::Booted => "was booted there",
        Reason::Migrated => "arrived by a migration",
        Reason::Restored | Reason::FromSnapshot => "was restored from a saved state",
        Reason::Unpaused => "was paused for a while",
        Reason::MigrationCanceled => "went on when a migration had broken off",
        _ => "has run for an unknown time",
    };
    format!("{host} {how}")
}

/// How a copy that is off ended.
fn ended((host, seen): Placed<'_>) -> String {
    match seen.reason {
        Reason::Shutdown => format!("on {host} it shut down"),
        Reason::Crashed => format!("on {host} its QEMU died"),
        Reason::Destroyed => format!("on {host} it was forced off"),
        Reason::Migrated => format!("from {host} it moved away"),
        Reason::Failed => format!("on {host} it could not go on"),
        Reason::Saved => format!("on {host} it was saved"),
        _ => format!("on {host} it is off"),
    }
}

fn hosts(placed: &[Placed<'_>]) -> String {
    names(&placed.iter().map(|(host, _)| *host).collect::<Vec<_>>())
}

/// `alpha`, `alpha and beta`, `alpha, beta and gamma`.
fn names(hosts: &[&HostName]) -> String {
    let names: Vec<&str> = hosts.iter().map(|host| host.as_str()).collect();
    match &names[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}
