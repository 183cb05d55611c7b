use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use axum::{Router, body::Bytes, http::StatusCode, response::Redirect, routing::post};
use engine::Hooks as _;
use model::{EvacuationId, HookEventId, HookKind};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};
use uuid::Uuid;

use super::*;
use crate::{config::HookOn, test_directory::TestDirectory};

fn event(event: HookKind) -> HookEvent {
    HookEvent {
        id: HookEventId(Uuid::from_u128(2)),
        event,
        host: "alpha".parse().unwrap(),
        reason: "kernel update; $(reboot)".into(),
        by: "ada".into(),
        evacuation: EvacuationId(Uuid::from_u128(1)),
        home: None,
        at_ms: 1_700_000_000_000,
    }
}

fn told(event: &str) -> Value {
    json!({
        "id": "00000000-0000-0000-0000-000000000002", "event": event, "host": "alpha", "reason": "kernel update; $(reboot)", "by": "ada",
        "evacuation": "00000000-0000-0000-0000-000000000001", "at_ms": 1_700_000_000_000_u64,
    })
}

/// A script in the directory.
fn script(directory: &TestDirectory, name: &str, text: &str) -> String {
    let path = directory.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

fn command(program: &str, arguments: &[&str], on: &[HookOn]) -> Hook {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    Hook { on: on.to_vec(), target: HookTarget::Command { program: program.to_owned(), arguments } }
}

#[tokio::test]
async fn a_program_gets_json_and_its_words_are_kept() {
    let directory = TestDirectory::new();
    let file = directory.path().join("told.json");
    let script = script(&directory, "hook", r#"cat > "$1"; echo "rack  is"; echo dark >&2; exit "$2""#);
    let to = file.to_str().unwrap();
    let hooks = Hooks::new(vec![
        command(&script, &[to, "0"], &[HookOn::Empty]),
        command(&script, &["/dev/null", "3"], &[HookOn::Empty, HookOn::Home]),
        command("/nowhere/hook", &[], &[HookOn::Home]),
    ])
    .unwrap();
    let outcomes = hooks.tell(&event(HookKind::Empty)).await;
    let expected = [
        format!("{script} succeeded. It said: rack is dark"),
        format!("{script} failed: exit status: 3. It said: rack is dark"),
    ];
    assert_eq!(outcomes, expected);
    let written: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(written, told("empty"));
    let [failed, missing] = &hooks.tell(&event(HookKind::Home)).await[..] else { panic!("two are told") };
    assert!(failed.contains("exit status: 3"), "{failed}");
    assert!(missing.starts_with("/nowhere/hook can't be started"), "{missing}");
}

#[tokio::test]
async fn a_program_that_does_not_end_is_killed_with_what_it_started() {
    let directory = TestDirectory::new();
    let fifo = directory.path().join("open");
    // The inner shell has the file open for as long as it lives.
    let text = r#"sh -c 'exec 3<>"$0"; echo started; while :; do sleep 60; done' "$1" & wait"#;
    let script = script(&directory, "hook", text);
    let outcome = command::run_within(Duration::from_millis(500), &script, &[fifo.display().to_string()], "{}").await;
    assert!(outcome.contains("had not ended after 0 s, and was killed."), "{outcome}");
    let has_open = |file: &fs::DirEntry| fs::read_link(file.path()).is_ok_and(|target| target == fifo);
    let is_left = || {
        let processes =
            fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read_dir(entry.ok()?.path().join("fd")).ok());
        processes.flatten().filter_map(Result::ok).any(|file| has_open(&file))
    };
    // Who was killed closes its files a moment later.
    let gone = async {
        while is_left() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("nothing is left");
}

#[tokio::test]
async fn only_the_beginning_of_much_is_kept() {
    let directory = TestDirectory::new();
    let script = script(&directory, "hook", "yes | head -c 1000000; sleep 60 & exit 0");
    let outcome =
        Hooks::new(vec![command(&script, &[], &[HookOn::Empty])]).unwrap().tell(&event(HookKind::Empty)).await;
    assert!(outcome[0].contains("succeeded. It said: y y y"), "{outcome:?}");
    assert!(outcome[0].len() < 2_300, "{}", outcome[0].len());
}

#[tokio::test]
async fn an_address_gets_json_and_leads_nowhere_else() {
    let (sender, mut bodies) = mpsc::unbounded_channel::<Bytes>();
    let take = move |body: Bytes| {
        let sender = sender.clone();
        async move {
            sender.send(body).unwrap();
            "thanks\r\n"
        }
    };
    let router = Router::new()
        .route("/ok", post(take.clone()))
        .route("/elsewhere", post(async || Redirect::temporary("/ok")))
        .route("/no", post(async || (StatusCode::FORBIDDEN, "who are you?")));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    let url = |path: &str| {
        let target = HookTarget::Url(format!("http://{address}{path}").parse().unwrap());
        Hook { on: vec![HookOn::Home], target }
    };
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let dead = Hook { on: vec![HookOn::Home], target: HookTarget::Url(format!("http://{closed}/").parse().unwrap()) };
    let hooks = Hooks::new(vec![url("/ok?token=secret"), url("/elsewhere"), url("/no"), dead]).unwrap();
    assert!(hooks.tell(&event(HookKind::Empty)).await.is_empty());
    let outcomes = hooks.tell(&event(HookKind::Home)).await;
    assert_eq!(outcomes[0], "127.0.0.1 was told: 200 OK. It said: thanks");
    assert!(outcomes[1].starts_with("127.0.0.1 refused: 307"), "{outcomes:?}");
    assert_eq!(outcomes[2], "127.0.0.1 refused: 403 Forbidden. It said: who are you?");
    assert!(outcomes[3].starts_with("127.0.0.1 was not reached: "), "{outcomes:?}");
    let body: Value = serde_json::from_slice(&bodies.recv().await.unwrap()).unwrap();
    assert_eq!(body, told("home"));
    assert!(bodies.try_recv().is_err(), "the redirect was not followed");
}
