//! A VM's screen: where its VNC server listens, and the bytes of one connection to it.
//!
//! libvirt itself hands a connection over only where it is on this machine (`virDomainOpenGraphicsFD` passes a file descriptor, which no
//! network can). Of other hosts the VNC server has to listen on an address of the host's.

use std::{
    net::IpAddr,
    os::{
        fd::{FromRawFd, OwnedFd},
        unix::net,
    },
};

use model::VmId;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
};
use virt::sys;

use crate::{connection::Connection, error::LibvirtError, xml};

/// How much is read at once, in bytes.
const PIECE: usize = 64 << 10;
/// How many pieces wait for their receiver.
const QUEUE: usize = 4;

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

/// The bytes of a connection as channels, until either side ends.
pub(crate) fn channels(
    socket: impl AsyncRead + AsyncWrite + Send + 'static,
) -> (mpsc::Sender<Vec<u8>>, mpsc::Receiver<Vec<u8>>) {
    let (input, mut typed) = mpsc::channel::<Vec<u8>>(QUEUE);
    let (said, output) = mpsc::channel(QUEUE);
    let (mut from, mut to) = tokio::io::split(socket);
    tokio::spawn(async move {
        let writing = async {
            while let Some(bytes) = typed.recv().await {
                if to.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        };
        let reading = async {
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
    (input, output)
}

#[cfg(test)]
mod tests {
    use super::*;

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
