//! A VM's serial console or screen, which stays open while the VM moves from host to host: `hypervisor/` opens it on one host, this follows
//! the VM by what the inventory knows of it.

use std::{sync::Arc, time::Duration};

use model::{HostName, TerminalEvent, TerminalKind, TerminalStatus, VmId, VmState};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use crate::{
    context::Context,
    hypervisor::{HostConnection, HostError, HostErrorKind, TerminalStream},
};

/// How many pieces of output or input wait for their receiver.
const QUEUE: usize = 16;
/// How long at least, and at most, before a host is asked again; in between, as soon as the inventory changes.
const RETRY: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];
/// How long a refusal is taken for one that passes: the events of two hosts need not arrive in order, and a page that is loaded again may
/// ask before libvirt has noticed that it had left.
const PATIENCE: Duration = Duration::from_secs(3);

/// Opens a terminal of a VM; see `Engine::open_terminal`.
///
/// # Errors
/// `unknown-vm`, `wrong-state` of a VM that is off.
pub(crate) fn open(
    context: &Arc<Context>,
    vm: VmId,
    kind: TerminalKind,
    take_over: bool,
) -> Result<(mpsc::Sender<Vec<u8>>, mpsc::Receiver<TerminalEvent>), HostError> {
    let changes = context.inventory().listen();
    let (input, typed) = mpsc::channel(QUEUE);
    let (events, receiver) = mpsc::channel(QUEUE);
    let terminal = Terminal { context: Arc::clone(context), changes, vm, kind, take_over, typed, events, told: None };
    if let Place::Nowhere(error) = terminal.place() {
        return Err(error);
    }
    context.tasks().spawn(terminal.follow());
    Ok((input, receiver))
}

/// A terminal that is open.
struct Terminal {
    context: Arc<Context>,
    /// Changes of the inventory.
    changes: watch::Receiver<u64>,
    vm: VmId,
    kind: TerminalKind,
    take_over: bool,
    typed: mpsc::Receiver<Vec<u8>>,
    events: mpsc::Sender<TerminalEvent>,
    /// What the user was told last.
    told: Option<TerminalStatus>,
}

/// Where a terminal can be opened, as far as the inventory knows.
enum Place {
    /// On this host.
    At(HostName, Arc<dyn HostConnection>),
    /// Not now, and what is waited for.
    Wait(String),
    /// Nowhere: the VM is off, or there is no such VM.
    Nowhere(HostError),
}

/// Why the bytes of one host came to an end.
#[derive(PartialEq)]
enum End {
    /// The user has left.
    Left,
    /// The host has closed the stream.
    Closed,
}

impl Terminal {
    async fn follow(mut self) {
        let mut asked_since = Instant::now();
        loop {
            // What changes from here on is looked at before the next pause.
            self.changes.borrow_and_update();
            let refused = match self.place() {
                Place::At(host, connection) => {
                    match connection.open_terminal(self.vm, self.kind, self.take_over).await {
                        Ok(stream) => {
                            if self.serve(host, stream).await == End::Left || self.kind == TerminalKind::Screen {
                                return;
                            }
                            asked_since = Instant::now();
                            continue;
                        }
                        Err(error) => error,
                    }
                }
                Place::Wait(text) => {
                    asked_since = Instant::now();
                    self.tell(TerminalStatus::Waiting { text }).await;
                    self.pause().await;
                    continue;
                }
                Place::Nowhere(error) => error,
            };
            if !refused.kind.is_no_answer() && (self.is_lasting(&refused) || asked_since.elapsed() >= PATIENCE) {
                let in_use = refused.kind == HostErrorKind::InUse;
                self.tell(TerminalStatus::Ended { problem: refused.into(), in_use }).await;
                return;
            }
            self.pause().await;
            if self.events.is_closed() {
                return;
            }
        }
    }

    /// Whether a refusal stays one however long is waited, or however the VM moves.
    fn is_lasting(&self, refused: &HostError) -> bool {
        refused.kind.is_for_a_person() || refused.kind == HostErrorKind::NotSupported
    }

    fn place(&self) -> Place {
        let inventory = self.context.inventory();
        let Some(vm) = inventory.vm(self.vm) else {
            return Place::Nowhere(HostError::unknown_vm(&self.vm.to_string()));
        };
        if vm.state == VmState::Unknown {
            return Place::Wait(format!("{} does not answer.", vm.host));
        }
        if !vm.state.is_active() {
            let sentence = format!("{} is {}.", vm.name, vm.state.as_str());
            return Place::Nowhere(HostError::new(HostErrorKind::WrongState, sentence).with_fix("Start the VM."));
        }
        match inventory.connection(&vm.host) {
            Ok(connection) => Place::At(vm.host.clone(), connection),
            Err(error) => Place::Wait(error.sentence),
        }
    }

    /// Passes bytes on in both directions.
    async fn serve(&mut self, host: HostName, mut stream: TerminalStream) -> End {
        // Whoever takes it over later is not thrown out again.
        self.take_over = false;
        self.tell(TerminalStatus::Connected { host }).await;
        let end = loop {
            tokio::select! {
                output = stream.output.recv() => {
                    let Some(bytes) = output else { break End::Closed };
                    if self.events.send(TerminalEvent::Output(bytes)).await.is_err() {
                        break End::Left;
                    }
                }
                typed = self.typed.recv() => {
                    let Some(bytes) = typed else { break End::Left };
                    if stream.input.send(bytes).await.is_err() {
                        break End::Closed;
                    }
                }
                () = self.events.closed() => break End::Left,
            }
        };
        if end == End::Closed {
            self.tell(TerminalStatus::Waiting { text: "Looking for where the VM is now.".to_owned() }).await;
        }
        end
    }

    async fn pause(&mut self) {
        let [least, most] = RETRY;
        sleep(least).await;
        tokio::select! {
            // Fails only when the engine is gone, and this task with it.
            _ = self.changes.changed() => {}
            () = sleep(most) => {}
            () = self.events.closed() => {}
        }
    }

    async fn tell(&mut self, status: TerminalStatus) {
        if self.told.as_ref() == Some(&status) {
            return;
        }
        self.told = Some(status.clone());
        // Fails if the user has left, which the caller notices.
        let _ = self.events.send(TerminalEvent::Status(status)).await;
    }
}
