//! What happens to each disk.

use leptos::prelude::*;
use model::{DiskPlan, PoolChoice, Treatment, text};

/// The disks, where there are any.
#[component]
pub(super) fn Disks(
    /// The destination.
    #[prop(into)]
    host: Signal<String>,
    #[prop(into)] disks: Signal<Vec<DiskPlan>>,
) -> impl IntoView {
    // The key is the whole plan, so that a choice made for one plan never passes to another.
    let key = move |disk: &DiskPlan| format!("{} {disk:?}", host.read_untracked());
    view! {
        <Show when=move || !disks.read().is_empty()>
            <h2>"Disks"</h2>
            <ul class="disks">
                <For each=move || disks.get() key=key let:disk>
                    <Disk disk />
                </For>
            </ul>
        </Show>
    }
}

#[component]
fn Disk(disk: DiskPlan) -> impl IntoView {
    let DiskPlan { target, source, capacity_bytes, treatment } = disk;
    let what = match treatment {
        Treatment::Shared { evidence } => view! { <p>"Shared, not copied: " {evidence} "."</p> }.into_any(),
        Treatment::Copy { pool, volume, other_pools, .. } => {
            view! { <Copied target=target.clone() pool volume other_pools /> }.into_any()
        }
        Treatment::Stuck => view! { <p>"This disk can be neither shared nor copied."</p> }.into_any(),
    };
    view! {
        <li data-disk=target>
            <p>
                <strong>{target.clone()}</strong> " · " {text::bytes(capacity_bytes)} " · " <code>{source}</code>
            </p>
            {what}
        </li>
    }
}

/// The pool that a disk is copied to, and the others to choose.
#[component]
fn Copied(target: String, pool: String, volume: String, other_pools: Vec<PoolChoice>) -> impl IntoView {
    let id = format!("pool-{target}");
    let option = |PoolChoice { pool, available_bytes }| {
        let label = format!("{pool}, {} free", text::bytes(available_bytes));
        view! { <option value=pool>{label}</option> }
    };
    let choice = if other_pools.is_empty() {
        view! { "Copied to the pool " <strong>{pool}</strong> }.into_any()
    } else {
        view! {
            <label for=id.clone()>"Copied to the pool"</label>
            " "
            <select id=id name=format!("request[options][pools][{target}]")>
                <option value=pool selected>{pool.clone()}</option>
                {other_pools.into_iter().map(option).collect_view()}
            </select>
        }
        .into_any()
    };
    view! { <p class="copied">{choice} " as " <code>{volume}</code></p> }
}
