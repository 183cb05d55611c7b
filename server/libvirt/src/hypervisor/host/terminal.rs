//! The terminals of a host's VMs: how each is reached.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use engine::{HostError, HostErrorKind, Ssh, SshLogin, TerminalStream, Transport};
use model::VmId;
use tokio::{
    net::{TcpStream, UnixStream},
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{LibvirtHost, calls::LIMIT};
use crate::{
    connection::Connection,
    terminal::{
        screen::{self, Display},
        serial::{self, Ends},
    },
    translate,
};

/// How many pieces of a serial console's output wait for the browser, of 16 KiB at most.
const OUTPUT: usize = 128;
/// How many pieces of input wait for libvirt.
const INPUT: usize = 16;

/// How long a VNC server may take to greet. The program ssh logs in first.
const VNC_LIMIT: Duration = Duration::from_secs(8);

impl LibvirtHost {
    /// The serial console of a VM, on a connection of its own.
    pub(super) async fn open_serial(&self, vm: VmId, take_over: bool) -> Result<TerminalStream, HostError> {
        let workers = self.connect_for_long_call().await?;
        let (input, typed) = mpsc::channel(INPUT);
        let (said, output) = mpsc::channel(OUTPUT);
        let (opened, is_open) = oneshot::channel();
        let ends = Ends { typed, said, opened, runtime: Handle::current() };
        let serving = tokio::spawn(async move {
            workers.call_unlimited(move |connection| serial::serve(connection, vm, take_over, ends)).await
        });
        match timeout(LIMIT, is_open).await {
            Ok(Ok(())) => Ok(TerminalStream { input, output }),
            // It has ended without being open.
            Ok(Err(_)) => Err(match serving.await {
                Ok(Err(failure)) => translate::failed(&self.host_connector.host, failure),
                Ok(Ok(())) | Err(_) => self.closed_at_once(),
            }),
            Err(_) => Err(translate::failed(&self.host_connector.host, crate::error::CallFailure::Late(LIMIT))),
        }
    }

    /// The screen of a VM.
    pub(super) async fn open_screen(&self, vm: VmId) -> Result<TerminalStream, HostError> {
        let display = move |connection: &Connection| screen::display(connection, vm);
        let display = self.ask(&self.control, LIMIT, display).await?;
        if display == Display::None {
            let sentence = "This VM has no screen that a browser can show.".to_owned();
            return Err(HostError::new(HostErrorKind::NotSupported, sentence)
                .with_fix("Add <graphics type='vnc'/> and a video device to its definition, and start it again."));
        }
        let opened = match self.host_connector.transport() {
            Transport::Local => {
                let open = move |connection: &Connection| screen::open_here(connection, vm);
                let socket = self.ask(&self.control, LIMIT, open).await?;
                let open = async {
                    socket.set_nonblocking(true)?;
                    screen::channels(UnixStream::from_std(socket)?, ()).await
                };
                timeout(VNC_LIMIT, open).await
            }
            Transport::Ssh(ssh @ Ssh { login: SshLogin::Program, .. }) if let Some(to) = seen_there(&display) => {
                let open = async {
                    let (program, socket) = screen::forwarded(ssh, to)?;
                    screen::channels(socket, program).await
                };
                timeout(VNC_LIMIT, open).await
            }
            _ => {
                let addresses = self.screen_addresses(&display).await?;
                let open = async { screen::channels(TcpStream::connect(&addresses[..]).await?, ()).await };
                timeout(VNC_LIMIT, open).await
            }
        };
        let opened = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let (input, output) = opened.map_err(|error| self.no_screen(&error.to_string()))?;
        Ok(TerminalStream { input, output })
    }

    /// Where the VNC server of a VM on another machine is. Only addresses that the host is registered with count: whoever defines VMs there
    /// could name any other machine's.
    async fn screen_addresses(&self, display: &Display) -> Result<Vec<SocketAddr>, HostError> {
        let own = self.host_connector.addresses().await?;
        let (listens, port) = match display {
            Display::Everywhere(port) => (own, *port),
            Display::At(address, port) => {
                let ip = address.parse::<IpAddr>().ok();
                (own.into_iter().filter(|own| Some(*own) == ip).collect(), *port)
            }
            Display::Hidden | Display::None => (Vec::new(), 0),
        };
        if listens.is_empty() {
            let host = &self.host_connector.host;
            let listens = match display {
                Display::At(address, port) => format!("it listens on {address} port {port}"),
                _ => "it does not listen on the network".to_owned(),
            };
            let sentence = format!("vmferry can't reach the VNC server of this VM on {host}: {listens}.");
            return Err(HostError::new(HostErrorKind::NotSupported, sentence).with_fix(
                "Set vnc_listen in the host's qemu.conf to the address that the host is registered with, and leave the address out of the \
                 VM's definition; protect the port with a firewall, or VNC with a password. Its serial console needs none of that.",
            ));
        }
        Ok(listens.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }

    fn no_screen(&self, why: &str) -> HostError {
        let sentence = format!("The VNC server of this VM on {} does not answer.", self.host_connector.host);
        HostError::new(HostErrorKind::Refused, sentence)
            .with_fix(
                "Check whether a firewall is between vmferry and the host, and whether sshd there forbids forwarding.",
            )
            .with_details(why)
    }

    fn closed_at_once(&self) -> HostError {
        let sentence = format!("{} has closed the serial console of this VM at once.", self.host_connector.host);
        HostError::new(HostErrorKind::Refused, sentence).with_fix("Try again; read libvirt's log on the host.")
    }
}

/// The address of a VNC server as its own host sees it, if it listens there on all addresses, or on one that every host has for itself only:
/// another may be another machine's, to which the console must not be led.
fn seen_there(display: &Display) -> Option<SocketAddr> {
    match display {
        Display::Everywhere(port) => Some((Ipv4Addr::LOCALHOST, *port).into()),
        Display::At(address, port) => {
            let ip: IpAddr = address.parse().ok()?;
            ip.is_loopback().then_some((ip, *port).into())
        }
        Display::Hidden | Display::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_forwards_to_the_host_itself_only() {
        let at = |address: &str| seen_there(&Display::At(address.to_owned(), 5900));
        assert_eq!(at("127.0.0.1"), "127.0.0.1:5900".parse().ok());
        assert_eq!(at("::1"), "[::1]:5900".parse().ok());
        assert_eq!(seen_there(&Display::Everywhere(5901)), "127.0.0.1:5901".parse().ok());
        for address in ["192.0.2.7", "host7.example.org", "-oProxyCommand=x"] {
            assert_eq!(at(address), None, "{address}");
        }
    }
}
