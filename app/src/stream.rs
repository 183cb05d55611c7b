//! The page's end of the stream at `/ws`: applies the server's updates, and asks for the missed ones after a lost connection.
//!
//! Written on the browser's own WebSocket: the library for it (leptos-use-websocket) reconnects, but neither notices a dead connection
//! nor hurries when a phone wakes up, and its share of the WASM is twice that of all of this.

use std::time::Duration;

use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
    web_sys::js_sys::Date,
};
use model::{Resume, StreamMessage};
use web_sys::{MessageEvent, WebSocket};

use crate::live::Live;
use crate::live::StreamState;

/// How often to look after the connection, and so how soon a lost one is tried again.
const WATCH: Duration = Duration::from_millis(1_500);

/// A connection that was silent for so long, in ms, is dead: the server says something every 15 s.
const SILENCE_MS: f64 = 40_000.0;

/// An attempt that takes so long, in ms, will not succeed.
const ATTEMPT_MS: f64 = 10_000.0;

/// Keeps `live` up to date for as long as the component that calls this is there. Does nothing on the server.
pub(crate) fn follow(live: Live) {
    Effect::new(move |_| {
        let stream = Stream { live, connection: StoredValue::new_local(None), heard_ms: StoredValue::new(0.0) };
        stream.open();
        let watch = set_interval_with_handle(move || stream.look_after(), WATCH);
        // A phone freezes the connections of a page in the background, and the timer with them.
        let back = window_event_listener(ev::visibilitychange, move |_| stream.look_after());
        let online = window_event_listener(ev::online, move |_| stream.look_after());
        // What the page shows is asked for once more when that becomes something else.
        Effect::new(move |before: Option<()>| {
            live.scope.track();
            if before.is_some() {
                stream.ask();
            }
        });
        on_cleanup(move || {
            if let Ok(watch) = watch {
                watch.clear();
            }
            back.remove();
            online.remove();
        });
    });
}

#[derive(Clone, Copy)]
struct Stream {
    live: Live,
    connection: StoredValue<Option<Connection>, LocalStorage>,
    /// When the server was last heard, or the attempt began, in ms since 1970.
    heard_ms: StoredValue<f64>,
}

/// A socket and its callbacks, which have to live as long.
struct Connection {
    socket: WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // Fails only for a wrong close code, and there is none.
        let _ = self.socket.close();
    }
}

impl Stream {
    fn open(self) {
        self.heard_ms.set_value(Date::now());
        let location = window().location();
        let scheme = if location.protocol().as_deref() == Ok("https:") { "wss" } else { "ws" };
        // An address that can't be one, or a policy against it: `look_after` tries again, and the badge says so meanwhile.
        let Ok(socket) = WebSocket::new(&format!("{scheme}://{}/ws", location.host().unwrap_or_default())) else {
            return;
        };
        let on_open = Closure::new({
            let socket = socket.clone();
            move || self.resume(&socket)
        });
        let on_message = Closure::new(move |message: MessageEvent| self.receive(message));
        let on_close = Closure::new(move || self.live.stream.set(StreamState::Lost));
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        let connection = Connection { socket, _on_open: on_open, _on_message: on_message, _on_close: on_close };
        self.connection.set_value(Some(connection));
    }

    /// Asks for what the page shows, unless the connection is not open: then this follows.
    fn ask(self) {
        self.connection.with_value(|connection| {
            if let Some(Connection { socket, .. }) =
                connection.as_ref().filter(|c| c.socket.ready_state() == WebSocket::OPEN)
            {
                self.resume(socket);
            }
        });
    }

    /// Asks for what was missed.
    fn resume(self, socket: &WebSocket) {
        let scope = Some(self.live.scope.get_untracked());
        let resume = serde_json::to_string(&Resume { since: self.live.sequence(), scope });
        if resume.is_ok_and(|resume| socket.send_with_str(&resume).is_ok()) {
            self.heard_ms.set_value(Date::now());
            self.live.stream.set(StreamState::Live);
        }
    }

    fn receive(self, message: MessageEvent) {
        self.heard_ms.set_value(Date::now());
        let text = message.data().as_string().unwrap_or_default();
        match serde_json::from_slice(text.as_bytes()) {
            Ok(StreamMessage::Update(update)) => self.live.apply(update),
            Ok(StreamMessage::Alive) => {}
            Ok(StreamMessage::Ended(_)) => log_in_again(),
            // The server is of another version than this page.
            Err(error) => leptos::logging::warn!("The stream said what this page does not understand: {error}"),
        }
    }

    /// Opens a new connection where there is none, or only a dead one.
    fn look_after(self) {
        let silent_ms = Date::now() - self.heard_ms.get_value();
        let state = self.connection.with_value(|connection| connection.as_ref().map(|c| c.socket.ready_state()));
        let lives = match state {
            Some(WebSocket::OPEN) => silent_ms < SILENCE_MS,
            Some(WebSocket::CONNECTING) => silent_ms < ATTEMPT_MS,
            _ => false,
        };
        if !lives {
            self.live.stream.set(StreamState::Lost);
            self.open();
        }
    }
}

/// The session is over. The login page is the server's, so the browser loads it.
pub(crate) fn log_in_again() {
    let location = window().location();
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    let next = leptos_router::location::Url::escape(&here);
    // A browser that refuses to navigate leaves the page as it is; there is nothing else to try.
    let _ = location.set_href(&format!("/login?next={next}"));
}
