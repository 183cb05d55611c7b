//! What pages ask of the console about VMs. All server functions are POST, so that the CSRF layer sees them; each asks who calls, then
//! calls the port once.

use leptos::prelude::*;
use model::{HostName, VmAction, VmId};
#[cfg(feature = "ssr")]
use model::{MigrationFilter, Phase, Problem};
#[cfg(feature = "ssr")]
use port::{DestinationsRequest, Principal, SharedConsole};
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use crate::console::{after_form, console, refused, who};
use crate::failure::Failure;
#[cfg(feature = "ssr")]
use crate::ui::{fragment::refused as refusal, markup::rendered};
#[cfg(feature = "ssr")]
use crate::vms::{
    completions::listed,
    facts::Facts,
    graphs::Graphs,
    host_facts::{FAILED, HostFacts},
    moves::{ItsMigrations, SHOWN, WhereTo},
};

/// Starts, shuts down, forces off, pauses or resumes a VM on the host that the page has shown it on.
#[server]
pub async fn act(vm: VmId, host: HostName, action: VmAction) -> Result<(), Failure> {
    console().act(&who()?, vm, Some(&host), action).await.map_err(refused)?;
    after_form("/");
    Ok(())
}

/// What a search that is being typed could become.
#[server]
pub async fn completions_html(#[server(default)] typed: String) -> Result<String, Failure> {
    console().completions(&who()?, &typed).map(listed).map_err(refused)
}

/// What a host has, its settings and what went wrong with it.
#[server]
pub async fn host_facts_html(name: HostName) -> Result<String, Failure> {
    host_facts(console(), who()?, name).await.map_err(refused)
}

/// The same, for the page's first HTML.
///
/// # Errors
/// `unknown-host`; when the store fails.
#[cfg(feature = "ssr")]
pub async fn host_facts(console: SharedConsole, who: Principal, name: HostName) -> Result<String, Problem> {
    let details = console.host_details(&who, &name).await?;
    let settings = console.registered(&who)?.into_iter().find(|host| host.settings.name == name);
    let phases = Some(vec![Phase::Failed, Phase::NeedsAttention]);
    let filter = MigrationFilter { host: Some(name), phases, ..MigrationFilter::newest(FAILED) };
    let failed = console.migrations(&who, &filter).await?;
    Ok(rendered(|| view! { <HostFacts details settings failed /> }))
}

/// A part of a VM's page.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VmPart {
    /// What its host says of it.
    Facts,
    /// What it used.
    Usage,
    /// Where it can go.
    Destinations,
    /// Its migrations.
    Migrations,
}

/// A part of a VM's page as it is now.
#[server]
pub async fn vm_html(id: VmId, part: VmPart) -> Result<String, Failure> {
    vm_part(console(), who()?, id, part).await.map_err(refused)
}

/// The same, for the page's first HTML.
///
/// # Errors
/// `unknown-vm`; why the host does not say. What a host refuses is a part like others, so that the page can say it.
#[cfg(feature = "ssr")]
pub async fn vm_part(console: SharedConsole, who: Principal, id: VmId, part: VmPart) -> Result<String, Problem> {
    let vm = console.vm(&who, id)?;
    Ok(match part {
        VmPart::Facts => match console.details(&who, id).await {
            Ok(details) => rendered(|| view! { <Facts details twins=vm.shares_uuid() /> }),
            Err(problem) => refusal(problem),
        },
        VmPart::Usage => {
            let points = console.usage(&who, id)?;
            rendered(|| view! { <Graphs vm points /> })
        }
        VmPart::Destinations => {
            let destinations = console.destinations(&who, DestinationsRequest::plain(id)).await?;
            rendered(|| view! { <WhereTo destinations /> })
        }
        VmPart::Migrations => {
            let filter = MigrationFilter { vm: Some(id), ..MigrationFilter::newest(SHOWN) };
            let migrations = console.migrations(&who, &filter).await?;
            rendered(|| view! { <ItsMigrations vm=id name=vm.name migrations /> })
        }
    })
}
