//! What a migrate form knows of its destinations: it asks for each by a call of its own, and shows what has come.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local, web_sys::HtmlElement};
use model::{HostName, VmId, recommended};
use web_sys::wasm_bindgen::JsCast;

use crate::failure::Failure;
use crate::migrations::report::Outlook;
use crate::migrations::server_fns::Look;
use crate::ui::load::call;
use crate::ui::post::Post;

/// How long the last host is waited for before the best of those that have answered is recommended.
const PATIENCE: Duration = Duration::from_secs(2);

/// The place of a host that has not answered in time.
const LAST: [u64; 6] = [u64::MAX; 6];

/// What is known of the destinations, and which one is chosen. In one signal: each type of signal costs 3 kB of WASM.
#[derive(Default)]
pub(crate) struct Known {
    /// What has come, each with the number of the question: a late answer never replaces a newer one.
    outlooks: Vec<(u32, Outlook)>,
    /// Questions asked so far.
    asked: u32,
    /// Questions that are not answered yet.
    pub waiting: u32,
    /// Whether all have answered, or had their time.
    is_settled: bool,
    /// Whether the best come first; else the cards are in the order of their names.
    is_sorted: bool,
    pub recommended: Option<HostName>,
    pub chosen: Option<HostName>,
}

impl Known {
    /// What is known of a host.
    pub fn of(&self, host: &HostName) -> Option<&Outlook> {
        self.outlooks.iter().map(|(_, outlook)| outlook).find(|outlook| outlook.destination == *host)
    }

    /// What is known of the host that is chosen.
    pub fn of_chosen(&self) -> Option<&Outlook> {
        self.of(self.chosen.as_ref()?)
    }

    fn learn(&mut self, number: u32, outlook: Outlook) {
        let is_sorted = self.is_sorted;
        match self.outlooks.iter_mut().find(|(_, known)| known.destination == outlook.destination) {
            Some((newer, _)) if *newer > number => {}
            // A card stays where it has been put, whatever is found now.
            Some((known, before)) => {
                let rank = if is_sorted { before.rank } else { outlook.rank };
                (*known, *before) = (number, Outlook { rank, ..outlook });
            }
            None => {
                let rank = if is_sorted { LAST } else { outlook.rank };
                self.outlooks.push((number, Outlook { rank, ..outlook }));
            }
        }
    }

    /// Where the host's card is among the others, the first the lowest.
    pub fn place(&self, host: &HostName) -> [u64; 6] {
        match self.of(host) {
            _ if !self.is_sorted => [0; 6],
            Some(outlook) => outlook.rank,
            None => LAST,
        }
    }

    fn recommend(&mut self) {
        self.is_settled = true;
        let ranked = self.outlooks.iter().map(|(_, outlook)| (outlook.rank, &outlook.destination));
        self.recommended = recommended(ranked).cloned();
    }
}

/// Asks, and learns from the answers.
#[derive(Clone, Copy)]
pub(crate) struct Looks {
    pub known: RwSignal<Known>,
    /// The form: its problem is shown where a look fails, too.
    form: Post,
}

impl Looks {
    /// Starts with what the page has brought.
    pub fn new(outlooks: Vec<Outlook>, chosen: Option<HostName>, form: Post) -> Self {
        let mut known = Known { chosen, ..Known::default() };
        if !outlooks.is_empty() {
            known.outlooks = outlooks.into_iter().map(|outlook| (0, outlook)).collect();
            known.is_sorted = true;
            known.recommend();
        }
        Self { known: RwSignal::new(known), form }
    }

    /// Asks for one host, with nothing chosen but that.
    pub fn ask_plainly(self, vm: VmId, host: &HostName) {
        self.ask(format!("request[vm]={vm}&request[destination]={host}"));
    }

    /// Asks for one host, as the form says.
    pub fn ask(self, fields: String) {
        let mut number = 0;
        self.known.update(|known| {
            known.asked += 1;
            known.waiting += 1;
            number = known.asked;
        });
        spawn_local(async move {
            let answer = call::<Look>(fields).await.and_then(|json| Failure::or_answer::<Outlook>(&json));
            keep_place();
            let mut are_all_here = false;
            // The form may have been closed meanwhile, and its signals with it.
            self.known.try_update(|known| {
                known.waiting -= 1;
                are_all_here = known.waiting == 0;
                if let Ok(outlook) = &answer {
                    known.learn(number, outlook.clone());
                }
            });
            if let Err(Failure(problem)) = answer {
                self.form.problem.try_set(Some(problem));
            }
            if are_all_here {
                self.settle();
            }
        });
    }

    /// Settles the order before the last host has answered, if that takes long.
    pub fn settle_in_time(self) {
        set_timeout(move || self.settle(), PATIENCE);
    }

    /// Recommends the best host, once, and chooses it unless somebody has chosen. The cards are then sorted, but never under a
    /// pointer that is about to press one.
    fn settle(self) {
        let is_pointed_at = document().query_selector(".destinations:hover").is_ok_and(|found| found.is_some());
        keep_place();
        self.known.try_maybe_update(|known| {
            if known.is_settled {
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

/// Puts the focus back to where it is now, if it gets lost because the page around it changes; and leaves the list of passed checks
/// open for who reads it.
fn keep_place() {
    let id = document().active_element().map(|element| element.id()).unwrap_or_default();
    let is_open = document().get_element_by_id("passed").is_some_and(|passed| passed.has_attribute("open"));
    request_animation_frame(move || {
        // Each fails only where there is nothing of it any more.
        let is_lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
        if let (true, Some(element)) = (is_lost, document().get_element_by_id(&id)) {
            let _ = element.unchecked_into::<HtmlElement>().focus();
        }
        if let (true, Some(passed)) = (is_open, document().get_element_by_id("passed")) {
            let _ = passed.set_attribute("open", "");
        }
    });
}
