//! What happens to each disk, as HTML.

use leptos::prelude::*;
use model::{DiskPlan, Preflight, Treatment, text};

use crate::ui::Erased;

/// The disks, where there are any.
pub(super) fn list(preflight: &Preflight) -> AnyView {
    if preflight.disks.is_empty() {
        return ().into_any();
    }
    let disks: Vec<AnyView> = preflight.disks.iter().cloned().map(entry).collect();
    view! {
        <h3>"Disks"</h3>
        <ul class="disks">{disks}</ul>
    }
    .erased()
}

fn entry(DiskPlan { target, source, capacity_bytes, treatment }: DiskPlan) -> AnyView {
    let what = match treatment {
        Treatment::Shared { evidence } => view! { <p>"Stays where it is: " {evidence} "."</p> }.erased(),
        Treatment::Copy { pool, volume, other_pools } => {
            let id = format!("pool-{target}");
            let name = format!("request[options][pools][{target}]");
            let others = other_pools.into_iter().map(|other| {
                let label = format!("{}, {} free", other.pool, text::bytes(other.available_bytes));
                view! { <option value=other.pool>{label}</option> }.erased()
            });
            let others: Vec<AnyView> = others.collect();
            let choice = if others.is_empty() {
                view! { "Is copied to the pool " <strong>{pool}</strong> }.erased()
            } else {
                view! {
                    <label for=id.clone()>"Is copied to the pool"</label>
                    " "
                    <select id=id name=name>
                        <option value=pool selected>{pool.clone()}</option>
                        {others}
                    </select>
                }
                .erased()
            };
            view! { <p class="copied">{choice} " as " <code>{volume}</code></p> }.erased()
        }
        Treatment::Stuck => view! { <p>"Can neither stay where it is nor be copied."</p> }.erased(),
    };
    view! {
        <li data-disk=target>
            <p>
                <strong>{target.clone()}</strong> " · " {text::bytes(capacity_bytes)} " · " <code>{source}</code>
            </p>
            {what}
        </li>
    }
    .erased()
}
