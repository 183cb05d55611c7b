//! Which rows of the list are near the view, and so asked for.
//!
//! On a desktop the page is as long as the whole list; on a phone, whose cards are high, it is a part of it, and links lead to the others.

use leptos::{ev, html, prelude::*};
use leptos_router::hooks::use_query_map;
use web_sys::HtmlTableSectionElement;

use crate::live::Live;
use crate::scope::{FIRST_ROWS, first_row};
use crate::vms::selection::bar;

/// The rows of a page on a phone: 180 cards of 144 px.
const PHONE_ROWS: u32 = 180;

/// The width from which on rows are no cards, as in the style sheet.
const WIDE: &str = "(width > 840px)";

/// Rows asked for on each side of the view.
const MARGIN: u32 = 20;

/// The rows of a page.
#[derive(Clone, Copy)]
pub(super) struct Section {
    live: Live,
    /// The first row of the page, as its address says.
    asked_from: Memo<u32>,
    /// How many rows the page has at most. Without WASM, those that it came with.
    most: RwSignal<u32>,
    /// From the top of a row to that of the next, in CSS pixels.
    pub row_px: RwSignal<f64>,
}

impl Section {
    /// The section that the page's address asks for; while one scrolls, the rows near the view are asked for.
    pub fn follow(body: NodeRef<html::Tbody>) -> Self {
        let live = expect_context::<Live>();
        let params = use_query_map();
        let asked_from = Memo::new(move |_| first_row(&params.read()));
        let section = Self { live, asked_from, most: RwSignal::new(FIRST_ROWS), row_px: RwSignal::new(0.0) };
        Effect::new(move |_| {
            let is_wide = window().match_media(WIDE).ok().flatten().is_some_and(|query| query.matches());
            section.most.set(if is_wide { u32::MAX } else { PHONE_ROWS });
        });
        let look = move || {
            if let Some(body) = body.try_get_untracked().flatten() {
                section.look(&body);
            }
        };
        Effect::new(move |_| {
            live.list.track();
            request_animation_frame(look);
        });
        let scroll = window_event_listener(ev::scroll, move |_| request_animation_frame(look));
        let resize = window_event_listener(ev::resize, move |_| request_animation_frame(look));
        on_cleanup(move || {
            scroll.remove();
            resize.remove();
        });
        section
    }

    /// Measures where the view is, and asks for what is near it.
    fn look(self, body: &HtmlTableSectionElement) {
        bar::follow(untrack(|| self.range()).2);
        let Some(row_px) = pitch(body) else { return };
        if (self.row_px.get_untracked() - row_px).abs() > 0.5 {
            self.row_px.set(row_px);
        }
        let view_px = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(800.0);
        let above = (-body.get_bounding_client_rect().top()).max(0.0) / row_px;
        let (from, end, _) = untrack(|| self.range());
        let first = from.saturating_add(above as u32).min(end);
        let seen = (view_px / row_px) as u32 + 1;
        let wanted = first.saturating_sub(MARGIN).max(from)..first.saturating_add(seen + MARGIN).min(end);
        let shown = self.shown();
        // Near the edge of what is here, more is asked for.
        let near = first.saturating_sub(MARGIN / 2).max(from)..first.saturating_add(seen + MARGIN / 2).min(end);
        if near.start < shown.start || near.end > shown.end {
            self.live.show(|scope| {
                if let Some(list) = &mut scope.list {
                    list.from = wanted.start;
                    list.count = (wanted.end - wanted.start).max(FIRST_ROWS);
                }
            });
        }
    }

    /// The rows that are here.
    fn shown(self) -> std::ops::Range<u32> {
        let list = self.live.list.read();
        list.as_ref().map_or(0..0, |list| list.from..list.from + list.rows.len() as u32)
    }

    /// The page's first row, the one behind its last, and how many the whole list has.
    pub fn range(self) -> (u32, u32, u32) {
        let (first, matching) = self.live.list.read().as_ref().map_or((0, 0), |list| (list.from, list.matching));
        // Of a place behind the end the console sends the last rows.
        let from = Some(self.asked_from.get()).filter(|from| *from < matching).unwrap_or(first);
        (from, from.saturating_add(self.most.get()).min(matching), matching)
    }

    /// Rows of the page before those that are here.
    pub fn before(self) -> u32 {
        self.shown().start.saturating_sub(self.range().0)
    }

    /// Rows of the page after those that are here.
    pub fn after(self) -> u32 {
        self.range().1.saturating_sub(self.shown().end)
    }

    /// Where the page before this one begins.
    pub fn previous(self) -> Option<u32> {
        let from = self.range().0;
        (from > 0).then(|| from.saturating_sub(self.most.get().min(PHONE_ROWS)))
    }

    /// Where the page after this one begins.
    pub fn next(self) -> Option<u32> {
        let (_, end, matching) = self.range();
        (end < matching).then_some(end)
    }
}

/// From the top of a row to that of the next, in CSS pixels. Not the height: cards have a gap between them.
fn pitch(body: &HtmlTableSectionElement) -> Option<f64> {
    let top = |selector: &str| Some(body.query_selector(selector).ok()??.get_bounding_client_rect().top());
    let pitch = top("tr:not(.room) + tr:not(.room)")? - top("tr:not(.room)")?;
    (pitch > 0.0).then_some(pitch)
}
