//! `vmferry serve`, a real process, and its REST API, used as a script would.

use std::{
    fs::{self, OpenOptions},
    net::SocketAddrV4,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method, StatusCode, header};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::{host::Host, record::Record};

/// How long a second console on the same data may take to refuse.
const REFUSAL_LIMIT: Duration = Duration::from_secs(20);
/// How long a console may take to start, to end, and to answer.
const START_LIMIT: Duration = Duration::from_secs(60);
const END_LIMIT: Duration = Duration::from_secs(40);
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// What is told of the hosts' links, so that evacuations take as long as there is something to strike. Single migrations have their own limit.
const OUTGOING_MIB_S: u32 = 16;
/// The first user, and the password that this bed gives it: nobody else gets in here.
const USER: &str = "admin";
const PASSWORD: &str = "a long password of the bed";

/// What became of a console that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Runs,
    Refused,
}

/// A console with a data directory.
pub struct Console {
    program: PathBuf,
    directory: PathBuf,
    base: String,
    client: Client,
    cookie: Option<String>,
    process: Option<Child>,
}

impl Console {
    /// Writes the configuration of a console for these hosts, whose data and log are in `directory`; does not start it.
    pub fn prepare(
        program: &Path,
        directory: PathBuf,
        address: SocketAddrV4,
        hosts: &[Host],
        shared: &Path,
    ) -> Result<Self> {
        let data = directory.join("data");
        fs::create_dir_all(&data)?;
        let mut config = format!(
            "listen = \"{address}\"\nprotocol = \"http\"\ndata_dir = \"{}\"\nallow_tcp = true\n",
            data.display()
        );
        for Host { name, address, .. } in hosts {
            config += &format!(
                "\n[[hosts]]\nname = \"{name}\"\ntransport = \"tcp\"\naddress = \"{address}\"\ndaemon = \"session\"\n\
                 shared_directories = [\"{}\"]\noutgoing_mib_s = {OUTGOING_MIB_S}\n",
                shared.display()
            );
        }
        fs::write(directory.join("vmferry.toml"), config)?;
        let client = Client::builder().timeout(ANSWER_LIMIT).build()?;
        let base = format!("http://{address}");
        Ok(Self { program: program.to_owned(), directory, base, client, cookie: None, process: None })
    }

    /// Starts it if it does not run, and returns when it has tried all hosts.
    pub async fn ensure_running(&mut self) -> Result<()> {
        if self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None))) {
            self.process = Some(self.spawn(&[])?);
        }
        let started = Instant::now();
        while !self.is_ready().await {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            if let Some(status) = ended {
                bail!("the console ended: {status}; its log: {}", self.log_tail());
            }
            ensure!(started.elapsed() < START_LIMIT, "the console does not start; its log: {}", self.log_tail());
            sleep(LOOK_AGAIN).await;
        }
        if self.cookie.is_none() {
            self.cookie = Some(self.log_in().await?);
        }
        Ok(())
    }

    /// Starts it, and does not wait for it.
    pub fn begin_to_start(&mut self) -> Result<()> {
        self.process = Some(self.spawn(&[])?);
        Ok(())
    }

    /// Starts another console with the same configuration, but for its address; what became of it. It is ended again.
    pub async fn try_second_on_same_data(&self) -> Result<Start> {
        let mut second = self.spawn(&["--listen", "127.0.0.1:0"])?;
        let ended = tokio::time::timeout(REFUSAL_LIMIT, second.wait()).await;
        Ok(match ended {
            Ok(Ok(status)) if !status.success() => Start::Refused,
            _ => Start::Runs,
        })
    }

    fn spawn(&self, more: &[&str]) -> Result<Child> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = Command::new(&self.program);
        command
            .args(["serve", "--config"])
            .arg(self.directory.join("vmferry.toml"))
            .args(more)
            .env("VMFERRY_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        command.spawn().with_context(|| format!("{} can't be run", self.program.display()))
    }

    async fn is_ready(&self) -> bool {
        self.client.get(format!("{}/healthz", self.base)).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    async fn log_in(&self) -> Result<String> {
        let login = json!({"username": USER, "password": PASSWORD});
        let answer = self.client.post(format!("{}/login", self.base)).json(&login).send().await?;
        ensure!(answer.status() == StatusCode::OK, "the login was refused: {}", answer.status());
        let cookie = answer.headers().get(header::SET_COOKIE).context("the login has a cookie")?.to_str()?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    /// Its process, unless it has ended and was seen to end.
    pub fn pid(&self) -> Option<Pid> {
        let id = self.process.as_ref()?.id()?;
        Pid::from_raw(i32::try_from(id).ok()?)
    }

    /// Sends it a signal, if it runs.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // Fails if it has ended meanwhile.
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits until a console that was told to end has ended.
    pub async fn wait_until_ended(&mut self) -> Result<()> {
        if let Some(process) = &mut self.process {
            let ended = tokio::time::timeout(END_LIMIT, process.wait()).await;
            ended.context("the console does not end")??;
        }
        Ok(())
    }

    /// Asks the API. An error is a console that does not answer; a refusal is an answer.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<(StatusCode, Value)> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        Ok((answer.status(), answer.json().await.unwrap_or(Value::Null)))
    }

    /// Asks for a migration; the id of its record, or the refusal.
    pub async fn migrate(&self, vm: &str, request: Value) -> Result<Result<String, String>> {
        let (status, answer) =
            self.ask(Method::POST, &format!("/plugins/kimchi/vms/{vm}/migrate"), Some(request)).await?;
        Ok(match answer["id"].as_str() {
            Some(id) if status == StatusCode::ACCEPTED => Ok(id.to_owned()),
            _ => Err(format!("{status} {answer}")),
        })
    }

    /// The record of a migration.
    pub async fn record(&self, id: &str) -> Result<Record> {
        let (status, answer) = self.ask(Method::GET, &format!("/api/migrations/{id}"), None).await?;
        ensure!(status == StatusCode::OK, "GET /api/migrations/{id}: {status} {answer}");
        Ok(Record(answer))
    }

    /// What it says of a VM.
    pub async fn vm(&self, vm: &str) -> Result<Value> {
        Ok(self.ask(Method::GET, &format!("/plugins/kimchi/vms/{vm}"), None).await?.1)
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("console.log")
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(3000)..]).into_owned()
    }
}
