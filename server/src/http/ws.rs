//! `/ws`: the stream of updates.
//!
//! The browser sends what its page shows and the number of the last update that it knows ([`Resume`]), and gets what has changed of that;
//! another [`Resume`] when its page shows something else. A stream ends with its session.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension,
    extract::{
        Request, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, Uri, header::ORIGIN},
    middleware::Next,
    response::Response,
};
use model::{Code, Problem, Resume, StreamMessage, Update};
use port::Principal;
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    time::{Instant, MissedTickBehavior, interval, interval_at, timeout},
};

use super::{Doors, Refused, Site};
use crate::auth::Auth;

/// The largest message of a browser, in bytes: a [`Resume`], with the ids of the migrations that a page lists.
const LARGEST_MESSAGE: usize = 16 << 10;
/// How long the browser may take to send it.
const RESUME_LIMIT: Duration = Duration::from_secs(10);
/// How long the browser may take to accept one message.
pub(super) const SEND_LIMIT: Duration = Duration::from_secs(10);
/// How often the stream shows the browser that it is alive, and pings it: the answers keep the connection open.
pub(super) const ALIVE_EVERY: Duration = Duration::from_secs(15);
/// How often the session is looked up: one that a page ends is told at once, one that a limit ends or the command line, another process,
/// is not.
pub(super) const SESSION_EVERY: Duration = Duration::from_secs(1);
/// After so many unanswered pings the browser counts as gone.
pub(super) const UNANSWERED: u32 = 2;
/// Streams one session may have open: pages in tabs of one browser. Not one user: all admins may use one account.
const STREAMS_A_SESSION: usize = 16;
/// The close code of a session that is over (4000 and up are free to use; HTTP would say 401).
pub(super) const SESSION_OVER: u16 = 4401;

/// How many streams each session has open, by its handle.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams(Arc<Mutex<HashMap<String, usize>>>);

/// One of them; it is counted until this is dropped.
pub(super) struct Place {
    streams: Streams,
    session: String,
}

impl Streams {
    /// A place for one more stream of this session.
    ///
    /// # Errors
    /// `throttled`.
    pub(super) fn place(&self, session: &str) -> Result<Place, Problem> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(session.to_owned()).or_default();
        if *count >= STREAMS_A_SESSION {
            let sentence = format!("This browser has {STREAMS_A_SESSION} streams open already.");
            return Err(Problem::new(Code::Throttled, sentence).with_fix("Close a few pages."));
        }
        *count += 1;
        Ok(Place { streams: self.clone(), session: session.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.session);
            }
        }
    }
}

/// `GET /ws`, from a page of ours: [`only_from_own_pages`] has checked that.
pub(super) async fn open(
    State(doors): State<Doors>,
    State(streams): State<Streams>,
    Extension(who): Extension<Principal>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let upgrade = upgrade.map_err(no_websocket)?;
    let place = streams.place(who.session().unwrap_or_default())?;
    Ok(upgrade.max_message_size(LARGEST_MESSAGE).max_frame_size(LARGEST_MESSAGE).on_upgrade(move |socket| async move {
        tracing::debug!(user = who.user(), "a stream was opened");
        let mut stream = Stream { socket, doors, who };
        let end = stream.run().await;
        stream.end(end).await;
        tracing::debug!(user = stream.who.user(), "a stream was closed");
        drop(place);
    }))
}

/// The answer to what is no WebSocket.
pub(super) fn no_websocket(error: WebSocketUpgradeRejection) -> Problem {
    Problem::new(Code::InvalidInput, "This address is a WebSocket's.").with_details(error.body_text())
}

/// Refuses streams that a page of another site opens. Browsers send the page's origin with every WebSocket, and no page of another site
/// can change it to ours. A request without an origin and without a browser's other headers is a program's, which could send any origin.
pub(super) async fn only_from_own_pages(
    State(doors): State<Doors>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    if is_own_origin(&doors.site, request.headers(), request.uri()) {
        return Ok(next.run(request).await);
    }
    Err(Problem::new(Code::ForeignOrigin, "This stream is for the console's own pages.").into())
}

fn is_own_origin(site: &Site, headers: &HeaderMap, uri: &Uri) -> bool {
    match headers.get(ORIGIN) {
        Some(origin) => site.origin(headers, uri).is_some_and(|own| origin.as_bytes() == own.as_bytes()),
        None => !headers.keys().any(|name| name.as_str().starts_with("sec-fetch-")),
    }
}

