//! Where a VM can go: the real engine on simulated hosts.

use std::time::Duration;

use engine::testing::{Load, Sim};
use model::{Destination, Destinations, HostName, MigrationOptions, MigrationRequest, Policy, VmState};
use port::{DestinationsRequest, Migrations as _};
use store::MemoryStore;

use super::*;

/// A console with `web` on alpha; beta and gamma are registered, too.
async fn house(directory: &TestDirectory) -> (ServerConsole, Sim, VmId) {
    house_on(directory, Arc::default(), 0).await
}

/// The same, on this store; `web` writes so many bytes a second to its memory.
pub(super) async fn house_on(
    directory: &TestDirectory,
    store: Arc<MemoryStore>,
    dirty_bytes_s: u64,
) -> (ServerConsole, Sim, VmId) {
    let auth = Auth::new(store.clone(), HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default());
    let sim = Sim::new();
    let hosts = ["alpha", "beta", "gamma"].map(|name| sim.add_host(name));
    let load = Load { memory_bytes: (1 << 20) + 4 * dirty_bytes_s, dirty_bytes_s };
    let web = sim.add_vm(&hosts[0].name, "web", VmState::Running, load);
    let engine = Engine::start(hosts.into(), Arc::new(sim.clone()), store.clone()).await.unwrap();
    let mut updates = engine.subscribe(None, None);
    while engine.vm(web).is_none() || !engine.is_ready() {
        updates.recv().await.unwrap();
    }
    let keys = SshFiles::below(directory.path()).into();
    (ServerConsole::new(engine, auth, store, keys, Allowed::default()), sim, web)
}

fn name(name: &str) -> HostName {
    name.parse().unwrap()
}

fn shown(found: &Destinations) -> (Option<&str>, Vec<&str>) {
    let names = found.reports.iter().map(|report| report.host.name.as_str()).collect();
    (found.recommended.as_ref().map(HostName::as_str), names)
}

#[tokio::test(start_paused = true)]
async fn the_best_of_all_other_hosts_is_recommended() {
    let directory = TestDirectory::new();
    let (console, sim, web) = house(&directory).await;
    let found = console.destinations(&ada(), DestinationsRequest::plain(web)).await.unwrap();
    assert_eq!(shown(&found), (Some("beta"), vec!["beta", "gamma"]));
    sim.shape_host(&name("beta"), |survey| survey.writable = false);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let found = console.destinations(&ada(), DestinationsRequest::plain(web)).await.unwrap();
    assert_eq!(shown(&found), (Some("gamma"), vec!["gamma", "beta"]));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_answers_late_is_left_out_or_waited_for() {
    let directory = TestDirectory::new();
    let (console, sim, web) = house(&directory).await;
    sim.hang(&name("beta"));
    let hurried =
        DestinationsRequest { patience: Some(Duration::from_millis(1_500)), ..DestinationsRequest::plain(web) };
    assert_eq!(shown(&console.destinations(&ada(), hurried).await.unwrap()), (Some("gamma"), vec!["gamma"]));
    let found = console.destinations(&ada(), DestinationsRequest::plain(web)).await.unwrap();
    assert_eq!(shown(&found), (Some("gamma"), vec!["gamma", "beta"]));
}

#[tokio::test(start_paused = true)]
async fn options_are_those_chosen_for_a_host() {
    let directory = TestDirectory::new();
    let (console, _, web) = house(&directory).await;
    let none = MigrationOptions::default();
    let impossible = MigrationOptions { bandwidth_mib_s: Some(0), ..none.clone() };
    let options = [(name("beta"), impossible.clone())].into();
    let found = console.destinations(&ada(), DestinationsRequest { options, ..DestinationsRequest::plain(web) }).await;
    let found = found.unwrap();
    assert_eq!(shown(&found), (Some("gamma"), vec!["gamma", "beta"]));
    assert_eq!(found.reports[1].preflight.as_ref().unwrap_err().code, Code::InvalidInput);
    for impossible in [
        impossible,
        MigrationOptions { bandwidth_mib_s: Some(1_000_001), ..none.clone() },
        MigrationOptions { longest_pause_ms: Some(0), ..none.clone() },
        MigrationOptions { longest_pause_ms: Some(2_000_001), ..none.clone() },
        MigrationOptions { budget_s: Some(0), ..none.clone() },
        MigrationOptions { budget_s: Some(604_801), ..none.clone() },
    ] {
        let one = console.destination(&ada(), web, &name("beta"), &impossible).await.unwrap();
        assert_eq!(one.preflight.unwrap_err().code, Code::InvalidInput, "{impossible:?}");
        let destination = Destination::Registered(name("beta"));
        let request = MigrationRequest { options: impossible.clone(), ..MigrationRequest::plain(web, destination) };
        assert_eq!(console.start(&ada(), request).await.unwrap_err().code, Code::InvalidInput, "{impossible:?}");
    }
    let widest = MigrationOptions {
        longest_pause_ms: Some(2_000_000),
        budget_s: Some(604_800),
        policy: Some(Policy::Certain),
        ..none
    };
    let one = console.destination(&ada(), web, &name("beta"), &widest).await.unwrap();
    assert!(one.preflight.unwrap().is_possible());
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_has_no_destinations() {
    let directory = TestDirectory::new();
    let (console, _, web) = house(&directory).await;
    let unknown = console.destinations(&ada(), DestinationsRequest::plain(VM)).await.unwrap_err();
    assert_eq!(unknown.code, Code::UnknownVm);
    let nothing_chosen = MigrationOptions::default();
    let unknown = console.destination(&ada(), VM, &name("beta"), &nothing_chosen).await.unwrap_err();
    assert_eq!(unknown.code, Code::UnknownVm);
    let unknown = console.destination(&ada(), web, &name("nowhere"), &nothing_chosen).await.unwrap_err();
    assert_eq!(unknown.code, Code::UnknownHost);
    assert_eq!(console.vm(&ada(), VM).unwrap_err().code, Code::UnknownVm);
}
