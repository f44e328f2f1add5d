//! When a run has to do something by itself, and when it reports a long wait.

use crate::broker::connect::SHORTEST_PATIENCE;
use crate::sender::run_loop::Sender;
use std::time::{Duration, Instant};

impl Sender {
    /// Reports a wait that is long, once.
    pub(super) fn keep_vigil(&mut self) {
        let now = Instant::now();
        let in_flight = self.account.window().in_flight();
        let is_connected = self.connection.link().is_some();
        let waits = in_flight > 0 || self.account.window().has_again() || !self.places.has_room();
        if is_connected
            && !waits
            && let Some(took) = self.vigil.progress(now)
        {
            let seconds = took.as_secs();
            self.diagnostics.notice(&format!("records continue, after {seconds} s"));
        }
        self.vigil.set(now, waits && is_connected);
        if self.vigil.is_due(now) {
            let reader = self.places.waits_for().map(str::to_owned);
            match reader.or_else(|| self.connection.waits_for(in_flight, self.retry)) {
                Some(text) => {
                    self.vigil.counts(now);
                    self.diagnostics.notice(&text);
                }
                // It does not count as one of many.
                None => self.vigil.known(),
            }
        }
    }

    /// When something has to be done even if nothing happens.
    pub(super) fn next_time(&self) -> Option<Instant> {
        let patience = self.confirm_due().filter(|_| !self.account.window().is_empty());
        let connection = self.connection.next_time(self.account.window().in_flight());
        let times = [connection, self.stop.deadline(), patience, self.vigil.due()];
        times.into_iter().flatten().min()
    }

    /// When something must be confirmed at the latest. `--retry 0` gives up at once on an
    /// unreachable broker, but a reachable one gets the time it takes to answer, unless it has
    /// refused everything or says that it takes nothing.
    pub(super) fn confirm_due(&self) -> Option<Instant> {
        let left = self.patience.left()?;
        let floor = match self.connection.owes_nothing(self.account.window().in_flight()) {
            true => Duration::ZERO,
            false => SHORTEST_PATIENCE.saturating_sub(self.patience.elapsed()),
        };
        Some(Instant::now() + left.max(floor))
    }
}
