//! The serial console of a demo guest, through libvirt's streams, over two migrations.

use futures::{SinkExt, StreamExt};
use model::TerminalStatus;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    DEMO,
    support::{Api, LIMIT, Socket},
};

/// web's UUID (server/demo/src/guest.rs).
const WEB: &str = "766d6665-7272-4901-8000-000000000001";

/// What the guest answers to Enter.
const ANSWER: &str = "vmferry demo: web uses";

struct Serial {
    socket: Socket,
}

impl Serial {
    async fn open(api: &Api, query: &str) -> Self {
        Self { socket: api.socket(&format!("/ws/vms/{WEB}/serial{query}")).await }
    }

    async fn next(&mut self) -> Message {
        loop {
            let message = timeout(LIMIT, self.socket.next()).await.expect("it says something");
            match message.expect("it goes on").expect("it is sound") {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    /// The host that it is connected to next; what the guest says until then does not matter.
    async fn connected(&mut self) -> String {
        loop {
            let Message::Text(text) = self.next().await else { continue };
            match serde_json::from_str(&text).expect("a status is in the form of the model") {
                TerminalStatus::Connected { host } => return host.to_string(),
                TerminalStatus::Waiting { .. } => {}
                TerminalStatus::Ended { problem, .. } => panic!("{problem:?}"),
            }
        }
    }

    /// Types a word and Enter, and waits until the guest has echoed the one and answered the other.
    async fn is_answered(&mut self, word: &str) {
        self.socket.send(Message::binary(format!("{word}\r").into_bytes())).await.expect("it is taken");
        let mut said = String::new();
        while said.split_once(word).is_none_or(|(_, after)| !after.contains(ANSWER)) {
            if let Message::Binary(bytes) = self.next().await {
                said.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
    }
}

#[tokio::test]
async fn a_serial_console_answers_from_wherever_its_vm_has_moved_to() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut serial = Serial::open(&api, "").await;
    let source = demo.runs_on("web")[0];
    assert_eq!(serial.connected().await, source);
    serial.is_answered("one").await;
    let destination = if source == "alpha" { "beta" } else { "alpha" };
    for (host, word) in [(destination, "two"), (source, "three")] {
        let task = api.migrate("web", host).await;
        assert_eq!(api.ended(&task).await["status"], "finished");
        assert_eq!(serial.connected().await, host);
        serial.is_answered(word).await;
    }
}

#[tokio::test]
async fn a_second_client_is_told_and_may_take_over() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut first = Serial::open(&api, "").await;
    first.connected().await;
    let ended = async |serial: &mut Serial| loop {
        let Message::Text(text) = serial.next().await else { continue };
        if let Ok(TerminalStatus::Ended { in_use, .. }) = serde_json::from_str(&text) {
            return in_use;
        }
    };
    assert!(ended(&mut Serial::open(&api, "").await).await);
    let mut second = Serial::open(&api, "?take_over=true").await;
    second.connected().await;
    assert!(ended(&mut first).await);
    second.is_answered("mine").await;
}
