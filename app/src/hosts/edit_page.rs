//! `/hosts/add` and `/hosts/<name>/edit`: how a host is reached.

use leptos::prelude::*;
use model::{DaemonKind, Policy, Problem, RegisteredHost, SshLoginKind, Steering, TransportKind};

use crate::hosts::{host_form::HostForm, host_key::HostRefusal, key_page::KeyLink};
use crate::ui::{
    document::{Assets, Back, Document, as_text},
    fields::{
        FormFoot, KeepPasswordField, MistakeText, NumberField, PasswordField, RadioField, TextField, mistake, refused,
        tie_to_field,
    },
};

/// The page that adds a host: `form` as it was filled in, and why it was refused.
pub fn add_host(assets: Assets, form: &HostForm, problem: Option<Problem>) -> Document {
    let form = form.clone();
    Document::new(assets, Back::to_hosts(), "Add a host", || {
        view! { <Form action="/hosts/add" form known_key=None problem label="Add host" /> }
    })
}

/// The page that changes a host.
pub fn edit_host(assets: Assets, host: &RegisteredHost, form: &HostForm, problem: Option<Problem>) -> Document {
    let name = &host.settings.name;
    let (form, known_key) = (form.clone(), host.fingerprint.clone());
    Document::new(assets, Back::to_hosts(), &format!("Edit {name}"), || {
        view! {
            <Form action=format!("/hosts/{name}/edit") form known_key problem label="Save" />
            <KeyLink host=host.clone() />
        }
    })
}

#[component]
fn Form(
    #[prop(into)] action: String,
    form: HostForm,
    /// The key that the console knows already.
    known_key: Option<String>,
    problem: Option<Problem>,
    label: &'static str,
) -> impl IntoView {
    tie_to_field(problem.as_ref());
    view! {
        <form method="post" action=action class="card">
            <HostRefusal problem confirmed=form.fingerprint.clone() known=known_key />
            <TextField
                name="name"
                label="Name"
                value=form.name.clone()
                required=true
                hint="Lower-case letters, digits, and hyphens between them."
            />
            <Transports chosen=form.transport />
            <div class="side-by-side not-local">
                <TextField name="address" label="Address" value=form.address.clone() hint="A name or an IP address." />
                <NumberField
                    name="port"
                    label="Port"
                    value=form.port.map(u32::from)
                    max=65_535
                    default="the default port"
                />
            </div>
            <SshFields form=form.clone() />
            <Daemons chosen=form.daemon />
            <MoreFields form />
            <FormFoot back="/hosts" label hint="The console first tests whether the host answers. This takes up to 10 s." />
        </form>
    }
}

#[component]
fn Transports(chosen: TransportKind) -> impl IntoView {
    let transport = |kind, value, label, hint| {
        view! { <RadioField name="transport" value label hint checked=chosen == kind /> }
    };
    view! {
        <fieldset class="choices">
            <legend>"Connection"</legend>
            {transport(TransportKind::Ssh, "ssh", "ssh", "With a password or a key. The host needs no setup.")}
            {transport(TransportKind::Tls, "tls", "TLS", "With certificates, on the host and on the console's machine.")}
            {transport(TransportKind::Local, "local", "This machine", "The console's own machine, through its libvirt socket.")}
            {transport(
                TransportKind::Tcp,
                "tcp",
                "TCP",
                "Not encrypted and without a login: only where the configuration allows it.",
            )}
        </fieldset>
    }
}

#[component]
fn SshFields(form: HostForm) -> impl IntoView {
    let login = |kind, value, label, hint| {
        view! { <RadioField name="login" value label hint checked=form.login == kind /> }
    };
    let program = (form.login == SshLoginKind::Program)
        .then(|| login(SshLoginKind::Program, "program", "With the program ssh", "As the configuration of ssh says."));
    view! {
        <div class="only-ssh">
            <TextField
                name="user"
                label="User"
                value=form.user.clone()
                hint="An account that may use libvirt: root, or a member of the group libvirt."
            />
            <fieldset class="choices">
                <legend>"Login"</legend>
                {login(SshLoginKind::Password, "password", "With a password", "")}
                {login(
                    SshLoginKind::AccountKeys,
                    "account-keys",
                    "With the keys of the console's account",
                    "The keys that ssh would use, and its agent.",
                )}
                {login(
                    SshLoginKind::ConsoleKey,
                    "console-key",
                    "With the console's own key",
                    "Once it is set up on the host: add the host with a password first.",
                )}
                {program}
            </fieldset>
            <div class="only-password">
                <PasswordField hint="Never stored." />
                <KeepPasswordField checked=form.keep_until_restart />
            </div>
        </div>
    }
}

#[component]
fn Daemons(chosen: DaemonKind) -> impl IntoView {
    view! {
        <fieldset class="choices only-tcp">
            <legend>"libvirt daemon"</legend>
            <RadioField name="daemon" value="system" label="System" checked=chosen == DaemonKind::System />
            <RadioField name="daemon" value="session" label="User session" checked=chosen == DaemonKind::Session />
        </fieldset>
    }
}

