//! `/ws/vms/<uuid>/serial`, over a real connection.

use futures::SinkExt;
use model::{Code, TerminalStatus};
use tokio_tungstenite::tungstenite::Message;

use super::{
    stream::{Open, Socket, hear},
    *,
};

const WEB: &str = "00000000-0000-0000-0000-000000000001";

async fn opened(open: &Open, path: &str) -> Result<Socket, StatusCode> {
    let origin = format!("http://{}", open.address);
    open.connect_to(path, &open.cookie, &[("origin", &origin)]).await
}

async fn status(socket: &mut Socket) -> TerminalStatus {
    serde_json::from_str(hear(socket).await.to_text().unwrap()).unwrap()
}

async fn end(socket: &mut Socket) -> u16 {
    match hear(socket).await {
        Message::Close(Some(frame)) => frame.code.into(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_typed_reaches_the_guest_and_it_answers() {
    let open = Open::new().await;
    let mut socket = opened(&open, &format!("/ws/vms/{WEB}/serial")).await.unwrap();
    assert_eq!(status(&mut socket).await, TerminalStatus::Connected { host: "alpha".parse().unwrap() });
    socket.send(Message::binary("hello")).await.unwrap();
    assert_eq!(hear(&mut socket).await, Message::binary("hello"));
    // The screen's VM has moved, say: the browser opens it anew.
    socket.send(Message::binary("exit")).await.unwrap();
    assert_eq!(end(&mut socket).await, 1012);
}

#[tokio::test]
async fn a_terminal_that_can_not_be_opened_says_why() {
    let open = Open::new().await;
    let mut socket = opened(&open, "/ws/vms/00000000-0000-0000-0000-0000000000ff/screen").await.unwrap();
    match status(&mut socket).await {
        TerminalStatus::Ended { problem, in_use: false } => assert_eq!(problem.code, Code::UnknownVm),
        other => panic!("{other:?}"),
    }
    assert_eq!(opened(&open, &format!("/ws/vms/{WEB}/printer")).await.err(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn a_terminal_ends_with_its_session_and_is_for_our_own_pages() {
    let open = Open::new().await;
    let path = format!("/ws/vms/{WEB}/serial");
    let foreign = open.connect_to(&path, &open.cookie, &[("origin", "https://evil.example")]).await;
    assert_eq!(foreign.err(), Some(StatusCode::FORBIDDEN));
    let mut socket = opened(&open, &path).await.unwrap();
    status(&mut socket).await;
    open.house.send(post("/logout", &open.cookie, &json!({}))).await;
    assert_eq!(end(&mut socket).await, 4401);
}

#[tokio::test]
async fn only_the_pages_of_terminals_may_make_styles() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let policy = async |path: &str| {
        let answer = house.send(get(path, &cookie)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        answer.headers["content-security-policy"].to_str().unwrap().to_owned()
    };
    for page in ["console", "screen"] {
        let policy = policy(&format!("/vms/{WEB}/{page}")).await;
        assert!(policy.contains("style-src 'self' 'nonce-") && !policy.contains("unsafe-inline"), "{policy}");
    }
    assert!(policy("/account").await.contains("style-src 'self';"));
}
