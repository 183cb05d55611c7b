//! Small drawings beside words, never instead of them: they are hidden from screen readers.

use leptos::prelude::*;

/// A drawing on a grid of 24 by 24, in strokes of the text's colour.
#[derive(Clone, Copy)]
pub(crate) enum Icon {
    Vms,
    Migrations,
    Hosts,
    Account,
    Search,
    Arrow,
    Back,
    More,
    Close,
    Warning,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Vms => "M4 5h16v11H4zM9 20h6M12 16v4",
            Self::Migrations => "M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4",
            Self::Hosts => "M4 4h16v7H4zM4 13h16v7H4zM8 7.5h.01M8 16.5h.01",
            Self::Account => "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0",
            Self::Search => "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5",
            Self::Arrow => "M4 12h15M14 7l5 5-5 5",
            Self::Back => "M20 12H5M10 7l-5 5 5 5",
            Self::More => "M5.5 11v2M12 11v2M18.5 11v2",
            Self::Close => "M6 6l12 12M18 6L6 18",
            Self::Warning => "M12 4L2.5 20h19zM12 10v4.5M12 17.2h.01",
        }
    }
}

/// Draws an icon.
#[component]
pub(crate) fn Draw(icon: Icon) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=icon.path() />
        </svg>
    }
}
