//! What a VM's host says of it, on the VM's page. The server renders it.

use leptos::prelude::*;
use model::{GuestFacts, Problem, Started, VmDetails, VmDisk, VmFacts, VmInterface, text};

use crate::ui::{fact::Fact, problem::ProblemNote, time::Time};

/// All of it; `twins` tells that other VMs have its UUID.
#[component]
pub(super) fn Facts(details: VmDetails, twins: Option<Problem>) -> impl IntoView {
    let VmDetails { host, facts, guest, started } = details;
    let incomplete = facts.incomplete.then(|| {
        view! { <p class="hint">"A migration brings this VM: its host tells the rest once that has ended."</p> }
    });
    let [serial, screen, xml] = ["console", "screen", "xml"].map(|page| format!("/vms/{}/{page}", facts.id));
    let description = facts.description.clone().map(|text| view! { <p class="description">{text}</p> });
    let tags: Vec<_> = facts.tags.iter().map(|tag| view! { <li>{tag.clone()}</li> }).collect();
    let tags = (!tags.is_empty()).then(|| view! { <ul class="tags" aria-label="Tags">{tags}</ul> });
    view! {
        {twins.map(|problem| view! { <ProblemNote problem /> })}
        <section class="card vm-facts">
            <h2>"Configuration"</h2>
            {description} {tags} {incomplete}
            <dl class="facts">
                {started.map(|started| view! { <Fact name="Started"><Running started /></Fact> })}
                {rows(&facts, guest.as_ref()).into_iter().map(|(name, value)| view! { <Fact name>{value}</Fact> }).collect_view()}
            </dl>
            <p class="buttons">
                <a class="button" href=serial rel="external">
                    "Serial console"
                </a>
                <a class="button" href=screen rel="external">
                    "Screen"
                </a>
                <a class="button" id="xml" href=xml rel="external">
                    "XML"
                </a>
            </p>
        </section>
        <Disks disks=facts.disks />
        <Interfaces interfaces=facts.interfaces />
        <BoundToHost bound=facts.bound_to_host host=host.to_string() />
    }
}

/// Since when it runs. The guest may have booted again since without a new process.
#[component]
fn Running(started: Started) -> impl IntoView {
    let words = if started.seen { "" } else { "before " };
    view! { {words} <Time ms=started.at_ms /> }
}

