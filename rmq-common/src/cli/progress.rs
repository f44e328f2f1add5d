//! `--progress`: shows progress on a terminal, for work that takes longer than a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Work that ends sooner shows nothing.
const SHOWN_AFTER: Duration = Duration::from_secs(1);
/// How often the time is updated while nothing else changes.
const TICK: Duration = Duration::from_millis(250);

/// The line that is shown, so that diagnostics do not write into it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// A line on the terminal with the number of messages done, which disappears at the end.
#[derive(Debug)]
pub struct Progress {
    /// `None` if not requested, or if standard error is not a terminal.
    what: Option<&'static str>,
    program: &'static str,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Shows, if `wanted`, how many messages are `what`: "confirmed".
    pub fn new(wanted: bool, program: &'static str, what: &'static str) -> Self {
        let what = (wanted && std::io::stderr().is_terminal()).then_some(what);
        Progress { what, program, begun: Instant::now(), bar: None }
    }

    /// Sets the number done.
    pub fn set(&mut self, done: u64) {
        let Some(what) = self.what else { return };
        if self.bar.is_none() && self.begun.elapsed() >= SHOWN_AFTER {
            self.bar = Some(self.show(what));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    /// Sets how many bytes are not done, of work whose end is known in bytes.
    pub fn behind(&mut self, bytes: impl FnOnce() -> u64) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!(", {} bytes behind", bytes()));
        }
    }

    /// When it will be shown, so that it can be [`set`](Self::set) then even without progress.
    pub fn due(&self) -> Option<Instant> {
        let due = self.what.is_some() && self.bar.is_none();
        due.then(|| self.begun + SHOWN_AFTER)
    }

    fn show(&self, what: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let program = self.program;
        let template = format!("{program}: {{human_pos}} {what}{{msg}}, {{per_sec}}, {{elapsed}}");
        // The template is ours, and a test reads it.
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.set_elapsed(self.begun.elapsed());
        bar.enable_steady_tick(TICK);
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        bar
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
            bar.finish_and_clear();
        }
    }
}

/// Runs `write`, which writes to standard error, with the line hidden.
pub fn aside<T>(write: impl FnOnce() -> T) -> T {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}
