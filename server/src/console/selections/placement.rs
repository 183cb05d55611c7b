//! Where the VMs of a selection can go: preflights, bounded in number and time.
//!
//! Each VM is asked about on its own; of the others of its selection only their memory counts, so that they do not all go to the host that
//! is the emptiest now.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{StreamExt, future::join_all, stream};
use model::{
    Code, Host, HostName, MigrationOptions, Placement, Preflight, Problem, SelectedVm, Selection, Severity, Turn, Vm,
    recommended, refusal, text,
};
use tokio::time::{Instant, timeout_at};

use super::{ServerConsole, gone};

/// How many VMs are checked at once.
const VMS_AT_ONCE: usize = 8;
/// How many hosts are asked for a VM that goes where it fits best: those with the most free memory.
const HOSTS_ASKED: usize = 3;
/// How long all checks may take together. VMs that were not reached by then are checked as they begin to move.
const LIMIT: Duration = Duration::from_secs(60);

/// Finds out where the VMs of a selection can go, and tells of each as soon as it is known.
pub(super) async fn check(console: &ServerConsole, selection: &Selection) {
    let Some(placement) = &selection.placement else { return };
    let (until, room) = (Instant::now() + LIMIT, &Room::default());
    // The largest first: the others fit into what is left.
    let mut vms: Vec<(&SelectedVm, Option<Vm>)> =
        selection.vms.iter().map(|vm| (vm, console.engine.vm(vm.id))).collect();
    vms.sort_by_key(|(_, now)| std::cmp::Reverse(now.as_ref().map(|vm| vm.memory_bytes)));
    stream::iter(vms)
        .for_each_concurrent(VMS_AT_ONCE, |(vm, now)| async move {
            let turn = match now {
                None => Turn::Excluded(gone()),
                Some(now) => turn_of(console, &now, placement, room, until).await.unwrap_or_else(Turn::Excluded),
            };
            console.selections.tell(selection.id, vm.id, turn);
        })
        .await;
}

/// Where a VM goes; or why it goes nowhere.
async fn turn_of(
    console: &ServerConsole,
    vm: &Vm,
    placement: &Placement,
    room: &Room,
    until: Instant,
) -> Result<Turn, Problem> {
    let hosts = candidates(console, vm, placement, room)?;
    let asked = hosts.iter().map(|host| async move {
        let options = MigrationOptions::default();
        let preflight = console.engine.preflight(vm.id, &host.name, &options);
        timeout_at(until, preflight).await.ok().map(|preflight| (host, preflight.map_err(Problem::from)))
    });
    let answers: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
    if answers.is_empty() {
        let destination = hosts.first().map(|host| host.name.clone()).ok_or_else(|| no_host(vm))?;
        return Ok(Turn::Unchecked { destination });
    }
    let admitted = |(host, preflight): (&Host, Result<Preflight, Problem>)| {
        let preflight = preflight?;
        console.engine.admits(&preflight)?;
        Ok::<_, Problem>((host.clone(), preflight))
    };
    let (mut possible, mut refused) = (Vec::new(), None);
    for answer in answers {
        match admitted(answer) {
            Ok(answer) => possible.push(answer),
            Err(problem) => refused = refused.or(Some(problem)),
        }
    }
    match room.take(vm, possible) {
        Some((there, preflight, has_room)) => Ok(planned(&there, &preflight, has_room)),
        None => Err(refused.unwrap_or_else(|| no_host(vm))),
    }
}

/// The hosts that are asked, the best guess first.
fn candidates(console: &ServerConsole, vm: &Vm, placement: &Placement, room: &Room) -> Result<Vec<Host>, Problem> {
    match placement {
        Placement::Host(name) => {
            let host = console.engine.shown_host(name).ok_or_else(|| no_host(vm))?;
            refusal(vm, &host, None).map_or(Ok(vec![host]), |refusal| Err(refusal.problem))
        }
        Placement::Best => {
            let mut hosts = console.engine.destinations(&vm.host);
            let first_refusal = hosts.iter().find_map(|host| refusal(vm, host, None));
            hosts.retain(|host| refusal(vm, host, None).is_none());
            if hosts.is_empty() {
                return Err(first_refusal.map_or_else(|| no_host(vm), |refusal| refusal.problem));
            }
            hosts.sort_by_key(|host| std::cmp::Reverse(room.left(host)));
            hosts.truncate(HOSTS_ASKED);
            Ok(hosts)
        }
    }
}

fn planned(there: &Host, preflight: &Preflight, has_room: bool) -> Turn {
    let mut warnings: Vec<String> = preflight.of(Severity::Warning).map(|finding| finding.text.clone()).collect();
    if !has_room {
        let free = text::bytes(there.memory_free_bytes);
        warnings.push(format!("{} has {free} free, less than the VMs of this selection need together.", there.name));
    }
    Turn::Planned { destination: Some(there.name.clone()), warnings }
}

fn no_host(vm: &Vm) -> Problem {
    Problem::new(Code::UnknownHost, format!("No other host can take {} now.", vm.name))
        .with_fix("Its own Migrate window says why of each host.")
}

/// What the VMs that were planned take of the hosts' memory, in bytes.
#[derive(Default)]
struct Room(Mutex<BTreeMap<HostName, u64>>);

impl Room {
    /// What is left of a host's free memory, in bytes.
    fn left(&self, host: &Host) -> u64 {
        host.memory_free_bytes.saturating_sub(self.lock().get(&host.name).copied().unwrap_or_default())
    }

    /// Takes the room for a VM at the best of hosts, one that has room if any does, and says whether it has.
    fn take(&self, vm: &Vm, possible: Vec<(Host, Preflight)>) -> Option<(Host, Preflight, bool)> {
        let needs = if vm.state.is_active() { vm.memory_bytes } else { 0 };
        let mut taken = self.lock();
        let left =
            |host: &Host| host.memory_free_bytes.saturating_sub(taken.get(&host.name).copied().unwrap_or_default());
        let has_room = |host: &Host| left(host) >= needs;
        let of_these = |with_room: bool| {
            let hosts = possible.iter().filter(move |(host, _)| has_room(host) == with_room);
            recommended(hosts.map(|(host, preflight)| (preflight.rank(left(host)), &host.name))).cloned()
        };
        let (best, has_room) = match of_these(true) {
            Some(best) => (best, true),
            None => (of_these(false)?, false),
        };
        *taken.entry(best.clone()).or_default() += needs;
        let (host, preflight) = possible.into_iter().find(|(host, _)| host.name == best)?;
        Some((host, preflight, has_room))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<HostName, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
