//! The account of the user who asks: all of it is auth's.

use async_trait::async_trait;
use model::{PasswordChange, Problem, SessionInfo};
use port::{Account, Principal};

use super::ServerConsole;

#[async_trait]
impl Account for ServerConsole {
    async fn change_password(&self, who: &Principal, change: PasswordChange) -> Result<(), Problem> {
        Ok(self.auth.change_password(who, change).await?)
    }

    async fn sessions(&self, who: &Principal) -> Result<Vec<SessionInfo>, Problem> {
        Ok(self.auth.sessions_of(who).await?)
    }

    async fn end_session(&self, who: &Principal, handle: &str) -> Result<(), Problem> {
        Ok(self.auth.end_session(who, handle).await?)
    }
}
