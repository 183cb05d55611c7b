//! `vmferry user`: who may log in.

use std::{
    io::{IsTerminal, stdin},
    path::Path,
};

use clap::Subcommand;

use super::{Failure, console::Kept, told};
use crate::config::Config;

/// What to do with users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Adds a user; the password is asked for, or read from standard input.
    Add {
        /// Small letters, digits, _ and -.
        name: String,
    },
    /// Sets a user's password and ends their sessions.
    Passwd {
        /// The user.
        name: String,
    },
    /// Names all users.
    List,
    /// Removes a user and ends their sessions.
    Remove {
        /// The user.
        name: String,
    },
}

pub(super) async fn run(config: &Path, command: UserCommand) -> Result<(), Failure> {
    let config = Config::read(config)?;
    let Kept { auth, store, .. } = Kept::open_beside(&config.data_dir, config.session_limits()).await?;
    match command {
        UserCommand::Add { name } => auth.add_user(&name, new_password()?).await.map_err(told)?,
        UserCommand::Passwd { name } => auth.set_users_password(&name, new_password()?).await.map_err(told)?,
        UserCommand::Remove { name } => auth.remove_user(&name).await.map_err(told)?,
        UserCommand::List => {
            for name in auth.users().await.map_err(told)? {
                println!("{name}");
            }
        }
    }
    store.close().await;
    Ok(())
}

/// Asks for a password twice on a terminal, without showing it; else takes the first line of standard input.
fn new_password() -> Result<String, Failure> {
    if !stdin().is_terminal() {
        let mut line = String::new();
        stdin().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("Again: ")? != password {
        return Err("The two passwords differ. Try again.".into());
    }
    Ok(password)
}
