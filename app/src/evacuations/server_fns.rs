//! What live pages ask of the console about evacuations: HTML.

use leptos::prelude::*;
use model::{EvacuationId, HostName};
#[cfg(feature = "ssr")]
use model::{MaintenanceStage, Problem, Scope};
#[cfg(feature = "ssr")]
use port::{Principal, SharedConsole};

#[cfg(feature = "ssr")]
use crate::console::{console, refused, who};
#[cfg(feature = "ssr")]
use crate::evacuations::{host_part::HostPart, open_lines::OpenLines, shown::Shown};
use crate::failure::Failure;
#[cfg(feature = "ssr")]
use crate::ui::markup::rendered;

/// How many of the newest evacuations are looked through for those that are open.
#[cfg(feature = "ssr")]
const NEWEST: u32 = 20;

/// An evacuation as it is now.
#[server]
pub async fn evacuation_html(id: EvacuationId) -> Result<String, Failure> {
    evacuation_now(console(), who()?, id).await.map_err(refused)
}

/// The open evacuations, a line each.
#[server]
pub async fn open_evacuations_html() -> Result<String, Failure> {
    open_evacuations(console(), who()?).await.map_err(refused)
}

/// A host's stage of maintenance, and what can be done about it.
#[server]
pub async fn host_stage_html(name: HostName) -> Result<String, Failure> {
    host_stage(console(), who()?, name).await.map_err(refused)
}

/// An evacuation, for the page's first HTML.
///
/// # Errors
/// `unknown-evacuation`; when the store fails.
#[cfg(feature = "ssr")]
pub async fn evacuation_now(console: SharedConsole, who: Principal, id: EvacuationId) -> Result<String, Problem> {
    let (evacuation, events) = console.evacuation(&who, id).await?;
    Ok(rendered(|| view! { <Shown evacuation events /> }))
}

/// The open evacuations, for the page's first HTML.
///
/// # Errors
/// When the store fails.
#[cfg(feature = "ssr")]
pub async fn open_evacuations(console: SharedConsole, who: Principal) -> Result<String, Problem> {
    let mut open = Vec::new();
    for listed in console.evacuations(&who, NEWEST).await?.into_iter().filter(|listed| !listed.state.has_ended()) {
        open.push(console.evacuation(&who, listed.id).await?.0);
    }
    Ok(rendered(|| view! { <OpenLines open /> }))
}

/// A host's stage of maintenance, for the page's first HTML. Nothing of a host that there is not.
///
/// # Errors
/// When the store fails.
#[cfg(feature = "ssr")]
pub async fn host_stage(console: SharedConsole, who: Principal, name: HostName) -> Result<String, Problem> {
    let scope = Scope { host: Some(name.clone()), ..Scope::default() };
    let hosts = console.snapshot(&who, Some(scope))?.hosts;
    let Some(host) = hosts.into_iter().find(|host| host.name == name) else { return Ok(String::new()) };
    let evacuation = match &host.maintenance {
        None => None,
        Some(now) => {
            let id = now.home.filter(|_| now.stage == MaintenanceStage::ComingBack).unwrap_or(now.evacuation);
            Some(console.evacuation(&who, id).await?.0)
        }
    };
    Ok(rendered(|| view! { <HostPart host evacuation /> }))
}
