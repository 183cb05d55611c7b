//! `/vms/<id>/elsewhere`: a VM moves to a host that nobody registered.

use leptos::prelude::*;
use model::{
    AdHocDestination, Destination, FindingCode, Host, HostLogin, MigrationOptions, MigrationRequest, Mode, Problem,
    Secret, Vm,
};
use serde::Deserialize;

use crate::Assets;
use crate::hosts::host_key::refusal;
use crate::migrations::report::findings;
use crate::ui::Erased;
use crate::ui::document::Back;
use crate::ui::document::Document;
use crate::ui::fields::Line;
use crate::ui::fields::Tick;
use crate::ui::fields::foot;
use crate::ui::fields::number;
use crate::ui::fields::password;
use crate::ui::fields::typed;

/// What somebody typed, as they typed it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ElsewhereForm {
    destination: String,
    port: Option<u16>,
    user: String,
    password: Option<Secret>,
    fingerprint: Option<String>,
    register: bool,
    name: String,
    /// Named as in the form that migrates to registered hosts, so that findings bring the same fields to both.
    request: Chosen,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    mode: Option<Mode>,
    options: MigrationOptions,
    accept: Vec<FindingCode>,
}

impl ElsewhereForm {
    /// What is asked for.
    ///
    /// # Errors
    /// `invalid-input` for what can't be a host's name.
    pub fn asked(&self, vm: &Vm) -> Result<MigrationRequest<Destination>, Problem> {
        let login = HostLogin {
            user: typed(&self.user),
            password: self.password.clone(),
            fingerprint: self.fingerprint.clone(),
            keep_until_restart: false,
        };
        let register = if self.register { Some(self.name.trim().parse()?) } else { None };
        let address = self.destination.trim().to_owned();
        let destination = AdHocDestination { address, port: self.port, login, register }.into();
        let Chosen { mode, options, accept } = self.request.clone();
        Ok(MigrationRequest { vm: vm.id, destination, mode, options, accept })
    }
}

/// The page: `form` as it was filled in, and why it was refused.
pub fn elsewhere(
    assets: Assets,
    vm: &Vm,
    source: Option<&Host>,
    form: &ElsewhereForm,
    mut problem: Option<Problem>,
) -> Document {
    let back = Back { href: format!("/vms/{}/migrate", vm.id), label: "Registered hosts" };
    let title = format!("Migrate {} to another host", vm.name);
    // Shown below, with the fields that accept them.
    let findings = problem.as_mut().map(|problem| std::mem::take(&mut problem.findings)).unwrap_or_default();
    Document::new(assets, back, &title, || {
        view! {
            <form method="post" action=format!("/vms/{}/elsewhere", vm.id) class="card">
                {refusal(problem, form.fingerprint.as_deref(), None)}
                {(!findings.is_empty()).then(|| view! {
                    <section class="report">
                        <h2>{format!("What was found on {}", form.destination)}</h2>
                        {findings::list(&findings, &form.request.accept)}
                    </section>
                }.erased())}
                <p class="hint">
                    {format!(
                        "The console logs in there by ssh, for this migration only. What is to be sent goes straight from {} to there; neither \
                        needs a login at the other.",
                        vm.host,
                    )}
                </p>
                <div class="side-by-side">
                    {Line::new("destination", "Address", &form.destination).required().hint("A name or an IP address.").view()}
                    {number("port", "ssh port", form.port.map(u32::from), 65_535, "22")}
                </div>
                {Line::new("user", "User", &form.user).default("root").hint("An account there that may use libvirt.").view()}
                {password("Forgotten when the migration has ended. Left empty, the keys of the account that the console runs as are tried.")}
                {options(vm, source, form)}
                <fieldset>
                    <legend>"Afterwards"</legend>
                    {Tick::option(
                        "register",
                        "Keep it as one of the registered hosts",
                        "Without the password.",
                        form.register,
                    )}
                    <div class="only-registered">
                        {Line::new("name", "Name", &form.name)
                            .hint("What it is called here: small letters, digits, and hyphens between them.")
                            .view()}
                    </div>
                </fieldset>
                {foot(
                    &format!("/vms/{}/migrate", vm.id),
                    "Start migration",
                    "button primary",
                    "The console looks first whether the VM can go there. This takes up to 10 s.",
                )}
            </form>
        }
        .erased()
    })
}

fn options(vm: &Vm, source: Option<&Host>, form: &ElsewhereForm) -> AnyView {
    let options = &form.request.options;
    view! {
        <fieldset>
            <legend>"Options"</legend>
            // What the person sees is what is asked for, also if the VM is shut off or started this very moment.
            <input type="hidden" name="request[mode]" value=if vm.state.is_active() { "live" } else { "offline" } />
            {Tick::option(
                "request[options][keep_source_definition]",
                "Keep the definition at the source",
                "Somebody could then start the VM there a second time.",
                options.keep_source_definition,
            )}
            <details class="more" open=*options != MigrationOptions::default()>
                <summary>"More options"</summary>
                {Line::new(
                    "request[options][new_name]",
                    "New name at the destination",
                    options.new_name.as_deref().unwrap_or_default(),
                )
                    .default("the same")
                    .view()}
                {vm.state.is_active().then(|| bandwidth(vm, source, options))}
                {Tick::option(
                    "request[options][encrypt]",
                    "Only if it is encrypted",
                    "Otherwise what is sent is encrypted where both hosts have certificates.",
                    options.encrypt == Some(true),
                )}
                {Tick::option(
                    "request[options][eject_media]",
                    "Eject media that the destination does not have",
                    "The guest then finds its CD-ROM or floppy drive empty.",
                    options.eject_media,
                )}
                {Tick::option(
                    "request[options][remove_source_disks]",
                    "Delete the old images of copied disks",
                    "Last of all, once the VM is seen to run at the destination. Never on storage that both hosts share.",
                    options.remove_source_disks,
                )}
            </details>
        </fieldset>
    }
    .erased()
}

fn bandwidth(vm: &Vm, source: Option<&Host>, options: &MigrationOptions) -> AnyView {
    let own_limit = source.and_then(|host| host.bandwidth_mib_s);
    let own_limit = own_limit.map_or("not limited".to_owned(), |limit| format!("{limit} (the setting of {})", vm.host));
    let (name, label) = ("request[options][bandwidth_mib_s]", "Bandwidth limit in MiB/s");
    number(name, label, options.bandwidth_mib_s, 1_000_000, &own_limit)
}
