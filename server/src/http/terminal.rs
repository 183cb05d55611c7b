//! `/ws/vms/<uuid>/serial` and `/ws/vms/<uuid>/screen`: the terminals of a VM.
//!
//! Binary messages are the terminal's bytes, in both directions. Text messages tell the browser how the terminal stands to its VM
//! ([`model::TerminalStatus`], as JSON). `?take_over=true` takes a serial console over from another client. A stream that is closed by the code
//! 1012 is to be opened anew: the screen's VM has moved. It ends with its session, as `/ws` does.

use std::future::pending;

use axum::{
    Extension,
    extract::{
        Path, Query, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use model::{Code, Problem, TerminalEvent, TerminalKind, TerminalStatus, VmId};
use port::{Principal, Terminal};
use serde::Deserialize;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, interval_at, sleep, timeout},
};

use super::{
    Doors, Refused,
    ws::{
        ALIVE_EVERY, End, SEND_LIMIT, SESSION_EVERY, SESSION_OVER, Streams, UNANSWERED, end_of_session, no_websocket,
        session_over,
    },
};

/// The largest message of a browser, in bytes: what is pasted comes in pieces.
const LARGEST_MESSAGE: usize = 64 << 10;

/// What a terminal may be opened with.
#[derive(Deserialize)]
pub(super) struct Options {
    /// Whether another client loses it.
    #[serde(default)]
    take_over: bool,
}

/// `GET /ws/vms/<uuid>/<kind>`, from a page of ours.
pub(super) async fn open(
    State(doors): State<Doors>,
    State(streams): State<Streams>,
    Extension(who): Extension<Principal>,
    Path((id, kind)): Path<(String, String)>,
    Query(options): Query<Options>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let vm: VmId = id.parse()?;
    let kind = match kind.as_str() {
        "serial" => TerminalKind::Serial,
        "screen" => TerminalKind::Screen,
        _ => return Err(Problem::new(Code::NotFound, "There is nothing at this address.").into()),
    };
    let upgrade = upgrade.map_err(no_websocket)?;
    let place = streams.place(who.session().unwrap_or_default())?;
    let take_over = options.take_over;
    Ok(upgrade.max_message_size(LARGEST_MESSAGE).max_frame_size(LARGEST_MESSAGE).on_upgrade(move |socket| async move {
        // Listen first: a session that ends now must not be missed.
        let ended_sessions = doors.auth.ended_sessions();
        let mut stream = Stream { socket };
        let end = match doors.console.open_terminal(&who, vm, kind, take_over).await {
            Ok(terminal) => {
                tokio::select! {
                    end = stream.run(terminal) => end,
                    end = no_longer_allowed(&doors, &who, ended_sessions) => Over::Of(end),
                }
            }
            // A browser shows no answer to a WebSocket that is refused.
            Err(problem) => {
                stream.tell(&TerminalStatus::Ended { problem, in_use: false }).await;
                Over::Told
            }
        };
        stream.end(end).await;
        drop(place);
    }))
}

/// How a stream ends.
enum Over {
    /// The browser was told why, or has left.
    Told,
    /// The terminal has to be opened anew.
    Anew,
    /// Its session, or the console, ends.
    Of(End),
}

/// Resolves when the session has ended, or the console stops.
async fn no_longer_allowed(doors: &Doors, who: &Principal, mut ended: Receiver<String>) -> End {
    loop {
        tokio::select! {
            () = doors.stop.cancelled() => return End::Stopping,
            handle = ended.recv() => match handle {
                Ok(handle) if who.session() == Some(&handle) => return session_over(),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return End::Stopping,
            },
            () = sleep(SESSION_EVERY) => {}
        }
        if let Some(end) = end_of_session(&doors.auth, who).await {
            return end;
        }
    }
}

struct Stream {
    socket: WebSocket,
}

impl Stream {
    async fn run(&mut self, Terminal { input, mut events }: Terminal) -> Over {
        let mut alive = interval_at(Instant::now() + ALIVE_EVERY, ALIVE_EVERY);
        let mut unanswered = 0;
        let mut has_ended = false;
        loop {
            // Nothing is read of the browser while the guest takes nothing; what the guest says is sent meanwhile.
            let received = async {
                match input.reserve().await {
                    Ok(permit) => (permit, self.socket.recv().await),
                    // The terminal has ended, and says why.
                    Err(_) => pending().await,
                }
            };
            tokio::select! {
                event = events.recv() => {
                    let is_sent = match event {
                        Some(TerminalEvent::Output(bytes)) => self.send(Message::Binary(bytes.into())).await,
                        Some(TerminalEvent::Status(status)) => {
                            has_ended |= matches!(status, TerminalStatus::Ended { .. });
                            self.tell(&status).await
                        }
                        None => return if has_ended { Over::Told } else { Over::Anew },
                    };
                    if !is_sent {
                        return Over::Told;
                    }
                }
                (permit, received) = received => {
                    unanswered = 0;
                    match received {
                        Some(Ok(Message::Binary(bytes))) => permit.send(bytes.into()),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        _ => return Over::Told,
                    }
                }
                _ = alive.tick() => {
                    unanswered += 1;
                    if unanswered > UNANSWERED || !self.send(Message::Ping(Default::default())).await {
                        return Over::Told;
                    }
                }
            }
        }
    }

    async fn tell(&mut self, status: &TerminalStatus) -> bool {
        match serde_json::to_string(status) {
            Ok(json) => self.send(Message::Text(json.into())).await,
            Err(error) => {
                tracing::error!(%error, "the status of a terminal can't be written as JSON");
                false
            }
        }
    }

    /// False if the browser does not take it.
    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(SEND_LIMIT, self.socket.send(message)).await, Ok(Ok(())))
    }

    async fn end(&mut self, end: Over) {
        let code = match end {
            Over::Told | Over::Of(End::Gone) => close_code::NORMAL,
            Over::Anew | Over::Of(End::Stopping) => close_code::RESTART,
            Over::Of(End::Refused(_)) => SESSION_OVER,
        };
        // The browser may be gone by now.
        self.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await;
    }
}
