//! What can be asked for while the store can't be written.

use std::time::Duration;

use model::{Destination, MigrationRequest, Policy, Steering};
use store::MemoryStore;
use tokio::time::sleep;

use super::{destinations::house_on, *};

#[tokio::test(start_paused = true)]
async fn what_is_under_way_can_be_stopped_and_nothing_else_begins() {
    let directory = TestDirectory::new();
    let store = Arc::new(MemoryStore::default());
    // A VM whose migration does not converge: that is a warning.
    let (console, sim, web) = house_on(&directory, store.clone(), 64 << 20).await;
    let request = MigrationRequest::plain(web, Destination::Registered("beta".parse().unwrap()));
    let id = console.start(&ada(), request).await.unwrap().id;
    sleep(Duration::from_secs(5)).await;
    store.set_broken(true);
    assert_eq!(console.act(&ada(), web, None, VmAction::Pause).await.unwrap_err().code, Code::StoreUnavailable);
    console.steer(&ada(), id, Steering::Policy { policy: Policy::Gentle }).await.unwrap();
    console.cancel(&ada(), id).await.unwrap();
    sleep(Duration::from_secs(30)).await;
    assert_eq!(sim.runs_on(web), ["alpha".parse().unwrap()]);
    store.set_broken(false);
    sleep(Duration::from_secs(5)).await;
    let (end, history) = console.migration(&ada(), id).await.unwrap();
    assert_eq!(end.phase, Phase::Cancelled);
    assert!(history.iter().any(|event| event.text == "ada asked to cancel."), "{history:?}");
}
