//! Changing passwords.

use model::PasswordChange;
use port::Principal;
use store::Action;

use super::{Auth, AuthError, COMMAND_LINE, password_rules};

impl Auth {
    /// Changes the principal's own password and ends their other sessions.
    ///
    /// # Errors
    /// [`AuthError::WrongPassword`], [`AuthError::WeakPassword`], [`AuthError::Throttled`]; when the store fails.
    pub async fn change_password(&self, who: &Principal, change: PasswordChange) -> Result<(), AuthError> {
        let attempt = self.throttle.password_change(who.user()).await?;
        let hash = self.store.password_hash(who.user()).await?;
        if self.hasher.verify(change.current, hash).await.is_none() {
            tracing::warn!(user = who.user(), "password change failed: the current password is wrong");
            self.store.audit(who.user(), Action::PasswordChangeFailed(who.session())).await?;
            return Err(AuthError::WrongPassword);
        }
        self.throttle.succeeded(attempt).await?;
        self.set_password(who.user(), change.new, Some(who)).await
    }

    /// Sets a user's password and ends all their sessions.
    ///
    /// # Errors
    /// [`AuthError::UnknownUser`], [`AuthError::WeakPassword`]; when the store fails.
    pub async fn set_users_password(&self, name: &str, password: String) -> Result<(), AuthError> {
        self.set_password(name, password, None).await
    }

    /// Sets a password by the user themselves, whose session stays, or else by the command line.
    async fn set_password(&self, name: &str, password: String, by: Option<&Principal>) -> Result<(), AuthError> {
        password_rules::check(name, &password).map_err(AuthError::WeakPassword)?;
        let hash = self.hasher.hash(password).await;
        let (auth, user, by) = (self.clone(), name.to_owned(), by.cloned());
        // A task of its own: the caller may leave, but the streams of the ended sessions have to hear of it.
        let set = tokio::spawn(async move {
            let entry = match by {
                Some(_) => (user.as_str(), Action::PasswordChanged),
                None => (COMMAND_LINE, Action::UserPasswordSet(&user)),
            };
            let keep = by.as_ref().and_then(Principal::session);
            let ended = auth.store.set_password(&user, &hash, keep, entry).await?;
            let Some(ended) = ended else { return Err(AuthError::UnknownUser(user)) };
            ended.into_iter().for_each(|handle| auth.sessions.tell(handle));
            Ok(())
        });
        set.await.unwrap_or(Err(AuthError::Stopped))
    }
}
