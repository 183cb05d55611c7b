//! `/hosts/<name>/test`: whether a host answers, and how it is reached.

use leptos::prelude::*;
use model::{HostTest, Problem, RegisteredHost, text};

use crate::hosts::{host_key::HostRefusal, settings::Settings};
use crate::ui::{
    document::{Assets, Back, Document},
    fact::Fact,
    fields::FormFoot,
};

/// The page, and what came of the test, if there was one.
pub fn test_host(assets: Assets, host: &RegisteredHost, result: Option<Result<HostTest, Problem>>) -> Document {
    let name = &host.settings.name;
    let host = host.clone();
    Document::new(assets, Back::to_hosts(), &format!("Test {name}"), || {
        let label = if result.is_some() { "Test again" } else { "Test" };
        let known = host.fingerprint.clone();
        let outcome = match result {
            None => ().into_any(),
            Some(Ok(test)) => view! { <Answer test /> }.into_any(),
            Some(Err(problem)) => view! { <HostRefusal problem=Some(problem) confirmed=None known /> }.into_any(),
        };
        view! {
            {outcome}
            <section class="card">
                <h2>"Settings"</h2>
                <Settings host />
            </section>
            <form method="post" action=format!("/hosts/{name}/test")>
                <FormFoot back="/hosts" label hint="The console opens another connection for the test. This takes up to 10 s." />
            </form>
        }
    })
}

#[component]
fn Answer(test: HostTest) -> impl IntoView {
    let HostTest { libvirt_version, hypervisor_version, cpu_model, memory_bytes, vms, latency_ms } = test;
    view! {
        <section class="card" role="status">
            <h2>"The host answers"</h2>
            <dl class="facts">
                <Fact name="libvirt">{libvirt_version}</Fact>
                <Fact name="QEMU">{hypervisor_version}</Fact>
                <Fact name="CPU">{cpu_model.unwrap_or("unknown to libvirt".to_owned())}</Fact>
                <Fact name="Memory">{text::bytes(memory_bytes)}</Fact>
                <Fact name="VMs">{vms}</Fact>
                <Fact name="Latency">{format!("{latency_ms} ms")}</Fact>
            </dl>
        </section>
    }
}
