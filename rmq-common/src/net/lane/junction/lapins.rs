//! lapin's half: what it reads and writes, as if the socket were its own.

use super::{Junction, LATE, MOST_FOR_LAPIN, MOST_FROM_LAPIN, State};
use crate::net::lane::outgoing::Ends;
use crate::net::lane::wakers::Who;
use futures_util::{AsyncRead, AsyncWrite};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

impl Junction {
    /// What lapin reads; `look` sees every byte that arrives before there is a lane.
    pub(crate) fn lapin_reads(
        &self,
        context: &mut Context<'_>,
        copy: impl FnOnce(&[u8]) -> usize,
        look: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        self.readable.wait(Who::Lapin, context.waker());
        loop {
            let bytes = state.sorter.for_lapin();
            if !bytes.is_empty() {
                let waited = bytes.len() > MOST_FOR_LAPIN;
                let count = copy(bytes);
                state.sorter.read_by_lapin(count);
                if waited && state.sorter.for_lapin().len() <= MOST_FOR_LAPIN {
                    self.readable.wake(Who::Lanes);
                }
                return Poll::Ready(Ok(count));
            }
            if let Some(error) = state.read_error.take() {
                return Poll::Ready(Err(error));
            }
            if state.is_at_end {
                return Poll::Ready(Ok(0));
            }
            if state.is_pumped {
                if !state.is_watching(context) || !self.read_for_lanes(&mut state) {
                    return Poll::Pending;
                }
            } else if !self.pull(&mut state, look) {
                return Poll::Pending;
            }
        }
    }

    /// Reads instead of the lanes' thread, if that has not done so for long because it waits for a
    /// disk or another thread: otherwise the broker would seem dead. Reads once, however much
    /// waits. Returns whether anything arrived.
    fn read_for_lanes(&self, state: &mut State) -> bool {
        let mut came = false;
        while state.pumped.elapsed() >= LATE
            && !(came && state.is_full())
            && self.pull(state, &mut |_| Ok(()))
        {
            came = true;
        }
        if came {
            self.readable.wake(Who::Lanes);
        }
        came
    }

    /// What lapin writes.
    pub(crate) fn lapin_writes(
        &self,
        context: &mut Context<'_>,
        pieces: &[&[u8]],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        self.writable.wait(Who::Lapin, context.waker());
        if let Some(error) = state.write_error.take() {
            return Poll::Ready(Err(error));
        }
        if state.outgoing.len() > MOST_FROM_LAPIN {
            ready!(self.push(&mut state))?;
        }
        let State { sorter, from_lapin, outgoing, .. } = &mut *state;
        let mut ended = false;
        let mut taken = 0;
        for piece in pieces {
            from_lapin.take(piece, outgoing, |ends| {
                ended = true;
                for line in sorter.lines() {
                    if ends == Ends::Connection || ends == Ends::Channel(line.channel) {
                        line.end();
                    }
                }
            });
            self.activity.passed(piece);
            taken += piece.len();
        }
        if ended {
            self.readable.wake(Who::Lanes);
        }
        if let Poll::Ready(Err(error)) = self.push(&mut state) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(taken))
    }

    /// Flushes, for lapin.
    pub(crate) fn lapin_flushes(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if let Some(error) = state.write_error.take() {
            return Poll::Ready(Err(error));
        }
        if !state.has_to_write() {
            return Poll::Ready(Ok(()));
        }
        self.writable.wait(Who::Lapin, context.waker());
        self.push(&mut state)
    }

    /// Closes the socket, for lapin.
    pub(crate) fn lapin_closes(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.state().stream {
            Some(stream) => Pin::new(stream).poll_close(context),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Reads once more from the socket after a failed write.
    pub(crate) fn last_word(&self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match &mut self.state().stream {
            Some(stream) => Pin::new(stream).poll_read(context, &mut [0]),
            None => Poll::Pending,
        }
    }

    /// lapin has dropped its half, and the socket is closed with it.
    pub(crate) fn lapin_gone(&self) {
        {
            let mut state = self.state();
            state.stream = None;
            state.end();
        }
        self.readable.wake(Who::Lanes);
    }
}
