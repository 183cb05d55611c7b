//! A hook that is a program.

use std::{
    io::{self, pipe},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe::Receiver,
    process::{Child, Command},
    time::timeout,
};

use super::quoted;

/// How long a program may run.
const LIMIT: Duration = Duration::from_mins(1);
/// How much of what it writes is kept, in bytes.
const KEPT: usize = 2_000;

/// Runs a program with this on its standard input, and says what came of it.
pub(super) async fn run(program: &str, arguments: &[String], input: &str) -> String {
    run_within(LIMIT, program, arguments, input).await
}

pub(super) async fn run_within(limit: Duration, program: &str, arguments: &[String], input: &str) -> String {
    let (mut child, mut output) = match start(program, arguments) {
        Ok(started) => started,
        Err(error) => return format!("{program} can't be started: {error}."),
    };
    let mut kept = Vec::new();
    let ended = timeout(limit, until_end(&mut child, &mut output, input, &mut kept)).await;
    let outcome = match ended {
        Ok(Ok(status)) if status.success() => format!("{program} succeeded."),
        Ok(Ok(status)) => format!("{program} failed: {status}."),
        Ok(Err(error)) => format!("{program} was lost: {error}."),
        Err(_) => format!("{program} had not ended after {} s, and was killed.", limit.as_secs()),
    };
    // One that has not ended goes, with what it has started.
    if let Some(group) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        let _ = kill_process_group(group, Signal::KILL);
        let _ = child.wait().await;
    }
    outcome + &quoted(&kept)
}

/// The program, and what it will write to standard output and standard error.
fn start(program: &str, arguments: &[String]) -> io::Result<(Child, Receiver)> {
    let (reader, writer) = pipe()?;
    let child = Command::new(program)
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    Ok((child, Receiver::from_owned_fd(reader.into())?))
}

async fn until_end(
    child: &mut Child,
    output: &mut Receiver,
    input: &str,
    kept: &mut Vec<u8>,
) -> io::Result<ExitStatus> {
    if let Some(mut stdin) = child.stdin.take() {
        // It fits into the pipe, and a program that does not read it is no failure.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let mut part = [0; 1_024];
    let mut is_open = true;
    let status = loop {
        tokio::select! {
            read = output.read(&mut part), if is_open => match read {
                Ok(0) | Err(_) => is_open = false,
                Ok(length) => keep(kept, &part[..length]),
            },
            status = child.wait() => break status?,
        }
    };
    // What was written before the end. A program that it has left behind may keep the pipe open for ever.
    while let Ok(length @ 1..) = output.try_read(&mut part) {
        keep(kept, &part[..length]);
    }
    Ok(status)
}

fn keep(kept: &mut Vec<u8>, part: &[u8]) {
    let room = KEPT.saturating_sub(kept.len());
    kept.extend_from_slice(&part[..part.len().min(room)]);
}
