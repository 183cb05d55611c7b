//! Follows an evacuation on the terminal.

use std::{
    io::{IsTerminal, Write, stdout},
    time::Duration,
};

use model::{Evacuation, EvacuationEvent, EvacuationId};
use serde::Deserialize;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    client::{Client, ClientError},
    follow::{self, Follow, Outcome, printable},
};
use crate::commands::{Failure, say, stop};

/// How often the console is asked how far an evacuation is.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// An evacuation as the API shows it.
#[derive(Deserialize)]
pub(super) struct Shown {
    pub(super) evacuation: Evacuation,
    history: Vec<EvacuationEvent>,
}

/// An evacuation, and what has happened.
pub(super) async fn shown(client: &Client, id: EvacuationId) -> Result<Shown, ClientError> {
    client.get(&format!("/api/evacuations/{id}")).await
}

/// Follows an evacuation until it has ended, waits for a person, or this program is interrupted.
pub(super) async fn until_end(client: &Client, id: EvacuationId) -> Result<Outcome, Failure> {
    let interrupted = stop::on_signal(false)?;
    let is_terminal = stdout().is_terminal();
    let mut follow = Follow::default();
    let mut is_silent = false;
    loop {
        match shown(client, id).await {
            Ok(Shown { evacuation, history }) => {
                is_silent = false;
                follow.news(&evacuation, &history).iter().for_each(|line| over_bar(is_terminal, line));
                if let Some((outcome, lines)) = follow::end(&evacuation) {
                    lines.iter().for_each(|line| over_bar(is_terminal, line));
                    return Ok(outcome);
                }
                if is_terminal {
                    write_over(&follow::bar(&evacuation));
                }
            }
            Err(error @ ClientError::Refused(_)) => {
                return Err(format!("{error} The evacuation goes on: {}", client.page(id)).into());
            }
            Err(error) => {
                if !is_silent {
                    over_bar(is_terminal, &format!("{error} It is asked again."));
                }
                is_silent = true;
            }
        }
        if !wait(&interrupted).await {
            over_bar(is_terminal, &format!("The evacuation goes on: {}", client.page(id)));
            return Ok(Outcome::Left);
        }
    }
}

/// False if the program was interrupted.
async fn wait(interrupted: &CancellationToken) -> bool {
    tokio::select! {
        () = interrupted.cancelled() => false,
        () = sleep(LOOK_EVERY) => true,
    }
}

/// A line where the bar was.
fn over_bar(is_terminal: bool, line: &str) {
    let line = printable(line);
    if is_terminal { say(&format!("\r\x1b[K{line}")) } else { say(&line) }
}

/// A text without an end of line, over the one before.
pub(super) fn write_over(text: &str) {
    let mut out = stdout();
    // Without a terminal that takes it the evacuation goes on all the same.
    let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
}
