//! Which hosts have a card in the migrate form. A few hosts all have one; of many, the best and those that are searched for, so that only
//! these are asked, and the form stays short.

use std::cmp::Reverse;

use leptos::prelude::*;
use model::{Code, Host, HostName, Vm, VmId, refusal};

use crate::live::Live;
use crate::migrations::destination_reports::Known;
use crate::ui::icon::{Draw, Icon};

/// So many hosts all have a card.
const FEW: usize = 8;
/// Of more, so many at first.
const BEST: usize = 3;
/// At most so many are found by a search.
const FOUND: usize = 12;

/// Which hosts have a card.
#[derive(Clone, Copy)]
pub(super) struct HostChoice {
    live: Live,
    vm: Memo<Option<Vm>>,
    search: RwSignal<String>,
    shows_all: RwSignal<bool>,
    /// Those that have one, in order.
    pub shown: Memo<Vec<HostName>>,
}

impl HostChoice {
    pub fn new(live: Live, vm: Memo<Option<Vm>>, known: RwSignal<Known>) -> Self {
        let (search, shows_all) = (RwSignal::new(String::new()), RwSignal::new(false));
        let shown = Memo::new(move |_| {
            let known = known.read();
            let hosts = in_order(live.hosts.values(), vm.read().as_ref(), &known);
            shown(hosts, &search.read(), shows_all.get(), known.chosen.as_ref())
        });
        Self { live, vm, search, shows_all, shown }
    }

    fn are_many(self) -> bool {
        self.live.hosts.keys().len() > FEW
    }
}

/// A host, and why the inventory rules it out, if it does.
struct Candidate {
    host: Host,
    refused: bool,
}

/// The hosts as their cards are shown: the best first, as far as they have been asked, then those with most memory free; those that the
/// inventory rules out are last. A few hosts are in the order of their names until all have answered.
fn in_order(hosts: Vec<Host>, vm: Option<&Vm>, known: &Known) -> Vec<Candidate> {
    let are_many = hosts.len() > FEW;
    let refused = |host: &Host| vm.is_none_or(|vm| refusal(vm, host, None).is_some());
    let mut hosts: Vec<Candidate> = hosts.into_iter().map(|host| Candidate { refused: refused(&host), host }).collect();
    hosts.sort_by_cached_key(|Candidate { host, refused }| {
        let free = if are_many { host.memory_free_bytes } else { 0 };
        (*refused, known.place(&host.name), Reverse(free), host.name.clone())
    });
    hosts
}

fn shown(hosts: Vec<Candidate>, search: &str, shows_all: bool, chosen: Option<&HostName>) -> Vec<HostName> {
    let sought = search.trim().to_ascii_lowercase();
    let finds = |host: &Host| host.name.as_str().contains(&sought) || host.address.contains(&sought);
    let are_many = hosts.len() > FEW;
    let mut others = 0;
    let is_shown = |Candidate { host, refused }: &Candidate| {
        let is_wanted = match (are_many, sought.is_empty()) {
            (false, _) => true,
            (true, false) => {
                finds(host) && {
                    others += 1;
                    others <= FOUND
                }
            }
            (true, true) => {
                !refused
                    && (shows_all || {
                        others += 1;
                        others <= BEST
                    })
            }
        };
        is_wanted || chosen == Some(&host.name)
    };
    hosts.into_iter().filter(is_shown).map(|candidate| candidate.host.name).collect()
}

/// Searches among many hosts, by name or address.
#[component]
pub(super) fn HostSearch(choice: HostChoice) -> impl IntoView {
    view! {
        <div class="search" hidden=move || !choice.are_many()>
            <Draw icon=Icon::Search />
            <input
                type="search"
                aria-label="Search hosts"
                placeholder="Search hosts"
                autocomplete="off"
                on:input=move |input| {
                    // The form is not changed by it, and so not checked again.
                    input.stop_propagation();
                    choice.search.set(event_target_value(&input));
                }
                // Enter would check the form.
                on:keydown=|key| {
                    if key.key() == "Enter" {
                        key.prevent_default();
                    }
                }
            />
        </div>
    }
}

