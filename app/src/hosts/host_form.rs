//! `/hosts/add` and `/hosts/<name>/edit`: how a host is reached.

use leptos::prelude::*;
use model::{
    DaemonKind, HostLogin, HostSettings, NewHost, Problem, RegisteredHost, Secret, SshLoginKind, TransportKind,
};
use serde::Deserialize;

use crate::hosts::{host_key::HostRefusal, key_page::KeyLink};
use crate::ui::{
    document::{Assets, Back, Document, as_text},
    fields::{FormFoot, KeepPasswordField, NumberField, PasswordField, RadioField, TextField, typed},
};

/// The form as it was filled in.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct HostForm {
    name: String,
    transport: TransportKind,
    address: String,
    port: Option<u16>,
    user: String,
    login: SshLoginKind,
    daemon: DaemonKind,
    peer_address: String,
    peer_transport: Option<TransportKind>,
    peer_port: Option<u16>,
    peer_user: String,
    bandwidth_mib_s: Option<u32>,
    /// One a line.
    shared_directories: String,
    password: Option<Secret>,
    fingerprint: Option<String>,
    keep_until_restart: bool,
}

impl Default for HostForm {
    fn default() -> Self {
        Self {
            name: String::new(),
            transport: TransportKind::Ssh,
            address: String::new(),
            port: None,
            user: "root".to_owned(),
            login: SshLoginKind::Password,
            daemon: DaemonKind::System,
            peer_address: String::new(),
            peer_transport: None,
            peer_port: None,
            peer_user: String::new(),
            bandwidth_mib_s: None,
            shared_directories: String::new(),
            password: None,
            fingerprint: None,
            keep_until_restart: false,
        }
    }
}

impl From<HostSettings> for HostForm {
    fn from(settings: HostSettings) -> Self {
        Self {
            name: settings.name.to_string(),
            transport: settings.transport,
            address: settings.address.unwrap_or_default(),
            port: settings.port,
            user: settings.user.unwrap_or_default(),
            login: settings.login.unwrap_or(SshLoginKind::Program),
            daemon: settings.daemon.unwrap_or(DaemonKind::System),
            peer_address: settings.peer_address.unwrap_or_default(),
            peer_transport: settings.peer_transport,
            peer_port: settings.peer_port,
            peer_user: settings.peer_user.unwrap_or_default(),
            bandwidth_mib_s: settings.bandwidth_mib_s,
            shared_directories: settings.shared_directories.join("\n"),
            ..Self::default()
        }
    }
}

impl HostForm {
    /// The host. Fields that its transport does not have are hidden in the form, and left out here.
    ///
    /// # Errors
    /// `invalid-input` for what can't be a host's name.
    pub fn host(&self) -> Result<NewHost, Problem> {
        let is_local = self.transport == TransportKind::Local;
        let is_ssh = self.transport == TransportKind::Ssh;
        let speaks_tcp = self.transport == TransportKind::Tcp || self.peer_transport == Some(TransportKind::Tcp);
        let settings = HostSettings {
            name: self.name.trim().parse()?,
            transport: self.transport,
            address: typed(&self.address).filter(|_| !is_local),
            port: self.port.filter(|_| !is_local),
            user: typed(&self.user).filter(|_| is_ssh),
            login: is_ssh.then_some(self.login),
            daemon: speaks_tcp.then_some(self.daemon),
            peer_address: typed(&self.peer_address),
            peer_transport: self.peer_transport,
            peer_port: self.peer_port,
            peer_user: typed(&self.peer_user),
            bandwidth_mib_s: self.bandwidth_mib_s,
            shared_directories: self.shared_directories.lines().filter_map(typed).collect(),
        };
        let login = HostLogin {
            user: None,
            password: self.password.clone().filter(|_| is_ssh && self.login == SshLoginKind::Password),
            fingerprint: self.fingerprint.clone().filter(|_| is_ssh),
            keep_until_restart: self.keep_until_restart,
        };
        Ok(NewHost { settings, login })
    }
}

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
        || !form.shared_directories.is_empty();
    view! {
        <details class="more" open=is_used>
            <summary>"More: access for other hosts, limits, shared directories"</summary>
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
            <label class="field">
                <span>"Shared directories"</span>
                <textarea
                    name="shared_directories"
                    rows="3"
                    spellcheck="false"
                    inner_html=as_text(&form.shared_directories)
                ></textarea>
                <small class="hint">
                    "One path per line: directories that other hosts mount at the same path, for example from NFS."
                </small>
            </label>
        </details>
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
    view! {
        <label class="field">
            <span>"Transport for other hosts"</span>
            <select name="peer_transport">{choices.into_iter().map(option).collect_view()}</select>
            <small class="hint">"For peer-to-peer migrations."</small>
        </label>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fields::read;

    fn host(body: &str) -> NewHost {
        read::<HostForm>(body.as_bytes()).unwrap().host().unwrap()
    }

    #[test]
    fn what_is_left_empty_is_left_out() {
        let NewHost { settings, login } = host(
            "name=+alpha+&transport=ssh&address=192.0.2.7&port=&user=root&login=account-keys&daemon=system&password=\
             &peer_address=&peer_transport=&peer_port=&peer_user=&bandwidth_mib_s=&shared_directories=%0D%0A",
        );
        assert_eq!(settings.name.as_str(), "alpha");
        assert_eq!((settings.port, settings.peer_transport, settings.bandwidth_mib_s), (None, None, None));
        assert_eq!((settings.peer_address, settings.peer_user, settings.daemon), (None, None, None));
        assert_eq!((settings.user.as_deref(), settings.login), (Some("root"), Some(SshLoginKind::AccountKeys)));
        assert!(settings.shared_directories.is_empty());
        assert_eq!(login, HostLogin::default());
    }

    #[test]
    fn fields_of_another_transport_do_not_count() {
        let typed =
            "name=alpha&address=192.0.2.7&port=1&user=root&login=password&daemon=session&password=x&fingerprint=y";
        let tls = host(&format!("transport=tls&{typed}"));
        assert_eq!((tls.settings.user, tls.settings.login, tls.settings.daemon), (None, None, None));
        assert_eq!(tls.login, HostLogin::default());
        let local = host(&format!("transport=local&{typed}"));
        assert_eq!((local.settings.address, local.settings.port), (None, None));
        let tcp = host(&format!("transport=tcp&{typed}"));
        assert_eq!(tcp.settings.daemon, Some(DaemonKind::Session));
        let ssh = host(&format!("transport=ssh&{typed}&keep_until_restart=true"));
        assert_eq!(ssh.login.password.unwrap().reveal(), "x");
        assert_eq!((ssh.login.fingerprint.as_deref(), ssh.login.keep_until_restart), (Some("y"), true));
    }

    #[test]
    fn a_host_that_is_not_changed_stays_as_it_was_written() {
        let written = host(
            "name=alpha&transport=ssh&address=192.0.2.7&port=2222&user=mover&login=console-key&peer_address=198.51.100.7\
             &peer_transport=tls&peer_port=16514&bandwidth_mib_s=100&shared_directories=%2Fsrv%2Fa%0D%0A%2Fsrv%2Fb",
        );
        assert_eq!(written.settings.shared_directories, ["/srv/a", "/srv/b"]);
        assert_eq!(HostForm::from(written.settings.clone()).host().unwrap().settings, written.settings);
    }
}
