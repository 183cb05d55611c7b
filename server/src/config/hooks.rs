//! The hooks of the configuration: what is run or called when a host is empty, and when all is home.

use std::net::IpAddr;

use reqwest::Url;
use serde::Deserialize;

use super::ConfigError;

/// A hook as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HookSettings {
    on: Vec<HookOn>,
    command: Option<Vec<String>>,
    url: Option<String>,
}

/// What a hook is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookOn {
    /// A host is empty.
    Empty,
    /// The VMs of a host are home.
    Home,
}

impl HookOn {
    /// The event as the engine calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Home => "home",
        }
    }
}

/// A hook that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// What it is told of.
    pub on: Vec<HookOn>,
    /// How it is told.
    pub target: HookTarget,
}

/// How a hook is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookTarget {
    /// A program with its arguments, run without a shell.
    Command {
        /// An absolute path.
        program: String,
        /// As they are passed.
        arguments: Vec<String>,
    },
    /// An address that takes JSON by POST.
    Url(Url),
}

/// The hooks that these settings describe.
pub(super) fn checked(settings: &[HookSettings]) -> Result<Vec<Hook>, ConfigError> {
    settings.iter().map(hook).collect()
}

fn hook(HookSettings { on, command, url }: &HookSettings) -> Result<Hook, ConfigError> {
    if on.is_empty() {
        return Err(ConfigError::Hook("on is empty: name empty, home, or both".into()));
    }
    let target = match (command, url) {
        (Some(command), None) => of_command(command)?,
        (None, Some(url)) => of_url(url)?,
        _ => return Err(ConfigError::Hook("it needs command or url, one of them".into())),
    };
    Ok(Hook { on: on.clone(), target })
}

fn of_command(command: &[String]) -> Result<HookTarget, ConfigError> {
    match command.split_first() {
        Some((program, arguments)) if program.starts_with('/') && !command.iter().any(|word| word.contains('\0')) => {
            Ok(HookTarget::Command { program: program.clone(), arguments: arguments.to_vec() })
        }
        _ => Err(ConfigError::Hook("command has to begin with the absolute path of a program".into())),
    }
}

/// What is sent names hosts and people: it crosses networks encrypted.
fn of_url(url: &str) -> Result<HookTarget, ConfigError> {
    let url = Url::parse(url).map_err(|error| ConfigError::Hook(format!("url can't be read ({error})")))?;
    let host = url.host_str().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(HookTarget::Url(url)),
        "http" if is_loopback => Ok(HookTarget::Url(url)),
        _ => Err(ConfigError::Hook("url has to begin with https://, or with http:// and a loopback address".into())),
    }
}
