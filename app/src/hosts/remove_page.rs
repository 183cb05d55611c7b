//! `/hosts/<name>/remove`: a host is removed from the console.

use leptos::prelude::*;
use model::{Problem, RegisteredHost};

use crate::ui::{
    document::{Assets, Back, Document, FormProblem},
    fields::FormFoot,
};

/// The page, and why removing was refused.
pub fn remove_host(assets: Assets, host: &RegisteredHost, problem: Option<Problem>) -> Document {
    let name = &host.settings.name;
    Document::new(assets, Back::to_hosts(), &format!("Remove {name}?"), || {
        view! {
            <form method="post" action=format!("/hosts/{name}/remove") class="card">
                {problem.map(|problem| view! { <FormProblem problem /> })}
                <p>
                    {format!(
                        "Removes {name} and its ssh host key from the console. The host itself does not change: its VMs stay there, and \
                        running VMs keep running.",
                    )}
                </p>
                <FormFoot back="/hosts" label="Remove host" class="button danger" />
            </form>
        }
    })
}
