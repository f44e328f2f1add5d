//! A terminal that does not show what is typed, for a password.

use rmq_common::failure::Failure;
use rmq_common::signals;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

/// Nothing typed is shown until this is dropped, or a signal ends or stops us.
pub struct Silence(Arc<Silenced>);

struct Silenced {
    terminal: Arc<File>,
    before: Termios,
    /// Whether the terminal is still to be silent.
    wanted: Mutex<bool>,
}

impl Silence {
    /// Begins it.
    ///
    /// # Errors
    /// When the terminal or a handler for signals cannot be set (74).
    pub fn begin(terminal: &Arc<File>) -> Result<Self, Failure> {
        let failure = |error: rustix::io::Errno| Failure::io("hide what is typed", &error.into());
        let before = tcgetattr(terminal).map_err(failure)?;
        let terminal = Arc::clone(terminal);
        let silenced = Arc::new(Silenced { terminal, before, wanted: Mutex::new(true) });
        let signals = signals::ends_and_stops()?;
        let shared = Arc::clone(&silenced);
        std::thread::spawn(move || {
            while let Ok(signal) = signals.recv() {
                shared.show();
                signals::end_by(signal);
                // Stopped, and now going on: the same prompt, silent again if it still waits.
                let wanted = shared.wanted.lock().unwrap_or_else(PoisonError::into_inner);
                if *wanted {
                    let _ = shared.hide(OptionalActions::Now);
                }
            }
        });
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
        // Nothing is left to try if the terminal is gone.
        let _ = tcsetattr(&*self.terminal, OptionalActions::Now, &self.before);
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        *self.0.wanted.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.show();
    }
}
