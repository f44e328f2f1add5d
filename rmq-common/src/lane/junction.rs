//! Where lapin's half of a connection and the lanes meet: the socket, under one lock.

use super::allowance::{Limits, Waiting};
use super::event::Event;
use super::line::Line;
use super::outgoing::{Ends, FromLapin, Outgoing};
use super::sort::Sorter;
use super::unreadable::Unreadable;
use super::wakers::{Direction, Who};
use crate::losses::Activity;
use async_io::{Async, Timer};
use futures_util::{AsyncRead, AsyncWrite};
use lapin::AsyncTcpStream;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

/// The socket, with or without TLS.
pub(crate) type Stream = AsyncTcpStream<Async<TcpStream>>;

/// What is taken from lapin while the socket takes nothing, at most, in bytes.
const MOST_FROM_LAPIN: usize = 4 << 20;
/// While so many bytes wait for lapin nothing is read.
const MOST_FOR_LAPIN: usize = 256 << 10;
/// While so many bytes wait on a lane that nothing takes, the socket is hardly read.
const MOST_WAITING: u64 = 2 << 20;
/// It is read so often then: lapin has to hear of the end of a channel, and that the broker lives.
const STALL: Duration = Duration::from_millis(100);
/// How long lapin may hear nothing of what comes before it is given a heartbeat.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long the lanes' thread may leave the socket unread before lapin's reads it.
const LATE: Duration = Duration::from_secs(1);

/// Where the two halves meet.
pub(crate) struct Junction {
    state: Mutex<State>,
    readable: Arc<Direction>,
    /// The same as a waker.
    read_waker: Waker,
    writable: Arc<Direction>,
    /// The same as a waker.
    write_waker: Waker,
    activity: Arc<Activity>,
}

struct State {
    stream: Option<Stream>,
    sorter: Sorter,
    outgoing: Outgoing,
    from_lapin: FromLapin,
    /// TLS holds what the socket has not taken.
    is_flushing: bool,
    /// What lapin is to be told of the reads and the writes.
    read_error: Option<io::Error>,
    write_error: Option<io::Error>,
    /// Nothing more comes.
    is_at_end: bool,
    /// How many lanes there have been.
    lanes: u64,
    /// There are lanes, and their thread reads.
    is_pumped: bool,
    /// When the lanes' thread last looked.
    pumped: Instant,
    /// When lapin was last given anything.
    heard: Instant,
    /// The socket is not read before then.
    stall: Option<Timer>,
    /// When lapin's thread looks whether the lanes' reads.
    watch: Option<Timer>,
}