/// The facts that have a value, each with its name.
fn rows(facts: &VmFacts, guest: Option<&GuestFacts>) -> Vec<(&'static str, String)> {
    let some = |value: &Option<String>| value.clone();
    let guest_says = |said: fn(&GuestFacts) -> Option<String>| guest.and_then(said);
    let machine = [&facts.machine, &facts.arch, &facts.virt_type];
    let machine: Vec<&str> = machine.into_iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    let rows = [
        ("Title", some(&facts.title)),
        ("CPUs", Some(of_most(facts.vcpus.to_string(), facts.vcpus_max.to_string()))),
        ("Memory", Some(of_most(text::bytes(facts.memory_now_bytes), text::bytes(facts.memory_bytes)))),
        ("CPU model", some(&facts.cpu)),
        ("Machine", (!machine.is_empty()).then(|| machine.join(", "))),
        ("Firmware", some(&facts.firmware)),
        ("Operating system", guest_says(|guest| guest.os.clone())),
        ("Host name", guest_says(|guest| guest.hostname.clone())),
        (
            "Addresses, as its agent says",
            guest_says(|guest| (!guest.addresses.is_empty()).then(|| guest.addresses.join(", "))),
        ),
        ("Guest agent", (facts.agent_connected && guest.is_none()).then(|| "connected, does not answer".to_owned())),
        ("Autostart", facts.autostart.map(|starts| if starts { "with its host" } else { "off" }.to_owned())),
        ("Definition", Some(if facts.persistent { "persistent" } else { "transient: gone when it is off" }.to_owned())),
        ("Snapshots", facts.snapshots.map(|count| count.to_string())),
        ("UUID", Some(facts.id.to_string())),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn of_most(now: String, most: String) -> String {
    if now == most { now } else { format!("{now} of {most}") }
}

#[component]
fn Disks(disks: Vec<VmDisk>) -> impl IntoView {
    (!disks.is_empty()).then(|| {
        let disk = |disk: VmDisk| {
            let what = what_it_is(&disk);
            let place = disk.pool.as_ref().map(|pool| {
                let volume = disk.volume.as_deref().unwrap_or_default();
                format!("pool {pool}, volume {volume}")
            });
            let shared = disk.source.is_some().then(|| match &disk.shared {
                Some(why) => format!("Shared: {why}."),
                None => "Nothing says that another host has it, too.".to_owned(),
            });
            view! {
                <li>
                    <p><b>{disk.target}</b> " " {what}</p>
                    {disk.source.map(|source| view! { <p class="source">{source}</p> })}
                    {place.map(|place| view! { <p class="hint">{place}</p> })}
                    {shared.map(|shared| view! { <p class="hint">{shared}</p> })}
                </li>
            }
        };
        view! {
            <section class="card">
                <h2>"Disks"</h2>
                <ul class="things">{disks.into_iter().map(disk).collect_view()}</ul>
            </section>
        }
    })
}

/// `disk, qcow2, 10 GiB, 1 GiB used`.
fn what_it_is(disk: &VmDisk) -> String {
    if disk.source.is_none() {
        return format!("{}, empty", disk.device);
    }
    let capacity = disk.capacity_bytes.map(text::bytes);
    let allocation = disk.allocation_bytes.map(|bytes| format!("{} used", text::bytes(bytes)));
    let read_only = disk.read_only.then(|| "read-only".to_owned());
    let words = [Some(disk.device.clone()), Some(disk.format.clone()), capacity, allocation, read_only];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[component]
fn Interfaces(interfaces: Vec<VmInterface>) -> impl IntoView {
    (!interfaces.is_empty()).then(|| {
        let interface = |one: VmInterface| {
            let to = one.source.map_or(one.kind.clone(), |source| format!("{} {source}", one.kind));
            let link = if one.link_up { "link up" } else { "link down" }.to_owned();
            let words = [Some(to), one.model, one.target, Some(link)];
            let told = |how: &str, addresses: Vec<String>| {
                (!addresses.is_empty()).then(|| format!("{}: {how}", addresses.join(", ")))
            };
            let given = told("given by DHCP", one.addresses);
            let seen = told("seen by its host (ARP)", one.seen_addresses);
            view! {
                <li>
                    <p><b>{one.mac.unwrap_or_else(|| "no MAC address".to_owned())}</b></p>
                    <p class="hint">{words.into_iter().flatten().collect::<Vec<_>>().join(", ")}</p>
                    {[given, seen].into_iter().flatten().map(|words| view! { <p class="hint">{words}</p> }).collect_view()}
                </li>
            }
        };
        view! {
            <section class="card">
                <h2>"Interfaces"</h2>
                <ul class="things">{interfaces.into_iter().map(interface).collect_view()}</ul>
            </section>
        }
    })
}

#[component]
fn BoundToHost(bound: Vec<String>, host: String) -> impl IntoView {
    (!bound.is_empty()).then(|| {
        view! {
            <section class="card">
                <h2>{format!("What it has of {host}")}</h2>
                <ul class="things">{bound.into_iter().map(|thing| view! { <li>{thing}</li> }).collect_view()}</ul>
            </section>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::markup::rendered;
    use model::examples;

    fn facts() -> VmFacts {
        examples::facts(&examples::vm(1, "web", "alpha"))
    }

    #[test]
    fn what_it_has_now_is_told_of_the_most_it_can_have() {
        let facts = VmFacts { vcpus: 2, vcpus_max: 8, memory_now_bytes: 32 << 20, ..facts() };
        let rows = rows(&facts, None);
        assert_eq!(rows[..2], [("CPUs", "2 of 8".to_owned()), ("Memory", "32 MiB of 64 MiB".to_owned())]);
        assert!(!rows.iter().any(|(name, _)| *name == "Operating system"));
    }

    #[test]
    fn what_users_have_written_is_text() {
        let title = Some("<script>alert(1)</script>".to_owned());
        let details = VmDetails {
            host: examples::host("alpha").name,
            facts: VmFacts { title, ..facts() },
            guest: None,
            started: None,
        };
        let html = rendered(|| view! { <Facts details twins=None /> });
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"), "{html}");
        assert!(html.contains("disk, qcow2, 10 GiB, 1 GiB used"), "{html}");
    }
}
