//! Checks logins and hosts as users type them.

use engine::{HostConfig, HostCredentials, UserName};
use model::{Code, HostLogin, HostSettings, NewHost, Problem, Secret, SshLoginKind, TransportKind};

/// The longest password that is passed on, in bytes; OpenSSH's server takes no longer one (`PASSWORD_MAX` in its auth-passwd.c).
const LONGEST_PASSWORD: usize = 1024;

/// Checks what was typed to log in. An empty password is none.
pub(super) fn login(typed: HostLogin) -> Result<HostCredentials, Problem> {
    let HostLogin { user, password, fingerprint, keep_until_restart } = typed;
    let password = password.filter(|password| !password.reveal().is_empty());
    if password.as_ref().is_some_and(|password| !can_be_sent(password)) {
        let fix = format!("ssh takes at most {LONGEST_PASSWORD} bytes, and none of them zero.");
        return Err(invalid("This can't be a password.").with_fix(fix));
    }
    Ok(HostCredentials {
        user: user.map(|user| user.parse()).transpose()?,
        password,
        fingerprint: fingerprint.map(|fingerprint| fingerprint.parse()).transpose()?,
        keep_until_restart,
    })
}

/// ssh passes passwords on as text that ends at its first NUL.
fn can_be_sent(password: &Secret) -> bool {
    password.reveal().len() <= LONGEST_PASSWORD && !password.reveal().contains('\0')
}

/// A host to be registered at run time, and how to log in there for the first time.
pub(super) fn new_host(NewHost { settings, login: typed }: NewHost) -> Result<(HostConfig, HostCredentials), Problem> {
    let login = login(typed)?;
    let settings = completed(settings, &login)?;
    Ok((HostConfig::checked(&settings)?, login))
}

/// The settings, with the defaults for hosts that are added at run time where they leave something out.
fn completed(settings: HostSettings, login: &HostCredentials) -> Result<HostSettings, Problem> {
    if settings.transport != TransportKind::Ssh {
        return Ok(settings);
    }
    let usual = if login.password.is_some() { SshLoginKind::Password } else { SshLoginKind::AccountKeys };
    let kind = settings.login.unwrap_or(usual);
    if kind == SshLoginKind::Program {
        return Err(invalid("Only hosts of the configuration file are reached by the program ssh.")
            .with_fix("Choose account-keys: the same keys, and the console keeps the known hosts."));
    }
    let typed = login.user.as_ref().map_or(HostCredentials::USUAL_USER, UserName::as_str);
    let user = settings.user.or_else(|| Some(typed.to_owned()));
    Ok(HostSettings { user, login: Some(kind), ..settings })
}

fn invalid(sentence: &str) -> Problem {
    Problem::new(Code::InvalidInput, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn checked(settings: Value, login: Value) -> Result<(HostConfig, HostCredentials), Problem> {
        let mut settings = settings;
        settings["name"] = json!("gamma");
        settings["address"] = json!("192.0.2.7");
        new_host(serde_json::from_value(json!({ "settings": settings, "login": login })).unwrap())
    }

    #[test]
    fn little_need_be_said_of_a_host_by_ssh() {
        for (settings, login, user, kind) in [
            (json!({}), json!({}), "root", SshLoginKind::AccountKeys),
            (json!({}), json!({ "password": "" }), "root", SshLoginKind::AccountKeys),
            (json!({}), json!({ "password": "x" }), "root", SshLoginKind::Password),
            (json!({}), json!({ "user": "ops" }), "ops", SshLoginKind::AccountKeys),
            (json!({ "user": "ops" }), json!({ "user": "ops" }), "ops", SshLoginKind::AccountKeys),
            (json!({ "user": "ops", "login": "console-key" }), json!({}), "ops", SshLoginKind::ConsoleKey),
            (json!({ "login": "password" }), json!({}), "root", SshLoginKind::Password),
        ] {
            let mut settings = settings;
            settings["transport"] = json!("ssh");
            let (host, _) = checked(settings, login).unwrap();
            let settings = host.settings();
            assert_eq!((settings.user.as_deref(), settings.login), (Some(user), Some(kind)));
        }
    }

    #[test]
    fn what_can_t_be_sent_is_refused() {
        for (settings, login) in [
            (json!({ "transport": "ssh", "login": "program" }), json!({})),
            (json!({ "transport": "ssh" }), json!({ "user": "-oProxyCommand=x" })),
            (json!({ "transport": "ssh" }), json!({ "fingerprint": "MD5:00" })),
            (json!({ "transport": "ssh" }), json!({ "password": "a\0b" })),
            (json!({ "transport": "ssh" }), json!({ "password": "a".repeat(1025) })),
        ] {
            let problem = checked(settings.clone(), login.clone()).unwrap_err();
            assert_eq!(problem.code, Code::InvalidInput, "{settings} {login}: {problem}");
        }
    }
}