/// What there is besides the cards: a button that shows all, a link to the form for a host that is not registered, and the hosts that
/// can't take the VM, by reason.
#[component]
pub(super) fn OtherHosts(choice: HostChoice, vm_id: VmId) -> impl IntoView {
    let HostChoice { live, vm, search, shows_all, shown } = choice;
    let possible = Memo::new(move |_| {
        let (hosts, vm) = (live.hosts.values(), vm.read());
        let possible = |host: &&Host| vm.as_ref().is_some_and(|vm| refusal(vm, host, None).is_none());
        hosts.iter().filter(possible).count()
    });
    let has_more = move || {
        choice.are_many() && !shows_all.get() && search.read().is_empty() && possible.get() > shown.read().len()
    };
    let reasons = Memo::new(move |_| {
        let is_asked_for = choice.are_many() && search.read().trim().is_empty();
        if is_asked_for {
            vm.read().as_ref().map(|vm| by_reason(vm, live.hosts.values())).unwrap_or_default()
        } else {
            Vec::new()
        }
    });
    let nothing_found = move || choice.are_many() && shown.read().is_empty() && !search.read().is_empty();
    let folded = |(code, hosts): (Code, Vec<HostName>)| {
        let names = hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(", ");
        view! {
            <details class="folded">
                <summary>{counted(code, hosts.len())}</summary>
                <p class="hint">{names}</p>
            </details>
        }
    };
    view! {
        <p class="hint" hidden=move || !nothing_found()>"No host has this in its name or address."</p>
        <div class="others">
            <button type="button" class="button" hidden=move || !has_more() on:click=move |_| shows_all.set(true)>
                {move || format!("Show all {} hosts", possible.get())}
            </button>
            <a class="other-destination" href=format!("/vms/{vm_id}/elsewhere") rel="external">"Another host…"</a>
        </div>
        {move || reasons.get().into_iter().map(folded).collect_view()}
    }
}

/// The hosts that the inventory rules out, by reason.
fn by_reason(vm: &Vm, hosts: Vec<Host>) -> Vec<(Code, Vec<HostName>)> {
    let mut reasons: Vec<(Code, Vec<HostName>)> = Vec::new();
    for host in hosts {
        let Some(refused) = refusal(vm, &host, None) else { continue };
        let code = refused.problem.code;
        match reasons.iter_mut().find(|(known, _)| *known == code) {
            Some((_, names)) => names.push(host.name),
            None => reasons.push((code, vec![host.name])),
        }
    }
    reasons
}

fn counted(code: Code, hosts: usize) -> String {
    let (hosts, is_one) = (if hosts == 1 { "1 host".to_owned() } else { format!("{hosts} hosts") }, hosts == 1);
    match (code, is_one) {
        (Code::SameHost, _) => format!("{hosts} that the VM is on"),
        (Code::HostUnreachable, true) => format!("{hosts} that does not answer"),
        (Code::HostUnreachable, false) => format!("{hosts} that do not answer"),
        (_, true) => format!("{hosts} that can't take it"),
        (_, false) => format!("{hosts} that can't take it ({})", code.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{ConnectionState, examples};

    fn hosts(count: u64) -> Vec<Host> {
        let host = |number: u64| Host { memory_free_bytes: number << 20, ..examples::host(&format!("h{number:03}")) };
        (0..count).map(host).collect()
    }

    fn names(count: u64, search: &str, shows_all: bool, chosen: Option<&str>) -> Vec<String> {
        let vm = examples::vm(1, "web", "h000");
        let chosen = chosen.map(|name| name.parse().unwrap());
        let shown = shown(in_order(hosts(count), Some(&vm), &Known::default()), search, shows_all, chosen.as_ref());
        shown.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_few_hosts_all_have_a_card() {
        assert_eq!(names(3, "", false, None), ["h001", "h002", "h000"]);
        assert_eq!(names(3, "h2", false, None).len(), 3);
    }

    #[test]
    fn of_many_those_with_most_memory_free_and_the_one_that_is_chosen() {
        assert_eq!(names(200, "", false, None), ["h199", "h198", "h197"]);
        assert_eq!(names(200, "", false, Some("h007")), ["h199", "h198", "h197", "h007"]);
        assert_eq!(names(200, "", true, None).len(), 199);
        assert_eq!(
            names(200, " 15", false, None),
            ["h159", "h158", "h157", "h156", "h155", "h154", "h153", "h152", "h151", "h150", "h115", "h015"]
        );
        assert_eq!(names(200, "H000", false, None), ["h000"], "also one that can't take it");
    }

    #[test]
    fn those_that_can_not_take_it_are_counted_by_reason() {
        let mut hosts = hosts(4);
        for host in &mut hosts[2..] {
            let problem = model::Problem::new(Code::HostUnreachable, "It does not answer.");
            host.connection = ConnectionState::Unreachable { since_ms: 0, problem };
        }
        let reasons = by_reason(&examples::vm(1, "web", "h000"), hosts);
        let said: Vec<String> = reasons.iter().map(|(code, names)| counted(*code, names.len())).collect();
        assert_eq!(said, ["1 host that the VM is on", "2 hosts that do not answer"]);
    }
}
