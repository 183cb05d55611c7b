//! A client of the console's API.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use model::{EvacuationId, Problem, Secret};
use reqwest::{Method, RequestBuilder, Response, Url, header, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{super::Failure, follow::printable, trust};

/// How long an answer may take: a plan takes up to 45 s.
const LIMIT: Duration = Duration::from_mins(1);

/// Why the console did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// It has refused.
    #[error("{0}")]
    Refused(String),
    /// It was not reached, or its answer is none.
    #[error("The console does not answer: {0}.")]
    Unreachable(String),
}

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        let mut cause: &dyn std::error::Error = &error;
        // The last says most.
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Self::Unreachable(cause.to_string())
    }
}

/// A client that is logged in.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    cookie: String,
}

/// The address of a console.
pub(super) fn base(text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is no address of a console: {error}."))?;
    let host = url.host_str().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback => Ok(url),
        "http" => {
            Err("The password would cross the network unencrypted: the address has to begin with https://.".into())
        }
        _ => Err(format!("{text:?} is no address of a console: it begins with https://.").into()),
    }
}

impl Client {
    /// Logs in.
    pub(super) async fn log_in(
        base: Url,
        certificate: Option<PathBuf>,
        user: &str,
        password: &Secret,
    ) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .use_preconfigured_tls(trust::tls(certificate.as_deref())?)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("vmferry/", env!("CARGO_PKG_VERSION")))
            .timeout(LIMIT)
            .build()?;
        let mut client = Self { http, base, cookie: String::new() };
        let login = json!({ "username": user, "password": password.reveal() });
        let answer = client.answer(client.request(Method::POST, "/login").json(&login)).await?;
        let cookie = answer.headers().get(header::SET_COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        client.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(client)
    }

    /// Ends the session. If that fails, it ends by itself.
    pub(super) async fn log_out(&self) {
        let _ = self.request(Method::POST, "/logout").send().await;
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        Ok(self.answer(self.request(Method::GET, path)).await?.json().await?)
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, ClientError> {
        Ok(self.answer(self.request(Method::POST, path).json(body)).await?.json().await?)
    }

    /// The address of an evacuation's page.
    pub(super) fn page(&self, id: EvacuationId) -> String {
        format!("{}/evacuations/{id}", self.base.as_str().trim_end_matches('/'))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let address = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        self.http.request(method, address).header(header::COOKIE, &self.cookie)
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let answer = request.send().await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let words = answer.text().await.ok().and_then(|text| told(&text));
        // A proxy whose console is away says so with a 502 of its own.
        Err(words.map_or_else(|| ClientError::Unreachable(format!("its answer is {status}")), ClientError::Refused))
    }
}

/// A refusal in words, if the answer is one of the console.
fn told(text: &str) -> Option<String> {
    /// A refusal of the login.
    #[derive(Deserialize)]
    struct Reason {
        reason: String,
    }
    let parts = match serde_json::from_str::<Problem>(text) {
        Ok(Problem { sentence, fix, details, .. }) => [Some(sentence), fix, details].into_iter().flatten().collect(),
        Err(_) => vec![serde_json::from_str::<Reason>(text).ok()?.reason],
    };
    Some(parts.iter().flat_map(|part| part.lines()).map(printable).collect::<Vec<_>>().join("\n"))
}
