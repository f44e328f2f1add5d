//! Which task is woken when the socket can be read or written.
//!
//! The reactor remembers one waker for each direction of a socket. Two threads that poll it with
//! their own wakers would replace each other's forever, so each direction is polled with one
//! permanent waker, which passes the events on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The two that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Lapin,
    Lanes,
}

/// One direction of a socket.
#[derive(Debug, Default)]
pub(super) struct Direction(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    lapin: Option<Waker>,
    lanes: Option<Waker>,
    /// Whether events are for the lanes alone.
    only_lanes: bool,
    /// Whether the reactor has been asked and has not answered.
    asked: bool,
}

impl Direction {
    /// `who` is woken at the next event.
    pub(super) fn wait(&self, who: Who, waker: &Waker) {
        let state = &mut *self.state();
        let place = match who {
            Who::Lapin => &mut state.lapin,
            Who::Lanes => &mut state.lanes,
        };
        match place {
            Some(there) => there.clone_from(waker),
            None => *place = Some(waker.clone()),
        }
    }

    /// Whether the socket is worth a try: there was an event since the last try that had no result.
    pub(super) fn is_due(&self) -> bool {
        !self.state().asked
    }

    /// Called before a try: if it has no result, there is no other until the reactor answers.
    pub(super) fn trying(&self) {
        self.state().asked = true;
    }

    /// The try had a result.
    pub(super) fn tried(&self) {
        self.state().asked = false;
    }

    /// Sets whether events are for the lanes alone.
    pub(super) fn only_for_lanes(&self, only: bool) {
        self.state().only_lanes = only;
    }

    /// Wakes `who`, if it waits.
    pub(super) fn wake(&self, who: Who) {
        let waker = match who {
            Who::Lapin => self.state().lapin.take(),
            Who::Lanes => self.state().lanes.take(),
        };
        waker.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No holder of the lock can leave it inconsistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Direction {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let (lapin, lanes) = {
            let state = &mut *self.state();
            state.asked = false;
            let lapin = if state.only_lanes { None } else { state.lapin.take() };
            (lapin, state.lanes.take())
        };
        lapin.into_iter().chain(lanes).for_each(Waker::wake);
    }
}
