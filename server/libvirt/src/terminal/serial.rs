//! A VM's serial console, through a stream of libvirt's.

use std::time::Duration;

use model::VmId;
use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{Receiver, Sender, error::TrySendError},
        oneshot,
    },
    time::sleep,
};
use virt::sys;

use super::stream::{QuietStream, Read};
use crate::{connection::Connection, error::LibvirtError};

/// How often the connection is looked at: libvirt does not end the streams of one that is gone.
const LOOK: Duration = Duration::from_secs(2);
/// How long is waited where libvirt can't take any input, and how often before it is discarded, as a serial line does.
const FULL: Duration = Duration::from_millis(5);
const TRIES: u32 = 200;
/// What stands in the place of output that was lost.
const LOST: &[u8] = "\r\n[vmferry: output is missing here, as it came faster than the browser took it]\r\n".as_bytes();

/// Both ends of a console, for the thread that serves it.
pub(crate) struct Ends {
    /// What is typed.
    pub(crate) typed: Receiver<Vec<u8>>,
    /// What the guest says.
    pub(crate) said: Sender<Vec<u8>>,
    /// Told as soon as it is open.
    pub(crate) opened: oneshot::Sender<()>,
    /// Where `typed` and `said` belong to.
    pub(crate) runtime: Handle,
}

/// Opens the first console of a VM and serves it until the stream or either end of it closes.
pub(crate) fn serve(
    connection: &Connection,
    vm: VmId,
    take_over: bool,
    Ends { mut typed, said, opened, runtime }: Ends,
) -> Result<(), LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    let mut stream = QuietStream::new(connection)?;
    // Without the flag libvirt refuses while another client has it open.
    let flags = if take_over { sys::VIR_DOMAIN_CONSOLE_FORCE } else { 0 };
    domain.open_console(None, stream.stream(), flags)?;
    stream.watch()?;
    // Fails if the caller has given up; then the ends are closed, too.
    let _ = opened.send(());
    let mut has_lost = false;
    loop {
        let wake = runtime.block_on(async {
            tokio::select! {
                () = stream.readable() => Wake::Readable,
                bytes = typed.recv() => bytes.map_or(Wake::Left, Wake::Typed),
                () = said.closed() => Wake::Left,
                () = sleep(LOOK) => Wake::Look,
            }
        });
        match wake {
            Wake::Readable => {
                if !pass_on(&stream, &said, &mut has_lost)? {
                    return Ok(());
                }
            }
            Wake::Typed(bytes) => write(&stream, &runtime, &bytes)?,
            Wake::Look if connection.is_open() => {}
            Wake::Look | Wake::Left => return Ok(()),
        }
    }
}

/// Why the thread goes on.
enum Wake {
    Readable,
    Typed(Vec<u8>),
    Left,
    Look,
}

/// Reads all that is there; false at the end. libvirt keeps what is not read in this process's memory, so that it has to be read at once: what
/// the browser does not take is lost, as on a serial line.
fn pass_on(stream: &QuietStream, said: &Sender<Vec<u8>>, has_lost: &mut bool) -> Result<bool, LibvirtError> {
    loop {
        let bytes = match stream.read()? {
            Read::Bytes(bytes) => bytes,
            Read::NothingYet => return Ok(true),
            Read::End => return Ok(false),
        };
        let bytes = if *has_lost { [LOST, &bytes].concat() } else { bytes };
        match said.try_send(bytes) {
            Ok(()) => *has_lost = false,
            Err(TrySendError::Full(_)) => *has_lost = true,
            Err(TrySendError::Closed(_)) => return Ok(false),
        }
    }
}

fn write(stream: &QuietStream, runtime: &Handle, mut bytes: &[u8]) -> Result<(), LibvirtError> {
    let mut tries = 0;
    while !bytes.is_empty() && tries < TRIES {
        let sent = stream.write(bytes)?;
        bytes = bytes.get(sent..).unwrap_or_default();
        if sent == 0 {
            tries += 1;
            runtime.block_on(sleep(FULL));
        }
    }
    Ok(())
}
