//! `/hosts/add` and `/hosts/<name>/edit`: how a host is reached.

use leptos::prelude::*;
use model::{
    DaemonKind, HostLogin, HostSettings, NewHost, Problem, RegisteredHost, Secret, SshLoginKind, TransportKind,
};
use serde::Deserialize;

use crate::Assets;
use crate::hosts::host_key::refusal;
use crate::hosts::registered::key_link;
use crate::ui::Erased;
use crate::ui::document::Back;
use crate::ui::document::Document;
use crate::ui::document::as_text;
use crate::ui::fields::Line;
use crate::ui::fields::Tick;
use crate::ui::fields::foot;
use crate::ui::fields::keep;
use crate::ui::fields::number;
use crate::ui::fields::password;
use crate::ui::fields::typed;

/// What somebody typed, as they typed it.
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
    Document::new(assets, Back::to_hosts(), "Add a host", || {
        host_form("/hosts/add".to_owned(), form, None, problem, "Add the host")
    })
}

/// The page that changes a host.
pub fn edit_host(assets: Assets, host: &RegisteredHost, form: &HostForm, problem: Option<Problem>) -> Document {
    let name = &host.settings.name;
    Document::new(assets, Back::to_hosts(), &format!("Edit {name}"), || {
        view! {
            {host_form(format!("/hosts/{name}/edit"), form, host.fingerprint.as_deref(), problem, "Save")}
            {key_link(host)}
        }
        .into_any()
    })
}

fn host_form(
    action: String,
    form: &HostForm,
    known_key: Option<&str>,
    problem: Option<Problem>,
    label: &'static str,
) -> AnyView {
    view! {
        <form method="post" action=action class="card">
            {refusal(problem, form.fingerprint.as_deref(), known_key)}
            {Line::new("name", "Name", &form.name)
                .required()
                .hint("What it is called here: small letters, digits, and hyphens between them.")
                .view()}
            {transports(form)}
            <div class="side-by-side not-local">
                {Line::new("address", "Address", &form.address).hint("A name or an IP address.").view()}
                {number("port", "Port", form.port.map(u32::from), 65_535, "the usual one")}
            </div>
            {ssh_login(form)}
            {daemon(form)}
            {more(form)}
            {foot("/hosts", label, "button primary", "The console sees first that the host answers. This takes up to 10 s.")}
        </form>
    }
    .erased()
}

fn transports(form: &HostForm) -> AnyView {
    let choice = |value, kind, label, hint| Tick::choice("transport", value, label, hint, form.transport == kind);
    view! {
        <fieldset class="choices">
            <legend>"How the console reaches it"</legend>
            {choice("ssh", TransportKind::Ssh, "ssh", "With a password or a key. Nothing to set up.")}
            {choice("tls", TransportKind::Tls, "TLS", "With certificates, which both machines need to have.")}
            {choice("local", TransportKind::Local, "This machine", "By the socket of its own libvirt.")}
            {choice("tcp", TransportKind::Tcp, "TCP", "Neither encrypted nor safe. Only where the configuration allows it.")}
        </fieldset>
    }
    .erased()
}

fn ssh_login(form: &HostForm) -> AnyView {
    let choice = |value, kind, label, hint| Tick::choice("login", value, label, hint, form.login == kind);
    view! {
        <div class="only-ssh">
            {Line::new("user", "User", &form.user).hint("An account there that may use libvirt: root, or one of its group.").view()}
            <fieldset class="choices">
                <legend>"How it logs in"</legend>
                {choice("password", SshLoginKind::Password, "With a password", "")}
                {choice(
                    "account-keys",
                    SshLoginKind::AccountKeys,
                    "With the keys of the console's account",
                    "Those that ssh would use, and its agent.",
                )}
                {choice(
                    "console-key",
                    SshLoginKind::ConsoleKey,
                    "With the console's own key",
                    "Where it is set up already. Else begin with a password: the key can be set up then.",
                )}
                {(form.login == SshLoginKind::Program)
                    .then(|| choice("program", SshLoginKind::Program, "By the program ssh", "As its configuration says."))}
            </fieldset>
            <div class="only-password">
                {password("It is never written down.")}
                {keep(form.keep_until_restart)}
            </div>
        </div>
    }
    .erased()
}

fn daemon(form: &HostForm) -> AnyView {
    let choice = |value, kind, label| Tick::choice("daemon", value, label, "", form.daemon == kind);
    view! {
        <fieldset class="choices only-tcp">
            <legend>"Which libvirt"</legend>
            {choice("system", DaemonKind::System, "The system's")}
            {choice("session", DaemonKind::Session, "A user's own (session)")}
        </fieldset>
    }
    .erased()
}

/// What few hosts need, open if something of it is filled in.
fn more(form: &HostForm) -> AnyView {
    let is_used = !form.peer_address.is_empty()
        || form.peer_transport.is_some()
        || form.peer_port.is_some()
        || !form.peer_user.is_empty()
        || form.bandwidth_mib_s.is_some()
        || !form.shared_directories.is_empty();
    view! {
        <details class="more" open=is_used>
            <summary>"More: how other hosts reach it, limits, shared directories"</summary>
            <div class="side-by-side">
                {Line::new("peer_address", "Address for other hosts", &form.peer_address)
                    .default("the same")
                    .hint("VMs' memory and disks are sent there.")
                    .view()}
                {number("peer_port", "Port for other hosts", form.peer_port.map(u32::from), 65_535, "the same, or the usual one")}
            </div>
            <div class="side-by-side">
                {peer_transport(form.peer_transport)}
                {Line::new("peer_user", "User for other hosts", &form.peer_user).default("the same").hint("With ssh.").view()}
            </div>
            {number("bandwidth_mib_s", "Migration bandwidth in MiB/s", form.bandwidth_mib_s, 1_000_000, "not limited")}
            <label class="field">
                <span>"Shared directories"</span>
                <textarea
                    name="shared_directories"
                    rows="3"
                    spellcheck="false"
                    inner_html=as_text(&form.shared_directories)
                ></textarea>
                <small class="hint">"One a line, each with its whole path: directories that other hosts see, too, at the same path."</small>
            </label>
        </details>
    }
    .erased()
}

fn peer_transport(chosen: Option<TransportKind>) -> AnyView {
    let choices = [
        ("", None, "as the console does"),
        ("ssh", Some(TransportKind::Ssh), "by ssh"),
        ("tls", Some(TransportKind::Tls), "by TLS"),
        ("tcp", Some(TransportKind::Tcp), "by TCP"),
    ];
    let choices: Vec<AnyView> = choices
        .into_iter()
        .map(|(value, kind, label)| view! { <option value=value selected=kind == chosen>{label}</option> }.erased())
        .collect();
    view! {
        <label class="field">
            <span>"How other hosts log in"</span>
            <select name="peer_transport">{choices}</select>
            <small class="hint">"For migrations that the hosts drive themselves."</small>
        </label>
    }
    .erased()
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
