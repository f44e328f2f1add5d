//! Who is woken when the socket can be read or written.
//!
//! The reactor remembers one waker for each direction of a socket. Two threads that poll it with
//! wakers of their own would take that place from each other for ever, so each direction is polled
//! with one permanent waker, which passes the news on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The two who may wait.
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
    /// News is for the lanes alone.
    only_lanes: bool,
    /// The reactor has been asked, and has not answered.
    asked: bool,
}

impl Direction {
    /// `who` is woken when there is news.
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

    /// Whether the socket is worth a try: there was news since the last one that came to nothing.
    pub(super) fn is_due(&self) -> bool {
        !self.state().asked
    }

    /// Before a try: until the reactor answers there will be no other, if this one comes to nothing.
    pub(super) fn trying(&self) {
        self.state().asked = true;
    }

    /// It came to something.
    pub(super) fn tried(&self) {
        self.state().asked = false;
    }

    /// Whether news is for the lanes alone from now on.
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
        // Nothing that holds the lock can leave it half changed.
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
