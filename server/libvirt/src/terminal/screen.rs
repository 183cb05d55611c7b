//! A VM's screen: where its VNC server listens, and the bytes of one connection to it.
//!
//! libvirt itself hands a connection over only where it is on this machine (`virDomainOpenGraphicsFD` passes a file descriptor, which no
//! network can). Of hosts that the program ssh reaches, it forwards one (`ssh -W`). Of others the VNC server has to listen on an address of
//! the host's.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    os::{
        fd::{FromRawFd, OwnedFd},
        unix::net,
    },
    process::Stdio,
};

use engine::Ssh;

use model::VmId;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, join},
    process::{Child, Command},
    sync::mpsc,
};
use virt::sys;

use crate::{connection::Connection, error::LibvirtError, xml};

/// How much is read at once, in bytes.
const PIECE: usize = 64 << 10;
/// How many pieces wait for their receiver.
const QUEUE: usize = 4;

/// How a VNC server greets, e.g. `RFB 003.008` and a new line (RFC 6143, 7.1.1): its length and its beginning.
const GREETING: usize = 12;
const RFB: &[u8] = b"RFB ";

/// Where a VM's VNC server can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Display {
    /// The VM has none.
    None,
    /// At this port of each address of the host.
    Everywhere(u16),
    /// At this port of one address, as libvirt has it: an IP address, or a name.
    At(String, u16),
    /// Not by network: through a socket, say.
    Hidden,
}

/// Where the VNC server of a VM that is active listens.
pub(crate) fn display(connection: &Connection, vm: VmId) -> Result<Display, LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    if !domain.is_active()? {
        let message = "domain is not running".to_owned();
        return Err(LibvirtError {
            number: sys::VIR_ERR_OPERATION_INVALID,
            domain: sys::VIR_FROM_DOM,
            int1: 0,
            message,
        });
    }
    display_in(&domain.xml_desc(0)?)
}

fn display_in(definition: &str) -> Result<Display, LibvirtError> {
    let document = xml::parse(definition)?;
    let devices = xml::find(document.root_element(), &["devices"]);
    let mut graphics = devices.into_iter().flat_map(|devices| xml::children(devices, "graphics"));
    let Some(vnc) = graphics.find(|graphics| graphics.attribute("type") == Some("vnc")) else {
        return Ok(Display::None);
    };
    let port = vnc.attribute("port").and_then(|port| port.parse::<u16>().ok()).filter(|port| *port != 0);
    let listen = xml::children(vnc, "listen").find_map(|listen| listen.attribute("address"));
    Ok(match (listen.or_else(|| vnc.attribute("listen")), port) {
        (Some(address), Some(port)) => match address.parse::<IpAddr>() {
            Ok(ip) if ip.is_unspecified() => Display::Everywhere(port),
            _ => Display::At(address.to_owned(), port),
        },
        _ => Display::Hidden,
    })
}

/// A connection to the VNC server of a VM on this machine. libvirt has logged in where the server wants a password.
pub(crate) fn open_here(connection: &Connection, vm: VmId) -> Result<net::UnixStream, LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    let fd = domain.open_graphics_fd(0, sys::VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH)?;
    let fd = i32::try_from(fd).map_err(|_| LibvirtError::unusable("a file descriptor is out of range"))?;
    // SAFETY: libvirt has just opened it for the caller, who is the only one that knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) }.into())
}

/// The program ssh, connected to an address as the host at its other end sees it.
pub(crate) fn forwarded(
    ssh: &Ssh,
    to: SocketAddr,
) -> io::Result<(Child, impl AsyncRead + AsyncWrite + Unpin + Send + 'static)> {
    let mut child = Command::new("ssh")
        .args(["-T", "-a", "-x", "-o", "BatchMode=yes"])
        .args(["-p", &ssh.port.to_string(), "-l", ssh.user.as_str(), "-W", &to.to_string(), "--"])
        .arg(ssh.address.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let ends = child.stdout.take().zip(child.stdin.take());
    let (from, to) = ends.ok_or_else(|| io::Error::other("ssh has no standard input or output"))?;
    Ok((child, join(from, to)))
}

/// The bytes of a connection to a VNC server as channels, until either side ends. `held` is dropped then.
///
/// # Errors
/// What answers there is no VNC server.
pub(crate) async fn channels(
    mut socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    held: impl Send + 'static,
) -> io::Result<(mpsc::Sender<Vec<u8>>, mpsc::Receiver<Vec<u8>>)> {
    let mut greeting = vec![0; GREETING];
    socket.read_exact(&mut greeting).await?;
    if !greeting.starts_with(RFB) {
        return Err(io::Error::other("what answers there does not speak VNC's protocol"));
    }
    let (input, mut typed) = mpsc::channel::<Vec<u8>>(QUEUE);
    let (said, output) = mpsc::channel(QUEUE);
    let (mut from, mut to) = tokio::io::split(socket);
    tokio::spawn(async move {
        let _held = held;
        let writing = async {
            while let Some(bytes) = typed.recv().await {
                if to.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        };
        let reading = async {
            if said.send(greeting).await.is_err() {
                return;
            }
            let mut piece = vec![0; PIECE];
            while let Ok(len @ 1..) = from.read(&mut piece).await {
                if said.send(piece[..len].to_vec()).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = writing => {}
            () = reading => {}
            () = said.closed() => {}
        }
    });
    Ok((input, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_vnc_server_is_passed_on() {
        for (greeting, is_vnc) in [("RFB 003.008\n", true), ("SSH-2.0-Open", false), ("RFB", false)] {
            let (mut server, client) = tokio::io::duplex(64);
            server.write_all(greeting.as_bytes()).await.unwrap();
            server.shutdown().await.unwrap();
            match channels(client, ()).await {
                Ok((_, mut output)) => assert!(is_vnc && output.recv().await == Some(greeting.into())),
                Err(error) => assert!(!is_vnc, "{error}"),
            }
        }
    }

    fn display_of(graphics: &str) -> Display {
        display_in(&format!("<domain><devices>{graphics}</devices></domain>")).unwrap()
    }

    #[test]
    fn where_a_vnc_server_listens() {
        let vnc = |address| {
            format!("<graphics type='vnc' port='5901'><listen type='address' address='{address}'/></graphics>")
        };
        assert_eq!(display_of(&vnc("127.0.0.2")), Display::At("127.0.0.2".to_owned(), 5901));
        assert_eq!(display_of(&vnc("0.0.0.0")), Display::Everywhere(5901));
        assert_eq!(display_of(&vnc("::")), Display::Everywhere(5901));
        assert_eq!(display_of("<graphics type='vnc' port='5902' listen='::1'/>"), Display::At("::1".to_owned(), 5902));
        assert_eq!(display_of("<graphics type='vnc' port='-1' listen='::1'/>"), Display::Hidden, "it does not run");
        assert_eq!(display_of("<graphics type='vnc'><listen type='socket' socket='/x'/></graphics>"), Display::Hidden);
        assert_eq!(display_of("<graphics type='spice' port='5901' listen='::1'/>"), Display::None);
    }
}
