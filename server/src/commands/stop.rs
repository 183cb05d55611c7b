//! What stops the program.

use tokio::{
    io::{AsyncReadExt, stdin},
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use super::Failure;

/// Cancelled by Ctrl-C and by SIGTERM; with `until_stdin_closes` also when the program that started it has ended.
///
/// # Errors
/// When the signals can't be listened to.
pub fn on_signal(until_stdin_closes: bool) -> Result<CancellationToken, Failure> {
    let stop = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let cancel = stop.clone().drop_guard();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = closed(), if until_stdin_closes => {}
        }
        drop(cancel);
    });
    Ok(stop)
}

/// Standard input has come to its end.
async fn closed() {
    let mut buffer = [0; 256];
    while stdin().read(&mut buffer).await.is_ok_and(|length| length > 0) {}
}
