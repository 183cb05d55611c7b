//! What is ticked in the list of VMs, and the bar of what can be done to it. The form leads to a page that says what will happen.
//!
//! The form itself keeps what is ticked, in the page: rows that are not near the view are not there. With signals, and views of what is in
//! the bar, a first visit was 6 kB of brotli more.

use leptos::wasm_bindgen::JsCast;
use leptos::{
    ev::Event,
    prelude::*,
    web_sys::{HtmlFormElement, HtmlInputElement},
};
use model::{VmAction, VmId, VmQuery};

use crate::vms::query::to_url;

/// The form, to which the checkboxes of the rows belong, too.
const FORM: &str = "selection";

/// The checkbox of a row.
#[component]
pub(in crate::vms) fn Tick(vm: VmId, name: String) -> impl IntoView {
    view! {
        <label>
            <input type="checkbox" name="vm" value=vm.to_string() form=FORM aria-label=format!("Select {name}") />
        </label>
    }
}

/// The checkbox of all VMs that match.
#[component]
pub(in crate::vms) fn TickAll() -> impl IntoView {
    view! {
        <label>
            <input type="checkbox" name="all" form=FORM aria-label="Select all that match" />
        </label>
    }
}

/// How many VMs are ticked, and what can be done to them.
#[component]
pub(in crate::vms) fn SelectionBar(query: Memo<VmQuery>) -> impl IntoView {
    view! {
        <form
            id=FORM
            class="selection"
            data-count="0"
            method="post"
            action="/selection"
            autocomplete="off"
            on:change=turned
            on:reset=turned
            inner_html=bar(&to_url(&query.read_untracked()))
        ></form>
    }
}

/// What is in the bar.
fn bar(list: &str) -> String {
    let buttons: String = VmAction::ALL.iter().map(|action| action_button(*action)).collect();
    format!(
        "<input type=hidden name=list value=\"{list}\"><input type=hidden name=vms><p role=status></p>\
         <label><input type=checkbox name=all><span>All that match</span></label>\
         <button type=reset class=button>Clear</button><div class=actions>{MIGRATE}{buttons}</div>"
    )
}

/// The button that asks for a plan to move the VMs.
pub(super) const MIGRATE: &str = "<button class=button formaction=/plans/form>Migrate</button>";

/// The button of what the menu of a VM has, too.
pub(super) fn action_button(action: VmAction) -> String {
    format!("<button class=button name=action value={}>{}</button>", action.as_str(), action.label())
}

/// A checkbox of the list or of the bar was turned, or all are to be cleared.
pub(in crate::vms) fn turned(turned: Event) {
    let (Some(vms), Some(target)) = (one("[name=vms]"), turned.target()) else { return };
    let target: HtmlInputElement = target.unchecked_into();
    match target.get_attribute("name").as_deref() {
        Some("vm") => drop(vms.class_list().toggle(&target.value())),
        // Those that are listed are not among all.
        Some("all") => {
            vms.set_class_name("");
            each("[name=all]", |all| all.set_checked(target.checked()));
        }
        _ => vms.set_class_name(""),
    }
    // A reset is done after this.
    request_animation_frame(|| {
        let _ = show();
    });
}

/// Follows the list, which has other rows in the page now, or is another one.
pub(in crate::vms) fn follow(matching: u32) {
    let followed = || {
        let (form, list) = (one(".selection")?, one("[name=list]")?);
        form.set_attribute("data-matching", &matching.to_string()).ok()?;
        let location = window().location();
        let here = location.pathname().ok()? + &location.search().ok()?;
        if list.value() != here {
            list.set_value(&here);
            // Other VMs match now: that all are ticked was said of those before.
            if one("[name=all]")?.checked() {
                form.unchecked_into::<HtmlFormElement>().reset();
            }
        }
        show()
    };
    let _ = followed();
}

/// Shows in the page what the form keeps: the ids that are listed are classes of its field for them.
fn show() -> Option<()> {
    let (form, vms, is_all) = (one(".selection")?, one("[name=vms]")?, one("[name=all]")?.checked());
    let ids = vms.class_list();
    vms.set_value(&ids.value());
    each("[name=vm][form]", |vm| vm.set_checked(is_all != ids.contains(&vm.value())));
    let matching: u32 = form.get_attribute("data-matching")?.parse().ok()?;
    let count = if is_all { matching.saturating_sub(ids.length()) } else { ids.length() };
    form.set_attribute("data-count", &count.to_string()).ok()?;
    one(".selection p")?.set_text_content(Some(&format!("{count} selected")));
    one(".selection span")?.set_text_content(Some(&format!("All {matching} that match")));
    Some(())
}

/// The first element of the page that a selector finds. It is taken for an input; what is asked of others has each element.
fn one(selector: &str) -> Option<HtmlInputElement> {
    Some(document().query_selector(selector).ok()??.unchecked_into())
}

fn each(selector: &str, what: impl Fn(HtmlInputElement)) {
    if let Ok(found) = document().query_selector_all(selector) {
        (0..found.length()).filter_map(|index| found.get(index)).for_each(|input| what(input.unchecked_into()));
    }
}
