//! Where lapin's half of a connection meets the lanes: the socket, under one lock.

use super::allowance::Limits;
use super::line::Line;
use super::outgoing::{FromLapin, Outgoing};
use super::sort::Sorter;
use super::unreadable::Unreadable;
use super::wakers::{Direction, Who};
use crate::net::losses::Activity;
use async_io::{Async, Timer};
use futures_util::{AsyncRead, AsyncWrite};
use lapin::AsyncTcpStream;
use std::future::Future;
use std::io;
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

/// The socket, with or without TLS.
pub(crate) type Stream = AsyncTcpStream<Async<TcpStream>>;

/// The most bytes taken from lapin while the socket accepts nothing.
const MOST_FROM_LAPIN: usize = 4 << 20;
/// While more bytes than this wait for lapin, nothing is read.
const MOST_FOR_LAPIN: usize = 256 << 10;
/// While more bytes than this wait on a lane and nothing takes them, the socket is read only
/// rarely, unless an answer is awaited, which comes after them.
const MOST_WAITING: u64 = 2 << 20;
/// How often it is read then: lapin has to learn that a channel ended, and that the broker lives.
const STALL: Duration = Duration::from_millis(100);
/// How many bytes are read each time.
const AT_A_TIME: usize = 4 << 20;
/// How long lapin may receive nothing while data arrives before it is given a heartbeat.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long the lanes' thread may leave the socket unread before lapin's thread reads it.
const LATE: Duration = Duration::from_secs(1);

mod lanes;
mod lapins;

/// Where the two halves meet.
pub(crate) struct Junction {
    state: Mutex<State>,
    readable: Arc<Direction>,
    /// The same object as a waker.
    read_waker: Waker,
    writable: Arc<Direction>,
    /// The same object as a waker.
    write_waker: Waker,
    activity: Arc<Activity>,
}

struct State {
    stream: Option<Stream>,
    sorter: Sorter,
    outgoing: Outgoing,
    from_lapin: FromLapin,
    /// Whether TLS holds data that the socket has not accepted.
    is_flushing: bool,
    /// Errors of reading and writing that lapin has yet to learn.
    read_error: Option<io::Error>,
    write_error: Option<io::Error>,
    /// Whether the stream has ended.
    is_at_end: bool,
    /// How many lanes there have been.
    lanes: u64,
    /// Whether there are lanes whose thread reads.
    is_pumped: bool,
    /// How many answers that thread waits for.
    answers: usize,
    /// When the lanes' thread last checked.
    pumped: Instant,
    /// When lapin last received anything.
    heard: Instant,
    /// The socket is not read before this.
    stall: Option<Timer>,
    /// How much may be read before the next pause.
    before_stall: usize,
    /// How much was waiting to be written when the lanes last checked.
    shown: usize,
    /// When lapin's thread checks whether the lanes' thread reads.
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
            answers: 0,
            pumped: Instant::now(),
            heard: Instant::now(),
            stall: None,
            before_stall: 0,
            shown: 0,
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

    /// Reads once, and sorts what arrived. Returns whether anything did, even if only an end.
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
            state.before_stall = state.before_stall.saturating_sub(count);
            let bytes = state.sorter.filled(count);
            self.activity.passed(bytes);
            look(bytes)?;
            let unreadable = |why: Unreadable| io::Error::new(io::ErrorKind::InvalidData, why);
            state.sorter.sort().map_err(unreadable)?;
            Ok(true)
        });
        if !matches!(sorted, Ok(true)) {
            self.activity.ended();
            state.end();
            state.read_error = sorted.err();
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

    /// The same for the lanes: lapin reports any error.
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

    /// Whether much is waiting that nothing has taken.
    fn is_full(&mut self) -> bool {
        self.sorter.lines().iter().any(|line| line.waiting().bytes() > MOST_WAITING)
    }

    /// How much waits to be written; the lanes know it then.
    fn show_unsent(&mut self) -> usize {
        self.shown = self.outgoing.len();
        self.shown
    }

    /// Whether nothing is to be read just now, because too much waits already.
    fn is_stalled(&mut self, context: &mut Context<'_>) -> bool {
        if self.answers > 0 || !self.is_full() {
            (self.stall, self.before_stall) = (None, 0);
            return false;
        }
        if self.before_stall > 0 {
            return false;
        }
        let stall = self.stall.get_or_insert_with(|| Timer::after(STALL));
        let is_over = Pin::new(stall).poll(context).is_ready();
        if is_over {
            (self.stall, self.before_stall) = (None, AT_A_TIME);
        }
        !is_over
    }

    /// Whether lapin's thread has to check now whether the lanes' reads. It is woken for that.
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
