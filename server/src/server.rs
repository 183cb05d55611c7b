//! Serves the router on a listener until the process is told to stop.

mod certificate;
mod impatient_acceptor;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use axum::Router;
use axum_server::{
    Handle,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::rt::TokioTimer;
use impatient_acceptor::ImpatientAcceptor;
use tokio_util::sync::CancellationToken;

pub use certificate::{CertificateError, load, self_signed};

/// How long requests may take to finish after the stop. Streams end at once by themselves.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// How long a request's header may take to arrive; half as long as a connection may be silent.
const HEADER_LIMIT: Duration = Duration::from_secs(30);

/// Serves until `stop`, with HTTPS if there is a certificate.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    serve_within(HEADER_LIMIT, listener, tls, router, stop).await
}

async fn serve_within(
    limit: Duration,
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let handle = Handle::new();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopper = {
        let handle = handle.clone();
        tokio::spawn(async move {
            stop.cancelled().await;
            handle.graceful_shutdown(Some(STOP_LIMIT));
        })
    };
    let impatient = ImpatientAcceptor { limit: 2 * limit };
    let mut server = axum_server::from_tcp(listener)?.acceptor(impatient).handle(handle);
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(limit);
    let served = match tls {
        Some(tls) => server.map(|impatient| RustlsAcceptor::new(tls).acceptor(impatient)).serve(service).await,
        None => server.serve(service).await,
    };
    stopper.abort();
    served
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        time::timeout,
    };

    const HEADER: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_silent_client_is_disconnected() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve_within(HEADER, listener, None, Router::new(), stop.clone()));
        for request in ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n"] {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            let end = timeout(Duration::from_secs(20), connection.read_to_end(&mut answer)).await;
            assert!(end.is_ok(), "{request:?} keeps a connection open");
        }
        stop.cancel();
        server.await.unwrap().unwrap();
    }
}
