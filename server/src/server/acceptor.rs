//! Closes idle connections, and refuses those that are too many, so that they do not pile up.
//!
//! hyper's own limit is for the header of a request, and the body's for the body: nothing of it counts for a WebSocket.

use std::{
    future::{Ready, ready},
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum_server::accept::Accept;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_io_timeout::TimeoutStream;

use super::connections::{Connections, Place};

/// Accepts as many connections as there are places, and lets them fail when the other side neither sends nor takes anything for
/// `limit`.
///
/// A WebSocket has to be pinged more often than that.
#[derive(Clone, Debug)]
pub(super) struct Acceptor {
    pub(super) limit: Duration,
    pub(super) connections: Connections,
}

/// A connection that is counted for as long as it is open, whatever protocol it speaks meanwhile.
pub(super) struct Connection {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    _place: Place,
}

impl<S> Accept<TcpStream, S> for Acceptor {
    type Stream = Connection;
    type Service = S;
    type Future = Ready<io::Result<(Connection, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.connection(stream).map(|connection| (connection, service)))
    }
}

impl Acceptor {
    fn connection(&self, stream: TcpStream) -> io::Result<Connection> {
        let place = self.connections.place(stream.peer_addr()?.ip()).ok_or(io::ErrorKind::QuotaExceeded)?;
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(self.limit));
        stream.set_write_timeout(Some(self.limit));
        Ok(Connection { stream: Box::pin(stream), _place: place })
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}
