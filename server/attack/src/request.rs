//! A line of `requests.txt`.

use std::str::FromStr;

use anyhow::{Context, Result, bail};

use crate::{
    client::{Answer, Target},
    escapes::unescaped,
};

/// The list.
const LIST: &str = include_str!("requests.txt");

/// A hostile request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The line, for reports.
    pub line: &'static str,
    right: Vec<Right>,
    sender: Sender,
    text: &'static str,
}

/// An answer that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Status(u16),
    ClientError,
    Harmless,
    Cut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    User,
    Stranger,
    Raw,
}

impl Request {
    /// All of the list.
    ///
    /// # Errors
    /// If a line can't be read.
    pub fn all() -> Result<Vec<Self>> {
        let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| Self::read(line).with_context(|| line.to_owned())).collect()
    }

    fn read(line: &'static str) -> Result<Self> {
        let mut words = line.splitn(3, ' ');
        let right = words.next().context("an answer")?.split('/').map(str::parse).collect::<Result<_>>()?;
        let sender = match words.next() {
            Some("user") => Sender::User,
            Some("stranger") => Sender::Stranger,
            Some("raw") => Sender::Raw,
            other => bail!("{other:?} sends nothing"),
        };
        Ok(Self { line, right, sender, text: words.next().context("a request")? })
    }

    /// The bytes that are sent.
    ///
    /// # Errors
    /// If the line can't be read.
    pub fn bytes(&self, target: &Target) -> Result<Vec<u8>> {
        if self.sender == Sender::Raw {
            return unescaped(self.text, target);
        }
        let (head, body) = self.text.split_once(" ||").unwrap_or((self.text, ""));
        let mut parts = head.split(" | ");
        let (method, path) = parts.next().and_then(|line| line.split_once(' ')).context("METHOD PATH")?;
        let body = unescaped(body.trim_start(), target)?;
        let cookie = if self.sender == Sender::User { target.cookie.as_str() } else { "" };
        let usual = [
            ("host", "§host§".to_owned()),
            ("cookie", cookie.to_owned()),
            ("content-type", "application/json".to_owned()),
            ("content-length", body.len().to_string()),
            ("connection", "close".to_owned()),
        ];
        let given: Vec<(&str, &str)> =
            parts.map(|header| header.split_once(": ").context("Header: value")).collect::<Result<_>>()?;
        let is_given = |name: &str| given.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let mut bytes = unescaped(&format!("{method} {path} HTTP/1.1\\r\\n"), target)?;
        for (name, value) in usual.iter().filter(|(name, value)| !is_given(name) && !value.is_empty()) {
            bytes.extend(unescaped(&format!("{name}: {value}\\r\\n"), target)?);
        }
        for (name, value) in &given {
            bytes.extend(unescaped(&format!("{name}: {value}\\r\\n"), target)?);
        }
        bytes.extend(b"\r\n");
        bytes.extend(body);
        Ok(bytes)
    }

    /// What is wrong with an answer.
    pub fn fault(&self, answer: &Answer) -> Option<String> {
        let is_right = self.right.iter().any(|right| right.is(answer.status));
        let head = answer.head.to_ascii_lowercase();
        if !is_right {
            let said = answer.head.lines().next().filter(|line| !line.is_empty()).unwrap_or("nothing");
            Some(format!("the answer is {said}: {}", answer.body.chars().take(300).collect::<String>()))
        } else if head.contains("\nx-injected:") {
            Some("the request has added a header to the answer".to_owned())
        } else if head.contains("text/html") && answer.body.contains("<script>alert(1)") {
            Some("the answer has the request's markup in it".to_owned())
        } else {
            None
        }
    }
}

impl Right {
    fn is(self, status: Option<u16>) -> bool {
        match (self, status) {
            (Self::Status(right), Some(status)) => right == status,
            (Self::ClientError, Some(status)) => (400..500).contains(&status),
            (Self::Harmless, Some(status)) => (200..400).contains(&status),
            (Self::Cut, None) => true,
            _ => false,
        }
    }
}

impl FromStr for Right {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "4xx" => Self::ClientError,
            "ok" => Self::Harmless,
            "cut" => Self::Cut,
            status => Self::Status(status.parse()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_long_and_can_be_read() {
        let target = Target { address: "127.0.0.1:80".parse().unwrap(), cookie: "a=b".to_owned() };
        let all = Request::all().unwrap();
        assert!(all.len() >= 200, "{}", all.len());
        for request in &all {
            assert!(!request.bytes(&target).unwrap().is_empty(), "{}", request.line);
        }
    }

    #[test]
    fn an_answer_is_judged() {
        let answer = |status, head: &str, body: &str| Answer { status, head: head.to_owned(), body: body.to_owned() };
        let request = Request::read("404/cut user GET /x").unwrap();
        assert_eq!(request.fault(&answer(Some(404), "HTTP/1.1 404", "")), None);
        assert_eq!(request.fault(&answer(None, "", "")), None);
        for wrong in [
            answer(Some(500), "HTTP/1.1 500", ""),
            answer(Some(200), "HTTP/1.1 200", ""),
            answer(Some(404), "HTTP/1.1 404\r\nX-Injected: 1", ""),
            answer(Some(404), "HTTP/1.1 404\r\nContent-Type: text/html", "<script>alert(1)</script>"),
        ] {
            assert!(request.fault(&wrong).is_some(), "{wrong:?}");
        }
    }
}
