//! The threads of one connection: libvirt's calls block, so callers hand them over and wait with a time limit.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use super::Connection;
use crate::error::{CallFailure, LibvirtError};

/// How many calls may wait for a thread. Only a host that hangs has as many, and their callers have given up by then.
const QUEUE: usize = 64;

/// Threads that open a connection, make calls on it, and close it when this is dropped.
///
/// A thread that hangs in a call can't be stopped. It ends when libvirt finds the connection dead.
pub(crate) struct Workers {
    calls: SyncSender<Call>,
}

type Call = Box<dyn FnOnce(&Arc<Connection>) + Send>;

impl Workers {
    /// Connects with `open` on a new thread, and serves calls on that and on further threads, `threads` in all. If the caller stops
    /// waiting, the connection is closed as soon as it is open.
    pub(crate) async fn open(
        host: &str,
        threads: usize,
        open: impl FnOnce() -> Result<Connection, LibvirtError> + Send + 'static,
    ) -> Result<Self, CallFailure> {
        let (calls, receiver) = sync_channel(QUEUE);
        let (opened, is_open) = oneshot::channel();
        let name = format!("libvirt-{host}");
        let further = name.clone();
        let first = move || match open() {
            Ok(connection) => {
                let (connection, receiver) = (Arc::new(connection), Arc::new(Mutex::new(receiver)));
                for _ in 1..threads {
                    let (connection, receiver) = (connection.clone(), receiver.clone());
                    if let Err(error) = spawn(&further, move || serve(&connection, &receiver)) {
                        tracing::warn!(%error, "could not start a thread for this connection: it has fewer than it should");
                    }
                }
                // Fails if the caller stopped waiting; then `serve` finds no more calls either.
                let _ = opened.send(Ok(()));
                serve(&connection, &receiver);
            }
            Err(error) => {
                let _ = opened.send(Err(CallFailure::Refused(error)));
            }
        };
        spawn(&name, first).map_err(|error| CallFailure::Broken(error.to_string()))?;
        is_open.await.unwrap_or_else(|_| Err(died()))?;
        Ok(Self { calls })
    }

    /// Lets a thread do `work`, and waits for at most `limit`. Work that no thread has begun by then is dropped.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Connection) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, CallFailure> {
        timeout(limit, self.call_unlimited(work)).await.unwrap_or(Err(CallFailure::Late(limit)))
    }

    /// Lets a thread do `work`, and waits without a time limit.
    pub(crate) async fn call_unlimited<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, CallFailure> {
        let (reply, result) = oneshot::channel();
        let call = move |connection: &Arc<Connection>| {
            if !reply.is_closed() {
                let failure =
                    |error| if connection.is_open() { CallFailure::Refused(error) } else { CallFailure::Lost(error) };
                // Fails if the caller stopped waiting meanwhile.
                let _ = reply.send(work(connection).map_err(failure));
            }
        };
        self.calls.try_send(Box::new(call)).map_err(|_| CallFailure::Busy)?;
        result.await.unwrap_or_else(|_| Err(died()))
    }

    /// The connection itself, for a call that needs two of them. It stays open until that call has dropped it, too.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, CallFailure> {
        let (reply, connection) = oneshot::channel();
        let call = move |connection: &Arc<Connection>| {
            // Fails if the caller stopped waiting meanwhile.
            let _ = reply.send(connection.clone());
        };
        self.calls.try_send(Box::new(call)).map_err(|_| CallFailure::Busy)?;
        connection.await.map_err(|_| died())
    }
}

/// Works on calls until the `Workers` are dropped.
fn serve(connection: &Arc<Connection>, calls: &Mutex<Receiver<Call>>) {
    loop {
        // In a statement of its own, so that the next thread can wait for a call while this one works.
        let call = calls.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match call {
            Ok(call) => call(connection),
            Err(_) => return,
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

fn died() -> CallFailure {
    CallFailure::Broken("the thread of this call died".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    };

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::connection::{events::Notifier, testing};

    const LIMIT: Duration = Duration::from_secs(5);

    async fn workers(threads: usize) -> Arc<Workers> {
        Arc::new(Workers::open("alpha", threads, || Ok(testing::connection())).await.unwrap())
    }

    /// Lets a thread hang until what this returns is dropped.
    async fn hang(workers: &Arc<Workers>) -> Sender<()> {
        let (release, released) = channel();
        let (begin, begun) = oneshot::channel();
        let hangs = move |_: &Connection| {
            let _ = begin.send(());
            let _ = released.recv();
            Ok(())
        };
        let workers = workers.clone();
        tokio::spawn(async move { workers.call_unlimited(hangs).await });
        begun.await.unwrap();
        release
    }

    #[tokio::test]
    async fn work_is_done_on_threads_of_the_host() {
        let name = workers(2).await.call_unlimited(|_| Ok(thread::current().name().map(str::to_owned))).await;
        assert_eq!(name.unwrap().as_deref(), Some("libvirt-alpha"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_waits_no_longer_than_the_limit_and_late_work_is_dropped() {
        let workers = workers(1).await;
        let release = hang(&workers).await;
        let done = Arc::new(AtomicBool::new(false));
        let seen = done.clone();
        let late = move |_: &Connection| {
            seen.store(true, Ordering::Relaxed);
            Ok(())
        };
        assert!(matches!(workers.call(LIMIT, late).await, Err(CallFailure::Late(LIMIT))));
        drop(release);
        workers.call_unlimited(|_| Ok(())).await.unwrap();
        assert!(!done.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_thread_that_hangs_does_not_block_the_others() {
        let workers = workers(2).await;
        let _release = hang(&workers).await;
        workers.call_unlimited(|_| Ok(())).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_of_a_host_that_hangs_is_bounded() {
        let workers = workers(1).await;
        let _release = hang(&workers).await;
        for _ in 0..QUEUE {
            assert!(matches!(workers.call(LIMIT, |_| Ok(())).await, Err(CallFailure::Late(_))));
        }
        assert!(matches!(workers.call(LIMIT, |_| Ok(())).await, Err(CallFailure::Busy)));
    }

    #[tokio::test]
    async fn the_connection_is_closed_with_its_workers() {
        let (sender, mut events) = unbounded_channel();
        let notifier = Arc::new(Notifier::new("alpha".parse().unwrap(), sender));
        let open = move || {
            let mut connection = testing::connection();
            connection.notify_changes(&notifier)?;
            Ok(connection)
        };
        let workers = Workers::open("alpha", 2, open).await.unwrap();
        drop(workers);
        while events.recv().await.is_some() {}
    }

    #[tokio::test]
    async fn a_refused_call_returns_libvirts_error() {
        let absent = |connection: &Connection| Ok(connection.lookup_domain_by_uuid(uuid::Uuid::nil())?.name()?);
        match workers(1).await.call_unlimited(absent).await {
            Err(CallFailure::Refused(error)) => assert_eq!(error.number, virt::sys::VIR_ERR_NO_DOMAIN),
            other => panic!("{other:?}"),
        }
    }
}
