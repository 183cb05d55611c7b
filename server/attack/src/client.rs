//! A client that sends bytes as they are: what an HTTP library would refuse to send is the point.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// How long an answer may take: longer than the console's own limit, 45 s, after which it says so.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How much of an answer is read, in bytes.
const LARGEST_ANSWER: u64 = 8 << 20;

/// The console that is attacked.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// The user's login, as a header's value.
    pub cookie: String,
}

/// An answer; none of it if the connection was closed without one.
#[derive(Debug, Default)]
pub struct Answer {
    /// The status; none without an answer.
    pub status: Option<u16>,
    /// Status line and headers.
    pub head: String,
    /// The body, as it was sent.
    pub body: String,
}

impl Target {
    /// Logs in to the console at this address.
    ///
    /// # Errors
    /// If it refuses.
    pub async fn log_in(address: SocketAddr, user: &str, password: &str) -> Result<Self> {
        let visitor = Self { address, cookie: String::new() };
        let body = serde_json::json!({ "username": user, "password": password }).to_string();
        let answer = visitor.exchange(None, &visitor.request("POST", "/login", "", &body)).await?;
        ensure!(answer.status == Some(200), "the login is refused: {}{}", answer.head, answer.body);
        let cookie = answer.header("set-cookie").and_then(|value| value.split(';').next()).context("a cookie")?;
        Ok(Self { cookie: cookie.to_owned(), ..visitor })
    }

    /// The console's origin, as a browser sends it.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A request, with the user's cookie if there is one. `headers` are more lines, each with its end.
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
        let cookie = if self.cookie.is_empty() { String::new() } else { format!("Cookie: {}\r\n", self.cookie) };
        let (host, length) = (self.address, body.len());
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{cookie}Content-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n{headers}\r\n{body}"
        )
        .into_bytes()
    }

    /// Connects, from this address of the machine's if one is given.
    ///
    /// # Errors
    /// If the console does not accept.
    pub async fn connect(&self, from: Option<Ipv4Addr>) -> Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        if let Some(from) = from {
            socket.bind((IpAddr::from(from), 0).into())?;
        }
        Ok(timeout(ANSWER_LIMIT, socket.connect(self.address)).await.context("no connection in time")??)
    }

    /// Sends bytes and reads until the console closes the connection.
    ///
    /// # Errors
    /// If it does not accept, or does not close in time.
    pub async fn exchange(&self, from: Option<Ipv4Addr>, bytes: &[u8]) -> Result<Answer> {
        let (mut incoming, mut outgoing) = self.connect(from).await?.into_split();
        let mut answer = Vec::new();
        let send = async {
            // The console may refuse before it has read all.
            let _ = outgoing.write_all(bytes).await;
            std::future::pending::<()>().await;
        };
        let receive = async {
            // A reset after the answer is an end, too.
            let _ = (&mut incoming).take(LARGEST_ANSWER).read_to_end(&mut answer).await;
        };
        let both = async {
            tokio::select! {
                () = send => {}
                () = receive => {}
            }
        };
        timeout(ANSWER_LIMIT, both).await.context("neither an answer nor an end")?;
        Ok(Answer::read(&answer))
    }

    /// What the API says at this address, as the user.
    ///
    /// # Errors
    /// If it refuses, or the answer is no JSON.
    pub async fn get(&self, from: Option<Ipv4Addr>, path: &str) -> Result<Value> {
        let answer = self.exchange(from, &self.request("GET", path, "", "")).await?;
        ensure!(answer.status == Some(200), "GET {path}: {}", answer.head);
        let json = answer.body.find(['{', '[']).and_then(|begin| {
            let end = answer.body.rfind(['}', ']'])?;
            serde_json::from_str(&answer.body[begin..=end]).ok()
        });
        json.with_context(|| format!("GET {path} is no JSON: {}", answer.body))
    }
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}
