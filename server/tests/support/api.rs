//! The console's API, as programs use it.

use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    LIMIT, PASSWORD, Stream,
    stream::{Socket, connect},
};

/// A client of the API.
#[derive(Clone)]
pub struct Api {
    client: Client,
    base: String,
    cookie: Option<String>,
}

impl Api {
    /// A client that has not logged in to the console at this address.
    pub fn visitor(base: &str) -> Self {
        Self { client: Client::new(), base: base.to_owned(), cookie: None }
    }

    /// A client that has logged in.
    pub async fn login(base: &str) -> Self {
        let visitor = Self::visitor(base);
        let login = json!({"username": "admin", "password": PASSWORD});
        let response = visitor.send(Method::POST, "/login", Some(login)).await;
        assert_eq!(response.status(), StatusCode::OK);
        let cookie = response.headers()[header::SET_COOKIE].to_str().expect("a cookie is text");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Self { cookie: Some(cookie), ..visitor }
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.expect("the console answers")
    }

    /// Sends a form, as a browser does, and follows where the answer leads.
    pub async fn send_form(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.client.post(format!("{}{path}", self.base)).form(form).send().await.expect("the console answers")
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.send(Method::GET, path, None).await).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.send(Method::POST, path, Some(body)).await).await
    }

    /// Starts a migration and returns the task's address.
    pub async fn migrate(&self, vm: &str, destination: &str) -> String {
        self.migrate_with(vm, json!({"destination": destination})).await
    }

    /// Starts a migration with all fields of the request, and returns the task's address.
    pub async fn migrate_with(&self, vm: &str, request: Value) -> String {
        let (status, task) = self.post(&format!("/plugins/kimchi/vms/{vm}/migrate"), request).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{task}");
        format!("/plugins/kimchi/tasks/{}", task["id"].as_str().expect("a task has an id"))
    }

    /// Polls a task until it has ended, as a script would.
    pub async fn ended(&self, task: &str) -> Value {
        let poll = async {
            loop {
                let (status, now) = self.get(task).await;
                assert_eq!(status, StatusCode::OK, "{now}");
                if now["status"] != "running" {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        timeout(LIMIT, poll).await.expect("the migration ends")
    }

    /// Opens a WebSocket.
    pub async fn socket(&self, path: &str) -> Socket {
        connect(&self.base, path, self.cookie.as_deref().unwrap_or_default()).await
    }

    /// Opens the stream of updates.
    pub async fn stream(&self) -> Stream {
        Stream::open(&self.base, self.cookie.as_deref().unwrap_or_default()).await
    }
}

async fn answer(response: Response) -> (StatusCode, Value) {
    (response.status(), response.json().await.unwrap_or(Value::Null))
}
