//! `/login`: a plain form, which needs no scripts. The server renders it, and once more when it refuses a login, so that the name that was
//! typed is in the answer only, and in no address.

use leptos::prelude::*;
use model::text;

use crate::ui::document::{Assets, Document};

/// Why a user is not logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginRefusal {
    /// User name or password is wrong.
    WrongCredentials,
    /// There were too many failed attempts.
    Throttled {
        /// The pause before the next one, in seconds.
        wait_s: u64,
    },
    /// The console can't write its database.
    StoreUnavailable,
    /// The login succeeded, but the browser did not send the session's cookie.
    NoCookie {
        /// The only address for which a browser keeps the cookie, where a proxy serves the console.
        origin: Option<String>,
    },
}

/// The page: the name as it was typed, and the page to go to afterwards.
pub fn login(assets: Assets, username: String, next: String, refusal: Option<LoginRefusal>) -> Document {
    let is_wrong = refusal == Some(LoginRefusal::WrongCredentials);
    let described = refusal.is_some().then_some("login-problem");
    let invalid = is_wrong.then_some("true");
    let is_named = !username.is_empty();
    let refusal = refusal.map(|refusal| {
        view! { <p class="note note-bad" role="alert" id="login-problem">{sentence(refusal)}</p> }
    });
    Document::of_login(assets, || {
        view! {
            <form class="login-card" method="post" action="/login">
                <p class="brand">
                    <img src="/icon.svg" alt="" width="40" height="40" />
                    "vmferry"
                </p>
                <h1>"Log in"</h1>
                {refusal}
                <label class="field">
                    <span>"User name"</span>
                    <input
                        name="username"
                        value=username
                        autocomplete="username"
                        autocapitalize="none"
                        spellcheck="false"
                        required
                        autofocus=!is_named
                        aria-invalid=invalid
                        aria-describedby=described
                    />
                </label>
                <label class="field">
                    <span>"Password"</span>
                    <input
                        type="password"
                        name="password"
                        autocomplete="current-password"
                        required
                        autofocus=is_named
                        aria-invalid=invalid
                        aria-describedby=described
                    />
                </label>
                <input type="hidden" name="next" value=next />
                <button class="button primary wide">"Log in"</button>
            </form>
        }
    })
}

fn sentence(refusal: LoginRefusal) -> String {
    match refusal {
        LoginRefusal::WrongCredentials => "User name or password is wrong.".to_owned(),
        LoginRefusal::Throttled { wait_s } => {
            format!("Too many failed attempts. Wait {}, then try again.", text::duration(wait_s * 1_000))
        }
        LoginRefusal::StoreUnavailable => {
            "vmferry's database can't be written now. Try again in a few seconds.".to_owned()
        }
        LoginRefusal::NoCookie { origin } => {
            let fix = match origin {
                Some(origin) => format!("Open the console at {origin}, and allow cookies there."),
                None => "Allow cookies for this address, then log in again.".to_owned(),
            };
            format!("Name and password are right, but the browser did not keep the session's cookie. {fix}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(username: &str, refusal: Option<LoginRefusal>) -> String {
        let assets = Assets { js: "/j".into(), wasm: "/w".into(), css: "/c".into(), simulated: false };
        login(assets, username.to_owned(), "/hosts".to_owned(), refusal).into_html()
    }

    #[test]
    fn the_first_attempt_has_no_problem() {
        let html = page("", None);
        assert!(!html.contains("aria-invalid") && !html.contains("role=\"alert\""), "{html}");
        assert!(html.contains(r#"name="next" value="/hosts""#), "{html}");
    }

    #[test]
    fn a_refused_name_is_kept_and_can_be_no_markup() {
        let html = page("<b>\"ada", Some(LoginRefusal::WrongCredentials));
        assert!(html.contains("value=\"&lt;b&gt;&quot;ada\""), "{html}");
        assert_eq!(html.matches("aria-invalid=\"true\" aria-describedby=\"login-problem\"").count(), 2, "{html}");
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let told = sentence(LoginRefusal::StoreUnavailable);
        assert!(told.contains("database can't be written"), "{told}");
        let told = sentence(LoginRefusal::Throttled { wait_s: 90 });
        assert!(told.contains("Wait 1 min 30 s"), "{told}");
        let told = sentence(LoginRefusal::NoCookie { origin: Some("https://vmferry.example.org".into()) });
        assert!(told.contains("at https://vmferry.example.org, and allow cookies"), "{told}");
    }
}