/// What few hosts need, open if something of it is filled in.
#[component]
fn MoreFields(form: HostForm) -> impl IntoView {
    let is_used = !form.peer_address.is_empty()
        || form.peer_transport.is_some()
        || form.peer_port.is_some()
        || !form.peer_user.is_empty()
        || form.bandwidth_mib_s.is_some()
        || form.memory_reserve_mib.is_some()
        || form.outgoing_mib_s.is_some()
        || form.incoming_mib_s.is_some()
        || form.policy.is_some()
        || form.longest_pause_ms.is_some()
        || form.budget_s.is_some()
        || !form.shared_directories.is_empty()
        || mistake("peer_transport").is_some();
    let (invalid, described) = refused("shared_directories");
    view! {
        <details class="more" open=is_used>
            <summary>"More: access for other hosts, limits, policy, shared directories"</summary>
            <div class="side-by-side">
                <TextField
                    name="peer_address"
                    label="Address for other hosts"
                    value=form.peer_address
                    default="the same"
                    hint="Other hosts send memory and disks of VMs there."
                />
                <NumberField
                    name="peer_port"
                    label="Port for other hosts"
                    value=form.peer_port.map(u32::from)
                    max=65_535
                    default="the same, or the default port"
                />
            </div>
            <div class="side-by-side">
                <PeerTransport chosen=form.peer_transport />
                <TextField
                    name="peer_user"
                    label="User for other hosts"
                    value=form.peer_user
                    default="the same"
                    hint="For ssh only."
                />
            </div>
            <NumberField
                name="bandwidth_mib_s"
                label="Migration bandwidth in MiB/s"
                value=form.bandwidth_mib_s
                max=1_000_000
                default="not limited"
            />
            <div class="side-by-side">
                <NumberField
                    name="outgoing_mib_s"
                    label="All migrations from here together, in MiB/s"
                    value=form.outgoing_mib_s
                    max=1_000_000
                    default="what earlier ones had"
                />
                <NumberField
                    name="incoming_mib_s"
                    label="All to here together, in MiB/s"
                    value=form.incoming_mib_s
                    max=1_000_000
                    default="what earlier ones had"
                />
            </div>
            <NumberField
                name="memory_reserve_mib"
                label="Memory that plans leave free here, in MiB"
                value=form.memory_reserve_mib
                max=1_000_000_000
                default="nothing"
            />
            <PolicyChoice chosen=form.policy />
            <div class="side-by-side">
                <NumberField
                    name="longest_pause_ms"
                    label="Its longest pause in ms"
                    value=form.longest_pause_ms
                    max=Steering::MOST_PAUSE_MS
                    default="the policy's own"
                />
                <NumberField
                    name="budget_s"
                    label="Its budget in s"
                    value=form.budget_s
                    max=Steering::MOST_BUDGET_S
                    default="by the VM's memory"
                />
            </div>
            <label class="field">
                <span>"Shared directories"</span>
                <textarea
                    name="shared_directories"
                    rows="3"
                    spellcheck="false"
                    inner_html=as_text(&form.shared_directories)
                    aria-invalid=invalid
                    aria-describedby=described
                ></textarea>
                <MistakeText name="shared_directories" />
                <small class="hint">
                    "One path per line: directories that other hosts mount at the same path, for example from NFS."
                </small>
            </label>
        </details>
    }
}

#[component]
fn PolicyChoice(chosen: Option<Policy>) -> impl IntoView {
    let default = Policy::default().label().to_lowercase();
    let option = |policy: Policy| {
        view! { <option value=policy.as_str() selected=Some(policy) == chosen>{policy.label().to_lowercase()}</option> }
    };
    view! {
        <label class="field">
            <span>"Policy of migrations from here"</span>
            <select name="policy">
                <option value="" selected=chosen.is_none()>{default} " (default)"</option>
                {Policy::ALL.iter().copied().map(option).collect_view()}
            </select>
            <small class="hint">"For migrations that choose none, of VMs without a policy of their own."</small>
        </label>
    }
}

#[component]
fn PeerTransport(chosen: Option<TransportKind>) -> impl IntoView {
    let choices = [
        ("", None, "the same"),
        ("ssh", Some(TransportKind::Ssh), "ssh"),
        ("tls", Some(TransportKind::Tls), "TLS"),
        ("tcp", Some(TransportKind::Tcp), "TCP"),
    ];
    let option = |(value, kind, label)| view! { <option value=value selected=kind == chosen>{label}</option> };
    let (invalid, described) = refused("peer_transport");
    view! {
        <label class="field">
            <span>"Transport for other hosts"</span>
            <select name="peer_transport" aria-invalid=invalid aria-describedby=described>
                {choices.into_iter().map(option).collect_view()}
            </select>
            <MistakeText name="peer_transport" />
            <small class="hint">"For peer-to-peer migrations."</small>
        </label>
    }
}
