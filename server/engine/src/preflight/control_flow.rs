//! Which control flow a migration has, and why: peer-to-peer survives the console, and needs a login of the source's own.

use model::{ControlFlow, Finding, FindingCode, HostOrigin, Migration, text};

use super::input::PreflightInput;

/// How long a login that was refused keeps it from being tried again, in ms: an admin may have given the source a key meanwhile.
const REFUSAL_COUNTS_MS: u64 = 24 * 60 * 60 * 1000;

/// The control flow, and the sentence that says why.
pub(super) fn of(input: &PreflightInput) -> (ControlFlow, Finding) {
    let login = PeerLogin::remembered(input);
    match input.options.control_flow {
        Some(ControlFlow::Direct) => direct(input, ""),
        Some(ControlFlow::Tunnelled) if input.is_live() => (ControlFlow::Tunnelled, tunnelled(input, login)),
        Some(ControlFlow::Tunnelled) => {
            (ControlFlow::PeerToPeer, peer_to_peer_or_nothing(input, login, "there is no memory to tunnel"))
        }
        Some(ControlFlow::PeerToPeer) => {
            (ControlFlow::PeerToPeer, peer_to_peer_or_nothing(input, login, "as requested"))
        }
        None => unless_chosen(input, login),
    }
}

fn unless_chosen(input: &PreflightInput, login: PeerLogin) -> (ControlFlow, Finding) {
    let (code, from, destination) = (FindingCode::PeerLogin, &input.vm.host, input.destination_name());
    if input.destination.origin == HostOrigin::Temporary {
        return direct(input, &format!(", as {destination} is not registered"));
    }
    match login {
        PeerLogin::Refused { ago_ms } => {
            let ago = text::duration(ago_ms);
            let (control_flow, finding) =
                direct(input, &format!(", as {from} could not log in on {destination} {ago} ago"));
            (
                control_flow,
                finding.with_fix(format!("{} Then ask for peer-to-peer: that outlives the console.", key(input))),
            )
        }
        PeerLogin::Worked { ago_ms } => {
            let ago = text::duration(ago_ms);
            let sentence = format!(
                "Peer-to-peer: {from} could log in on {destination} {ago} ago, and goes on even if the console dies."
            );
            (ControlFlow::PeerToPeer, Finding::ok(code, sentence))
        }
        PeerLogin::Unknown => {
            let sentence = format!(
                "Peer-to-peer if {from} may log in on {destination}, which is not known before a first move; if not, it goes on direct, \
                 driven by the console."
            );
            (ControlFlow::PeerToPeer, Finding::unknown(code, sentence))
        }
    }
}

fn direct(input: &PreflightInput, because: &str) -> (ControlFlow, Finding) {
    let (name, from) = (&input.vm.name, &input.vm.host);
    let mut sentence = format!("Direct{because}: the console is logged in at both hosts");
    if input.is_live() {
        sentence += &format!("; if it dies meanwhile, the move is undone and {name} stays on {from}");
    }
    (ControlFlow::Direct, Finding::ok(FindingCode::PeerLogin, sentence + "."))
}

fn peer_to_peer_or_nothing(input: &PreflightInput, login: PeerLogin, because: &str) -> Finding {
    let (from, destination) = (&input.vm.host, input.destination_name());
    let sentence = format!("Peer-to-peer, {because}: {from} goes on even if the console dies");
    login.finding(input, &sentence, &format!("{from} may log in on {destination}"))
}

fn tunnelled(input: &PreflightInput, login: PeerLogin) -> Finding {
    let (from, destination) = (&input.vm.host, input.destination_name());
    let sentence = format!("Tunnelled, as requested: {from} sends the memory along with its login on {destination}");
    login.finding(input, &sentence, "that login is accepted")
}

fn key(input: &PreflightInput) -> String {
    format!("Give root on {} a key or certificate that {} accepts.", input.vm.host, input.destination_name())
}

/// What is known of the source's own login at the destination, which the console can't observe itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PeerLogin {
    Worked { ago_ms: u64 },
    Refused { ago_ms: u64 },
    Unknown,
}

impl PeerLogin {
    fn remembered(input: &PreflightInput) -> Self {
        let ago = |at_ms: u64| input.now_ms.saturating_sub(at_ms);
        if let Some(ago_ms) = input.refused_login_ms.map(ago).filter(|ago_ms| *ago_ms < REFUSAL_COUNTS_MS) {
            return Self::Refused { ago_ms };
        }
        let mut telling = input.earlier.iter().filter(|migration| tells_of_the_login(migration));
        let Some(last) = telling.next() else { return Self::Unknown };
        if last.control_flow != Some(ControlFlow::Direct) {
            return Self::Worked { ago_ms: ago(last.ended_at_ms.unwrap_or(last.created_at_ms)) };
        }
        // Those after the refusal went direct because of it, and say nothing new.
        let refused =
            telling.take_while(|migration| migration.control_flow == Some(ControlFlow::Direct)).last().unwrap_or(last);
        match ago(refused.created_at_ms) {
            ago_ms if ago_ms < REFUSAL_COUNTS_MS => Self::Refused { ago_ms },
            _ => Self::Unknown,
        }
    }

    /// What can only go if the source may log in.
    fn finding(self, input: &PreflightInput, sentence: &str, provided: &str) -> Finding {
        match self {
            Self::Worked { .. } => Finding::ok(FindingCode::PeerLogin, format!("{sentence}.")),
            Self::Refused { .. } | Self::Unknown => {
                Finding::unknown(FindingCode::PeerLogin, format!("{sentence}, if {provided}; else it fails."))
                    .with_fix(key(input))
            }
        }
    }
}

/// A migration that went direct because the request said so, or because its destination is not registered, says nothing about the
/// login.
fn tells_of_the_login(migration: &Migration) -> bool {
    migration.control_flow != Some(ControlFlow::Direct)
        || (migration.options.control_flow.is_none() && migration.unregistered.is_none())
}
