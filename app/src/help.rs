//! `/help`: which version this is, what words mean, how to search, and the documents that came with it. The server renders it.

use leptos::prelude::*;
use model::{Code, Field, Problem};

use crate::ui::{
    document::{Assets, Back, Document},
    fact::Fact,
    table::Table,
};

/// The documents that are shown as they are written, by their address below `/help`: title and text.
const TEXTS: [(&str, &str, &str); 3] = [
    ("api", "API for programs", include_str!("../../docs/api.md")),
    ("policies", "Policies", include_str!("../../docs/policies.md")),
    ("limits", "How long is waited for what", include_str!("../../docs/limits.md")),
];
/// The address of the table of findings.
const FINDINGS: &str = "findings";
const FINDINGS_TITLE: &str = "What a preflight looks at";
const FINDINGS_TEXT: &str = include_str!("../../docs/findings.md");

/// What words mean, in short.
const WORDS: [(&str, &str); 14] = [
    ("Host", "A machine with libvirt, registered under a short name."),
    ("VM", "A domain of libvirt, known by its UUID wherever it is."),
    ("Copy", "What one host has of a VM: at most one of them runs."),
    ("Migration", "One move of a VM from one host to another. It is kept for ever, with what came of it."),
    (
        "Preflight",
        "What is checked before a migration. It changes nothing, and is made again when the migration starts.",
    ),
    (
        "Finding",
        "One thing that was checked: in order, unknown, a warning, or a blocker that keeps the VM where it is.",
    ),
    ("Risk", "A warning that data could be lost. The migration starts only once you have accepted it."),
    ("Policy", "What is done about a guest that writes as fast as the network carries: gentle, balanced or certain."),
    ("Pause", "How long the guest stands still while the hosts switch over."),
    (
        "Post-copy",
        "The VM runs at the destination, and the rest of its memory follows: it can't be cancelled any more.",
    ),
    (
        "Peer-to-peer",
        "The source's libvirt drives the migration: it goes on if this console stops. Direct: the console drives it.",
    ),
    ("Moved elsewhere", "The VM runs, but another console or program moved it."),
    (
        "Needs attention",
        "What the hosts say does not prove where the VM is. Its page says what to do; nothing is touched meanwhile.",
    ),
    ("Twins", "VMs that share one UUID: none is started, stopped or moved while one could be taken for the other."),
];

const KEYS: [(&str, &str); 5] = [
    ("Tab, Shift and Tab", "To the next link, button or field, and back. The first leads past the navigation."),
    ("Enter", "Follows a link, presses a button, sends a form."),
    ("Down, Up", "In the search box: what is proposed. In a menu or among hosts: the next one."),
    ("Space", "Ticks a box, opens what is folded."),
    ("Escape", "Closes a window or a menu, clears the search box."),
];

/// The page; `directory` is where the console keeps its data.
pub fn help(assets: Assets, directory: Option<&str>) -> Document {
    let directory = directory.map(str::to_owned);
    Document::of_menu(assets, "/help", "Help", || {
        view! {
            <section class="card">
                <h2>"This console"</h2>
                <dl class="facts">
                    <Fact name="Version">{concat!("vmferry ", env!("CARGO_PKG_VERSION"))}</Fact>
                    {directory.map(|directory| view! { <Fact name="Data">{directory} ": its database is vmferry.db."</Fact> })}
                    <Fact name="Log">
                        "Standard error: of a service, journalctl has it. RUST_LOG=debug says more. "
                        "Who did what is in the database, in the table audit."
                    </Fact>
                </dl>
            </section>
            <section class="card">
                <h2>"Documents"</h2>
                <ul class="things">
                    <li><a href=format!("/help/{FINDINGS}")>{FINDINGS_TITLE}</a></li>
                    {TEXTS.map(|(name, title, _)| view! { <li><a href=format!("/help/{name}")>{title}</a></li> }).collect_view()}
                    <li><a href="/predictions">"How good predictions were"</a></li>
                </ul>
            </section>
            <section class="card">
                <h2>"Search"</h2>
                <p>"Each word has to be in a VM's name, host, title or tags, or begin its state, UUID or IP address. One field only:"</p>
                <dl class="facts">
                    {Field::ALL.iter().map(|field| view! { <Entry name=format!("{}:", field.as_str()) text=looks_at(*field) /> }).collect_view()}
                </dl>
                <p class="hint">"For example: host:alpha state:running tag:web. The address of the page keeps the search."</p>
            </section>
            <section class="card">
                <h2>"Keyboard"</h2>
                <dl class="facts">{KEYS.map(|(name, text)| view! { <Entry name=name.to_owned() text /> }).collect_view()}</dl>
            </section>
            <section class="card">
                <h2>"Words"</h2>
                <dl class="facts">{WORDS.map(|(name, text)| view! { <Entry name=name.to_owned() text /> }).collect_view()}</dl>
            </section>
        }
    })
}

#[component]
fn Entry(name: String, text: &'static str) -> impl IntoView {
    view! {
        <div class="entry">
            <dt>{name}</dt>
            <dd>{text}</dd>
        </div>
    }
}

fn looks_at(field: Field) -> &'static str {
    match field {
        Field::Name => "A part of the name.",
        Field::Host => "A part of the name of its host, or of one that has another copy.",
        Field::State => "The beginning of its state: running, paused, shut; or migrating.",
        Field::Tag => "A whole tag.",
        Field::Title => "A part of the title.",
        Field::Uuid => "The beginning of the UUID.",
        Field::Ip => "The beginning of an IP address that its host gave out by DHCP, or that its page has shown.",
    }
}

/// A document that came with the console.
///
/// # Errors
/// `not-found`
pub fn help_document(assets: Assets, name: &str) -> Result<Document, Problem> {
    let back = Back { href: "/help".to_owned(), label: "Help" };
    if name == FINDINGS {
        return Ok(Document::wide(assets, back, FINDINGS_TITLE, || view! { <Findings /> }));
    }
    let found = TEXTS.into_iter().find(|(known, ..)| *known == name);
    let (_, title, text) = found.ok_or_else(|| {
        Problem::new(Code::NotFound, "There is no such document.")
            .with_fix("Look at the help page for those there are.")
    })?;
    Ok(Document::wide(assets, back, title, || view! { <pre class="xml text">{text}</pre> }))
}

#[component]
fn Findings() -> impl IntoView {
    let row = |(code, text): (&'static str, &'static str)| {
        view! {
            <tr role="row" id=code>
                <th role="rowheader"><code>{code}</code></th>
                <td role="cell">{text}</td>
            </tr>
        }
    };
    view! {
        <Table
            class="findings-table"
            caption="Findings by their codes, in the order they are told"
            columns=&["Code", "What it says"]
        >
            {findings().map(row).collect_view()}
        </Table>
    }
}

/// Codes and what they say, of the document that is made from them.
fn findings() -> impl Iterator<Item = (&'static str, &'static str)> {
    let row = |line: &'static str| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | ");
    FINDINGS_TEXT.lines().filter_map(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::FindingCode;

    #[test]
    fn every_finding_is_in_the_table() {
        let codes: Vec<_> = findings().map(|(code, _)| code).collect();
        let known: Vec<_> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes, known);
    }
}
