//! The stream under a connection, with an eye on what comes through it.
//!
//! lapin is generic over the runtime's TCP stream, so a runtime whose stream is [`Greeted`] lets
//! the broker's `connection.start` be read without a second connection (which the broker would
//! log as broken off). After that frame only [`Frames`] looks on.

use crate::frames::{FRAME_HEADER, Frames};
use crate::held::Held;
use crate::losses::Activity;
use crate::server::Server;
use crate::tls_error::SpeaksTls;
use async_io::{Async, Timer};
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{AsyncGlobalExecutor, AsyncIO, Runtime};
use futures_util::{AsyncRead, AsyncWrite, Stream};
use lapin::AsyncTcpStream;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// Longer than any broker's first frame (RabbitMQ's has some 500 bytes); the rest of a longer one
/// is not waited for.
const LONGEST_GREETING: usize = 8192;

/// How an alert of TLS begins, which is what a port that wants TLS answers to AMQP.
const TLS_ALERT: [u8; 2] = [21, 3];

/// lapin's runtime, but for the stream.
pub(crate) fn runtime() -> Runtime<RuntimeParts<AsyncGlobalExecutor, Greeting>> {
    Runtime::new(RuntimeParts::new(AsyncGlobalExecutor, Greeting))
}

/// A TCP or TLS stream that leaves in `server` who greeted.
pub(crate) struct Greeted {
    stream: AsyncTcpStream<Async<TcpStream>>,
    /// What has come so far; `None` once that is known, or is none of our business.
    seen: Option<Vec<u8>>,
    server: Arc<OnceLock<Server>>,
    activity: Arc<Activity>,
    frames: Frames,
}

impl Greeted {
    pub(crate) fn new(
        stream: AsyncTcpStream<Async<TcpStream>>,
        server: Arc<OnceLock<Server>>,
        activity: Arc<Activity>,
        held: Arc<Held>,
    ) -> Self {
        let (seen, frames) = (Some(Vec::new()), Frames::new(held));
        Greeted { stream, seen, server, activity, frames }
    }

    /// Notes the end of what comes.
    fn noted(&self, came: io::Result<usize>) -> io::Result<usize> {
        if matches!(came, Ok(0) | Err(_)) {
            self.activity.ended();
        }
        came
    }

    /// What a write that failed says, or what the broker has said before it hung up. Under TLS 1.3 it
    /// refuses our certificate when we are writing to it already, so the write may fail first, with
    /// the alert that says why still unread.
    fn last_word(&mut self, context: &mut Context<'_>, error: io::Error) -> io::Error {
        if self.seen.is_some()
            && let Poll::Ready(Err(alert)) = Pin::new(&mut self.stream).poll_read(context, &mut [0])
            && alert.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
        {
            return alert;
        }
        error
    }

    /// Looks at what has come. What cannot be read is an error in place of it.
    fn look_at(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.activity.passed(bytes);
        if self.seen.is_some() {
            self.look_for_greeting(bytes)?;
        }
        let looked = self.frames.look_at(bytes);
        looked.map_err(|unreadable| io::Error::new(io::ErrorKind::InvalidData, unreadable))
    }

    fn look_for_greeting(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(seen) = &mut self.seen else {
            return Ok(());
        };
        seen.extend_from_slice(bytes);
        if seen.starts_with(&TLS_ALERT) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, SpeaksTls));
        }
        let size = seen.get(3..FRAME_HEADER).and_then(|size| size.try_into().ok());
        let Some(size) = size.map(u32::from_be_bytes).and_then(|size| usize::try_from(size).ok())
        else {
            return Ok(());
        };
        if seen.len() >= size.saturating_add(FRAME_HEADER).min(LONGEST_GREETING) {
            if let Some(server) = Server::from_start(seen) {
                // Set only here, and only once.
                let _ = self.server.set(server);
            }
            self.seen = None;
        }
        Ok(())
    }
}

impl AsyncRead for Greeted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let came = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        let count = self.noted(came)?;
        self.look_at(buffer.get(..count).unwrap_or_default())?;
        Poll::Ready(Ok(count))
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let came = ready!(Pin::new(&mut self.stream).poll_read_vectored(context, buffers));
        let count = self.noted(came)?;
        let mut left = count;
        for buffer in buffers.iter() {
            let filled = left.min(buffer.len());
            self.look_at(buffer.get(..filled).unwrap_or_default())?;
            left -= filled;
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Greeted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = ready!(Pin::new(&mut self.stream).poll_write(context, buffer));
        self.activity.passed(buffer);
        Poll::Ready(done.map_err(|error| self.last_word(context, error)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, buffers));
        buffers.iter().for_each(|buffer| self.activity.passed(buffer));
        Poll::Ready(done.map_err(|error| self.last_word(context, error)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = ready!(Pin::new(&mut self.stream).poll_flush(context));
        Poll::Ready(done.map_err(|error| self.last_word(context, error)))
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

/// [`AsyncIO`] with [`Greeted`] for a TCP stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Greeting;

impl Reactor for Greeting {
    type TcpStream = Greeted;
    type Sleep = Timer;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        AsyncIO.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Timer {
        AsyncIO.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        AsyncIO.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Greeted>> + Send + 'static {
        let connecting = AsyncIO.tcp_connect_addr(address);
        async move {
            let stream = AsyncTcpStream::Plain(connecting.await?);
            Ok(Greeted::new(stream, Arc::default(), Arc::default(), Arc::default()))
        }
    }
}
