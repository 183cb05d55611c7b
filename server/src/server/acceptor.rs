//! Closes idle connections, so that they do not pile up.
//!
//! hyper's own limit counts from the first bytes of a request on. Before them it waits for ever to detect the version of HTTP.

use std::{
    future::{Ready, ready},
    io,
    pin::Pin,
    time::Duration,
};

use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

/// Accepts connections that fail when the other side neither sends nor takes anything for `limit`.
///
/// A WebSocket has to be pinged more often than that.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImpatientAcceptor {
    pub(super) limit: Duration,
}

impl<S> Accept<TcpStream, S> for ImpatientAcceptor {
    type Stream = Pin<Box<TimeoutStream<TcpStream>>>;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(self.limit));
        stream.set_write_timeout(Some(self.limit));
        ready(Ok((Box::pin(stream), service)))
    }
}
