//! The socket of a connection, and a way to end it whatever lapin is doing.
//!
//! lapin's connect ignores the connection timeout, and an attempt that times out there leaks a
//! thread and a socket. A second handle on the socket, kept here, can shut it from outside: lapin's
//! thread then sees the end of the stream and exits.

use crate::net::authority::Host;
use std::io;
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// A handle that can end a socket, even while it is being opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cutter(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    #[default]
    NotOpen,
    Open(TcpStream),
    Cut,
}

impl Cutter {
    /// Opens the socket to `host`. Blocks, at most until `deadline`, so it belongs on lapin's I/O
    /// thread, which is still idle.
    pub(crate) fn open(&self, host: &Host, deadline: Instant) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        let addresses: Vec<_> = (host.name.as_str(), host.port).to_socket_addrs()?.collect();
        for (address, remaining) in addresses.iter().zip((1..=addresses.len()).rev()) {
            let left = deadline.saturating_duration_since(Instant::now());
            // A share each, so that a silent address leaves time for the others.
            let share = left / u32::try_from(remaining).unwrap_or(u32::MAX);
            if share.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match TcpStream::connect_timeout(address, share) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    self.register(stream.try_clone()?)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Ends the socket now, or as soon as it is open.
    pub(crate) fn cut(&self) {
        if let State::Open(stream) = std::mem::replace(&mut *self.state(), State::Cut) {
            // It fails only if the peer has already ended it.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn register(&self, stream: TcpStream) -> io::Result<()> {
        let mut state = self.state();
        if matches!(*state, State::Cut) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        *state = State::Open(stream);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No holder of the lock can leave the state inconsistent.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
