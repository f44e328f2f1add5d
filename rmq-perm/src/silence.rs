//! A terminal without echo, for a password.

use rmq_common::failure::Failure;
use rmq_common::signals;
use rmq_common::thread;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

/// Turns the echo off until it is dropped, or a signal ends or stops the process.
pub struct Silence(Arc<Silenced>);

struct Silenced {
    terminal: Arc<File>,
    before: Termios,
    /// Whether the echo should still be off.
    wanted: Mutex<bool>,
}

impl Silence {
    /// # Errors
    /// The terminal or a signal handler cannot be set (74).
    pub fn begin(terminal: &Arc<File>) -> Result<Self, Failure> {
        let failure =
            |error: rustix::io::Errno| Failure::io("turn off the terminal's echo", &error.into());
        let before = tcgetattr(terminal).map_err(failure)?;
        let terminal = Arc::clone(terminal);
        let silenced = Arc::new(Silenced { terminal, before, wanted: Mutex::new(true) });
        let signals = signals::ends_and_stops()?;
        let shared = Arc::clone(&silenced);
        let showing = thread::start("echo", move || {
            while let Ok(signal) = signals.recv() {
                shared.show();
                signals::end_by(signal);
                // Continued after a stop: if the prompt still waits, the echo is turned off again.
                let wanted = shared.wanted.lock().unwrap_or_else(PoisonError::into_inner);
                if *wanted {
                    let _ = shared.hide(OptionalActions::Now);
                }
            }
        });
        showing.map_err(|error| Failure::io("start a thread", &error))?;
        silenced.hide(OptionalActions::Flush).map_err(failure)?;
        Ok(Silence(silenced))
    }
}

impl Silenced {
    fn hide(&self, when: OptionalActions) -> rustix::io::Result<()> {
        let mut without_echo = self.before.clone();
        without_echo.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&*self.terminal, when, &without_echo)
    }

    fn show(&self) {
        // If the terminal is gone, there is nothing else to try.
        let _ = tcsetattr(&*self.terminal, OptionalActions::Now, &self.before);
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        *self.0.wanted.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.show();
    }
}
