//! Who asks.

/// A user whose identity has been proven: by a session, or by sitting at the console's own machine.
///
/// Every method of the port takes one, so that nothing can be called without a login by mistake. Only `server/src/auth` makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    user: String,
    session: Option<String>,
}

impl Principal {
    /// A user whom `server/src/auth` has authenticated. A lint (clippy.toml) refuses this call everywhere else.
    ///
    /// `session` is the handle of the session that the request came with; none for the command line on the console's own machine.
    pub fn authenticated(user: String, session: Option<String>) -> Self {
        Self { user, session }
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Whether the user may use serial consoles and screens: who does is in front of the machine, and may be able to do more there than the
    /// console offers. There is one kind of user today, who may; what users may do is decided here.
    pub fn may_use_terminals(&self) -> bool {
        true
    }

    /// The handle of the session that the request came with.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }
}
