//! `/login`: a plain form for the server's own door of the same address; it works before any WASM is there.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use model::text;

/// The longest pause after failed logins, in seconds. What says that it is longer was not written by the console.
const LONGEST_WAIT_S: u64 = 15 * 60;

#[component]
pub(crate) fn LoginPage() -> impl IntoView {
    let params = use_query_map();
    let next = move || params.read().get("next").unwrap_or_default();
    view! {
        <Title text="Log in" />
        <main id="main" class="login">
            <form class="login-card" method="post" action="/login">
                <p class="brand">
                    <img src="/icon.svg" alt="" width="40" height="40" />
                    "vmferry"
                </p>
                <h1>"Log in"</h1>
                {move || refusal(&params.read()).map(|sentence| view! { <p class="note note-bad" role="alert">{sentence}</p> })}
                <label class="field">
                    <span>"User name"</span>
                    <input
                        name="username"
                        autocomplete="username"
                        autocapitalize="none"
                        spellcheck="false"
                        required
                        autofocus
                    />
                </label>
                <label class="field">
                    <span>"Password"</span>
                    <input type="password" name="password" autocomplete="current-password" required />
                </label>
                <input type="hidden" name="next" value=next />
                <button class="button primary wide">"Log in"</button>
            </form>
        </main>
    }
}

/// Why the last attempt was refused, as the door put it in the address.
fn refusal(params: &ParamsMap) -> Option<String> {
    match params.get_str("problem")? {
        "wrong-credentials" => Some("User name or password is wrong.".to_owned()),
        "throttled" => {
            let seconds = params.get_str("wait").and_then(|wait| wait.parse::<u64>().ok());
            let wait = seconds.filter(|seconds| *seconds <= LONGEST_WAIT_S);
            let wait = wait.map_or("a while".to_owned(), |seconds| text::duration(seconds * 1_000));
            Some(format!("Too many failed attempts. Wait {wait}, then try again."))
        }
        "store-unavailable" => Some("vmferry's database can't be written now. Try again in a few seconds.".to_owned()),
        _ => Some("The login failed. Try again.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(pairs: &[(&'static str, &str)]) -> Option<String> {
        refusal(&pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect())
    }

    #[test]
    fn the_first_attempt_has_no_problem() {
        assert_eq!(sentence(&[("next", "/hosts")]), None);
    }

    #[test]
    fn a_database_that_fails_is_told() {
        let told = sentence(&[("problem", "store-unavailable")]).unwrap();
        assert!(told.contains("database can't be written"), "{told}");
    }

    #[test]
    fn a_throttled_login_says_how_long() {
        let told = sentence(&[("problem", "throttled"), ("wait", "90")]).unwrap();
        assert!(told.contains("1 min 30 s"), "{told}");
        for wait in ["<b>", "901", "18446744073709551615"] {
            assert!(sentence(&[("problem", "throttled"), ("wait", wait)]).unwrap().contains("a while"), "{wait}");
        }
    }
}
