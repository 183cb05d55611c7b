//! A VM's serial console or screen on one host.

use tokio::sync::mpsc;

/// The bytes of a VM's serial console or screen on one host.
#[derive(Debug)]
pub struct TerminalStream {
    /// What is typed goes in here.
    pub input: mpsc::Sender<Vec<u8>>,
    /// What the guest, or its VNC server, says; it ends with the stream.
    pub output: mpsc::Receiver<Vec<u8>>,
}
