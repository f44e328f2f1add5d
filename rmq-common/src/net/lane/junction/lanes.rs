//! The lanes' half.

use super::{Junction, State};
use crate::net::lane::allowance::Waiting;
use crate::net::lane::event::Event;
use crate::net::lane::line::Line;
use crate::net::lane::outgoing::Outgoing;
use crate::net::lane::wakers::Who;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Context;
use std::time::Instant;

impl Junction {
    /// Adds a lane for a channel: returns its number here, and what waits on it.
    pub(in crate::net::lane) fn add(&self, channel: u16) -> (u64, Arc<Waiting>) {
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
    pub(in crate::net::lane) fn set_pumped(&self, is_pumped: bool) {
        self.state().is_pumped = is_pumped;
        self.readable.only_for_lanes(is_pumped);
        self.readable.wake(Who::Lapin);
    }

    /// While the guard exists, everything that arrives is read, because an answer is awaited.
    pub(crate) fn await_answer(&self) -> Answer<'_> {
        self.state().answers += 1;
        Answer(self)
    }

    /// Its lane is dropped.
    pub(in crate::net::lane) fn remove(&self, id: u64) {
        self.state().sorter.drop_line(id);
    }

    /// From now on, its consumers request this many messages at once.
    pub(in crate::net::lane) fn asks_for(&self, id: u64, count: usize) {
        if let Some(line) = self.state().sorter.line(id) {
            line.asks_for(count);
        }
    }

    /// The largest message that has arrived.
    pub(crate) fn largest(&self) -> u64 {
        self.state().sorter.largest()
    }

    /// Sends everything that a lane has buffered, as far as the socket accepts it now; the rest is
    /// sent later without a call. Returns how much waits; `None` if the channel is closed.
    pub(in crate::net::lane) fn send(&self, id: u64, frames: &mut Outgoing) -> Option<usize> {
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
        Some(state.show_unsent())
    }

    /// How much waits to be written, in bytes.
    pub(in crate::net::lane) fn unsent(&self) -> usize {
        self.state().show_unsent()
    }

    /// Takes the events that have arrived on a lane, and reads first if there are none. Returns
    /// whether there are any; if not, [`pump`](Self::pump) wakes its caller when there may be.
    pub(in crate::net::lane) fn take(&self, id: u64, events: &mut VecDeque<Event>) -> bool {
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

    /// Reads and writes what is possible, on the lanes' thread. Returns whether anything arrived or
    /// was written; `None` if that is left to lapin.
    pub(crate) fn pump(&self, context: &mut Context<'_>) -> Option<bool> {
        let mut state = self.state();
        if !state.is_pumped {
            return None;
        }
        state.pumped = Instant::now();
        self.readable.wait(Who::Lanes, context.waker());
        if state.has_to_write() {
            self.writable.wait(Who::Lanes, context.waker());
            self.push_for_lanes(&mut state);
        }
        // lapin's thread may have written it between the lanes' check and this one.
        let went = state.shown > state.show_unsent();
        let came = !state.is_stalled(context) && self.pull(&mut state, &mut |_| Ok(()));
        self.wake_lapin(&state);
        Some(came || went)
    }

    /// Wakes lapin if there is something for it.
    fn wake_lapin(&self, state: &State) {
        if !state.sorter.for_lapin().is_empty() || state.is_at_end || state.write_error.is_some() {
            self.readable.wake(Who::Lapin);
            self.writable.wake(Who::Lapin);
        }
    }
}

/// An answer that is awaited.
pub(crate) struct Answer<'a>(&'a Junction);

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        self.0.state().answers -= 1;
    }
}
