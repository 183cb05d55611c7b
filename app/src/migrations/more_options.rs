//! Options of a migration that few choose: encryption and control flow. The server renders them.

use leptos::prelude::*;

use crate::ui::{fields::CheckField, markup::rendered};

/// The fields; `encrypt` and `way` are what is chosen already, as the form sends it.
pub(super) fn more_options(encrypt: Option<&str>, way: Option<&str>) -> String {
    let (encrypt, way) = (encrypt == Some("true"), way.unwrap_or_default().to_owned());
    rendered(|| view! { <MoreOptions encrypt way /> })
}

#[component]
fn MoreOptions(encrypt: bool, way: String) -> impl IntoView {
    let flows = [
        ("", "vmferry chooses"),
        ("peer-to-peer", "peer-to-peer: the source host connects to the destination"),
        ("direct", "direct: this console drives the migration"),
        ("tunnelled", "tunnelled: through the libvirt daemons, slower"),
    ];
    let option = |(value, label): (&'static str, &'static str)| {
        view! { <option value=value selected=value == way>{label}</option> }
    };
    view! {
        <CheckField
            name="request[options][encrypt]"
            label="Require encryption"
            hint="Otherwise the migration is encrypted only where both hosts have certificates."
            checked=encrypt
        />
        <label class="field">
            <span>"Control flow"</span>
            <select name="request[options][way]">{flows.map(option).collect_view()}</select>
            <small class="hint">"A migration that this console drives ends with it; a peer-to-peer one goes on without."</small>
        </label>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_stays_chosen() {
        let plain = more_options(None, None);
        assert!(!plain.contains("checked"), "{plain}");
        let chosen = more_options(Some("true"), Some("direct"));
        assert!(chosen.contains("checked") && chosen.contains(r#"value="direct" selected"#), "{chosen}");
    }
}
