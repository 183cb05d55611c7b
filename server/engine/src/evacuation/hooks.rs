//! Who is told when a host is empty, and when all is home: each event once, or again if the console died meanwhile. It is in the store as *to be
//! told* from the moment of the stage on. What is told how is the server's.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use model::{EvacuationEvent, EvacuationId, HookEvent, Maintenance};
use tokio::time::sleep;

use crate::{context::Context, lock::lock};

/// How long is waited before it is tried again to write down that something was told.
const AGAIN: Duration = Duration::from_secs(5);

/// Tells commands and addresses of the configuration.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// Tells all of them, and says what came of each, in a sentence. Ends by itself.
    async fn tell(&self, event: &HookEvent) -> Vec<String>;
}

/// Tells what is to be told, as soon as it is known to whom.
pub(super) struct Announcer {
    context: Arc<Context>,
    state: Mutex<State>,
}

struct State {
    hooks: Option<Arc<dyn Hooks>>,
    /// What came before them, oldest first.
    waiting: Vec<HookEvent>,
}

impl Announcer {
    /// `waiting` is what an earlier run of the console has left.
    pub(super) fn new(context: Arc<Context>, waiting: Vec<HookEvent>) -> Self {
        Self { context, state: Mutex::new(State { hooks: None, waiting }) }
    }

    /// These are told from now on, and first what waits.
    pub(super) fn set_hooks(&self, hooks: Arc<dyn Hooks>) {
        let waiting = {
            let mut state = lock(&self.state);
            state.hooks = Some(Arc::clone(&hooks));
            std::mem::take(&mut state.waiting)
        };
        let context = Arc::clone(&self.context);
        self.context.tasks().spawn(async move {
            for event in waiting {
                tell(&context, &*hooks, event).await;
            }
        });
    }

    /// Tells what the store has as *to be told* by now.
    pub(super) fn announce(&self, event: HookEvent) {
        let mut state = lock(&self.state);
        let Some(hooks) = state.hooks.clone() else { return state.waiting.push(event) };
        let context = Arc::clone(&self.context);
        self.context.tasks().spawn(async move { tell(&context, &*hooks, event).await });
    }
}

/// Tells it, and writes down what came of it; then that it was told.
async fn tell(context: &Context, hooks: &dyn Hooks, event: HookEvent) {
    let told = hooks.tell(&event).await;
    write_outcome(context, &event, told).await;
    while let Err(error) = context.store().hook_told(event.id).await {
        tracing::warn!(host = %event.host, %error, "that hooks were told can't be written down");
        sleep(AGAIN).await;
    }
}

async fn write_outcome(context: &Context, event: &HookEvent, told: Vec<String>) {
    let now = context.inventory().maintenance(&event.host).cloned();
    match (now.filter(|now| now.evacuation == event.evacuation), event.home) {
        (Some(now), None) => {
            let now = Maintenance { told, ..now };
            if context.store().set_maintenance(&event.host, Some(&now), None).await.is_ok() {
                context.inventory().set_maintenance(&event.host, Some(now));
            }
        }
        // A host in use has no record; the evacuation that brought its VMs home has, and has ended.
        (_, Some(home)) => write_into_history(context, home, told).await,
        (None, None) => {}
    }
}

/// Adds to the history of an evacuation that has ended.
async fn write_into_history(context: &Context, id: EvacuationId, told: Vec<String>) {
    let at_ms = context.now_ms();
    let events: Vec<EvacuationEvent> = told.into_iter().map(|text| EvacuationEvent { at_ms, text }).collect();
    let Ok(Some(ended)) = context.store().evacuation(id).await else { return };
    match context.store().update_evacuation(&ended, &[], &events).await {
        Ok(()) => context.inventory().evacuations_changed(),
        Err(error) => tracing::warn!(evacuation = %id, %error, "what came of the hooks can't be written down"),
    }
}
