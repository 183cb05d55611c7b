//! Serves the router on a listener until the process is told to stop.

mod acceptor;
mod certificate;
mod connections;
mod files;

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    time::Duration,
};

use acceptor::Acceptor;
use axum::Router;
use axum_server::{
    Handle,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use connections::{ConnectionLimits, Connections};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use tokio_util::sync::CancellationToken;

pub use certificate::{Certificate, CertificateError, own_certificate};
pub use files::allow_many_files;

/// How long requests may take to finish after the stop. Streams end at once by themselves.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// How long a request's header may take to arrive; half as long as a connection may be silent.
const HEADER_LIMIT: Duration = Duration::from_secs(30);
/// The largest header of a request, in bytes. hyper would keep ten times as much for each connection.
const LARGEST_HEADER: usize = 32 << 10;

/// Serves until `stop`, with HTTPS if there is a certificate. The proxy, if there is one, may have any number of connections.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    router: Router,
    proxy: Option<IpAddr>,
    stop: CancellationToken,
) -> io::Result<()> {
    let limits = ConnectionLimits::of_this_process(proxy);
    serve_within(limits, HEADER_LIMIT, listener, tls, router, stop).await
}

async fn serve_within(
    limits: ConnectionLimits,
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
    let acceptor = Acceptor { limit: 2 * limit, connections: Connections::new(limits) };
    let mut server = axum_server::from_tcp(listener)?.acceptor(acceptor).handle(handle);
    // HTTP/2 without TLS, which no browser speaks, has no limit for the time that a header takes. (axum-server's own http1_only leaves
    // out WebSockets.)
    *server.http_builder() = Builder::new(TokioExecutor::new()).http1_only();
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(limit).max_buf_size(LARGEST_HEADER);
    let served = match tls {
        Some(tls) => server.map(|acceptor| RustlsAcceptor::new(tls).acceptor(acceptor)).serve(service).await,
        None => server.serve(service).await,
    };
    stopper.abort();
    served
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpSocket, TcpStream},
        time::timeout,
    };

    const HEADER: Duration = Duration::from_millis(20);
    const LIMITS: ConnectionLimits =
        ConnectionLimits { in_all: 8, of_an_address: 3, of_the_last: 2, beside_the_proxy: 3, proxy: None };
    /// What a client of HTTP/2 sends first: the preface and its settings.
    const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    /// Nothing here takes so long; what does has failed.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_silent_client_is_disconnected() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve_within(LIMITS, HEADER, listener, None, Router::new(), stop.clone()));
        let http1 = ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n"];
        for request in http1.map(str::as_bytes).into_iter().chain([HTTP2]) {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(request).await.unwrap();
            let mut answer = Vec::new();
            let end = timeout(PATIENCE, connection.read_to_end(&mut answer)).await;
            assert!(end.is_ok(), "{request:?} keeps a connection open");
        }
        stop.cancel();
        server.await.unwrap().unwrap();
    }

    async fn connect(from: [u8; 4], to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(to).await.unwrap()
    }

    /// Whether a request on this connection is answered; if not, it was closed.
    async fn is_served(connection: &mut TcpStream) -> bool {
        let mut answer = [0; 12];
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let served = async {
            connection.write_all(request).await?;
            connection.read_exact(&mut answer).await
        };
        timeout(PATIENCE, served).await.expect("a connection is served or closed").is_ok()
    }

    #[tokio::test]
    async fn a_header_takes_little_memory() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve_within(LIMITS, HEADER_LIMIT, listener, None, Router::new(), stop.clone()));
        let mut connection = TcpStream::connect(address).await.unwrap();
        let endless = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(LARGEST_HEADER));
        connection.write_all(endless.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        timeout(PATIENCE, connection.read_exact(&mut answer)).await.expect("it is answered at once").unwrap();
        assert_eq!(&answer, b"HTTP/1.1 431");
        stop.cancel();
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn one_address_does_not_keep_the_others_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let router = Router::new().route("/", get(async || "here"));
        let limits = ConnectionLimits { in_all: 4, of_an_address: 2, of_the_last: 1, ..LIMITS };
        let server = tokio::spawn(serve_within(limits, HEADER_LIMIT, listener, None, router, stop.clone()));

        let mut flood = Vec::new();
        for number in 0..10 {
            let mut connection = connect([127, 0, 0, 1], address).await;
            assert_eq!(is_served(&mut connection).await, number < 2, "connection {number}");
            flood.push(connection);
        }
        let mut others = Vec::new();
        for from in [[127, 0, 0, 2], [127, 0, 0, 9]] {
            let mut connection = connect(from, address).await;
            assert!(is_served(&mut connection).await, "another address");
            others.push(connection);
        }
        assert!(!is_served(&mut connect([127, 0, 0, 3], address).await).await, "there are four");

        drop(flood);
        // The server needs a moment to see that they are closed.
        let again = async { while !is_served(&mut connect([127, 0, 0, 3], address).await).await {} };
        timeout(PATIENCE, again).await.expect("a connection that ends makes room for another");
        stop.cancel();
        server.await.unwrap().unwrap();
    }
}
