//! Something that is done to several VMs: the real engine on simulated hosts.

use std::time::Duration;

use engine::testing::{Load, Sim};
use model::{
    Chosen, Destination, HostName, MigrationRequest, Selection, SelectionId, Stage, StateFilter, Turn, VmQuery, VmState,
};
use port::Selections;
use store::{AuditFilter, MemoryStore};
use tokio::time::sleep;

use super::{destinations::house_on, *};

const SHUT_DOWN: VmAction = VmAction::ShutDown;

struct House {
    console: ServerConsole,
    sim: Sim,
    store: Arc<MemoryStore>,
    _directory: TestDirectory,
}

/// `web` and `cache` run on alpha, `db` on beta, where `old` is off; nothing is on gamma.
async fn house() -> (House, [VmId; 4]) {
    let directory = TestDirectory::new();
    let store = Arc::new(MemoryStore::default());
    let (console, sim, web) = house_on(&directory, store.clone(), 0).await;
    let load = Load { memory_bytes: 1 << 20, dirty_bytes_s: 0 };
    let add = |host: &str, vm, state| sim.add_vm(&host.parse().unwrap(), vm, state, load);
    let cache = add("alpha", "cache", VmState::Running);
    let db = add("beta", "db", VmState::Running);
    let old = add("beta", "old", VmState::ShutOff);
    while [cache, db, old].iter().any(|vm| console.engine.vm(*vm).is_none()) {
        sleep(Duration::from_millis(100)).await;
    }
    (House { console, sim, store, _directory: directory }, [web, cache, db, old])
}

impl House {
    fn selection(&self, id: SelectionId) -> Selection {
        self.console.selection(&ada(), id).unwrap()
    }

    /// What becomes of each VM, by name.
    fn turns(&self, id: SelectionId) -> Vec<(String, String)> {
        let told = |turn: &Turn| match turn {
            Turn::Planned => "planned".to_owned(),
            Turn::Excluded(problem) => format!("not: {}", problem.code.as_str()),
            Turn::Done => "done".to_owned(),
            Turn::Failed(problem) => format!("failed: {}", problem.code.as_str()),
        };
        self.selection(id).vms.iter().map(|vm| (vm.name.clone(), told(&vm.turn))).collect()
    }

    async fn reaches(&self, id: SelectionId, stage: Stage) {
        while self.selection(id).stage != stage {
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn carry_out(&self, id: SelectionId) {
        self.console.carry_out_selection(&ada(), id, self.selection(id).at_ms).unwrap();
        self.reaches(id, Stage::Done).await;
    }

    fn state(&self, host: &str, vm: VmId) -> Option<VmState> {
        self.sim.copy(&host.parse().unwrap(), vm).map(|copy| copy.state)
    }
}

fn told(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(vm, turn)| ((*vm).to_owned(), (*turn).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn what_will_be_done_is_said_before_and_nothing_else_is_done() {
    let (house, [web, cache, db, old]) = house().await;
    let id = house.console.select(&ada(), Chosen::Vms(vec![web, db, old, VM]), SHUT_DOWN).unwrap();
    let gone = VM.to_string();
    let before = [("db", "planned"), ("old", "not: wrong-state"), ("web", "planned")];
    assert_eq!(house.turns(id)[1..], told(&before), "{gone} is the first by name");
    assert_eq!(house.turns(id)[0], (gone.clone(), "not: unknown-vm".to_owned()));
    assert_eq!(house.state("alpha", web), Some(VmState::Running), "nothing is done by looking");
    house.carry_out(id).await;
    let after = [(gone.as_str(), "not: unknown-vm"), ("db", "done"), ("old", "not: wrong-state"), ("web", "done")];
    assert_eq!(house.turns(id), told(&after));
    assert_eq!(house.state("alpha", web), Some(VmState::ShutOff));
    assert_eq!(house.state("beta", db), Some(VmState::ShutOff));
    assert_eq!(house.state("alpha", cache), Some(VmState::Running), "it was not chosen");
    let log = house.store.audit_entries(&AuditFilter::newest(10)).await.unwrap();
    let actions = log.iter().filter(|entry| entry.action == "vm-action" && entry.actor == "ada");
    assert_eq!(actions.count(), 2, "each is in the audit log");
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_changed_meanwhile_is_told_and_left_alone() {
    let (house, [web, cache, db, _]) = house().await;
    let id = house.console.select(&ada(), Chosen::Vms(vec![web, cache, db]), SHUT_DOWN).unwrap();
    let beta: HostName = "beta".parse().unwrap();
    house.console.act(&ada(), cache, None, VmAction::ForceOff).await.unwrap();
    let request = MigrationRequest::plain(web, Destination::Registered(beta.clone()));
    house.console.start(&ada(), request).await.unwrap();
    while house.console.engine.vm(web).unwrap().host != beta {
        sleep(Duration::from_millis(100)).await;
    }
    house.carry_out(id).await;
    let after = [("cache", "failed: wrong-state"), ("db", "done"), ("web", "failed: wrong-state")];
    assert_eq!(house.turns(id), told(&after));
    assert_eq!(house.state("beta", web), Some(VmState::Running), "it was looked at on another host");
}

#[tokio::test(start_paused = true)]
async fn what_was_carried_out_is_not_done_twice() {
    let (house, [web, ..]) = house().await;
    let id = house.console.select(&ada(), Chosen::Vms(vec![web]), SHUT_DOWN).unwrap();
    house.carry_out(id).await;
    house.console.act(&ada(), web, None, VmAction::Start).await.unwrap();
    house.console.carry_out_selection(&ada(), id, 0).unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(house.state("alpha", web), Some(VmState::Running));
    // The same VMs again, as they are now.
    let again = house.console.select(&ada(), Chosen::Again(id), VmAction::Start).unwrap();
    assert_eq!(house.turns(again), told(&[("web", "not: wrong-state")]));
    let refused = house.console.carry_out_selection(&ada(), again, house.selection(again).at_ms).unwrap_err();
    assert_eq!(refused.code, Code::WrongState, "nothing would be done");
}

#[tokio::test(start_paused = true)]
async fn all_that_match_are_chosen_but_those_left_out() {
    let (house, [_, cache, ..]) = house().await;
    let query = VmQuery { state: StateFilter::Running, ..VmQuery::default() };
    let chosen = Chosen::Matching { query: query.clone(), except: vec![cache] };
    let id = house.console.select(&ada(), chosen, SHUT_DOWN).unwrap();
    assert_eq!(house.turns(id), told(&[("db", "planned"), ("web", "planned")]));
    let nothing = VmQuery { search: "name:nothing".into(), ..query };
    let chosen = Chosen::Matching { query: nothing, except: Vec::new() };
    assert_eq!(house.console.select(&ada(), chosen, SHUT_DOWN).unwrap_err().code, Code::InvalidInput);
    assert_eq!(house.console.select(&ada(), Chosen::Vms(Vec::new()), SHUT_DOWN).unwrap_err().code, Code::InvalidInput);
    let many = (0..=Selection::LARGEST as u128).map(|id| VmId(Uuid::from_u128(id))).collect();
    assert_eq!(house.console.select(&ada(), Chosen::Vms(many), SHUT_DOWN).unwrap_err().code, Code::TooLarge);
    let unknown = SelectionId(Uuid::nil());
    assert_eq!(house.console.carry_out_selection(&ada(), unknown, 0).unwrap_err().code, Code::NotFound);
}