/// Why a stream ends.
pub(super) enum End {
    /// The browser left, or broke the rules of the protocol.
    Gone,
    /// The console stops.
    Stopping,
    /// The session is over, or something else that a new attempt would not change.
    Refused(Problem),
}

struct Stream {
    socket: WebSocket,
    doors: Doors,
    who: Principal,
}

impl Stream {
    async fn run(&mut self) -> End {
        // Listen first: a session that ends now must not be missed.
        let mut ended_sessions = self.doors.auth.ended_sessions();
        let Ok(Some(resume)) = timeout(RESUME_LIMIT, self.resume()).await else { return End::Gone };
        let mut updates = match self.subscribe(resume) {
            Ok(updates) => updates,
            Err(problem) => return End::Refused(problem),
        };
        let stop = self.doors.stop.clone();
        let mut session_check = interval(SESSION_EVERY);
        session_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut alive = interval_at(Instant::now() + ALIVE_EVERY, ALIVE_EVERY);
        let mut unanswered = 0;
        loop {
            let message = tokio::select! {
                () = stop.cancelled() => return End::Stopping,
                ended = ended_sessions.recv() => {
                    let end = match ended {
                        Ok(handle) => (self.who.session() == Some(&handle)).then(session_over),
                        Err(RecvError::Lagged(_)) => end_of_session(&self.doors.auth, &self.who).await,
                        Err(RecvError::Closed) => Some(End::Stopping),
                    };
                    match end {
                        Some(end) => return end,
                        None => continue,
                    }
                }
                _ = session_check.tick() => match end_of_session(&self.doors.auth, &self.who).await {
                    Some(end) => return end,
                    None => continue,
                },
                received = self.socket.recv() => match received {
                    Some(Ok(Message::Text(text))) => {
                        let Ok(resume) = serde_json::from_str(&text) else { return End::Gone };
                        unanswered = 0;
                        match self.subscribe(resume) {
                            Ok(anew) => updates = anew,
                            Err(problem) => return End::Refused(problem),
                        }
                        continue;
                    }
                    // Any message shows that the browser is there.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                        unanswered = 0;
                        continue;
                    }
                    _ => return End::Gone,
                },
                update = updates.recv() => match update {
                    Some(update) => StreamMessage::Update(update),
                    None => return End::Stopping,
                },
                _ = alive.tick() => {
                    unanswered += 1;
                    if unanswered > UNANSWERED || !self.send(Message::Ping(Default::default())).await {
                        return End::Gone;
                    }
                    StreamMessage::Alive
                }
            };
            if !self.tell(&message).await {
                return End::Gone;
            }
        }
    }

    fn subscribe(&self, Resume { since, scope }: Resume) -> Result<mpsc::Receiver<Update>, Problem> {
        self.doors.console.subscribe(&self.who, since, scope)
    }

    /// The browser's first message.
    async fn resume(&mut self) -> Option<Resume> {
        loop {
            match self.socket.recv().await?.ok()? {
                Message::Text(text) => return serde_json::from_str(&text).ok(),
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Binary(_) | Message::Close(_) => return None,
            }
        }
    }

    async fn tell(&mut self, message: &StreamMessage) -> bool {
        match serde_json::to_string(message) {
            Ok(json) => self.send(Message::Text(json.into())).await,
            Err(error) => {
                tracing::error!(%error, "an update can't be written as JSON");
                false
            }
        }
    }

    /// False if the browser does not take it.
    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(SEND_LIMIT, self.socket.send(message)).await, Ok(Ok(())))
    }

    async fn end(&mut self, end: End) {
        let (code, reason) = match end {
            End::Gone => (close_code::POLICY, ""),
            End::Stopping => (close_code::RESTART, "the console stops"),
            End::Refused(problem) => {
                let code = if problem.code == Code::Unauthenticated { SESSION_OVER } else { close_code::POLICY };
                self.tell(&StreamMessage::Ended(problem)).await;
                (code, "")
            }
        };
        // The browser may be gone by now.
        self.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    }
}

/// Why a stream ends, if its session no longer lasts, or that can't be told: then the browser tries again, and is told.
pub(super) async fn end_of_session(auth: &Auth, who: &Principal) -> Option<End> {
    match auth.lasts(who).await {
        Ok(true) => None,
        Ok(false) => Some(session_over()),
        Err(_) => Some(End::Stopping),
    }
}

pub(super) fn session_over() -> End {
    End::Refused(Problem::new(Code::Unauthenticated, "Your session is over.").with_fix("Log in again."))
}
