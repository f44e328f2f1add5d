//! lapin's half of the stream under a connection.
//!
//! lapin is generic over the runtime's TCP stream. A runtime whose stream is [`Greeted`] puts a
//! [`Junction`] between lapin and the socket, and reads the broker's `connection.start` without a
//! second connection (which the broker would log as aborted).

use crate::net::executor::Waiting;
use crate::net::lane::{FRAME_HEADER, Junction, Limits, Stream as Socket};
use crate::net::server::Server;
use crate::net::tls_error::SpeaksTls;
use async_io::Timer;
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{AsyncIO, Runtime};
use futures_util::{AsyncRead, AsyncWrite, Stream};
use lapin::AsyncTcpStream;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// Longer than any broker's first frame (RabbitMQ's has about 500 bytes); the rest of a longer one
/// is ignored.
const LONGEST_GREETING: usize = 8192;

/// The start of a TLS alert, with which a TLS port answers AMQP.
const TLS_ALERT: [u8; 2] = [21, 3];

/// lapin's runtime, except for the stream.
pub(crate) fn runtime() -> Runtime<RuntimeParts<Waiting, Greeting>> {
    Runtime::new(RuntimeParts::new(Waiting, Greeting))
}

/// lapin's half of a connection, which stores the broker's identity in `server`.
pub(crate) struct Greeted {
    junction: Arc<Junction>,
    greeting: Greeter,
}

/// The broker's first frame.
struct Greeter {
    /// What has arrived so far; `None` once it is parsed, or if it is not a first frame.
    seen: Option<Vec<u8>>,
    server: Arc<OnceLock<Server>>,
}

impl Greeted {
    pub(crate) fn new(junction: Arc<Junction>, server: Arc<OnceLock<Server>>) -> Self {
        Greeted { junction, greeting: Greeter { seen: Some(Vec::new()), server } }
    }

    /// The error of a failed write, or the broker's alert from before it hung up. Under TLS 1.3 it
    /// refuses our certificate while we are already writing, so the write may fail first, with the
    /// alert that explains it still unread.
    fn last_word(&mut self, context: &mut Context<'_>, error: io::Error) -> io::Error {
        if self.greeting.seen.is_some()
            && let Poll::Ready(Err(alert)) = self.junction.last_word(context)
            && alert.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
        {
            return alert;
        }
        error
    }

    /// Reads; `copy` copies what is available to lapin and returns the length.
    fn read(
        &mut self,
        context: &mut Context<'_>,
        copy: impl FnOnce(&[u8]) -> usize,
    ) -> Poll<io::Result<usize>> {
        let Greeted { junction, greeting } = self;
        junction.lapin_reads(context, copy, &mut |bytes| greeting.look_for_greeting(bytes))
    }
}

impl Drop for Greeted {
    fn drop(&mut self) {
        self.junction.lapin_gone();
    }
}

/// Copies as much as fits; returns the length.
fn copy(bytes: &[u8], buffer: &mut [u8]) -> usize {
    let count = bytes.len().min(buffer.len());
    if let (Some(from), Some(to)) = (bytes.get(..count), buffer.get_mut(..count)) {
        to.copy_from_slice(from);
    }
    count
}

impl Greeter {
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
        self.read(context, |bytes| copy(bytes, buffer))
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.read(context, |bytes| {
            let mut done = 0;
            for buffer in buffers {
                done += copy(bytes.get(done..).unwrap_or_default(), buffer);
            }
            done
        })
    }
}

impl AsyncWrite for Greeted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = ready!(self.junction.lapin_writes(context, &[buffer]));
        Poll::Ready(done.map_err(|error| self.last_word(context, error)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let pieces: Vec<&[u8]> = buffers.iter().map(|piece| &**piece).collect();
        let done = ready!(self.junction.lapin_writes(context, &pieces));
        Poll::Ready(done.map_err(|error| self.last_word(context, error)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = ready!(self.junction.lapin_flushes(context));
        Poll::Ready(done.map_err(|error| self.last_word(context, error)))
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.junction.lapin_closes(context)
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
            let stream: Socket = AsyncTcpStream::Plain(connecting.await?);
            let junction = Junction::new(stream, Arc::default(), Limits::default());
            Ok(Greeted::new(junction, Arc::default()))
        }
    }
}
