//! When one last looked at the list of migrations, in this browser: what has ended badly since then is told.

use leptos::{prelude::*, web_sys::js_sys::Date};

const KEY: &str = "vmferry-looked";

/// When that was, in ms since 1970 (whole: to read a fraction takes 10 kB of tables); none on the server, and before the first time.
pub(crate) fn looked_at_ms() -> RwSignal<Option<u64>> {
    let looked = RwSignal::new(None);
    Effect::new(move |_| {
        let storage = window().local_storage().ok().flatten();
        let known = storage.and_then(|storage| storage.get_item(KEY).ok()?).and_then(|text| text.parse().ok());
        // On a first visit nothing is news.
        match known {
            Some(ms) => looked.set(Some(ms)),
            None => look(),
        }
    });
    looked
}

/// One looks now.
pub(crate) fn look() {
    if let Some(storage) = window().local_storage().ok().flatten() {
        // A browser that keeps nothing tells it again.
        let _ = storage.set_item(KEY, &(Date::now() as u64).to_string());
    }
}
