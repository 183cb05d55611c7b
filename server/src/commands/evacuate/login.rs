//! Which console a command is for, and who logs in there.

use std::{
    fs,
    io::{IsTerminal, stdin},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use clap::Args;
use model::Secret;
use reqwest::Url;

use super::client::{self, Client};
use crate::{
    commands::{CONFIG, Failure, console::ADMIN},
    config::{Config, ConfigError},
};

#[derive(Debug, Args)]
#[command(next_help_heading = "Console")]
pub(super) struct Login {
    /// The console's address; by default that of the configuration file.
    #[arg(long, value_name = "URL")]
    console: Option<String>,
    /// The configuration file of the console.
    #[arg(long, default_value = CONFIG)]
    config: PathBuf,
    /// The user who logs in; the password is asked for, or read from standard input.
    #[arg(long, default_value = ADMIN)]
    user: String,
    /// A file with the password, which only its owner may read.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The console's certificate (PEM), where neither the configuration file nor an authority of this machine knows it.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

impl Login {
    pub(super) async fn log_in(&self) -> Result<Client, Failure> {
        let (base, certificate) = self.place()?;
        Client::log_in(base, certificate, &self.user, &self.password()?).await
    }

    /// Where the console is, and the file with its certificate.
    fn place(&self) -> Result<(Url, Option<PathBuf>), Failure> {
        let config = match (Config::read(&self.config), &self.console) {
            (Ok(config), _) => Some(config),
            // Another console's address needs no configuration file here.
            (Err(ConfigError::Unreadable { .. }), Some(_)) => None,
            (Err(error @ ConfigError::Unreadable { .. }), None) => {
                return Err(format!("{error}. --console names the console instead.").into());
            }
            (Err(error), _) => return Err(error.into()),
        };
        let known = config.as_ref().and_then(Config::certificate_file).filter(|file| file.exists());
        let base = self.console.clone().or_else(|| config.map(|config| config.own_url())).unwrap_or_default();
        Ok((client::base(&base)?, self.certificate.clone().or(known)))
    }

    fn password(&self) -> Result<Secret, Failure> {
        match &self.password_file {
            Some(file) => password_in(file),
            None if stdin().is_terminal() => {
                Ok(Secret::new(rpassword::prompt_password(format!("Password of {}: ", self.user))?))
            }
            None => {
                let mut line = String::new();
                stdin().read_line(&mut line)?;
                Ok(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()))
            }
        }
    }
}

/// The password in a file that only its owner may read.
fn password_in(file: &Path) -> Result<Secret, Failure> {
    let unreadable = |error| format!("The password can't be read from {}: {error}.", file.display());
    if fs::metadata(file).map_err(unreadable)?.mode() & 0o077 != 0 {
        return Err(
            format!("{} has a password, and other users can read it: run chmod 600 on it.", file.display()).into()
        );
    }
    let mut text = fs::read_to_string(file).map_err(unreadable)?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(Secret::new(text))
}
