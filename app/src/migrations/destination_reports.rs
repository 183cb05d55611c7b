//! The reports that a migrate form has got about its destinations. It asks for each by a call of its own, and shows them as they arrive.

use std::time::Duration;

use leptos::{prelude::*, server_fn::ServerFn, task::spawn_local, web_sys::HtmlElement};
use model::{DestinationReport, Destinations, HostName, MigrationRequest, Problem, VmId, recommended};
use web_sys::wasm_bindgen::JsCast;

use crate::failure::Failure;
use crate::migrations::{checked_destination::CheckedDestination, server_fns::Preflight};
use crate::ui::server_form::{fields, send};

/// How long the last host is waited for before the best of those that have answered is recommended.
const PATIENCE: Duration = Duration::from_secs(2);

/// The place of a host that has not answered in time.
const LAST: [u64; 6] = [u64::MAX; 6];

/// A report that has arrived.
struct Entry {
    checked: CheckedDestination,
    /// The number of its request: a late answer never replaces a newer one.
    number: u32,
    /// Where its card is among the others, the first the lowest.
    place: [u64; 6],
}

/// The reports that have arrived, and which destination is chosen.
#[derive(Default)]
pub(crate) struct Known {
    entries: Vec<Entry>,
    /// Requests sent so far.
    sent: u32,
    /// Requests that are not answered yet.
    pub waiting: u32,
    /// Whether all hosts have answered, or had their time.
    is_complete: bool,
    /// Whether the best come first; else the cards are in the order of their names.
    is_sorted: bool,
    pub recommended: Option<HostName>,
    pub chosen: Option<HostName>,
}

impl Known {
    /// The report about a host.
    pub fn of(&self, host: &HostName) -> Option<&CheckedDestination> {
        self.entries.iter().map(|entry| &entry.checked).find(|checked| checked.name() == host)
    }

    /// The report about the host that is chosen.
    pub fn of_chosen(&self) -> Option<&CheckedDestination> {
        self.of(self.chosen.as_ref()?)
    }

    fn learn(&mut self, number: u32, checked: CheckedDestination) {
        let rank = checked.report.rank();
        match self.entries.iter_mut().find(|entry| entry.checked.name() == checked.name()) {
            Some(entry) if entry.number > number => {}
            // A card stays where it has been put, whatever is found now.
            Some(entry) => {
                let place = if self.is_sorted { entry.place } else { rank };
                *entry = Entry { checked, number, place };
            }
            None => {
                let place = if self.is_sorted { LAST } else { rank };
                self.entries.push(Entry { checked, number, place });
            }
        }
    }

    /// Where the host's card is among the others, the first the lowest.
    pub fn place(&self, host: &HostName) -> [u64; 6] {
        match self.entries.iter().find(|entry| entry.checked.name() == host) {
            _ if !self.is_sorted => [0; 6],
            Some(entry) => entry.place,
            None => LAST,
        }
    }

    fn recommend(&mut self) {
        self.is_complete = true;
        let ranked = self.entries.iter().map(|entry| (entry.checked.report.rank(), entry.checked.name()));
        self.recommended = recommended(ranked).cloned();
    }
}

/// Asks for preflights, and learns from the answers.
#[derive(Clone, Copy)]
pub(crate) struct DestinationReports {
    pub known: RwSignal<Known>,
    /// Why the last request failed.
    pub problem: RwSignal<Option<Problem>>,
}

impl DestinationReports {
    /// For the dialog, which begins with nothing known.
    pub fn none() -> Self {
        Self { known: RwSignal::new(Known::default()), problem: RwSignal::new(None) }
    }

    /// For the page, which begins with what the server has found, and with what the form said when it was sent to be checked again.
    pub fn of_page(
        Destinations { vm, recommended, reports }: Destinations,
        request: Option<&MigrationRequest>,
    ) -> Self {
        let entry = |report: DestinationReport| {
            let as_the_form_says = request.filter(|request| request.destination == report.host.name).cloned();
            let request = as_the_form_says.unwrap_or_else(|| MigrationRequest::plain(vm.id, report.host.name.clone()));
            Entry { place: report.rank(), number: 0, checked: CheckedDestination { request, report } }
        };
        let known = Known {
            entries: reports.into_iter().map(entry).collect(),
            is_complete: true,
            is_sorted: true,
            chosen: request.map(|request| request.destination.clone()).or_else(|| recommended.clone()),
            recommended,
            ..Known::default()
        };
        Self { known: RwSignal::new(known), problem: RwSignal::new(None) }
    }

    /// Asks for one host, with nothing else chosen.
    pub fn ask_plainly(self, vm: VmId, host: HostName) {
        self.ask(fields(&[("request[vm]", &vm.to_string()), ("request[destination]", host.as_str())]));
    }

    /// Asks for one host, as the form says.
    pub fn ask(self, fields: String) {
        let mut number = 0;
        self.known.update(|known| {
            known.sent += 1;
            known.waiting += 1;
            number = known.sent;
        });
        spawn_local(async move {
            let answer = send::<CheckedDestination>(Preflight::PATH, fields).await;
            keep_focus();
            let mut are_all_here = false;
            let (checked, problem) = match answer {
                Ok(checked) => (Some(checked), None),
                Err(Failure(problem)) => (None, Some(problem)),
            };
            // The form may have been closed meanwhile, and its signals with it.
            self.known.try_update(|known| {
                known.waiting -= 1;
                are_all_here = known.waiting == 0;
                if let Some(checked) = checked {
                    known.learn(number, checked);
                }
            });
            self.problem.try_set(problem);
            if are_all_here {
                self.complete();
            }
        });
    }

    /// Settles the order before the last host has answered, if that takes long.
    pub fn complete_in_time(self) {
        set_timeout(move || self.complete(), PATIENCE);
    }

    /// Recommends the best host, once, and chooses it unless a host is chosen. The cards are then sorted, but never under a pointer
    /// that is about to press one.
    fn complete(self) {
        let is_pointed_at = document().query_selector(".destinations:hover").is_ok_and(|found| found.is_some());
        keep_focus();
        self.known.try_maybe_update(|known| {
            if known.is_complete {
                return (false, ());
            }
            known.recommend();
            if known.chosen.is_none() {
                known.is_sorted = !is_pointed_at;
                known.chosen = known.recommended.clone();
            }
            (true, ())
        });
    }
}

/// Puts the focus back to where it is now, if it gets lost because cards are sorted or a field is rebuilt.
fn keep_focus() {
    let id = document().active_element().map(|element| element.id()).unwrap_or_default();
    request_animation_frame(move || {
        let is_lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
        if let (true, Some(element)) = (is_lost, document().get_element_by_id(&id)) {
            // Fails only where the element is gone.
            let _ = element.unchecked_into::<HtmlElement>().focus();
        }
    });
}
