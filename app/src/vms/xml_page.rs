//! `/vms/{id}/xml`: a VM's definition, to read and to copy. Nothing on it changes while it is read.

use leptos::prelude::*;
use model::{Problem, Vm};

use crate::ui::document::{Assets, Back, Document, FormProblem, as_text};

/// The page; or why there is no definition to show.
pub fn vm_xml(assets: Assets, vm: &Vm, definition: Result<String, Problem>) -> Document {
    let back = Back { href: format!("/vms/{}", vm.id), label: "VM" };
    let address = format!("/api/vms/{}/xml", vm.id);
    let host = vm.host.to_string();
    Document::wide(assets, back, &format!("XML of {}", vm.name), move || match definition {
        Err(problem) => view! { <FormProblem problem /> }.into_any(),
        Ok(xml) => view! {
            <p class="hint">{format!("As libvirt shows it on {host}, without passwords.")}</p>
            <pre class="xml" tabindex="0" aria-label="Definition" inner_html=as_text(&xml)></pre>
            <p>
                <a class="button" href=address download="domain.xml">
                    "Save"
                </a>
            </p>
        }
        .into_any(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::examples;

    #[test]
    fn a_definition_is_shown_as_it_is() {
        let assets = Assets { js: String::new(), wasm: String::new(), css: String::new(), simulated: false };
        let xml = "<domain type='kvm'>\n  <name>a &amp; b</name>\n</domain>".to_owned();
        let html = vm_xml(assets, &examples::vm(1, "web", "alpha"), Ok(xml)).into_html();
        let shown = "&lt;domain type='kvm'&gt;\n  &lt;name&gt;a &amp;amp; b&lt;/name&gt;\n&lt;/domain&gt;";
        assert!(html.contains(shown), "{html}");
    }
}
