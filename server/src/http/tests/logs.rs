//! What the log may say of a request.

use std::{
    cell::Cell,
    io,
    net::TcpListener,
    sync::{LazyLock, Mutex, MutexGuard},
};

use model::{Code, Problem};
use regex::Regex;
use tracing_subscriber::{
    filter::dynamic_filter_fn,
    fmt::{self, MakeWriter},
    prelude::*,
};

use super::*;
use crate::server;

thread_local! {
    /// Whether what happens on this thread is logged: all tests share one log.
    static IS_LOGGED: Cell<bool> = const { Cell::new(false) };
}

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

struct Page<'a>(MutexGuard<'a, Vec<u8>>);

impl io::Write for Page<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Page<'a>;

    fn make_writer(&'a self) -> Page<'a> {
        Page(self.0.lock().unwrap())
    }
}

/// The log of all tests: a process has one.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let page = fmt::layer().with_ansi(false).with_writer(log.clone());
    tracing_subscriber::registry().with(page).with(dynamic_filter_fn(|_, _| IS_LOGGED.get())).init();
    log
});

/// What fail2ban looks for is what is logged, and what a stranger types is not in it.
#[tokio::test]
async fn failed_logins_are_logged_for_fail2ban() {
    let guide = include_str!("../../../../docs/fail2ban.md");
    let pattern = guide.lines().find_map(|line| line.strip_prefix("failregex = ")).unwrap();
    let sought = |address: &str| Regex::new(&pattern.replace("<ADDR>", &regex::escape(address))).unwrap();

    let house = House::new().await;
    let log = LOG.clone();
    IS_LOGGED.set(true);
    let hostile = "eve\nWARN vmferry::login: login failed address=203.0.113.1 ";
    for (peer, name) in [("192.0.2.71:1", "ada"), ("192.0.2.72:1", "my own password"), ("192.0.2.73:1", hostile)] {
        house.send_from(peer, login(name, "a guess")).await;
    }
    let attempts = (0..12).map(|_| house.send_from("192.0.2.74:1", login("ada", "a guess")));
    let answers = futures::future::join_all(attempts).await;
    assert!(answers.iter().any(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS));
    IS_LOGGED.set(false);

    let text = log.text();
    for (address, times) in [("192.0.2.71", 1), ("192.0.2.72", 1), ("192.0.2.73", 1), ("192.0.2.74", 12)] {
        let sought = sought(address);
        // As fail2ban gets a line of the journal.
        let found = text.lines().filter(|line| sought.is_match(&format!("red vmferry[812]: {line}"))).count();
        assert_eq!(found, times, "{address} in {text}");
    }
    assert!(
        text.contains(r#"address=192.0.2.71 user="ada""#) && text.contains(r#"address=192.0.2.72 user="(unknown)""#)
    );
    assert!(!text.contains("my own password") && !text.contains("203.0.113.1"), "{text}");
}

/// The server, its doors and the libraries below them log as much as they can.
#[tokio::test]
async fn no_log_has_a_password() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let log = LOG.clone();
    IS_LOGGED.set(true);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(server::serve(listener, None, house.router.clone(), None, house.stop.clone()));
    let client = reqwest::Client::new();
    let settings = json!({ "name": "alpha", "transport": "ssh", "address": "192.0.2.7" });
    let doors = [
        ("/plugins/kimchi/vms/web/migrate", json!({ "destination": "192.0.2.7", "password": "hunter2" })),
        ("/plugins/kimchi/vms/web/migrate", json!({ "destination": 7, "password": "hunter2" })),
        ("/api/hosts", json!({ "settings": settings, "login": { "password": "hunter2" } })),
        ("/api/hosts", json!({ "settings": settings, "login": "hunter2" })),
        ("/api/hosts/gamma/login", json!({ "password": "hunter2" })),
        ("/login", json!({ "username": "ada", "password": "hunter2" })),
    ];
    for refusal in [None, Some(Problem::new(Code::LoginRefused, "The login was refused."))] {
        house.console.will_refuse(refusal);
        for (path, body) in &doors {
            let request = client.post(format!("{base}{path}")).header("cookie", &cookie);
            request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        }
    }
    house.stop.cancel();
    served.await.unwrap().unwrap();
    IS_LOGGED.set(false);
    let text = log.text();
    assert!(text.contains("TRACE") && text.contains("/plugins/kimchi/vms/web/migrate"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}
