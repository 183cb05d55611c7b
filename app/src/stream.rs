//! The stream at `/ws`: what changes on the server changes here, and a connection that was lost goes on where it was.

use std::time::Duration;

use codee::string::JsonSerdeCodec;
use leptos::{ev, prelude::*, web_sys::js_sys::Date};
use leptos_use_websocket::{
    ConnectionReadyState, ReconnectLimit, UseWebSocketOptions, UseWebSocketReturn, use_websocket_with_options,
};
use model::{Resume, StreamMessage};

use crate::live::{Link, Live};

/// How long to wait before another attempt, in ms.
const RECONNECT_MS: u64 = 1_500;

/// A connection that was silent for so long, in ms, is dead: the server says something every 15 s.
const SILENCE_MS: f64 = 40_000.0;

/// How often to look for silence.
const WATCH: Duration = Duration::from_secs(5);

/// Keeps `live` up to date for as long as the component that calls this is there. Does nothing on the server.
pub(crate) fn follow(live: Live) {
    // JavaScript's clock is not there on the server; the first message or attempt sets this.
    let last_heard_ms = StoredValue::new(0.0_f64);
    let options = UseWebSocketOptions::default()
        .reconnect_limit(ReconnectLimit::Infinite)
        .reconnect_interval(RECONNECT_MS)
        .on_message(move |message: &StreamMessage| {
            last_heard_ms.set_value(Date::now());
            match message {
                StreamMessage::Update(update) => live.apply(update.clone()),
                StreamMessage::Alive => {}
                StreamMessage::Ended(_) => log_in_again(),
            }
        });
    let UseWebSocketReturn { ready_state, send, open, .. } =
        use_websocket_with_options::<Resume, StreamMessage, JsonSerdeCodec, _, _>("/ws", options);

    Effect::new(move |was_open: Option<bool>| {
        let is_open = ready_state.get() == ConnectionReadyState::Open;
        if is_open {
            last_heard_ms.set_value(Date::now());
            send(&Resume { since: live.sequence() });
            live.link.set(Link::Live);
        } else if was_open.is_some() && ready_state.get() == ConnectionReadyState::Closed {
            live.link.set(Link::Lost);
        }
        is_open
    });

    // A phone freezes the sockets of a page in the background, often without telling it.
    Effect::new(move |_| {
        let reopen_if_dead = {
            let open = open.clone();
            move || {
                let silent = Date::now() - last_heard_ms.get_value() > SILENCE_MS;
                if silent && live.link.get_untracked() == Link::Live {
                    live.link.set(Link::Lost);
                    open();
                }
            }
        };
        let reopen_if_lost = {
            let reopen_if_dead = reopen_if_dead.clone();
            let open = open.clone();
            move || match live.link.get_untracked() {
                Link::Lost if !document().hidden() => open(),
                _ => reopen_if_dead(),
            }
        };
        let watch = set_interval_with_handle(reopen_if_dead, WATCH);
        let back = window_event_listener(ev::visibilitychange, {
            let reopen_if_lost = reopen_if_lost.clone();
            move |_| reopen_if_lost()
        });
        let online = window_event_listener(ev::online, move |_| reopen_if_lost());
        on_cleanup(move || {
            if let Ok(watch) = watch {
                watch.clear();
            }
            back.remove();
            online.remove();
        });
    });
}

/// The session is over. The login page is the server's, so the browser loads it.
pub(crate) fn log_in_again() {
    let location = window().location();
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    let next = leptos_router::location::Url::escape(&here);
    // A browser that refuses to navigate leaves the page as it is; there is nothing else to try.
    let _ = location.set_href(&format!("/login?next={next}"));
}
