//! Tables whose rows the server renders.

use leptos::prelude::*;

/// A table with its caption, which is unseen, and the headings of its columns. Its rows are the children.
#[component]
pub(crate) fn Table(
    class: &'static str,
    caption: &'static str,
    columns: &'static [&'static str],
    /// The columns that have numbers.
    #[prop(optional)]
    numbers: &'static [&'static str],
    children: Children,
) -> impl IntoView {
    let heading = |column: &&'static str| {
        let class = numbers.contains(column).then_some("number");
        view! { <th role="columnheader" class=class>{*column}</th> }
    };
    view! {
        <table role="table" class=format!("table {class}")>
            <caption class="hidden">{caption}</caption>
            <thead role="rowgroup">
                <tr role="row">{columns.iter().map(heading).collect_view()}</tr>
            </thead>
            <tbody role="rowgroup">{children()}</tbody>
        </table>
    }
}
