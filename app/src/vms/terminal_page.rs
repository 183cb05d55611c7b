//! `/vms/<id>/console` and `/vms/<id>/screen`: a VM's serial console and its screen. The server renders them; `public/terminal/` is what
//! brings them to life, with xterm.js and noVNC from `public/vendor/`, which no other page loads.

use leptos::prelude::*;
use model::{TerminalKind, Vm};

use crate::ui::document::{Assets, Back, Document};

/// A key that a phone lacks: what it says, and its name in the page's script.
type Key = (&'static str, &'static str);

const KEYS: [Key; 8] = [
    ("Esc", "Escape"),
    ("Tab", "Tab"),
    ("←", "ArrowLeft"),
    ("↑", "ArrowUp"),
    ("↓", "ArrowDown"),
    ("→", "ArrowRight"),
    ("Enter", "Enter"),
    ("⌫", "Backspace"),
];

/// The page. `nonce` is the one that the answer's headers name.
pub fn terminal(assets: Assets, vm: &Vm, kind: TerminalKind, nonce: &str) -> Document {
    let back = Back { href: format!("/vms/{}", vm.id), label: "VM" };
    let title = match kind {
        TerminalKind::Serial => format!("Serial console of {}", vm.name),
        TerminalKind::Screen => format!("Screen of {}", vm.name),
    };
    Document::wide(assets, back, &title, || view! { <Shown vm=vm.clone() kind nonce=nonce.to_owned() /> })
}

#[component]
fn Shown(vm: Vm, kind: TerminalKind, nonce: String) -> impl IntoView {
    let id = vm.id.to_string();
    let (script, other, other_label) = match kind {
        TerminalKind::Serial => ("/terminal/serial.js", format!("/vms/{id}/screen"), "Screen"),
        TerminalKind::Screen => ("/terminal/screen.js", format!("/vms/{id}/console"), "Serial console"),
    };
    view! {
        <link rel="stylesheet" href="/vendor/xterm.css" />
        <link rel="stylesheet" href="/terminal/terminal.css" />
        <div class="terminal-head">
            <p id="status" role="status">
                "Connecting…"
            </p>
            <button class="button" id="take-over" type="button" hidden>
                "Take over"
            </button>
            <button class="button" id="again" type="button" hidden>
                "Connect again"
            </button>
            <a class="button" href=other>
                {other_label}
            </a>
        </div>
        <noscript>
            <p class="note">"This page needs JavaScript."</p>
        </noscript>
        {(kind == TerminalKind::Screen).then(|| view! { <Password /> })}
        <div id="terminal" class=kind.as_str() data-vm=id></div>
        <Keys kind />
        <script type="module" nonce=nonce src=script></script>
    }
}

/// What a VNC server that wants a password is answered; the page shows it when it is asked for.
#[component]
fn Password() -> impl IntoView {
    view! {
        <form id="password-form" hidden>
            <label for="password">"Password of the VNC server"</label>
            <input id="password" type="password" autocomplete="off" />
            <button class="button primary" type="submit">
                "Log in"
            </button>
        </form>
    }
}

#[component]
fn Keys(kind: TerminalKind) -> impl IntoView {
    let keys = KEYS.map(|(label, key)| {
        view! {
            <button class="button" type="button" data-key=key aria-label=key>
                {label}
            </button>
        }
    });
    view! {
        <div class="terminal-keys" role="group" aria-label="Keys">
            <button class="button" type="button" id="ctrl" aria-pressed="false">
                "Ctrl"
            </button>
            {keys}
            {(kind == TerminalKind::Screen)
                .then(|| {
                    view! {
                        <button class="button" type="button" id="ctrl-alt-del">
                            "Ctrl+Alt+Del"
                        </button>
                        <input
                            id="typed"
                            type="text"
                            aria-label="Type here on a touch screen"
                            placeholder="Type here"
                            autocomplete="off"
                            autocapitalize="none"
                            spellcheck="false"
                        />
                    }
                })}
        </div>
    }
}
