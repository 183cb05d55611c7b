//! Terminals follow their VM from host to host.

use std::time::Duration;

use model::{TerminalEvent, TerminalKind, TerminalStatus, VmAction};
use tokio::time::timeout;

use super::*;

/// Longer than anything here takes, in the tests' own time.
const LIMIT: Duration = Duration::from_secs(60);

struct Open {
    input: mpsc::Sender<Vec<u8>>,
    events: mpsc::Receiver<TerminalEvent>,
}

impl Open {
    fn new(bench: &Bench, vm: VmId, kind: TerminalKind, take_over: bool) -> Self {
        let (input, events) = bench.engine.open_terminal(vm, kind, take_over).unwrap();
        Self { input, events }
    }

    /// The next event; none if the terminal has ended.
    async fn next(&mut self) -> Option<TerminalEvent> {
        timeout(LIMIT, self.events.recv()).await.expect("it goes on")
    }

    async fn connected(&mut self) -> HostName {
        loop {
            match self.next().await {
                Some(TerminalEvent::Status(TerminalStatus::Connected { host })) => return host,
                Some(TerminalEvent::Status(TerminalStatus::Waiting { .. })) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn ended(&mut self) -> (model::Problem, bool) {
        loop {
            match self.next().await {
                Some(TerminalEvent::Status(TerminalStatus::Ended { problem, in_use })) => return (problem, in_use),
                Some(TerminalEvent::Status(TerminalStatus::Waiting { .. })) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn answer(&mut self, text: &str) -> String {
        self.input.send(text.into()).await.unwrap();
        match self.next().await {
            Some(TerminalEvent::Output(bytes)) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_serial_console_answers_from_wherever_its_vm_has_moved_to() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let mut open = Open::new(&bench, vm, TerminalKind::Serial, false);
    assert_eq!(open.connected().await, host("alpha"));
    assert_eq!(open.answer("one").await, "one on alpha");
    for destination in ["beta", "alpha"] {
        let id = bench.start(vm, destination).await;
        bench.ended(id).await;
        assert_eq!(open.connected().await, host(destination));
        assert_eq!(open.answer("two").await, format!("two on {destination}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_screen_ends_with_its_host_so_that_it_is_opened_anew() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let mut open = Open::new(&bench, vm, TerminalKind::Screen, false);
    assert_eq!(open.connected().await, host("alpha"));
    let id = bench.start(vm, "beta").await;
    bench.ended(id).await;
    assert!(matches!(open.next().await, Some(TerminalEvent::Status(TerminalStatus::Waiting { .. }))));
    assert_eq!(open.next().await, None);
    assert_eq!(Open::new(&bench, vm, TerminalKind::Screen, false).connected().await, host("beta"));
}

#[tokio::test(start_paused = true)]
async fn a_terminal_ends_with_its_vm_and_says_so() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let mut open = Open::new(&bench, vm, TerminalKind::Serial, false);
    open.connected().await;
    bench.engine.act(vm, None, VmAction::ShutDown).await.unwrap();
    let (problem, in_use) = open.ended().await;
    assert_eq!((problem.code, problem.sentence.as_str()), (model::Code::WrongState, "web is shut off."));
    assert!(!in_use);
    assert_eq!(open.next().await, None);
    assert!(bench.engine.open_terminal(vm, TerminalKind::Serial, false).is_err(), "it is off");
}

#[tokio::test(start_paused = true)]
async fn a_terminal_waits_for_a_host_that_does_not_answer() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let mut open = Open::new(&bench, vm, TerminalKind::Serial, false);
    open.connected().await;
    bench.sim.cut(&host("alpha"));
    bench.until(|bench| bench.engine.vm(vm).unwrap().state == VmState::Unknown).await;
    bench.sim.mend(&host("alpha"));
    assert_eq!(open.connected().await, host("alpha"));
    assert_eq!(open.answer("again").await, "again on alpha");
}

#[tokio::test(start_paused = true)]
async fn a_second_client_is_told_and_may_take_over() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let mut first = Open::new(&bench, vm, TerminalKind::Serial, false);
    first.connected().await;
    let (_, in_use) = Open::new(&bench, vm, TerminalKind::Serial, false).ended().await;
    assert!(in_use);
    let mut second = Open::new(&bench, vm, TerminalKind::Serial, true);
    second.connected().await;
    let (_, in_use) = first.ended().await;
    assert!(in_use, "it does not take it back");
    assert_eq!(second.answer("mine").await, "mine on alpha");
    drop(second);
    Open::new(&bench, vm, TerminalKind::Serial, false).connected().await;
}
