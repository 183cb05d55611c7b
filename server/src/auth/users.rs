//! Users, as the command line adds and removes them.

use engine::UserName;
use store::Action;

use super::{Auth, AuthError, COMMAND_LINE, password_rules};

impl Auth {
    /// Adds a user.
    ///
    /// # Errors
    /// [`AuthError::InvalidName`], [`AuthError::UserExists`], [`AuthError::WeakPassword`]; when the store fails.
    pub async fn add_user(&self, name: &str, password: String) -> Result<(), AuthError> {
        let _: UserName = name.parse().map_err(AuthError::InvalidName)?;
        password_rules::check(name, &password).map_err(AuthError::WeakPassword)?;
        self.add_user_unchecked(name, password).await
    }

    /// Adds a user with whatever password was chosen for a demo.
    ///
    /// # Errors
    /// [`AuthError::InvalidName`], [`AuthError::UserExists`]; when the store fails.
    pub async fn add_user_unchecked(&self, name: &str, password: String) -> Result<(), AuthError> {
        let name: UserName = name.parse().map_err(AuthError::InvalidName)?;
        let hash = self.hasher.hash(password).await;
        if !self.store.add_user(name.as_str(), &hash).await? {
            return Err(AuthError::UserExists(name.as_str().to_owned()));
        }
        Ok(self.store.audit(COMMAND_LINE, Action::UserAdded(name.as_str())).await?)
    }

    /// Removes a user and ends all their sessions.
    ///
    /// # Errors
    /// [`AuthError::UnknownUser`]; when the store fails.
    pub async fn remove_user(&self, name: &str) -> Result<(), AuthError> {
        let entry = (COMMAND_LINE, Action::UserRemoved(name));
        let ended = self.store.remove_user(name, entry).await?;
        let ended = ended.ok_or_else(|| AuthError::UnknownUser(name.to_owned()))?;
        ended.into_iter().for_each(|handle| self.sessions.tell(handle));
        Ok(())
    }

    /// All users' names, sorted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn users(&self) -> Result<Vec<String>, AuthError> {
        Ok(self.store.users().await?)
    }
}
