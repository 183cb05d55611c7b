//! Sends the list to a console, one request after the other, and judges each answer.

use anyhow::Result;

use crate::{client::Target, request::Request, state::State};

/// Sends all requests of the list. What was wrong, in a line each.
///
/// # Errors
/// If the list can't be read, or the console does not answer its user.
pub async fn send_all(target: &Target) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut before = State::of(target).await?;
    for request in Request::all()? {
        let fault = match target.exchange(None, &request.bytes(target)?).await {
            Ok(answer) => request.fault(&answer),
            Err(error) => Some(format!("{error:#}")),
        };
        faults.extend(fault.map(|fault| format!("{}\n    {fault}", short(request.line))));
        let now = State::of(target).await?;
        if now != before {
            faults.push(format!("{}\n    the state has changed: {now:?}", short(request.line)));
            before = now;
        }
    }
    Ok(faults)
}

fn short(line: &str) -> String {
    line.chars().take(200).collect()
}
