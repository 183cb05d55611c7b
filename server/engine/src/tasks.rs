//! The engine's background tasks, and how they stop.

use std::time::Duration;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::error::Error;

/// How long [`Tasks::stop`] waits for tasks to end.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Spawns tasks and stops them together.
#[derive(Default)]
pub(crate) struct Tasks {
    stopping: CancellationToken,
    tracker: TaskTracker,
}

impl Tasks {
    /// Runs a task until it ends or the engine stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                // The stop counts first: a queued migration must not begin because those before it were dropped.
                biased;
                () = stopping.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Runs a task to its end even if the caller leaves or the engine stops: a half-done change would leave the store and the
    /// inventory apart.
    ///
    /// # Errors
    /// Those of the task; [`Error::Stopping`] if it panicked, or the runtime was shut down under it.
    pub(crate) async fn spawn_to_completion<T: Send + 'static>(
        &self,
        task: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let done = self.tracker.spawn(task).await;
        done.unwrap_or_else(|_| Err(Error::Stopping))
    }

    /// How many tasks run.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.tracker.len()
    }

    /// Stops all tasks, and waits a few seconds for them to end.
    pub(crate) async fn stop(&self) {
        self.stopping.cancel();
        self.tracker.close();
        if tokio::time::timeout(STOP_LIMIT, self.tracker.wait()).await.is_err() {
            tracing::warn!("some tasks did not end in time");
        }
    }
}
