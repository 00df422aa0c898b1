//! A TCP stream whose client must read answers at a minimum rate.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::connections::Connection;
use crate::body::Pace;

/// How many of the first bytes are kept, to say what came where it is no request.
const FIRST: usize = 24;

/// The first bytes that a client sent.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstBytes(Arc<Mutex<Vec<u8>>>);

impl FirstBytes {
    pub(super) fn get(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A stream that fails when its peer does not read what is written. Only the time counts during which there is
/// something to write.
pub(super) struct Paced {
    stream: TcpStream,
    connection: Arc<Connection>,
    pace: Pace,
    first: FirstBytes,
    /// How many bytes of them are still wanted.
    first_left: usize,
    /// How long the peer may still pause.
    left: Duration,
    /// Since when nothing can be written, and when that is too long.
    blocked: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Paced {
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection>, pace: Pace, first: FirstBytes) -> Self {
        Self { stream, connection, pace, first, first_left: FIRST, left: pace.pause, blocked: None }
    }

    fn wrote(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            let left = self.left;
            let (_, too_long) = self.blocked.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
            ready!(too_long.as_mut().poll(context));
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the answer is read too slowly")));
        }
        if let Some((since, _)) = self.blocked.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        if let Poll::Ready(Ok(bytes)) = written {
            self.connection.moved(bytes);
            self.left = self.left.saturating_add(self.pace.earned(bytes)).min(self.pace.pause);
        }
        written
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.connection.moved(buffer.filled().len() - before);
        if self.first_left > 0 {
            let new = &buffer.filled()[before..];
            let some = &new[..new.len().min(self.first_left)];
            self.first.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(some);
            self.first_left -= some.len();
        }
        read
    }
}

impl AsyncWrite for Paced {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
