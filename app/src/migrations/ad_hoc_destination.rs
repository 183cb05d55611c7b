//! `/vms/<id>/elsewhere`: a VM moves to an ad-hoc destination, a host that is not registered.

use leptos::prelude::*;
use model::{
    AdHocDestination, Destination, Finding, FindingCode, Host, HostLogin, MigrationOptions, MigrationRequest, Mode,
    PolicyDefaults, Problem, Secret, Vm,
};
use serde::Deserialize;

use crate::hosts::host_key::HostRefusal;
use crate::migrations::{policy_fields::PolicyFields, report::Findings};
use crate::ui::{
    document::{Assets, Back, Document},
    fields::{CheckField, FormFoot, NumberField, PasswordField, TextField, tie_to_field, typed},
};

/// The form as it was filled in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AdHocForm {
    destination: String,
    port: Option<u16>,
    user: String,
    password: Option<Secret>,
    fingerprint: Option<String>,
    register: bool,
    name: String,
    /// Whether nothing is to be begun yet.
    check: bool,
    /// Named as in the form that migrates to registered hosts, so that findings bring the same fields to both.
    request: ChosenOptions,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ChosenOptions {
    mode: Option<Mode>,
    options: MigrationOptions,
    accept: Vec<FindingCode>,
}

impl AdHocForm {
    /// Whether only the checks are asked for.
    pub fn is_check(&self) -> bool {
        self.check
    }

    /// The request.
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
        let ChosenOptions { mode, options, accept } = self.request.clone();
        Ok(MigrationRequest { vm: vm.id, destination, mode, options, accept })
    }
}

/// What came of the form.
#[derive(Debug)]
pub enum Came {
    /// It was not sent yet.
    Nothing,
    /// The checks that were asked for have found this; nothing was begun.
    Checked(Vec<Finding>),
    /// It was refused.
    Refused(Problem),
}

/// The page: `form` as it was filled in, and what came of it.
pub fn ad_hoc_destination(assets: Assets, vm: &Vm, source: Option<&Host>, form: &AdHocForm, came: Came) -> Document {
    let back = Back { href: format!("/vms/{}/migrate", vm.id), label: "Registered hosts" };
    let title = format!("Migrate {} to another host", vm.name);
    // Shown below, with the fields that accept them.
    let (problem, findings) = match came {
        Came::Nothing => (None, Vec::new()),
        Came::Checked(findings) => (None, findings),
        Came::Refused(mut problem) => {
            let findings = std::mem::take(&mut problem.findings);
            (Some(problem), findings)
        }
    };
    let form = form.clone();
    let own_limit = source.and_then(|host| host.bandwidth_mib_s);
    let defaults = vm.effective_policy_defaults(source);
    Document::new(assets, back, &title, || {
        tie_to_field(problem.as_ref());
        let accepted = form.request.accept.clone();
        let host = form.destination.clone();
        let report = (!findings.is_empty()).then(|| {
            view! {
                <section class="report" role="status">
                    <h2>{format!("Checks on {host}")}</h2>
                    <Findings host findings accepted />
                </section>
            }
        });
        view! {
            <form method="post" action=format!("/vms/{}/elsewhere", vm.id) class="card">
                <HostRefusal problem confirmed=form.fingerprint.clone() known=None />
                {report}
                <p class="hint">
                    {format!(
                        "The console logs in at this host by ssh, for this migration only. {} sends the VM directly to it; neither host \
                        needs a login at the other.",
                        vm.host,
                    )}
                </p>
                <div class="side-by-side">
                    <TextField
                        name="destination"
                        label="Address"
                        value=form.destination.clone()
                        required=true
                        hint="A name or an IP address."
                    />
                    <NumberField name="port" label="ssh port" value=form.port.map(u32::from) max=65_535 default="22" />
                </div>
                <TextField
                    name="user"
                    label="User"
                    value=form.user.clone()
                    default="root"
                    hint="An account that may use libvirt."
                />
                <PasswordField hint="Forgotten when the migration has ended. If empty, the keys of the console's account are tried." />
                <OptionFields vm=vm.clone() own_limit options=form.request.options.clone() defaults />
                <fieldset>
                    <legend>"Registration"</legend>
                    <CheckField
                        name="register"
                        label="Register this host"
                        hint="Keeps it in the list of hosts, without the password."
                        checked=form.register
                    />
                    <div class="only-registered">
                        <TextField
                            name="name"
                            label="Name"
                            value=form.name
                            hint="Lower-case letters, digits, and hyphens between them."
                        />
                    </div>
                </fieldset>
                <FormFoot
                    back=format!("/vms/{}/migrate", vm.id)
                    label="Start migration"
                    hint="The console first checks whether the VM can move there. This takes up to 10 s. A password has to be typed again \
                    after a check."
                >
                    <button class="button" name="check" value="true">
                        "Check only"
                    </button>
                </FormFoot>
            </form>
        }
    })
}

#[component]
fn OptionFields(
    vm: Vm,
    /// The source host's own limit, in MiB/s.
    own_limit: Option<u32>,
    options: MigrationOptions,
    defaults: PolicyDefaults,
) -> impl IntoView {
    let own_limit = own_limit.map_or("not limited".to_owned(), |limit| format!("{limit} (the setting of {})", vm.host));
    // The policy and its limits are never folded away with the others.
    let others = MigrationOptions {
        policy: None,
        longest_pause_ms: None,
        budget_s: None,
        policy_as_default: false,
        ..options.clone()
    };
    let is_changed = others != MigrationOptions::default();
    let policy = options.clone();
    let is_active = vm.state.is_active();
    let bandwidth = vm.state.is_active().then(|| {
        view! {
            <NumberField
                name="request[options][bandwidth_mib_s]"
                label="Bandwidth limit in MiB/s"
                value=options.bandwidth_mib_s
                max=1_000_000
                default=own_limit
            />
        }
    });
    view! {
        <fieldset>
            <legend>"Options"</legend>
            // The request is for the mode that the page shows, even if the VM is shut off or started at this moment.
            <input type="hidden" name="request[mode]" value=if vm.state.is_active() { "live" } else { "offline" } />
            <CheckField
                name="request[options][keep_source_definition]"
                label="Keep the definition at the source"
                hint="The VM could then be started there a second time."
                checked=options.keep_source_definition
            />
            <details class="more" open=is_changed>
                <summary>"More options"</summary>
                <TextField
                    name="request[options][new_name]"
                    label="New name at the destination"
                    value=options.new_name.unwrap_or_default()
                    default="the same"
                />
                {bandwidth}
                <CheckField
                    name="request[options][encrypt]"
                    label="Require encryption"
                    hint="Otherwise the migration is encrypted only where both hosts have certificates."
                    checked=options.encrypt == Some(true)
                />
                <CheckField
                    name="request[options][eject_media]"
                    label="Eject media that the destination does not have"
                    hint="The guest then finds its CD-ROM or floppy drive empty."
                    checked=options.eject_media
                />
                <CheckField
                    name="request[options][remove_source_disks]"
                    label="Delete the old images of copied disks"
                    hint="Only after the migration has succeeded. Never on shared storage."
                    checked=options.remove_source_disks
                />
            </details>
        </fieldset>
        // The console drives such a migration, so there is no post-copy.
        <PolicyFields is_offered=is_active allows_post_copy=false memory_bytes=vm.memory_bytes options=policy defaults />
    }
}