impl Junction {
    pub(crate) fn new(stream: Stream, activity: Arc<Activity>, limits: Limits) -> Arc<Self> {
        let (readable, writable) = (Arc::new(Direction::default()), Arc::new(Direction::default()));
        let state = State {
            stream: Some(stream),
            sorter: Sorter::new(limits),
            outgoing: Outgoing::default(),
            from_lapin: FromLapin::default(),
            is_flushing: false,
            read_error: None,
            write_error: None,
            is_at_end: false,
            lanes: 0,
            is_pumped: false,
            pumped: Instant::now(),
            heard: Instant::now(),
            stall: None,
            watch: None,
        };
        Arc::new(Junction {
            state: Mutex::new(state),
            read_waker: Waker::from(readable.clone()),
            readable,
            write_waker: Waker::from(writable.clone()),
            writable,
            activity,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // lapin's half.

    /// What lapin reads; `look` sees every byte that comes before a lane is there.
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

    /// Reads in place of the lanes' thread, where that has not for long because it waits for a disk
    /// or another thread: the broker would count as dead. Whether anything came.
    fn read_for_lanes(&self, state: &mut State) -> bool {
        let mut came = false;
        while state.pumped.elapsed() >= LATE
            && !state.is_full()
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

    /// Writes what waits, for lapin.
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

    /// One more look at what the socket says, when a write has failed.
    pub(crate) fn last_word(&self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match &mut self.state().stream {
            Some(stream) => Pin::new(stream).poll_read(context, &mut [0]),
            None => Poll::Pending,
        }
    }

    /// lapin has dropped its half, and the socket goes with it.
    pub(crate) fn lapin_gone(&self) {
        {
            let mut state = self.state();
            state.stream = None;
            state.end();
        }
        self.readable.wake(Who::Lanes);
    }

    // The lanes' half.

    /// A lane for a channel: what it is called here, and what waits on it.
    pub(super) fn add(&self, channel: u16) -> (u64, Arc<Waiting>) {
        let mut state = self.state();
        state.lanes += 1;
        let id = state.lanes;
        let mut line = Line::new(id, channel);
        if state.is_over() {
            line.finish();
        }
        let waiting = line.waiting().clone();
        state.sorter.add(line);
        (id, waiting)
    }

    /// Whether the lanes' thread reads.
    pub(super) fn set_pumped(&self, is_pumped: bool) {
        self.state().is_pumped = is_pumped;
        self.readable.only_for_lanes(is_pumped);
        self.readable.wake(Who::Lapin);
    }

    /// Its lane is dropped.
    pub(super) fn remove(&self, id: u64) {
        let mut state = self.state();
        let is_over = state.is_over();
        state.sorter.drop_line(id, is_over);
    }

    /// Its consumers ask for so many messages at once from now on.
    pub(super) fn asks_for(&self, id: u64, count: usize) {
        if let Some(line) = self.state().sorter.line(id) {
            line.asks_for(count);
        }
    }

    /// The largest message that has come.
    pub(crate) fn largest(&self) -> u64 {
        self.state().sorter.largest()
    }

    /// Sends all that a lane has put, as far as the socket takes it now; the rest goes by itself.
    /// How much waits; `None` where the channel is closed: then nothing is sent.
    pub(super) fn send(&self, id: u64, frames: &mut Outgoing) -> Option<usize> {
        let mut state = self.state();
        if state.sorter.line(id).is_none_or(|line| line.is_closed()) {
            frames.clear();
            return None;
        }
        if frames.len() > 0 {
            self.activity.now();
            state.outgoing.append(frames);
            self.push_for_lanes(&mut state);
        }
        Some(state.outgoing.len())
    }

    /// How much waits to be written, in bytes.
    pub(super) fn unsent(&self) -> usize {
        self.state().outgoing.len()
    }

    /// Takes the events that have come on a lane, reading first if nothing has. Whether there are
    /// any; where there are none [`pump`](Self::pump) wakes its caller when there may be.
    pub(super) fn take(&self, id: u64, events: &mut VecDeque<Event>) -> bool {
        let mut state = self.state();
        loop {
            if !state.sorter.take(id, events) {
                events.push_back(Event::Ended);
            }
            if !events.is_empty() {
                return true;
            }
            let came = state.is_pumped && self.pull(&mut state, &mut |_| Ok(()));
            self.wake_lapin(&state);
            if !came {
                return false;
            }
        }
    }

    /// Reads and writes what can be, on the lanes' thread. Whether anything came or went; `None`
    /// where that is lapin's to do.
    pub(crate) fn pump(&self, context: &mut Context<'_>) -> Option<bool> {
        let mut state = self.state();
        if !state.is_pumped {
            return None;
        }
        state.pumped = Instant::now();
        self.readable.wait(Who::Lanes, context.waker());
        let waits = state.outgoing.len();
        if state.has_to_write() {
            self.writable.wait(Who::Lanes, context.waker());
            self.push_for_lanes(&mut state);
        }
        let went = state.outgoing.len() < waits;
        let came = !state.is_stalled(context) && self.pull(&mut state, &mut |_| Ok(()));
        self.wake_lapin(&state);
        Some(came || went)
    }

    /// Wakes lapin where there is something for it.
    fn wake_lapin(&self, state: &State) {
        if !state.sorter.for_lapin().is_empty() || state.is_at_end || state.write_error.is_some() {
            self.readable.wake(Who::Lapin);
            self.writable.wake(Who::Lapin);
        }
    }

    // The socket.

    /// Reads once, and sorts what came. Whether anything did, if only an end.
    fn pull(&self, state: &mut State, look: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> bool {
        let is_lapin_behind = state.sorter.for_lapin().len() > MOST_FOR_LAPIN;
        if is_lapin_behind || state.is_over() || !self.readable.is_due() {
            return false;
        }
        let Some(stream) = &mut state.stream else { return false };
        self.readable.trying();
        let mut context = Context::from_waker(&self.read_waker);
        let room = state.sorter.room();
        let Poll::Ready(came) = Pin::new(stream).poll_read(&mut context, room) else {
            return false;
        };
        self.readable.tried();
        let sorted = came.and_then(|count| {
            if count == 0 {
                return Ok(false);
            }
            let bytes = state.sorter.filled(count);
            self.activity.passed(bytes);
            look(bytes)?;
            let unreadable = |why: Unreadable| io::Error::new(io::ErrorKind::InvalidData, why);
            state.sorter.sort().map_err(unreadable)?;
            Ok(true)
        });
        match sorted {
            Ok(true) => {}
            Ok(false) => {
                self.activity.ended();
                state.end();
            }
            Err(error) => {
                self.activity.ended();
                state.end();
                state.read_error = Some(error);
            }
        }
        if !state.sorter.for_lapin().is_empty() {
            state.heard = Instant::now();
        } else if state.is_pumped && state.heard.elapsed() > SIGN_OF_LIFE {
            state.sorter.sign_of_life();
            state.heard = Instant::now();
        }
        true
    }

    /// Writes what waits.
    fn push(&self, state: &mut State) -> Poll<io::Result<()>> {
        let Some(stream) = &mut state.stream else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        if !self.writable.is_due() {
            return Poll::Pending;
        }
        let mut stream = Pin::new(stream);
        let mut context = Context::from_waker(&self.write_waker);
        while state.outgoing.len() > 0 {
            self.writable.trying();
            let (slices, count) = state.outgoing.slices();
            let slices = slices.get(..count).unwrap_or_default();
            let wrote = ready!(stream.as_mut().poll_write_vectored(&mut context, slices));
            self.writable.tried();
            match wrote {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => state.outgoing.wrote(count),
                Err(error) => return Poll::Ready(Err(error)),
            }
            state.is_flushing = true;
        }
        self.writable.trying();
        let flushed = ready!(stream.poll_flush(&mut context));
        self.writable.tried();
        state.is_flushing = false;
        Poll::Ready(flushed)
    }

    /// The same for the lanes: an error is lapin's to report.
    fn push_for_lanes(&self, state: &mut State) {
        if let Poll::Ready(Err(error)) = self.push(state) {
            state.outgoing.clear();
            state.is_flushing = false;
            state.write_error = Some(error);
            state.sorter.lines().iter_mut().for_each(Line::end);
            self.writable.wake(Who::Lapin);
            self.readable.wake(Who::Lapin);
        }
    }
}

impl State {
    fn has_to_write(&self) -> bool {
        self.is_flushing || self.outgoing.len() > 0
    }

    fn is_over(&self) -> bool {
        self.is_at_end || self.stream.is_none()
    }

    fn end(&mut self) {
        self.is_at_end = true;
        self.sorter.lines().iter_mut().for_each(Line::finish);
    }

    /// Whether much waits that nothing has taken.
    fn is_full(&mut self) -> bool {
        self.sorter.lines().iter().any(|line| line.waiting().bytes() > MOST_WAITING)
    }

    /// Whether nothing is to be read just now, because too much waits already.
    fn is_stalled(&mut self, context: &mut Context<'_>) -> bool {
        if !self.is_full() {
            self.stall = None;
            return false;
        }
        let stall = self.stall.get_or_insert_with(|| Timer::after(STALL));
        let is_over = Pin::new(stall).poll(context).is_ready();
        if is_over {
            self.stall = None;
        }
        !is_over
    }

    /// Whether it is time for lapin's thread to look whether the lanes' reads. It is woken then.
    fn is_watching(&mut self, context: &mut Context<'_>) -> bool {
        let mut is_due = false;
        loop {
            let watch = self.watch.get_or_insert_with(|| Timer::after(LATE));
            if Pin::new(watch).poll(context).is_pending() {
                return is_due;
            }
            self.watch = None;
            is_due = true;
        }
    }
}
