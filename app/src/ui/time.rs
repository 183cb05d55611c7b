//! Points in time, and the time a migration takes.

use std::time::Duration;

use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{HtmlElement, js_sys::Date},
};
use model::{Migration, text};
use time::OffsetDateTime;

/// A point in time, in ms since 1970. The server writes it in UTC, which reads the same in every browser; the browser then changes it to
/// its own time zone and language, and shows UTC when it is pointed at.
#[component]
pub(crate) fn Time(ms: u64) -> impl IntoView {
    let (date, clock) = utc(ms);
    let text = format!("{date} {clock} UTC");
    let shown = RwSignal::new(text.clone());
    Effect::new(move |_| shown.set(local(&Date::new(&JsValue::from_f64(ms as f64)))));
    view! {
        <time datetime=format!("{date}T{clock}Z") title=text>
            {shown}
        </time>
    }
}

/// Changes the times of a part of the page that the server has rendered to the browser's time zone and language.
pub(crate) fn localize(part: &HtmlElement) {
    let Ok(times) = part.query_selector_all("time") else { return };
    for time in (0..times.length()).filter_map(|index| times.get(index)?.dyn_into::<HtmlElement>().ok()) {
        if let Some(datetime) = time.get_attribute("datetime") {
            time.set_text_content(Some(&local(&Date::new(&datetime.into()))));
        }
    }
}

/// The time of day, in the browser's time zone and language.
pub(crate) fn clock() -> String {
    Date::new_0().to_locale_time_string("default").into()
}

fn local(date: &Date) -> String {
    date.to_locale_string("default", &JsValue::UNDEFINED).into()
}

/// The date and the time of day, to the second.
fn utc(ms: u64) -> (String, String) {
    let seconds = i64::try_from(ms / 1_000).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (
        format!("{:04}-{:02}-{:02}", time.year(), u8::from(time.month()), time.day()),
        format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second()),
    )
}

/// How long a migration has run. Between samples the browser counts on, from when the last one arrived; it never goes back while it runs.
#[component]
pub(crate) fn Elapsed(#[prop(into)] migration: Signal<Migration>) -> impl IntoView {
    const TICK: Duration = Duration::from_secs(1);
    let sampled_ms = Memo::new(move |_| {
        let migration = migration.read();
        migration.outcome.map_or(migration.progress.elapsed_ms, |outcome| outcome.total_ms)
    });
    let has_ended = Memo::new(move |_| migration.read().phase.has_ended());
    // Since the last sample, by the browser's clock.
    let counted_ms = RwSignal::new(0.0);
    Effect::new(move |_| {
        sampled_ms.get();
        let arrived = Date::now();
        counted_ms.set(0.0);
        let ticking = (!has_ended.get())
            .then(|| set_interval_with_handle(move || counted_ms.set((Date::now() - arrived).max(0.0)), TICK).ok());
        on_cleanup(move || {
            if let Some(ticking) = ticking.flatten() {
                ticking.clear();
            }
        });
    });
    let shown_ms = Memo::new(move |before: Option<&u64>| {
        let now = sampled_ms.get() + counted_ms.get() as u64;
        if has_ended.get() { sampled_ms.get() } else { now.max(before.copied().unwrap_or_default()) }
    });
    move || text::duration(shown_ms.get())
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn dates_are_written_as_iso_8601_does() {
        assert_eq!(utc(0), ("1970-01-01".into(), "00:00:00".into()));
        assert_eq!(utc(1_795_406_705_999), ("2026-11-23".into(), "04:05:05".into()));
        assert_eq!(utc(u64::MAX).0, "1970-01-01");
    }
}
