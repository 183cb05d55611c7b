//! `/ws`, over a real connection.

use std::{net::TcpListener, time::Duration};

use futures::{SinkExt, StreamExt};
use model::{Change, Resume, StreamMessage};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use super::*;

/// Nothing here takes so long; what does has failed.
const LIMIT: Duration = Duration::from_secs(20);

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A house with its doors open on a port.
pub(super) struct Open {
    pub(super) house: House,
    pub(super) address: SocketAddr,
    pub(super) cookie: String,
    server: JoinHandle<std::io::Result<()>>,
}

impl Open {
    pub(super) async fn new() -> Self {
        let house = House::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(crate::server::serve(listener, None, house.router.clone(), None, house.stop.clone()));
        let cookie = house.cookie().await;
        Self { house, address, cookie, server }
    }

    async fn connect(&self, cookie: &str, headers: &[(&'static str, &str)]) -> Result<Socket, StatusCode> {
        self.connect_to("/ws", cookie, headers).await
    }

    pub(super) async fn connect_to(
        &self,
        path: &str,
        cookie: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, StatusCode> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match timeout(LIMIT, connect_async(request)).await.unwrap() {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("{error}"),
        }
    }

    /// A stream that has said where it was.
    async fn stream(&self, since: Option<u64>) -> Socket {
        let origin = format!("http://{}", self.address);
        let mut socket = self.connect(&self.cookie, &[("origin", &origin)]).await.unwrap();
        say(&mut socket, &serde_json::to_string(&Resume { since, scope: None }).unwrap()).await;
        socket
    }
}

async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

pub(super) async fn hear(socket: &mut Socket) -> Message {
    timeout(LIMIT, socket.next()).await.expect("something happens").expect("the stream goes on").unwrap()
}

async fn update(socket: &mut Socket) -> model::Update {
    match serde_json::from_str(hear(socket).await.to_text().unwrap()).unwrap() {
        StreamMessage::Update(update) => update,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn updates_arrive_as_they_happen() {
    let open = Open::new().await;
    let mut socket = open.stream(None).await;
    let first = update(&mut socket).await;
    assert!(matches!(first.changes[..], [Change::Snapshot(_)]));
    open.house.console.tell(8).await;
    assert_eq!(update(&mut socket).await.sequence, 8);
    let mut resumed = open.stream(Some(8)).await;
    // A ping that is answered was read after the first message: from here on the stream is subscribed.
    resumed.send(Message::Ping("here".into())).await.unwrap();
    assert!(matches!(hear(&mut resumed).await, Message::Pong(_)));
    open.house.console.tell(9).await;
    assert_eq!(update(&mut resumed).await.sequence, 9, "without a snapshot");
}

#[tokio::test]
async fn only_our_own_pages_get_in() {
    let open = Open::new().await;
    let own = format!("http://{}", open.address);
    let other_port = "http://127.0.0.1:1".to_owned();
    let other_scheme = format!("https://{}", open.address);
    let longer = format!("{own}.evil.example");
    for origin in ["https://evil.example", "null", &other_port, &other_scheme, &longer] {
        for cookie in [open.cookie.as_str(), ""] {
            let refused = open.connect(cookie, &[("origin", origin)]).await;
            assert_eq!(refused.err(), Some(StatusCode::FORBIDDEN), "{origin} {cookie}");
        }
    }
    let browser = open.connect(&open.cookie, &[("sec-fetch-mode", "websocket")]).await;
    assert_eq!(browser.err(), Some(StatusCode::FORBIDDEN), "a browser that names no origin");
    assert!(open.connect(&open.cookie, &[]).await.is_ok(), "a program");
    assert!(open.connect(&open.cookie, &[("origin", &own)]).await.is_ok());
    for cookie in ["", "vmferry=AAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(open.connect(cookie, &[("origin", &own)]).await.err(), Some(StatusCode::UNAUTHORIZED));
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let open = Open::new().await;
    let mut socket = open.stream(None).await;
    update(&mut socket).await;
    open.house.send(post("/logout", &open.cookie, &json!({}))).await;
    hear_the_end(&mut socket).await;
}

#[tokio::test]
async fn another_session_of_the_same_user_goes_on() {
    let open = Open::new().await;
    let mut socket = open.stream(None).await;
    update(&mut socket).await;
    let other = open.house.cookie().await;
    open.house.send(post("/logout", &other, &json!({}))).await;
    open.house.console.tell(8).await;
    assert_eq!(update(&mut socket).await.sequence, 8);
}

#[tokio::test]
async fn what_breaks_the_rules_is_closed() {
    let open = Open::new().await;
    let too_long = format!("{{\"since\": null, \"x\": \"{}\"}}", "x".repeat(20_000));
    for first in ["hello", "{\"since\": -1}", &too_long] {
        let mut socket = open.connect(&open.cookie, &[]).await.unwrap();
        say(&mut socket, first).await;
        let end = timeout(LIMIT, socket.next()).await.unwrap();
        assert!(matches!(end, None | Some(Ok(Message::Close(_)) | Err(_))), "{first}: {end:?}");
    }
}

#[tokio::test]
async fn one_session_has_so_many_streams_and_no_more() {
    let open = Open::new().await;
    let another = open.house.cookie().await;
    let mut sockets = Vec::new();
    for cookie in [&open.cookie, &another] {
        for _ in 0..16 {
            sockets.push(open.connect(cookie, &[]).await.unwrap());
        }
        assert_eq!(open.connect(cookie, &[]).await.err(), Some(StatusCode::TOO_MANY_REQUESTS));
    }
}

/// The end of a stream whose session is over.
async fn hear_the_end(socket: &mut Socket) {
    match serde_json::from_str(hear(socket).await.to_text().unwrap()).unwrap() {
        StreamMessage::Ended(problem) => assert_eq!(problem.code.as_str(), "unauthenticated"),
        other => panic!("{other:?}"),
    }
    let Message::Close(Some(frame)) = hear(socket).await else { panic!("it is closed") };
    assert_eq!(u16::from(frame.code), 4401);
}

#[tokio::test]
async fn the_streams_of_a_removed_user_end_at_once() {
    let open = Open::new().await;
    let mut socket = open.stream(None).await;
    update(&mut socket).await;
    open.house.auth.remove_user("ada").await.unwrap();
    hear_the_end(&mut socket).await;
}

/// The command line is another process: it shares nothing with this one but the database.
#[tokio::test]
async fn a_stream_hears_of_what_the_command_line_does() {
    let open = Open::new().await;
    let mut socket = open.stream(None).await;
    update(&mut socket).await;
    let command_line = open.house.beside().await;
    command_line.set_users_password("ada", "another test password".into()).await.unwrap();
    hear_the_end(&mut socket).await;
}

#[tokio::test]
async fn streams_do_not_hold_up_the_stop() {
    let open = Open::new().await;
    let mut socket = open.stream(None).await;
    update(&mut socket).await;
    open.house.stop.cancel();
    assert!(matches!(hear(&mut socket).await, Message::Close(Some(_))));
    timeout(LIMIT, open.server).await.expect("the server stops").unwrap().unwrap();
}
