//! Tells the commands and addresses of the configuration that a host is empty, or that all is home.
//!
//! They come from the configuration file only: what a user of the console types is data on standard input or in a body, never a part of a
//! command or an address.

mod command;
#[cfg(test)]
mod tests;
mod webhook;

use async_trait::async_trait;
use futures::future::join_all;
use model::HookEvent;
use serde_json::json;

use crate::config::{Hook, HookTarget};

/// The hooks of a configuration.
pub struct Hooks {
    hooks: Vec<Hook>,
    client: reqwest::Client,
}

impl Hooks {
    /// These hooks.
    ///
    /// # Errors
    /// When the authorities that this machine trusts can't be read.
    pub fn new(hooks: Vec<Hook>) -> Result<Self, reqwest::Error> {
        Ok(Self { hooks, client: webhook::client()? })
    }

    async fn one(&self, hook: &Hook, json: &str) -> String {
        match &hook.target {
            HookTarget::Command { program, arguments } => command::run(program, arguments, json).await,
            HookTarget::Url(url) => webhook::post(&self.client, url, json).await,
        }
    }
}

#[async_trait]
impl engine::Hooks for Hooks {
    async fn tell(&self, event: &HookEvent) -> Vec<String> {
        let HookEvent { id, event, host, reason, by, evacuation, at_ms, .. } = event;
        let event = event.as_str();
        let json = json!({
            "id": id, "event": event, "host": host, "reason": reason, "by": by, "evacuation": evacuation, "at_ms": at_ms,
        });
        let json = json.to_string();
        let wanted = self.hooks.iter().filter(|hook| hook.on.iter().any(|on| on.as_str() == event));
        let told = join_all(wanted.map(|hook| self.one(hook, &json))).await;
        for outcome in &told {
            tracing::info!(%event, %host, %outcome, "a hook was told");
        }
        told
    }
}

/// The first of what a hook has answered, in one line.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!(" It said: {}", words.join(" ")) }
}
